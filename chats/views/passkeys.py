"""Passkeys: add, rename and remove one, and sign in with one.

Owns these pages and the challenges that a browser's script asks for when its button is pressed, so that no page
writes anything when it is read. Relies on allauth and fido2 for every check. A passkey is always one that proves
its person by itself (a finger, a face, a PIN), so that it can stand for password and second factor together.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.stagekit import get_pending_stage
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal.ratelimit import consume_or_429
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth, flows
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from chats.accounts.passkeys import AddForm, SignInForm
from chats.models import Person
from chats.views import accounts
from chats.views.access import (
    Request,
    form_methods,
    person,
    recently_authenticated,
    see_security,
    signed_in,
)
from chats.views.entry import setting_up
from chats.views.factors import added, ends_all, is_needed
from chats.views.shell import shell

# More than these nobody tells apart; each has to be asked about when one signs in.
MOST = 20
LONGEST = 100


@require_POST
def challenge(request: Request) -> HttpResponse:
    """What a browser needs to prove somebody with a passkey: whoever is signed in or has given their
    password, and else anybody whose passkey the browser holds."""
    limited = _limited(request)
    if limited is not None:
        return limited
    stage = get_pending_stage(request)
    whom = person(request) or (stage.login.user if stage else None)
    return JsonResponse(auth.begin_authentication(whom))


@never_cache
@sensitive_post_parameters("credential")
@require_POST
def sign_in(request: Request) -> HttpResponse:
    limited = _limited(request)
    if limited is not None:
        return limited
    if person(request):
        return HttpResponseRedirect("/", status=303)
    form = SignInForm(data=request.POST)
    if not form.is_valid():
        return accounts.refused_passkey()
    factor = form.cleaned_data["credential"]
    login = Login(user=factor.user, redirect_url=get_next_redirect_url(request))
    response: HttpResponse = flows.perform_passwordless_login(request, factor, login)
    return response


@require_POST
@signed_in
@recently_authenticated
def add_challenge(request: Request, person: Person) -> HttpResponse:
    return JsonResponse(auth.begin_registration(person, True))


@never_cache
@sensitive_post_parameters("credential")
@form_methods
@signed_in
@recently_authenticated
def add(request: Request, person: Person) -> HttpResponse:
    held = Authenticator.objects.filter(user=person, type=Authenticator.Type.WEBAUTHN).count()
    fields = request.POST.copy()
    fields["passwordless"] = "on"
    fields["name"] = fields.get("name", "").strip()[:LONGEST]
    form = AddForm(user=person, data=fields if request.method == "POST" else None)
    if held >= MOST or not form.is_valid():
        name = fields["name"] or form.initial["name"]
        context = {"name": name, "is_full": held >= MOST, "is_refused": form.is_bound}
        status = 422 if form.is_bound else 200
        context |= setting_up(request, person)
        return render(request, "settings/passkey_add.html", context, status=status)
    _, codes = flows.add_authenticator(
        request, name=form.cleaned_data["name"], credential=form.cleaned_data["credential"]
    )
    return added("passkey-added", with_codes=bool(codes))


@form_methods
@signed_in
@recently_authenticated
def rename(request: Request, person: Person, pk: int) -> HttpResponse:
    passkey = _of(person, pk)
    name = (request.POST.get("name") or "").strip()
    if request.method != "POST" or not 0 < len(name) <= LONGEST:
        is_refused = request.method == "POST"
        held = {"name": name if is_refused else passkey.wrap().name, "is_refused": is_refused}
        context = {"passkey": passkey, **held}
        return _page(request, "passkey_rename", context, 422 if is_refused else 200)
    flows.rename_authenticator(request, passkey, name)
    return see_security("passkey-renamed")


@form_methods
@signed_in
@recently_authenticated
def remove(request: Request, person: Person, pk: int) -> HttpResponse:
    passkey = _of(person, pk)
    is_last = is_needed(person, passkey)
    if request.method != "POST" or is_last:
        context = {"passkey": passkey, "is_last": is_last, "ends": ends_all(person, passkey)}
        return _page(request, "passkey_remove", context, 422 if request.method == "POST" else 200)
    flows.remove_authenticator(request, passkey)
    return see_security("passkey-removed")


def _page(request: Request, name: str, context: dict[str, Any], status: int) -> HttpResponse:
    return render(request, f"settings/{name}.html", {**context, **shell(request)}, status=status)


def _of(person: Person, pk: int) -> Authenticator:
    found = Authenticator.objects.filter(user=person, type=Authenticator.Type.WEBAUTHN, pk=pk)
    passkey: Authenticator | None = found.first()
    if passkey is None:
        raise Http404
    return passkey


def _limited(request: Request) -> HttpResponse | None:
    limited: HttpResponse | None = consume_or_429(
        request, app="allauth.mfa", action="webauthn_login"
    )
    return limited
