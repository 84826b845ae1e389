"""Handing a chat over: its owner offers it to somebody of the team, who accepts or declines.

Owns both forms and what each of the two is told before. Relies on permissions for who may, and on
`models.offers` for the change; who is offered a chat that they cannot see learns who offers it and nothing
of what it says.
"""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url

from chats import permissions, relay
from chats.accounts import address
from chats.forms.acts import TakerForm, sentence
from chats.models import Chat, Person, offers
from chats.permissions import Action
from chats.permissions.offers import left_to_owner, offered, offers_to
from chats.views.access import Request, form_methods, member, see_chat, signed_in
from chats.views.acts import shown_act
from chats.views.own import LEVELS
from chats.views.shell import shell

CHANGED = "The chat has changed meanwhile. This is how it is now."


@form_methods
def hand_over(request: Request, id: UUID) -> HttpResponse:
    """Offers the chat to `person`; with `back` takes the offer back."""
    found = permissions.chat(request, id, Action.MANAGE)
    form = TakerForm(request.POST, offers.takers(found))
    if request.method != "POST":
        return _form(request, found, form)
    if "back" in request.POST:
        _take_back(request, found)
        return see_chat(found.id)
    if not form.is_valid():
        return _form(request, found, form, sentence(form), status=422)
    if not offers.offer(found, form.person, address=address(request)):
        return _form(request, permissions.chat(request, id, Action.MANAGE), form, CHANGED, 409)
    _tell(found, form.person)
    return see_chat(found.id)


@form_methods
@signed_in
def accept(request: Request, person: Person, id: UUID) -> HttpResponse:
    """To whom the chat is offered: what they take on, and their answer."""
    found = offered(person, id)
    answer = request.POST.get("answer")
    if request.method != "POST" or answer not in ("accept", "decline"):
        status = 422 if request.method == "POST" else 200
        return _offer(request, found, person, status=status)
    if answer == "decline":
        offers.end(found, person, actor=person, address=address(request))
        _tell(found, person)
        return HttpResponseRedirect(resolve_url("needs_you"), status=303)
    if not offers.accept(found, person, address=address(request)):
        raise Http404
    _tell(found, person, found.owner)
    return see_chat(found.id)


def _take_back(request: Request, found: Chat) -> None:
    if found.offered_to is None:
        return
    actor = member(request)
    if offers.end(found, found.offered_to, actor=actor, address=address(request)):
        _tell(found, found.offered_to)


def _tell(found: Chat, *people: Person) -> None:
    """Open pages, sockets and lists follow, also of somebody who does not see the chat."""
    relay.rights_changed(person.pk for person in people)
    relay.changed(found.id)


def _form(
    request: Request, found: Chat, form: TakerForm, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "takers": [each.person for each in form.takers],
        "chosen": form.chosen,
        "refusal": refusal,
        "has_ended": found.offered_to is not None and not _counts(found),
        "stays": _stays(found),
    }
    return shown_act(request, found, "hand_over", context, status=status)


def _counts(found: Chat) -> bool:
    return found.offered_to is not None and offers_to(found.offered_to).filter(pk=found.pk).exists()


def _stays(found: Chat) -> str:
    """What is left to whoever gives the chat away: "write", "read" or ""."""
    allowed = left_to_owner(found)
    return "write" if Action.SEND in allowed else "read" if Action.READ in allowed else ""


def _offer(request: Request, found: Chat, person: Person, *, status: int) -> HttpResponse:
    is_seen = permissions.may(person, found, Action.READ)
    context = {
        "chat": found,
        "title": (found.title or "New chat") if is_seen else "",
        "level": LEVELS[found.privacy],
        "guests": found.guests.count(),
        "waiting": found.queue.count(),
        "stays": _stays(found),
        **shell(request),
    }
    return render(request, "chats/accept.html", context, status=status)
