"""Rows read for readers: the messages that can still change, everything after one, and versions.

Owns the hub's queries and the operations of a whole answer to an unknown position. Relies on
models, `rows` and rendering; runs in the relay's reader threads, where rendering a long message
holds nobody up. Never writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from chats.live.difference import MESSAGES, PAGE, Operation, Put, Stale
from chats.live.html import render
from chats.live.state import Node
from chats.models import Chat, Message, Presence, kept
from chats.models.messages import LIVE
from chats.relay.rows import shown, size
from chats.rendering.message import message_node

MOST_MESSAGES = 20
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    position: int
    live: bool
    node: Node


@dataclass(frozen=True, slots=True)
class Rows:
    version: int
    title: str
    rewritten: int
    messages: tuple[Row, ...]
    waiting: int = 0


class Here(NamedTuple):
    """Who has a chat open, in all processes. Somebody without an account who is in two counts twice."""

    people: frozenset[int] = frozenset()
    nameless: int = 0

    @property
    def number(self) -> int:
        return len(self.people) + self.nameless


NOBODY = Here()


def live_rows(chat: UUID, newest: int, ids: Iterable[str]) -> Rows | None:
    """The messages that run, ended a moment ago, are newer than `newest`, or are among `ids`.

    None when there is no such chat. The chat's row is read first: a version never promises more
    than the messages hold.
    """

    def standing() -> QuerySet[Chat, Any]:
        here = Chat.objects.filter(id=chat, deleted_at=None)
        return here.values("version", "title", "rewritten", waiting=Count("queue"))

    found = next(iter(kept.rows(("standing", chat), standing)), None)
    if found is None:
        return None
    recent = timezone.now() - timedelta(seconds=settings.V0_ENDED_KEEP)
    wanted = Q(state__in=LIVE) | Q(ended_at__gte=recent) | Q(id__in=list(ids))
    if newest:
        wanted |= Q(position__gt=newest)
    rows = Message.objects.filter(wanted, chat_id=chat).select_related("author", "v0_person")
    messages = tuple(_row(row) for row in rows)
    return Rows(found["version"], found["title"], found["rewritten"], messages, found["waiting"])


def everything(chat: UUID, after: str, version: int, held: Iterable[str]) -> Rows | None:
    """Each message after `after`; None when the page has to fetch its list again.

    That is so when `after` is unknown, when an older message changed since the page's `version`,
    and when there is more than a frame should carry.
    """
    rows_of_chats = Chat.objects.filter(id=chat, deleted_at=None)
    found = rows_of_chats.values("version", "title", "rewritten").first()
    if found is None or version < found["rewritten"]:
        return None
    messages = Message.objects.filter(chat_id=chat).select_related("author", "v0_person")
    if after:
        try:
            place = messages.filter(id=after).values_list("position", flat=True).first()
        except ValidationError:
            place = None
        if place is None:
            return None
        messages = messages.filter(position__gt=place)
    rows = list(messages[: MOST_MESSAGES + 1])
    if len(rows) > MOST_MESSAGES or sum(size(row.parts) for row in rows) > MOST_BYTES:
        return None
    shown_rows = tuple(_row(row) for row in rows)
    return Rows(found["version"], found["title"], found["rewritten"], shown_rows)


def all_of(
    fixed: Iterable[Node], messages: Iterable[Node], *, stale: bool
) -> tuple[Operation, ...]:
    """Operations that need to know nothing of the page."""
    always = tuple(Put(PAGE, node) for node in fixed)
    size = 0
    whole = []
    for node in messages:
        size += len(render(node))
        whole.append(Put(MESSAGES, node))
    if stale or size > MOST_BYTES:
        return (*always, Stale())
    return (*always, *whole)


def versions(chats: list[UUID]) -> dict[UUID, int]:
    """The version of each chat that there is, in one query."""
    there = Chat.objects.filter(id__in=chats, deleted_at=None)
    return dict(there.values_list("id", "version")) if chats else {}


def here(chats: list[UUID]) -> dict[UUID, Here]:
    """Who is in each of the chats in which anybody is, in one query."""
    rows = Presence.objects.filter(chat__in=chats, until__gt=Now())
    found: dict[UUID, Here] = {}
    for chat, person, count in rows.values_list("chat_id", "person_id", "sockets"):
        people, nameless = found.get(chat, NOBODY)
        if person is None:
            found[chat] = Here(people, nameless + count)
        else:
            found[chat] = Here(people | {person}, nameless)
    return found


def _row(row: Message) -> Row:
    return Row(str(row.id), row.position, row.is_live, message_node(shown(row)))
