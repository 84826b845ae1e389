"""A chat as others would see it: for its owner, to read.

Owns the page. What is on it follows from the tie that somebody of a kind would have to the chat, by the same
table of rights that they would meet; nobody is signed in for it. What they could write, send or decide is told
in words: nothing on the page does anything.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats import permissions, relay
from chats.models import Chat
from chats.permissions import Action, archetypes
from chats.views.access import Request
from chats.views.cards import waiting_in
from chats.views.chat import as_html, nodes, window
from chats.views.own import own_slots
from chats.views.shell import shell

# What of the table is told, in this order.
TOLD = (
    (Action.LIST, "find it in their list"),
    (Action.SEE_COST, "see what it costs"),
    (Action.DUPLICATE, "duplicate it"),
    (Action.NOTE, "read and write notes"),
    (Action.SEND, "send messages and answer questions"),
    (Action.RENAME, "rename it"),
)
SHOWN = frozenset({Action.READ, Action.SEE_COST})


@require_safe
def view_as(request: Request, id: UUID, who: str) -> HttpResponse:
    found = permissions.chat(request, id, Action.MANAGE)
    offered = archetypes.kinds(found)
    if who not in offered:
        raise Http404
    allowed = archetypes.allowed(found, offered[who])
    context = {
        "chat": found,
        "title": found.title or "New chat",
        "who": who,
        "kind": offered[who],
        "kinds": offered.items(),
        "is_visible": Action.READ in allowed,
        "may": [words for action, words in TOLD if action in allowed],
        "may_not": [words for action, words in TOLD if action not in allowed],
        **(_seen(request, found, allowed) if Action.READ in allowed else {}),
        **shell(request, current=found.id),
    }
    return render(request, "chats/view_as.html", context)


def _seen(request: HttpRequest, found: Chat, allowed: Collection[Action]) -> dict[str, object]:
    rows = window(found)
    state, _ = relay.standing(found.id)
    # Whatever asks who looks at the page finds nobody: that it is the owner must not show on it.
    unnamed = copy(request)
    unnamed.user = AnonymousUser()
    waiting = waiting_in(found, rows.rows)
    slots = own_slots(unnamed, found, rows.rows, SHOWN.intersection(allowed), waiting)
    shown = nodes(rows.rows, state)
    return {
        "messages": as_html(shown, slots),
        "has_earlier": rows.earlier is not None,
    }
