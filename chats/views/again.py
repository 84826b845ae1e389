"""Proving once more who one is, before something sensitive: by password, code or passkey.

Owns the page and where it leads: back to what somebody was doing, with all that they had typed. Relies on
allauth for each check and its limits. A proof gives the session a fresh key.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.forms import ReauthenticateForm
from allauth.core.ratelimit import consume_or_429
from allauth.mfa.models import Authenticator
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from chats import relay
from chats.accounts import recently, sessions
from chats.accounts.codes import CodeAgainForm
from chats.accounts.passkeys import AgainForm
from chats.models import Person
from chats.views.access import Request, form_methods, member, signed_in

FORMS: dict[str, type[Form]] = {
    "password": ReauthenticateForm,
    "code": CodeAgainForm,
    "credential": AgainForm,
}


@never_cache
@sensitive_post_parameters("password", "code", "credential")
@form_methods
@signed_in
def again(request: Request, person: Person) -> HttpResponse:
    place = str(request.POST.get("next") or request.GET.get("next") or "/")
    if not get_adapter(request).is_safe_url(place) or not place.startswith("/"):
        place = "/"
    ways = ways_of(person)
    if request.method != "POST":
        return _page(request, ways, place)
    limited: HttpResponse | None = consume_or_429(request, action="reauthenticate", user=person)
    if limited is not None:
        return limited
    way = next((way for way in ways if way in request.POST), "")
    if not way:
        return _page(request, ways, place, status=422)
    form = FORMS[way](user=person, data=request.POST)  # type: ignore[call-arg]
    if not form.is_valid():
        is_limited = form.has_error(way, "too_many_login_attempts")
        return _page(request, ways, place, way=way, form=form, status=429 if is_limited else 422)
    if way != "password":
        form.save()  # type: ignore[attr-defined]
    recently.prove(request, person, way)
    before, now = sessions.renew(request)
    relay.session_renewed(before, now)
    return recently.resume(request, place)


def ways_of(person: Person) -> list[str]:
    """The names of the fields by which a person can prove who they are; [] for somebody whom only another
    provider knows: they sign in again."""
    types = set(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    ways = ["credential"] if Authenticator.Type.WEBAUTHN in types else []
    ways += ["password"] if person.has_usable_password() else []
    ways += ["code"] if types - {Authenticator.Type.WEBAUTHN} else []
    return ways


def _page(
    request: Request,
    ways: list[str],
    place: str,
    *,
    way: str = "",
    form: Form | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "ways": ways,
        "has_app": Authenticator.objects.filter(user=member(request), type="totp").exists(),
        "next": place,
        "way": way,
        "errors": form.errors.get(way, []) if form else [],
        "is_kept": request.session.get(recently.WAITING, {}).get("place") == place,
    }
    return render(request, "account/again.html", context, status=status)
