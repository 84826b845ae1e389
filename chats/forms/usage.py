"""Which stretch of time a page about usage is for, as its address says.

Owns the named ranges, days that somebody chose, and why they are refused. All times are UTC, which is how v0
bills. Relies on nobody.

    range=24h | 7d | 30d | 90d | month | custom&from=2026-11-01&to=2026-11-22      `to` is included
    range=custom&from=2026-11-22&to=2026-11-22&hour=15                             one hour of one day
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

HOURS_24, MONTH, CUSTOM = "24h", "month", "custom"
DAYS = {"7d": 7, "30d": 30, "90d": 90}
NAMES = {
    HOURS_24: "24 hours",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    MONTH: "This month",
}
USUAL = "30d"
LONGEST = 366
# Before there was anything to spend; Python's first year has none before it.
EARLIEST = date(2000, 1, 1)
DAY = timedelta(days=1)
HOURS_OF_A_DAY = tuple(str(hour) for hour in range(24))
NO_DAYS = "Choose a first and a last day."
BACKWARDS = "The first day has to come before the last one."
TOO_LONG = f"Choose at most {LONGEST} days."


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` up to before `end`, in steps of an hour or a day."""

    start: datetime
    end: datetime
    by_hour: bool = False

    @property
    def before(self) -> Range:
        """The one of the same length that ends where this one starts."""
        return Range(self.start - (self.end - self.start), self.start, self.by_hour)

    @property
    def steps(self) -> list[datetime]:
        step = timedelta(hours=1) if self.by_hour else DAY
        count = -((self.start - self.end) // step)
        return [self.start + step * place for place in range(count)]


class RangeForm:
    """`chosen` is one of NAMES or CUSTOM; `first` and `last` are what was typed, right or wrong. What is
    refused leaves the usual range. `hour` is one of a single day, "" for the whole of it."""

    def __init__(self, given: Mapping[str, str], now: datetime) -> None:
        self.first, self.last = (given.get(name, "")[:10] for name in ("from", "to"))
        self.hour = given.get("hour", "")[:2]
        self.chosen = given.get("range", "")
        self.sentence = ""
        if self.chosen == CUSTOM:
            found = self._custom(now)
            if found is not None:
                self.range = found
                return
        if self.chosen not in NAMES:
            self.chosen = USUAL
        self.range = _named(self.chosen, now)

    @property
    def chosen_days(self) -> dict[str, str]:
        """What an address says for this range."""
        if self.chosen != CUSTOM:
            return {"range": self.chosen}
        days = {"range": CUSTOM, "from": self.first, "to": self.last}
        return days | ({"hour": self.hour} if self.hour else {})

    def _custom(self, now: datetime) -> Range | None:
        try:
            first, last = (date.fromisoformat(text) for text in (self.first, self.last))
        except ValueError:
            self.sentence = NO_DAYS
            return None
        last = min(last, now.date())
        if first < EARLIEST:
            self.sentence = NO_DAYS
        elif first > last:
            self.sentence = BACKWARDS
        elif (last - first).days >= LONGEST:
            self.sentence = TOO_LONG
        elif first == last and self.hour in HOURS_OF_A_DAY:
            start = _midnight(first) + timedelta(hours=int(self.hour))
            return Range(start, start + timedelta(hours=1), by_hour=True)
        else:
            return Range(_midnight(first), _midnight(last) + DAY, by_hour=first == last)
        return None


def _named(name: str, now: datetime) -> Range:
    if name == HOURS_24:
        end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return Range(end - DAY, end, by_hour=True)
    end = _midnight(now.date()) + DAY
    if name == MONTH:
        return Range(_midnight(now.date().replace(day=1)), end)
    return Range(end - DAY * DAYS[name], end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
