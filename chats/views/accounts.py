"""Signing in and out, and the password.

Owns what our pages add to allauth's views: the demo people, the way to the first account for whoever
finds an empty installation, a status that says "too many", a browser that forgets at the end, and that the
sockets of sessions that ended end with them.
"""

from __future__ import annotations

from typing import Any

from allauth.account.views import (
    LoginView,
    LogoutView,
    PasswordChangeView,
    PasswordResetFromKeyView,
    PasswordResetView,
    PasswordSetView,
)
from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url

from chats import accounts, demo, relay
from chats.accounts import oidc, sign_up
from chats.models import Person
from chats.permissions import gallery
from chats.views.access import Request, recently_authenticated, signed_in

TOO_MANY = 429


class Login(LoginView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if accounts.is_new():
            return redirect("first_visit")
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "provider": settings.V0_OIDC_NAME if oidc.is_offered() else "",
            "gallery": gallery.is_shown(signed_in=False),
            "sign_up_is_open": sign_up.is_open(),
            "demo_people": demo.NAMES.items() if demo.is_demo() else (),
            "demo_password": demo.PASSWORD,
        }

    def form_invalid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        if form.has_error("__all__", "too_many_login_attempts"):
            response.status_code = TOO_MANY
        return response


class PasswordReset(PasswordResetView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if accounts.is_new():
            return redirect("first_visit")
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response


class Logout(LogoutView):
    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(*args, **kwargs)
        relay.rights_changed()
        # Pages and drafts of this person must not be found with the back button or in storage.
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


class PasswordChange(PasswordChangeView):
    def form_valid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        relay.rights_changed()
        return response


class PasswordFromLink(PasswordResetFromKeyView):
    def form_valid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        relay.rights_changed()
        return response


@signed_in
@recently_authenticated
def password_set(request: Request, person: Person) -> HttpResponse:
    """A first password, for somebody whom another provider has signed in until now."""
    response = PasswordSetView.as_view()(request)
    assert isinstance(response, HttpResponse)
    return response


def refused_passkey() -> HttpResponse:
    return HttpResponseRedirect(f"{resolve_url('account_login')}?passkey=refused", status=303)


password_change = PasswordChange.as_view()
password_reset_from_key = PasswordFromLink.as_view()
login = Login.as_view()
logout = Logout.as_view()
password_reset = PasswordReset.as_view()
