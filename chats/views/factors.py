"""Second factors: an app that makes codes, codes for the day it is lost, and the question after the password.

Owns these pages; passkeys have a module of their own. Relies on allauth for every check and its limits, and on
`recently_authenticated` before anything is shown or changed. Each change is noted by `chats.accounts`.
"""

from __future__ import annotations

from types import SimpleNamespace

from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import generate_recovery_codes
from allauth.mfa.totp.internal.flows import activate_totp, deactivate_totp
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from chats.accounts.codes import CodeForm
from chats.accounts.factors import AppForm, qr_code
from chats.accounts.passkeys import SecondForm
from chats.models import Person
from chats.permissions.proof import FACTORS, must_have_factor
from chats.views.access import (
    Request,
    form_methods,
    recently_authenticated,
    see_security,
    signed_in,
)
from chats.views.entry import setting_up
from chats.views.shell import shell

TOO_MANY = 429


class SecondFactor(AuthenticateView):
    """Asked for between the password and the way in."""

    template_name = "account/second_factor.html"
    form_class = CodeForm
    webauthn_form_class = SecondForm

    def form_invalid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        limited = any(form.has_error(field, "too_many_login_attempts") for field in form.fields)
        response.status_code = TOO_MANY if limited else 422
        return response

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """Without a challenge for a passkey: the button asks for one."""
        held = Authenticator.objects.filter(user=self.stage.login.user)
        types = set(held.values_list("type", flat=True))
        return {
            "form": self.auth_form,
            "is_refused": self.webauthn_form is not None and self.webauthn_form.is_bound,
            "has_passkey": Authenticator.Type.WEBAUTHN in types,
            "has_app": Authenticator.Type.TOTP in types,
            "has_codes": Authenticator.Type.RECOVERY_CODES in types,
        }


second_factor = sensitive_post_parameters("code", "credential")(SecondFactor.as_view())


@never_cache
@sensitive_post_parameters("code", "secret")
@form_methods
@signed_in
@recently_authenticated
def app_add(request: Request, person: Person) -> HttpResponse:
    if _factor(person, Authenticator.Type.TOTP):
        return see_security("app-there")
    form = AppForm(person, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        size, path = qr_code(form.link)
        groups = [form.shown[at : at + 4] for at in range(0, len(form.shown), 4)]
        context = {"form": form, "size": size, "path": path, "groups": groups}
        context |= setting_up(request, person)
        status = 422 if form.is_bound else 200
        if form.has_error("code", "too_many_login_attempts"):
            status = TOO_MANY
        return render(request, "settings/app_add.html", context, status=status)
    _, codes = activate_totp(request, SimpleNamespace(secret=form.shown))
    return added("app-added", with_codes=bool(codes))


@form_methods
@signed_in
@recently_authenticated
def app_remove(request: Request, person: Person) -> HttpResponse:
    app = _factor(person, Authenticator.Type.TOTP)
    if app is None:
        raise Http404
    is_last = is_needed(person, app)
    if request.method != "POST" or is_last:
        context = {"is_last": is_last, "ends": ends_all(person, app), **shell(request)}
        status = 422 if request.method == "POST" else 200
        return render(request, "settings/app_remove.html", context, status=status)
    deactivate_totp(request, app)
    return see_security("app-removed")


@never_cache
@require_safe
@signed_in
@recently_authenticated
def codes(request: Request, person: Person) -> HttpResponse:
    context = {
        "codes": _codes(person),
        "is_new": "new" in request.GET,
        **setting_up(request, person),
    }
    return render(request, "settings/recovery_codes.html", context)


@never_cache
@require_safe
@signed_in
@recently_authenticated
def codes_download(request: Request, person: Person) -> HttpResponse:
    lines = [f"Recovery codes of {person.email} for {request.get_host()}. Each works once.", ""]
    text = "\n".join([*lines, *_codes(person), ""])
    headers = {"Content-Disposition": 'attachment; filename="v0web-recovery-codes.txt"'}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


@form_methods
@signed_in
@recently_authenticated
def codes_new(request: Request, person: Person) -> HttpResponse:
    if not Authenticator.objects.filter(user=person, type__in=FACTORS).exists():
        raise Http404
    if request.method != "POST":
        return render(request, "settings/recovery_codes_new.html", shell(request))
    generate_recovery_codes(request)
    return HttpResponseRedirect(f"{resolve_url('mfa_view_recovery_codes')}?new", status=303)


def _factor(person: Person, type: str) -> Authenticator | None:
    found: Authenticator | None = Authenticator.objects.filter(user=person, type=type).first()
    return found


def _codes(person: Person) -> list[str]:
    held = _factor(person, Authenticator.Type.RECOVERY_CODES)
    if held is None:
        raise Http404
    unused: list[str] = held.wrap().get_unused_codes()
    return unused


def ends_all(person: Person, factor: Authenticator) -> bool:
    """Whether nothing but the password is asked for once this one is gone."""
    others = Authenticator.objects.filter(user=person, type__in=FACTORS).exclude(pk=factor.pk)
    return not others.exists()


def is_needed(person: Person, factor: Authenticator) -> bool:
    """Whether the installation wants a second factor of the person, and this is their last."""
    return must_have_factor(person) and ends_all(person, factor)


def added(done: str, *, with_codes: bool) -> HttpResponse:
    """After the first factor of somebody, the recovery codes that came with it are shown."""
    if not with_codes:
        return see_security(done)
    return HttpResponseRedirect(f"{resolve_url('mfa_view_recovery_codes')}?new", status=303)
