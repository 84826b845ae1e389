"""How calls to v0 went, over days and processes: what admins are told of v0 and of the key.

Owns the classes that outcomes are counted by, the count of this process between two saves, and what
follows for the key. Relies on the client for each outcome. Keeps no word of v0's and writes seldom: an
error within a look (`V0_LOOK_EVERY`), success once a minute, or at once when it ends a trouble.

    401 unauthorized   the key is refused, until any call is answered
    402 credits        nobody can be charged, until a call that costs is taken
    403 forbidden      the key may do nothing, until any call is answered: one chat may refuse alone
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Max, Q, QuerySet, Sum
from django.utils import timezone

from chats.models import Outcome
from chats.relay.health import KeyTrouble
from chats.relay.threads import Threads
from chats.v0api import errors

ANSWERED, CHARGED, TIMEOUT = "answered", "charged", "timeout"
# Every class of errors that says something of v0 or of the key; any other answer is an answer.
TROUBLES = (
    *("unauthorized", "credits", "forbidden", "rate-limit"),
    *("upstream", TIMEOUT, "unknown", "unsent"),
)
# What ends which trouble of the key; the first of them that stands is told.
ENDS = {"unauthorized": ANSWERED, "credits": CHARGED, "forbidden": ANSWERED}
SUCCESS_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=30)
WEEK = 7


def kind(outcome: errors.V0Error | None) -> str:
    """The class that an outcome is counted by."""
    if isinstance(outcome, errors.InDoubt) and outcome.message.endswith(
        ("Timeout", "TimeoutError")
    ):
        return TIMEOUT
    return outcome.problem if outcome and outcome.problem in TROUBLES else ANSWERED


@dataclass(frozen=True, slots=True)
class Told:
    """One class, counted: `today` and `week` are how often, by days of UTC."""

    kind: str
    last_at: datetime
    today: int
    week: int


class Outcomes:
    """What this process has seen and not saved yet, and how the key is by what all have saved."""

    def __init__(self, threads: Threads, changed: Callable[[], None]) -> None:
        self.key = KeyTrouble()
        self._threads = threads
        self._changed = changed
        self._unsaved: Counter[str] = Counter()
        self._last: dict[str, datetime] = {}
        self._saved_at: datetime | None = None
        self._failed = True

    def note(self, outcome: errors.V0Error | None, *, charged: bool) -> None:
        now = timezone.now()
        found = [kind(outcome)]
        found += [CHARGED] if charged and outcome is None else []
        for each in found:
            self._unsaved[each] += 1
            self._last[each] = now

    async def keep(self) -> None:
        """Save what is worth it by now."""
        if not self._is_due():
            return
        counts, self._unsaved = self._unsaved, Counter()
        self._saved_at = timezone.now()
        # Success after an error is news: it may end what is told of the key.
        self._failed = any(each in counts for each in TROUBLES)
        await self._threads.write(save, counts, {each: self._last[each] for each in counts})
        await self.look()

    async def look(self) -> None:
        """See how the key is, by what every process has saved."""
        found = await self._threads.read(key_trouble)
        if found.kind != self.key.kind:
            self.key = found
            self._changed()
        self.key = found

    def _is_due(self) -> bool:
        if not self._unsaved:
            return False
        if self._failed or any(each in self._unsaved for each in TROUBLES):
            return True
        if ENDS.get(self.key.kind) in self._unsaved:
            return True
        return self._saved_at is None or timezone.now() - self._saved_at > SUCCESS_EVERY


def save(counts: Mapping[str, int], last: Mapping[str, datetime]) -> None:
    """Add to the counts of all processes."""
    for each, count in counts.items():
        day = last[each].astimezone(UTC).date()
        row = Outcome.objects.filter(day=day, kind=each)
        if _add(row, count, last[each]):
            continue
        try:
            with transaction.atomic():
                Outcome.objects.create(day=day, kind=each, count=count, last_at=last[each])
        except IntegrityError:
            # Another process began the day at the same moment.
            _add(row, count, last[each])
        else:
            Outcome.objects.filter(day__lt=day - KEPT).delete()


def _add(row: QuerySet[Outcome], count: int, last_at: datetime) -> bool:
    return bool(row.update(count=F("count") + count, last_at=last_at))


def key_trouble() -> KeyTrouble:
    """What stands against the key, by the newest of each class in one query."""
    kinds = {*ENDS, *ENDS.values()}
    rows = Outcome.objects.filter(kind__in=kinds).values("kind").annotate(last=Max("last_at"))
    newest = {row["kind"]: row["last"] for row in rows}
    for each, end in ENDS.items():
        at = newest.get(each)
        if at is not None and at > newest.get(end, at - KEPT):
            return KeyTrouble(each, at)
    return KeyTrouble()


def told() -> dict[str, Told]:
    """Every class that was seen lately, in one query."""
    today = timezone.now().astimezone(UTC).date()
    week = Q(day__gt=today - timedelta(days=WEEK))
    rows = Outcome.objects.values("kind").annotate(
        last=Max("last_at"),
        today=Sum("count", filter=Q(day=today), default=0),
        week=Sum("count", filter=week, default=0),
    )
    return {row["kind"]: Told(row["kind"], row["last"], row["today"], row["week"]) for row in rows}
