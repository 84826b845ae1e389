"""What entries of the ledger add up to: in all, by time and model, by chat.

Owns the questions that pages about usage ask, each one query over whatever entries it is given; every sum is
a whole number of 10^-12 credit, so that parts add up to the whole. Relies on models alone; whose entries they
are is the caller's question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncHour

from chats.models import Entry


@dataclass(frozen=True, slots=True)
class Spent:
    """`credits` are whole numbers of 10^-12 credit."""

    credits: int = 0
    tokens: int = 0
    answers: int = 0


SUMS = (Sum("credits_total"), Sum("tokens_total"), Count("pk"))


def within(entries: QuerySet[Entry], start: datetime, end: datetime) -> QuerySet[Entry]:
    return entries.filter(ended_at__gte=start, ended_at__lt=end)


def in_all(entries: QuerySet[Entry]) -> Spent:
    return _spent(*entries.aggregate(*SUMS).values())


def by_time(entries: QuerySet[Entry], *, by_hour: bool = False) -> dict[datetime, dict[str, Spent]]:
    """By the hour or the day (UTC) in which an answer ended, and by model."""
    step = (TruncHour if by_hour else TruncDay)("ended_at", tzinfo=UTC)
    found: dict[datetime, dict[str, Spent]] = {}
    for at, model, *sums in entries.order_by().values_list(step, "model").annotate(*SUMS):
        found.setdefault(at, {})[model] = _spent(*sums)
    return found


def by_model(steps: Mapping[datetime, Mapping[str, Spent]]) -> dict[str, Spent]:
    """What `by_time` found, for each model over all the time; the dearest first."""
    found: dict[str, Spent] = {}
    for models in steps.values():
        for model, spent in models.items():
            found[model] = add(found.get(model, Spent()), spent)
    return dict(sorted(found.items(), key=lambda each: (-each[1].credits, each[0])))


def by_chat(entries: QuerySet[Entry], most: int) -> list[tuple[UUID | None, Spent]]:
    """The `most` dearest chats; all that are gone are one, None."""
    rows = entries.order_by().values_list("chat")
    summed = rows.annotate(
        credits=Sum("credits_total"), tokens=Sum("tokens_total"), answers=Count("pk")
    )
    return [(chat, _spent(*sums)) for chat, *sums in summed.order_by("-credits", "chat")[:most]]


def add(one: Spent, other: Spent) -> Spent:
    return Spent(
        one.credits + other.credits, one.tokens + other.tokens, one.answers + other.answers
    )


def total(spent: Iterable[Spent]) -> Spent:
    return reduce(add, spent, Spent())


def _spent(credits: int | None, tokens: int | None, answers: int) -> Spent:
    return Spent(credits or 0, tokens or 0, answers)
