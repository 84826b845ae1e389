"""Search inside one chat.

Owns the page of results, which is the fragment above an open chat as well, and the bounds of one
request: so many messages, so much text, so many hits; where they end, a link goes on. Relies on
permissions for the chat and on `rendering.finding` for what can be found: nothing that only some
readers may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Chat, Message
from chats.permissions import Action
from chats.relay.rows import shown, utc
from chats.rendering.finding import LONGEST, Excerpt, Passage, excerpt, needle, passages, spaced
from chats.views.access import Request, allowed_actions
from chats.views.shell import shell

# What one request reads and shows at most. About a second of one core, for a chat of long answers.
MESSAGES = 1000
CHARACTERS = 4_000_000
HITS = 50
FETCHED = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A part, or what somebody typed: where it is, who wrote it and when, and the place in words."""

    anchor: str
    href: str
    kind: str
    author: str
    created: str
    excerpt: Excerpt


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, the last in the chat first. `more` counts those of the last message that are not among
    them; `before` is the position before which nothing was looked at, None when all was."""

    hits: tuple[Hit, ...]
    more: int = 0
    before: int | None = None


@require_safe
def search(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.READ)
    query = spaced(request.GET.get("q") or "")[:LONGEST]
    before = _number(request.GET.get("before") or "")
    name = found.title or "New chat"
    context = {
        "chat": found,
        "name": name,
        "query": query,
        "longest": LONGEST,
        "may_note": Action.NOTE in allowed_actions(request, found),
        "found": look(found, query, before=before) if query else None,
        "is_rest": before is not None,
        "is_page": not request.htmx,
    }
    if request.htmx:
        return render(request, "chats/_search.html", context)
    return render(request, "chats/search.html", {**context, **shell(request, current=id)})


def look(found: Chat, query: str, *, before: int | None = None) -> Found:
    """Reads backwards from the end, or from a position, until a bound or the beginning."""
    wanted = needle(query)
    rows = found.messages.select_related("author", "v0_person").defer("sent_with", "content")
    if before is not None:
        rows = rows.filter(position__lt=before)
    newest = rows.order_by("-position")[: MESSAGES + 1].iterator(chunk_size=FETCHED)
    hits: list[Hit] = []
    characters = 0
    for count, row in enumerate(newest):
        if count == MESSAGES or characters >= CHARACTERS or len(hits) >= HITS:
            # Somebody goes on with this one.
            return _found(hits, row.position + 1)
        texts = list(passages(shown(row)))
        characters += sum(len(passage.text) for passage in texts)
        hits += _in(row, query, wanted, reversed(texts))
    return _found(hits)


def _found(hits: Sequence[Hit], before: int | None = None) -> Found:
    return Found(tuple(hits[:HITS]), max(0, len(hits) - HITS), before)


def _in(row: Message, query: str, wanted: str, texts: Iterable[Passage]) -> Iterator[Hit]:
    asked = urlencode({"at": row.id, "find": query})
    for passage in texts:
        place = excerpt(passage.text, wanted)
        if place is not None:
            yield Hit(
                anchor=passage.anchor,
                href=f"{resolve_url('chat', row.chat_id)}?{asked}#{passage.anchor}",
                kind=passage.kind,
                author=shown(row).who,
                created=utc(row.created_at),
                excerpt=place,
            )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
