"""How far a budget is used, in words and as a bar that needs no colour.

Owns that way of showing a `Standing`: what is spent is a full bar, what is put aside a thin one behind it, and
the words beside them say both. Relies on `chats.usage.budgets` for the numbers; whether somebody may see them
is the caller's question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from chats.models import Limit
from chats.usage import budgets, money
from chats.usage.refusals import Standing
from chats.views.costs import exact

WHOLE = 10_000  # the bar, in hundredths of a percent


@dataclass(frozen=True, slots=True)
class Meter:
    """`spent_part` and `held_part` are of a bar that is 100 long; `tone` "" is below 80 %. `until` is when
    what raises the limit ends, None where nothing does."""

    limit: Limit
    most: str
    spent: str
    reserved: str
    left: str
    percent: int
    tone: str
    spent_part: str
    held_part: str
    ends_at: datetime
    until: datetime | None

    @property
    def usual(self) -> str:
        """What counts while nothing raises it."""
        return exact(self.limit.credits)


def meters(limits: Iterable[Limit]) -> list[Meter]:
    """In two queries. A limit for each person of a role has no counter of its own: nothing of it is used."""
    named = ((limit, budgets.counter_of(limit)) for limit in limits)
    return [meter(each) for each in budgets.read(named, timezone.now())]


def meter(standing: Standing) -> Meter:
    spent = min(WHOLE, _part(standing.spent, standing.most))
    used = min(WHOLE, _part(standing.spent + standing.reserved, standing.most))
    return Meter(
        limit=standing.limit,
        most=exact(standing.most),
        spent=_amount(standing.spent),
        reserved=_amount(standing.reserved) if standing.reserved else "",
        left=_amount(standing.left),
        percent=_part(standing.spent + standing.reserved, standing.most) // 100,
        tone="danger" if standing.is_used_up else "warn" if standing.is_near else "",
        spent_part=_text(spent),
        held_part=_text(used),
        ends_at=standing.ends_at,
        until=standing.override_until,
    )


def _amount(units: int) -> str:
    """Rounded as everywhere, without zeros that say nothing."""
    return money.shown(units).rstrip("0").rstrip(".") if units else "nothing"


def _part(amount: int, most: int) -> int:
    return amount * WHOLE // most if most else WHOLE


def _text(part: int) -> str:
    return f"{part // 100}.{part % 100:02}"
