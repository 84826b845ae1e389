"""One message by itself: as Markdown to copy, and what is known about it.

Owns both addresses and which detail is for whom: the model and the options for those who may send,
tokens and credits for those who may see costs, the rest for every reader. Relies on permissions for
the message; asks nobody but the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Message
from chats.permissions import Action
from chats.relay.rows import shown, utc
from chats.rendering import transcript, words
from chats.rendering.heads import seconds
from chats.rendering.message import end
from chats.v0api.types import Part
from chats.views.access import Request, allowed_actions
from chats.views.costs import costs
from chats.views.sent_with import context as options_of
from chats.views.shell import shell


@dataclass(frozen=True, slots=True)
class Line:
    """One part in the list: `id` is where it stands on the page, `lasted` "" when nobody knows."""

    number: int
    id: str
    kind: str
    lasted: str


@require_safe
def message_markdown(request: Request, id: UUID, message: UUID) -> HttpResponse:
    found = permissions.message(request, id, message, Action.READ)
    response = HttpResponse(
        f"{transcript.message(shown(found))}\n", content_type="text/plain; charset=utf-8"
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def message(request: Request, id: UUID, message: UUID) -> HttpResponse:
    """The details, as a page; as a fragment for the dialog."""
    found = permissions.message(request, id, message, Action.READ)
    allowed = allowed_actions(request, found.chat)
    told = shown(found)
    asked = _asked(found) if Action.SEND in allowed else None
    context = {
        "chat": found.chat,
        "name": found.chat.title or "New chat",
        "message": found,
        "told": told,
        "heading": "This answer" if found.role == "assistant" else "This message",
        "act": "chats/_details.html",
        "ended": utc(found.ended_at) if found.ended_at else "",
        "took": _took(found),
        "waited": words.took(told.waited) if told.waited else "",
        "outcome": outcome(found),
        "parts": list(_lines(told.id, told.parts)),
        "may_note": Action.NOTE in allowed,
        "options": options_of(asked) if asked else None,
        "cost": costs([found.id]).get(found.id) if Action.SEE_COST in allowed else None,
        "is_page": not request.htmx,
    }
    if request.htmx:
        return render(request, "chats/_details.html", context)
    return render(request, "chats/act.html", {**context, **shell(request, current=id)})


def outcome(found: Message) -> str:
    """How it ended, in words."""
    told = end(shown(found))
    if told["problem"] is not None:
        return str(told["problem"].what)
    said = told["ending"] or told["words"]
    if said or found.role == "user":
        return said or "Sent."
    if found.is_live:
        return "Not ended yet."
    if found.asks:
        return "Finished with something to decide."
    return "Finished with a tool's result." if found.finish_reason == "tool-calls" else "Finished."


def _asked(found: Message) -> Message | None:
    """The message of a person that has the options: itself, or the one that was answered."""
    if found.role == "user":
        return found
    before = found.chat.messages.filter(role="user", position__lt=found.position)
    return before.order_by("-position").first()


def _took(found: Message) -> str:
    if found.role == "user" or found.ended_at is None:
        return ""
    return words.lasted(_length(found.created_at, found.ended_at))


def _length(start: datetime, end: datetime) -> float:
    return max(timedelta(), end - start).total_seconds()


def _lines(id: str, parts: tuple[Part, ...]) -> Iterator[Line]:
    for index, part in enumerate(parts):
        kind = words.PARTS.get(part.type) or words.humanised(part.type)
        yield Line(index + 1, f"m{id}-p{index}", kind, words.lasted(seconds(part)))
