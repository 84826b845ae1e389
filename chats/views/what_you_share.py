"""What somebody shares: all of their own chats that others can see, and one way to end that for each.

Owns the page, and the form that ends every share of a chat at once: its level, its link, its guests. Relies on
permissions for which chats are theirs, on `sharing` for the level, and on the models of the other two.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_safe

from chats import accounts, permissions, relay
from chats.forms.visibility import words
from chats.models import Chat, Guest, Person, guests, links
from chats.models.chats import Privacy
from chats.permissions import Action
from chats.views.access import Request, form_methods, member, signed_in
from chats.views.acts import shown_act
from chats.views.manage import listed
from chats.views.shares import Link, link
from chats.views.sharing import make_private
from chats.views.shell import shell

CHANGED = (
    "The chat has changed meanwhile. Look at it again, and end its shares if you still mean it."
)


@dataclass(frozen=True, slots=True)
class Shared:
    """One chat: `level` and `wanted` in words, "" for nothing that v0 has not agreed to."""

    chat: Chat
    level: str
    wanted: str
    link: Link | None
    guests: int


@require_safe
@signed_in
def what_you_share(request: Request, person: Person) -> HttpResponse:
    rows = shared_by(person).select_related("team").prefetch_related("guests")
    page = listed(request, rows.order_by("-updated_at", "-pk"))
    context = {
        "listed": page,
        "shared": [_shared(request, chat) for chat in page.rows],
        "done": "done" in request.GET,
        **shell(request),
    }
    return render(request, "settings/shared.html", context)


def shared_by(person: Person) -> QuerySet[Chat]:
    """Their chats that somebody else sees, or will when v0 has agreed; in no order."""
    seen = ~Q(privacy=Privacy.PRIVATE) | ~Q(privacy_wanted="")
    invited = Exists(Guest.objects.filter(chat=OuterRef("pk")))
    return permissions.managed(person).filter(seen | invited)


def _shared(request: Request, chat: Chat) -> Shared:
    return Shared(
        chat,
        words(chat.privacy),
        words(chat.privacy_wanted) if chat.privacy_wanted else "",
        link(request, chat),
        len(chat.guests.all()),
    )


@form_methods
def unshare(request: Request, id: UUID) -> HttpResponse:
    """Everything that lets others see the chat, in an order in which it only ever becomes less."""
    found = permissions.chat(request, id, Action.MANAGE)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        return _ask(request, found, status=422 if request.method == "POST" else 200)
    actor, address = member(request), accounts.address(request)
    try:
        if not make_private(request, found):
            raise links.Changed
        links.drop(found, actor=actor, address=address)
        people = guests.withdraw_all(found, actor=actor, address=address)
    except (links.Changed, guests.Changed):
        again = permissions.chat(request, id, Action.MANAGE)
        return _ask(request, again, refusal=CHANGED, status=409)
    relay.rights_changed(people)
    relay.changed(found.pk)
    return HttpResponseRedirect(f"{resolve_url('what_you_share')}?done", status=303)


def _ask(request: Request, found: Chat, *, refusal: str = "", status: int = 200) -> HttpResponse:
    context = {"shared": _shared(request, found), "refusal": refusal}
    return shown_act(request, found, "unshare", context, status=status)
