"""What stands around the content of every page of somebody who is signed in: the list of chats, and
whether v0 answers.

Owns the sidebar's rows, their cursor and the count of what waits for somebody. Relies on permissions
for which they are; one query for the rows, and mostly one for the count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from chats import permissions
from chats.models import Chat, Decision, Follow, Message, Mute, Person, kept
from chats.models.messages import LIVE, MessageState
from chats.models.people import Whose
from chats.models.seen import unread
from chats.models.settled import Build, Settled
from chats.permissions import gallery, spaces
from chats.permissions.notes import mentions
from chats.permissions.offers import offers_to
from chats.permissions.sessions import grants
from chats.views.health import told_of_v0
from chats.views.spaces import switcher

PAGE = 30
MOST = 300
# Waiting chats beyond it are neither counted nor marked.
COUNTED = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place after one row of the list: its time in microseconds and its id."""

    moment: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{(self.moment - EPOCH) // timedelta(microseconds=1)}-{self.id.hex}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        time, _, id = text[:60].partition("-")
        try:
            return cls(EPOCH + timedelta(microseconds=int(time)), UUID(hex=id))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Listed:
    """A row: `answer` is its newest answer and `state` how that stands, for notices of its end; `note` the
    newest one that names the reader and that they have not looked at."""

    id: UUID
    title: str
    is_running: bool
    is_current: bool
    waits: bool
    is_own: bool
    is_muted: bool
    is_followed: bool
    is_unread: bool
    answer: UUID | None
    state: str
    note: UUID | None


@dataclass(frozen=True, slots=True)
class Sidebar:
    """Some rows of the list and where the next ones begin; `waiting` are all chats that wait for
    somebody, in whatever space, and `named` in how many notes they are named and have not looked."""

    chats: tuple[Listed, ...]
    cursor: Cursor | None
    current: UUID | None
    waiting: frozenset[UUID]
    named: int = 0

    @property
    def needs(self) -> int:
        return len(self.waiting) + self.named

    @property
    def needs_shown(self) -> str:
        return "99+" if self.needs > 99 else str(self.needs or "")


def sidebar(
    request: HttpRequest,
    person: Person,
    *,
    current: UUID | None = None,
    after: Cursor | None = None,
    shown: int = 0,
    waiting: frozenset[UUID] | None = None,
) -> Sidebar:
    """The chats of the space that is looked at after `after`; the first ones, `shown` of them at least,
    when it is None. `waiting` are the chats that wait, where they are known already."""
    size = PAGE if after else max(PAGE, min(shown, MOST))

    def rows() -> QuerySet[Chat, dict[str, Any]]:
        listed = spaces.shown_chats(person, grants(request.session)).annotate(
            **{name: Settled(Chat, column, person) for name, column in COLUMNS.items()}
        )
        if after:
            listed = listed.filter(
                Q(updated_at__lt=after.moment) | Q(updated_at=after.moment, id__lt=after.id)
            )
        names = ("id", "title", "owner_id", "updated_at", *COLUMNS)
        rows: QuerySet[Chat, dict[str, Any]] = listed.values(*names)
        return rows.order_by("-updated_at", "-id")[: size + 1]

    if after or person.shows_whose == Whose.SHARED:
        found = list(rows())
    else:
        where = person.shows_whose, person.shows_team_id, person.shows_personal
        found = kept.rows(("list", person.pk, person.is_active, *where, size), rows)
    if waiting is None:
        # After the rows: an answer that has just ended may wait, and is then not told of as ended.
        waiting = _waiting(person)
    named = mentions(person).values_list("note__chat", "note")[:COUNTED]
    notes = dict(named)
    more = len(found) > size
    found = found[:size]
    return Sidebar(
        tuple(
            Listed(
                id=row["id"],
                title=row["title"],
                # One answer runs at a time, and none is begun behind it.
                is_running=row["state"] in LIVE,
                is_current=row["id"] == current,
                waits=row["id"] in waiting or row["id"] in notes,
                is_own=row["owner_id"] == person.pk,
                is_muted=row["is_muted"],
                is_followed=row["is_followed"],
                # What is on the screen is being read.
                is_unread=row["is_unread"] and row["id"] != current,
                answer=row["answer"],
                state=row["state"] or "",
                note=notes.get(row["id"]),
            )
            for row in found
        ),
        Cursor(found[-1]["updated_at"], found[-1]["id"]) if more else None,
        current,
        waiting,
        len(named),
    )


def _newest(column: str) -> Subquery:
    answers = Message.objects.filter(chat=OuterRef("pk"), role="assistant")
    return Subquery(answers.order_by("-position").values(column)[:1])


def _answer(person: Person) -> Subquery:
    return _newest("id")


def _state(person: Person) -> Subquery:
    return _newest("state")


def _is_muted(person: Person) -> Exists:
    return Exists(Mute.objects.filter(person=person, chat=OuterRef("pk")))


def _is_followed(person: Person) -> Exists:
    return Exists(Follow.objects.filter(person=person, chat=OuterRef("pk")))


# What a row has beside the chat's own, each compiled once.
COLUMNS: dict[str, Build] = {
    "answer": _answer,
    "state": _state,
    "is_muted": _is_muted,
    "is_followed": _is_followed,
    "is_unread": unread,
}


def _is_anybody_asked(person: Person) -> Exists:
    decided = Decision.objects.filter(asked=OuterRef("pk"), failed=False)
    asking = Message.objects.filter(~Exists(decided), state=MessageState.FINISHED)
    return Exists(asking.exclude(asks=""))


def _is_offered_a_chat(person: Person) -> Exists:
    return Exists(Chat.objects.filter(offered_to=person))


def _waiting(person: Person) -> frozenset[UUID]:
    """Mostly nothing waits for anybody, which is cheaply asked: to ask the table of rights, too, would be
    half of the work of a page."""

    def asked() -> QuerySet[Person, tuple[bool, bool]]:
        return Person.objects.filter(pk=person.pk).values_list(
            Settled(Person, _is_anybody_asked, person), Settled(Person, _is_offered_a_chat, person)
        )

    found: set[UUID] = set()
    for is_asking, is_offering in kept.rows(("waits", person.pk), asked):
        if is_asking:
            waits = permissions.waiting_for(person).order_by().values_list("chat_id", flat=True)
            found |= set(waits[:COUNTED])
        if is_offering:
            found |= set(offers_to(person).values_list("pk", flat=True)[:COUNTED])
    return frozenset(found)


def shell(
    request: HttpRequest, *, current: UUID | None = None, rows: Sidebar | None = None
) -> Mapping[str, Any]:
    """The context of `chats/shell.html`, with `rows` where they are known already; without a sidebar for a
    visitor without an account."""
    person = request.user
    if not isinstance(person, Person):
        return {"sidebar": None, "gallery": gallery.is_shown(signed_in=False)}
    return {
        "gallery": gallery.is_shown(signed_in=True),
        "sidebar": rows or sidebar(request, person, current=current),
        "switcher": switcher(request, person),
        **told_of_v0(person),
    }
