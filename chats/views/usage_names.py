"""What pages and files about usage call people, teams and chats.

Owns these names: of a chat its title where the reader may read that chat, and to everybody else one that says
nothing of it; of what is deleted that it is. Relies on permissions for what may be read. One query,
however many rows are named; never a word of a message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    BooleanField,
    CharField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Cast

from chats import permissions
from chats.forms.review import BETWEEN, BUT, NONE
from chats.models import Chat, Entry, Person, Team

DELETED_CHAT, DELETED_PERSON = "Deleted chat", "Deleted person"
DELETED_TEAM = "Deleted team"
PERSON, TEAM, CHAT, GONE = range(4)
NOTHING = Value("", CharField())
NO = Value(value=False, output_field=BooleanField())
NO_TEAM, NO_MODEL = "No team", "Not named by v0"


@dataclass(frozen=True, slots=True)
class Names:
    """`titles` has the chats that may be read, `deleted` those that are about to be gone."""

    people: dict[int, str]
    teams: dict[int, str]
    titles: dict[UUID, str]
    deleted: frozenset[UUID]

    def person(self, id: int | None) -> str:
        return self.people.get(id or 0, DELETED_PERSON)

    def team(self, id: int | None) -> str:
        return NO_TEAM if id is None else self.teams.get(id, DELETED_TEAM)

    def chat(self, id: UUID | None) -> str:
        if id is None or id in self.deleted:
            return DELETED_CHAT
        return self.titles.get(id, f"Chat {id.hex[:8]}")


def names(
    reader: Person,
    *,
    people: Iterable[int | None] = (),
    teams: Iterable[int | None] = (),
    chats: Iterable[UUID | None] = (),
) -> Names:
    """As `reader` may know them, by one query."""
    ids = {id for id in chats if id}
    called = Person.objects.filter(pk__in={id for id in people if id}).annotate(
        is_gone=ExpressionWrapper(Q(deleted_at__isnull=False), BooleanField())
    )
    found = _rows(called, PERSON, F("name"), F("email"), F("is_gone")).union(
        _rows(Team.objects.filter(pk__in={id for id in teams if id}), TEAM, F("name")),
        _rows(permissions.readable(reader).filter(pk__in=ids), CHAT, F("title")),
        _rows(Chat.objects.filter(pk__in=ids, deleted_at__isnull=False), GONE),
        all=True,
    )
    rows: dict[int, list[Any]] = {kind: [] for kind in (PERSON, TEAM, CHAT, GONE)}
    for kind, *row in found:
        rows[kind].append(row)
    return Names(
        {
            int(id): _called(name, email, is_gone=is_gone)
            for id, name, email, is_gone in rows[PERSON]
        },
        {int(id): name for id, name, *_ in rows[TEAM]},
        {UUID(id): title or "New chat" for id, title, *_ in rows[CHAT]},
        frozenset(UUID(id) for id, *_ in rows[GONE]),
    )


def _rows(
    rows: QuerySet[Any],
    kind: int,
    name: F | Value = NOTHING,
    email: F | Value = NOTHING,
    is_gone: F | Value = NO,
) -> QuerySet[Any, Any]:
    columns = {
        "of_kind": Value(kind),
        "of_id": Cast("pk", CharField()),
        "of_name": name,
        "of_email": email,
        "of_gone": is_gone,
    }
    found: QuerySet[Any, Any] = rows.order_by().annotate(**columns).values_list(*columns)
    return found


def _called(name: str, email: str, *, is_gone: bool) -> str:
    return Person(
        name=name, email=email, deleted_at=datetime.now(UTC) if is_gone else None
    ).shown_name


def beside(name: str, text: str) -> str:
    """A filter for what is none of several, in words."""
    every = text.split(BETWEEN)
    if name == BUT["chat"]:
        return "all chats but one" if len(every) == 1 else f"all chats but {len(every)}"
    named = [NO_MODEL if each == NONE else each for each in every]
    return f"no model of {', '.join(named)}"


def names_of(reader: Person, entries: Iterable[Entry]) -> Names:
    """Of everything that these entries are about."""
    rows = list(entries)
    return names(
        reader,
        people=(row.person_id for row in rows),
        teams=(row.team_id for row in rows),
        chats=(row.chat_id for row in rows),
    )
