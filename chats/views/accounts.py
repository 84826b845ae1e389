"""Signing in and out.

Owns what our pages add to allauth's views: the demo people, the word to whoever finds an empty
installation, a status that says "too many", and a browser that forgets at the end.
"""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView, LogoutView
from django.forms import Form
from django.http import HttpResponse

from chats import accounts, demo

TOO_MANY = 429


class Login(LoginView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        is_new = accounts.is_new()
        return {
            **super().get_context_data(**kwargs),
            "is_new": is_new,
            "demo_people": demo.NAMES.items() if demo.is_demo() and not is_new else (),
            "demo_password": demo.PASSWORD,
        }

    def form_invalid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        if form.has_error("__all__", "too_many_login_attempts"):
            response.status_code = TOO_MANY
        return response


class Logout(LogoutView):
    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(*args, **kwargs)
        # Pages and drafts of this person must not be found with the back button or in storage.
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


login = Login.as_view()
logout = Logout.as_view()
