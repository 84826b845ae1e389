"""What a run usually costs: of somebody on a model, of all on it, or what it costs at most.

Owns which runs that is read from, and the order of these three. Relies on the ledger's entries and on the
ceilings of settings. All amounts are whole numbers of 10^-12 credit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from chats.models import Entry
from chats.usage.money import units
from chats.v0api.types import DEFAULT_MODEL

RECENT = 20


@dataclass(frozen=True, slots=True)
class Typical:
    """Of the last `runs` runs, RECENT at most: the one in the middle, the cheapest and the dearest."""

    median: int
    low: int
    high: int
    runs: int


def typical(person: int, asked: str) -> Typical | None:
    """Of somebody's own runs for which they asked for this model, "" for v0's choice; None before the first."""
    return _of(person=person, asked__in=_same(asked))


def estimate(person: int, asked: str) -> int:
    """What a run of theirs is taken to cost before it has."""
    found = typical(person, asked) or _of(asked__in=_same(asked))
    return found.median if found else ceiling(asked)


def ceiling(asked: str) -> int:
    """What no run on this model is expected to go beyond; of v0's own choice, and of a model that settings
    say nothing of, the highest that they name."""
    named = {model: units(Decimal(text)) for model, text in settings.V0_CEILINGS.items()}
    return named.get(asked, max(named.values(), default=0))


def _same(asked: str) -> tuple[str, ...]:
    """What v0 takes by itself is the same whether somebody named it or nobody named any."""
    own = ("", DEFAULT_MODEL)
    return own if asked in own else (asked,)


def _of(**whose: object) -> Typical | None:
    entries = Entry.objects.filter(**whose, is_told=True, credits_total__gt=0)
    newest = entries.order_by("-ended_at").values_list("credits_total", flat=True)[:RECENT]
    costs = sorted(newest)
    if not costs:
        return None
    return Typical(costs[len(costs) // 2], costs[0], costs[-1], len(costs))
