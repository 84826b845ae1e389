"""What of spending needs an administrator now: limits of which four fifths are spent, and the last unusual day.

Owns which of them the overview names, and in which order. Relies on `usage.alerts` for what is near or used up,
which is also what mail goes out about, and on `limits` for the names of whom a limit is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.utils import timezone

from chats.models import Alert, Person
from chats.usage import alerts
from chats.usage.alerts import UNUSUAL, USED_UP, Watched
from chats.views.manage.limits import DAILY, Whose, whose
from chats.views.meters import Meter, meter

NAMED = 5
# What is older needs nobody.
NEWS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Spent:
    """A limit, and how far it is used by whoever has used most of it; `people` are how many have spent four
    fifths of it where it is that of a role, else 0."""

    meter: Meter
    whose: Whose
    daily: str
    is_used_up: bool
    people: int


def spending(actor: Person) -> dict[str, Any]:
    """`limits` are the worst of those that are near or used up, `more` the number of the others, and `day` what
    was noted of the last unusual day, None where there was none lately."""
    found = sorted(alerts.watched(), key=lambda each: each.standing.limit.pk)
    groups = [list(of) for _, of in groupby(found, key=lambda each: each.standing.limit.pk)]
    groups.sort(key=_left)
    worst = groups[:NAMED]
    names = whose(actor, [group[0].standing.limit for group in worst])
    return {
        "limits": [_spent(group, names) for group in worst],
        "more": len(groups) - len(worst),
        "day": _unusual_day(),
    }


def _left(group: Sequence[Watched]) -> tuple[bool, int]:
    """What comes first when sorted: what is used up, and then what has least left."""
    worst = _worst(group)
    return worst.kind != USED_UP, worst.standing.most - worst.standing.spent


def _worst(group: Sequence[Watched]) -> Watched:
    return max(group, key=lambda each: each.standing.spent)


def _spent(group: Sequence[Watched], names: dict[int, Whose]) -> Spent:
    worst = _worst(group)
    limit = worst.standing.limit
    return Spent(
        meter=meter(worst.standing),
        whose=names[limit.pk],
        daily=DAILY[limit.period],
        is_used_up=worst.kind == USED_UP,
        people=len(group) if worst.person else 0,
    )


def _unusual_day() -> dict[str, Any] | None:
    since = timezone.now() - NEWS
    found = Alert.objects.filter(name__startswith=f"{UNUSUAL} ", made_at__gt=since)
    return found.order_by("-made_at").values_list("details", flat=True).first()
