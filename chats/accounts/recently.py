"""Whether somebody has proved a moment ago who they are, and what they were doing when they were asked.

Owns the form that waits in the session meanwhile, so that nothing typed is lost. Relies on allauth's notes
of how and when a session was authenticated; asks for no proof itself.
"""

from __future__ import annotations

import time

from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY,
    get_authentication_records,
    record_authentication,
)
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import resolve, reverse
from django.utils.http import urlencode

from chats.models import Person

WAITING = "waits_for_proof"
# Notes that a session keeps: the last one counts.
KEPT = 5


def is_recent(request: HttpRequest) -> bool:
    person = request.user
    if not isinstance(person, Person):
        return False
    proofs = [note for note in get_authentication_records(request, person) if _is_proof(note)]
    return bool(proofs) and time.time() - proofs[-1]["at"] < settings.V0_PROOF_AGE


def _is_proof(note: dict[str, object]) -> bool:
    return bool(note.get("reauthenticated"))


def prove(request: HttpRequest, person: Person, method: str) -> None:
    """Note that the person behind a session has just proved who they are."""
    record_authentication(request, person, method=method, reauthenticated=True)
    shorten(request)


def shorten(request: HttpRequest) -> None:
    notes = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = notes[-KEPT:]


def ask(request: HttpRequest) -> HttpResponse:
    """Lead to where somebody proves who they are; a form that they sent waits meanwhile."""
    place = request.get_full_path()
    if request.method == "POST":
        request.session[WAITING] = {"place": place, "form": request.POST.urlencode()}
    query = urlencode({"next": place})
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{query}", status=303)


def resume(request: HttpRequest, place: str) -> HttpResponse:
    """Go on at `place`, a path of ours: with the form that waits for it, or else with the page. The form's
    token was looked at when it was sent."""
    waiting = request.session.pop(WAITING, None)
    if not waiting or waiting["place"] != place:
        return HttpResponseRedirect(place, status=303)
    request.path_info, _, query = place.partition("?")
    request.path = request.path_info
    request.GET = QueryDict(query)
    request.POST = QueryDict(waiting["form"])
    found = resolve(request.path_info)
    request.resolver_match = found
    response: HttpResponse = found.func(request, *found.args, **found.kwargs)
    return response
