"""What the days that are left of a month may cost, by what the last weeks cost.

Owns the method and the sentence that explains it. Pure: whole numbers of 10^-12 credit in and out; which days
are known, and how many are left, is the caller's question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WEEK = 7
METHOD = (
    "Each of the last four weeks is laid over the days that are left, weekday on weekday: the middle is their"
    " mean, the range goes from the cheapest of them to the dearest."
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whole numbers of 10^-12 credit; `middle` is rounded down."""

    low: int
    middle: int
    high: int


def forecast(days: Sequence[int], left: int) -> Forecast:
    """`days`: what each of the last whole days cost, oldest first and 28 of them where they are known, the
    last one yesterday; `left`: the days that are left, today the first of them.

    Days beyond the last whole week are not looked at. With less than a week each day stands for itself; with
    none it is nothing.
    """
    if not days or left <= 0:
        return Forecast(0, 0, 0)
    length = WEEK if len(days) >= WEEK else 1
    starts = range(len(days) % length, len(days), length)
    sums = [_repeated(days[start : start + length], left) for start in starts]
    return Forecast(min(sums), sum(sums) // len(sums), max(sums))


def _repeated(days: Sequence[int], left: int) -> int:
    """What `left` days cost that go through these again and again."""
    rounds, rest = divmod(left, len(days))
    return sum(days) * rounds + sum(days[:rest])
