"""Everything that waits for whoever is signed in, across chats, the longest wait first.

Owns the page, and what each kind is called on it. Relies on permissions for what waits for whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Chat, Mention, Message, Person
from chats.permissions.notes import mentions
from chats.permissions.offers import offers_to
from chats.relay.notices import KINDS
from chats.relay.rows import utc
from chats.rendering.finding import spaced
from chats.v0api.pending import (
    PendingConnect,
    PendingIntegration,
    PendingPermissions,
    PendingQuestions,
    pending_task,
)
from chats.v0api.types import parts_from_wire
from chats.views.access import Request, signed_in
from chats.views.shell import shell

PAGE, MOST = 25, 200
LONGEST = 120


@dataclass(frozen=True, slots=True)
class Need:
    """One row; `owner` is "" in a chat of one's own."""

    chat: Chat
    words: str
    since: str
    owner: str


@dataclass(frozen=True, slots=True)
class Named:
    """A note that names whoever reads the list; `author` is "" where nobody knows who wrote it."""

    chat: Chat
    note: UUID
    message: UUID
    author: str
    excerpt: str
    since: str


@require_safe
@signed_in
def needs_you(request: Request, person: Person) -> HttpResponse:
    size = _size(request.GET.get("shown") or "")
    asked = permissions.waiting_for(person).select_related("chat__owner").defer("text", "content")
    found = list(asked[: size + 1])
    context = {
        "offers": offers_to(person).select_related("owner", "team").order_by("pk")[:MOST],
        "named": [_named(mention) for mention in _mentions(person)],
        "needs": [_need(message, person) for message in found[:size]],
        "size": size,
        "more": min(size + PAGE, MOST) if len(found) > size and size < MOST else 0,
    }
    if request.htmx:
        return render(request, "chats/_needs.html", context)
    return render(request, "chats/needs_you.html", {**context, **shell(request)})


def _need(asked: Message, person: Person) -> Need:
    chat = asked.chat
    owner = "" if chat.owner_id == person.pk else chat.owner.shown_name
    return Need(chat, words(asked), utc(asked.ended_at or asked.created_at), owner)


def _mentions(person: Person) -> QuerySet[Mention]:
    return mentions(person).select_related("note__author", "note__chat")[:MOST]


def _named(mention: Mention) -> Named:
    note = mention.note
    author = note.author.shown_name if note.author else ""
    told = spaced(note.text)
    excerpt = f"{told[:LONGEST].rstrip()}…" if len(told) > LONGEST else told
    return Named(note.chat, note.id, note.message_id, author, excerpt, utc(note.written_at))


def words(asked: Message) -> str:
    """What an answer waits for, as the object of a sentence."""
    match pending_task(parts_from_wire(asked.parts)):
        case PendingQuestions(questions=questions) if questions:
            return f"{len(questions)} questions" if len(questions) > 1 else "A question"
        case PendingPermissions(permissions=wanted):
            return _of("A permission", [one.tool_display_name for one in wanted])
        case PendingIntegration() as task:
            return _of("A connection", [*task.integrations, *task.mcp_presets])
        case PendingConnect() as task:
            return _of("A set-up", [task.connector_name or task.service])
        case _:
            return KINDS.get(asked.asks, "An answer").capitalize()


def _of(kind: str, names: list[str]) -> str:
    listed = ", ".join(filter(None, names))
    if len(listed) > LONGEST:
        listed = f"{listed[:LONGEST]}…"
    return f"{kind}: {listed}" if listed else kind


def _size(text: str) -> int:
    given = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else PAGE
    return max(PAGE, min(given, MOST))
