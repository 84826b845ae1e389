"""Books of budgets that a test keeps by itself: what has begun, what it cost, and what limits leave of it.

Owns them, the runs that they are about, and a clock. Relies on rows for limits and chats alone, never on counters,
reservations or `chats.usage`: those are held against what is here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import ClassVar
from uuid import UUID

from chats.models import Chat, Limit
from chats.models.budgets import Period, Scope
from chats.relay.store import Job

# Days and months turn soon after it, wherever this is played and whenever.
BEGIN = datetime(2026, 1, 29, 12, tzinfo=UTC)


class Clock(datetime):
    """Of `django.utils.timezone`, whose `now` everybody asks, defaults of columns too."""

    at: ClassVar[datetime] = BEGIN

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Clock:
        return cls.at  # type: ignore[return-value]


@dataclass
class Run:
    """One send that was let begin: whose it is, and what the machine has made of it."""

    intent: UUID
    answer: UUID
    person: int
    team: int | None
    chat: UUID
    aside: int
    job: Job
    sent_at: datetime
    state: str = "waits"  # then "runs", and "ended" or "came to nothing"
    ended_at: datetime = BEGIN
    is_put_aside: bool = True
    is_entered: bool = False
    is_told: bool = False
    is_named: bool = False
    cost: int = 0

    @property
    def is_live(self) -> bool:
        return self.state in ("waits", "runs")

    def names(self) -> list[str]:
        return names(self.person, self.team, self.chat)


def names(person: int, team: int | None, chat: UUID | None) -> list[str]:
    found = ["installation", f"person {person}"]
    found += [f"team {team}"] if team else []
    return found + ([f"chat {chat}"] if chat else [])


class Books:
    def open_books(self) -> None:
        self.runs: list[Run] = []
        self.spent: dict[tuple[str, date], int] = defaultdict(int)
        self.roles: dict[int, str] = {}

    # What there is

    def _live(self) -> list[Run]:
        return [run for run in self.runs if run.is_live]

    def _some(self, state: str, at: int) -> Run | None:
        found = [run for run in self.runs if run.state == state]
        return found[at % len(found)] if found else None

    def _chats(self, *, is_live: bool) -> list[Chat]:
        """Those in which something runs, or nothing."""
        live = {run.chat for run in self._live()}
        rows = Chat.objects.filter(deleted_at=None).select_related("team", "owner")
        return [chat for chat in rows.order_by("created_at") if (chat.pk in live) == is_live]

    # What may be

    def _full(self, person: int, team: int | None, chat: UUID | None) -> list[Limit]:
        applying = self._applying(person, team, chat)
        return [each for each in applying if self._left(each, person) <= 0]

    def _applying(self, person: int, team: int | None, chat: UUID | None) -> list[Limit]:
        limits = list(Limit.objects.prefetch_related("overrides"))
        mine = names(person, team, chat)
        found = [each for each in limits if f"{each.scope} {each.key}".strip() in mine]
        own = {each.period for each in found if each.scope == Scope.PERSON}
        role = self.roles.get(person, Limit.PERSONAL) if team else Limit.PERSONAL
        of_role = [each for each in limits if (each.scope, each.key) == (Scope.ROLE, role)]
        return found + [each for each in of_role if each.period not in own]

    def _counter(self, limit: Limit, person: int) -> str:
        scope, key = limit.scope, limit.key
        return f"person {person}" if scope == Scope.ROLE else f"{scope} {key}".strip()

    def _left(self, limit: Limit, person: int) -> int:
        return self._most(limit) - self._used(limit, person)

    def _most(self, limit: Limit) -> int:
        raised = [each.credits for each in limit.overrides.all() if each.until > Clock.at]
        return max(limit.credits, *raised, 0)

    def _used(self, limit: Limit, person: int) -> int:
        name = self._counter(limit, person)
        return self._spent(name, Period(limit.period)) + self._reserved(name)

    def _spent(self, name: str, period: Period) -> int:
        today = Clock.at.date()
        first = today if period == Period.DAY else today.replace(day=1)
        return sum(cost for (of, on), cost in self.spent.items() if of == name and on >= first)

    def _reserved(self, name: str) -> int:
        return sum(run.aside for run in self.runs if run.is_put_aside and name in run.names())
