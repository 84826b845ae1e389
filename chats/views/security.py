"""How somebody's account is protected: the overview, and the list of where they are signed in.

Owns both pages and the end of single sessions. Relies on `chats.accounts` for what there is, and tells the
relay what ended, so that sockets end at once.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_POST, require_safe

from chats import accounts, relay
from chats.accounts import addresses, sessions
from chats.models import Event, Person, record
from chats.permissions.proof import must_have_factor
from chats.views.access import Request, recently_authenticated, signed_in
from chats.views.browsers import browser
from chats.views.entry import setting_up
from chats.views.shell import shell


@require_safe
@signed_in
def security(request: Request, person: Person) -> HttpResponse:
    factors = list(Authenticator.objects.filter(user=person).order_by("pk"))
    of = {factor.type: factor for factor in factors}
    codes = of.get(Authenticator.Type.RECOVERY_CODES)
    context = {
        "done": request.GET.get("done", ""),
        "is_proved": addresses.is_proved(person),
        "change": addresses.waiting(person),
        "has_password": person.has_usable_password(),
        "app": of.get(Authenticator.Type.TOTP),
        "passkeys": [each for each in factors if each.type == Authenticator.Type.WEBAUTHN],
        "codes": codes,
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "must_have": must_have_factor(person),
        "sessions": len(sessions.standing(person)),
        **setting_up(request, person),
    }
    return render(request, "settings/security.html", context)


@require_safe
@signed_in
def sessions_list(request: Request, person: Person) -> HttpResponse:
    current = request.session.session_key
    found = sessions.standing(person)
    rows = [(row, browser(row.user_agent), row.session_key == current) for row in found]
    context = {
        "rows": sorted(rows, key=lambda row: not row[2]),
        "done": request.GET.get("done", ""),
        **shell(request),
    }
    return render(request, "settings/sessions.html", context)


@require_POST
@signed_in
@recently_authenticated
def session_end(request: Request, person: Person, id: int) -> HttpResponse:
    row = UserSession.objects.filter(user=person, pk=id).first()
    if row is None:
        raise Http404
    return _ended(request, person, sessions.end([row.session_key]), "one")


@require_POST
@signed_in
@recently_authenticated
def sessions_end_others(request: Request, person: Person) -> HttpResponse:
    ended = sessions.end_others(person, keep=request.session.session_key)
    return _ended(request, person, ended, "others")


def _ended(request: Request, person: Person, count: int, done: str) -> HttpResponse:
    relay.rights_changed()
    if count:
        where = accounts.address(request)
        record(Event.SESSIONS_ENDED, actor=person, address=where, person=person, sessions=count)
    place = resolve_url("sessions")
    return HttpResponseRedirect(f"{place}?done={done}", status=303)
