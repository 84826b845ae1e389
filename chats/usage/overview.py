"""What a review adds up: some entries within a range by time, model, person, team, end and source, with the
period before and the days that a forecast stands on, by one query; the dearest chats and answers by one each.

Owns these questions, which cost as much for a hundred entries as they may for a million: one pass of the
database over the range for each grouping, never a row for each entry. Relies on models alone; whose entries
they are is the caller's question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    Count,
    DateTimeField,
    F,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    Window,
)
from django.db.models.functions import TruncDay, TruncHour

from chats.models import Billed, Entry, Reconciliation
from chats.usage.reports import Spent, add, within

TIME, WHO, END, BEFORE, DAYS = range(5)
NOBODY = Value(0, BigIntegerField())
NOTHING = Value("", CharField())
NEVER = Value(datetime(1970, 1, 1, tzinfo=UTC), DateTimeField())
# One column for each, so that every grouping is a part of the same answer.
KEYS = {
    "by_time": NEVER,
    "by_model": NOTHING,
    "by_person": NOBODY,
    "by_team": NOBODY,
    "by_outcome": NOTHING,
    "by_sources": NOTHING,
    "by_waived": Value(value=False, output_field=BooleanField()),
}
SUMS = {
    "credits": Sum("credits_total"),
    "tokens": Sum("tokens_total"),
    "answers": Count("pk"),
    "billed": NOBODY,
    "seconds": NOBODY,
    "people": NOBODY,
    "chats": NOBODY,
}
NONE_SPENT = Spent()
SORTED_BY = ("credits", "tokens", "answers")


@dataclass(frozen=True, slots=True)
class Ended:
    """What ended in one way and was billed in one way: `charged` of it are whole numbers of 10^-12 credit,
    `waited` the seconds for which people were waited for."""

    outcome: str
    sources: str
    waived: bool
    spent: Spent
    charged: int
    waited: int


@dataclass(frozen=True, slots=True)
class Active:
    """What was spent in all, and by how many people in how many chats, those that are gone left out."""

    spent: Spent = NONE_SPENT
    people: int = 0
    chats: int = 0


@dataclass(slots=True)
class Overview:
    """`days` are the credits of each day that a forecast stands on, whatever the range is."""

    steps: dict[datetime, dict[str, Spent]] = field(default_factory=dict)
    people: dict[int | None, Spent] = field(default_factory=dict)
    teams: dict[int | None, Spent] = field(default_factory=dict)
    ends: list[Ended] = field(default_factory=list)
    before: Active = Active()
    days: dict[date, int] = field(default_factory=dict)


def overview(
    entries: QuerySet[Entry],
    range: tuple[datetime, datetime],
    before: tuple[datetime, datetime],
    days: tuple[datetime, datetime],
    *,
    by_hour: bool,
) -> Overview:
    """Of `entries`, those within `range`; each of the three is from its first moment to before its second."""
    shown, step = within(entries, *range), TruncHour if by_hour else TruncDay
    rows = _grouped(shown, TIME, by_time=step("ended_at", tzinfo=UTC), by_model=F("model")).union(
        _grouped(shown, WHO, by_person=F("person_id"), by_team=F("team_id")),
        _grouped(
            shown,
            END,
            {"billed": Sum("charged"), "seconds": Sum("waited")},
            by_outcome=F("outcome"),
            by_sources=F("sources"),
            by_waived=F("waived"),
        ),
        _grouped(
            within(entries, *before),
            BEFORE,
            {
                "people": Count("person", distinct=True),
                "chats": Count("chat", distinct=True),
            },
        ),
        _grouped(within(entries, *days), DAYS, by_time=TruncDay("ended_at", tzinfo=UTC)),
        all=True,
    )
    return _folded(rows)


def _grouped(
    entries: QuerySet[Entry], kind: int, sums: Mapping[str, Any] | None = None, **keys: Any
) -> QuerySet[Any, Any]:
    columns = {"kind": Value(kind), **KEYS, **keys}
    rows = entries.order_by().annotate(**columns).values(*columns)
    summed = {**SUMS, **(sums or {})}
    found: QuerySet[Any, Any] = rows.annotate(**summed).values_list(*columns, *summed)
    return found


def _folded(rows: Iterable[Sequence[Any]]) -> Overview:
    found = Overview()
    for kind, at, model, person, team, outcome, sources, waived, *summed in rows:
        credits, tokens, answers, charged, waited, people, chats = (
            int(each or 0) for each in summed
        )
        spent = Spent(credits, tokens, answers)
        if kind == TIME:
            found.steps.setdefault(at, {})[model] = spent
        elif kind == WHO:
            found.people[person] = add(found.people.get(person, Spent()), spent)
            found.teams[team] = add(found.teams.get(team, Spent()), spent)
        elif kind == END:
            found.ends.append(Ended(outcome, sources, bool(waived), spent, charged, waited))
        elif kind == BEFORE:
            found.before = Active(spent, people, chats)
        else:
            found.days[at.date()] = credits
    return found


@dataclass(frozen=True, slots=True)
class Chats:
    """Some chats, and how many there are in all; those that are gone are one, None, and are not counted."""

    found: Sequence[tuple[UUID | None, Spent]]
    count: int


def chats(entries: QuerySet[Entry], sort: str, start: int, most: int) -> Chats:
    """The `most` chats after the first `start`, those with most of `sort` first."""
    rows = (
        entries.order_by()
        .values("chat")
        .annotate(
            credits=Sum("credits_total"),
            tokens=Sum("tokens_total"),
            answers=Count("pk"),
            count=Window(Count("chat")),
        )
    )
    order = (f"-{sort if sort in SORTED_BY else 'credits'}", "chat")
    found = list(
        rows.order_by(*order).values_list("chat", "credits", "tokens", "answers", "count")[
            start : start + most
        ]
    )
    spent = [(chat, Spent(*map(int, sums))) for chat, *sums, _ in found]
    return Chats(spent, found[0][-1] if found else 0)


@dataclass(frozen=True, slots=True)
class Dearest:
    """The dearest answers; half of all cost `median` or less, 95 in 100 `most`, both of them what one answer
    cost."""

    found: Sequence[Entry]
    median: int = 0
    most: int = 0


def dearest(entries: QuerySet[Entry], answers: int, most: int) -> Dearest:
    """`answers`: how many `entries` are. The nearest rank, which every database finds alike."""
    costs = entries.order_by("-credits_total").values("credits_total")

    def cost(percent: int) -> Subquery:
        # Counted from the dearest: of 95 in 100 the database has to put only the others in order.
        place = max(0, answers - max(1, -(-answers * percent // 100)))
        return Subquery(costs[place : place + 1])

    rows = entries.annotate(median=cost(50), most=cost(95)).order_by("-credits_total", "-pk")
    found = list(rows[:most])
    if not found:
        return Dearest([])
    return Dearest(found, found[0].median or 0, found[0].most or 0)


@dataclass(frozen=True, slots=True)
class Bill:
    """What v0 billed: whole numbers of 10^-12 credit, and in how many events."""

    credits: int = 0
    charged: int = 0
    events: int = 0


def billed(start: datetime, end: datetime) -> tuple[Bill, Bill]:
    """For what is in the ledger, and for what was made with the same key elsewhere."""
    sums: dict[str, Any] = {}
    for name, filter in (("ours", ~Q(message_id=None)), ("others", Q(message_id=None))):
        sums[f"{name}_credits"] = Sum("credits_total", filter=filter)
        sums[f"{name}_charged"] = Sum("charged", filter=filter)
        sums[f"{name}_events"] = Count("pk", filter=filter)
    rows = Billed.objects.filter(at__gte=start, at__lt=end)
    found = [number or 0 for number in rows.aggregate(**sums).values()]
    return Bill(*found[:3]), Bill(*found[3:])


def elsewhere(start: datetime, end: datetime) -> QuerySet[Billed]:
    """The events of what was made with the same key past this installation, the newest first."""
    rows = Billed.objects.filter(at__gte=start, at__lt=end, message_id=None)
    return rows.order_by("-at", "-pk")


def compared() -> Reconciliation | None:
    """The last comparison with v0's bill that came to its end."""
    return Reconciliation.objects.exclude(ended_at=None).order_by("-ended_at").first()
