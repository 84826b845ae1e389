"""What people are told of about spending, once each: a limit that is near or used up, and an unusual day.

Owns which those are, and the rows that say so: names keep them from being made twice, by several processes
too. Relies on `budgets` for how far limits are used. Only what is *spent* counts here, since what is put aside
may come back. Tells nobody: that is `relay.alerts`.

    near      four fifths of a limit are spent
    used-up   all of it
    unusual   today cost more than three times the usual day, more than any of the last 28 days, and a credit
              or more. The usual day is the one in the middle of those 28 that cost something; fewer than five
              say nothing of what is usual

A limit that is raised may be near and used up once more: it is another amount.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from chats.models import Alert, Counter, Entry, Limit, Membership
from chats.models.budgets import Scope, counter_name
from chats.usage import budgets, money
from chats.usage.refusals import Standing

NEAR, USED_UP, UNUSUAL = "near", "used-up", "unusual"
ONE_CREDIT = money.units(Decimal(1))
DAYS, FEWEST, TIMES = 28, 5, 3
# Longer than the longest period, so that nothing is told again while it is the same.
KEPT = timedelta(days=100)
PERSONS = counter_name(Scope.PERSON, "")


@dataclass(frozen=True, slots=True)
class Watched:
    """A limit of which at least four fifths are spent. `person` is whose spending that is where the limit is
    that of a role, else None."""

    standing: Standing
    person: int | None = None

    @property
    def kind(self) -> str:
        return USED_UP if self.standing.spent >= self.standing.most else NEAR

    @property
    def began_on(self) -> date:
        last = (self.standing.ends_at - timedelta(days=1)).date()
        return last if self.standing.limit.period == "day" else last.replace(day=1)

    def name(self, kind: str) -> str:
        limit, most = self.standing.limit, self.standing.most
        of = f"limit {limit.pk} of {most}" + (f" person {self.person}" if self.person else "")
        return f"{of} since {self.began_on}: {kind}"


@dataclass(frozen=True, slots=True)
class Usual:
    """What days before `day` cost, as whole numbers of 10^-12 credit: `costs` are those of the last 28 that
    cost something, in order of cost."""

    day: date
    costs: tuple[int, ...]

    @property
    def middle(self) -> int:
        return self.costs[len(self.costs) // 2] if self.costs else 0

    @property
    def most(self) -> int:
        """An unusual day costs more than this; and at least a credit."""
        return max((TIMES * self.middle, ONE_CREDIT - 1, *self.costs[-1:]))

    def is_passed_by(self, spent: int) -> bool:
        return len(self.costs) >= FEWEST and spent > self.most


@dataclass(slots=True)
class Lookout:
    """One process's look. What is usual is read once a day."""

    _usual: Usual | None = field(default=None)

    def find(self, now: datetime | None = None) -> list[Alert]:
        """What is to be told and was not yet; writes nothing. Four queries while nothing is, where roles have
        limits five, and two without limits."""
        now = now or timezone.now()
        found = [(alert_of(each), each.name(USED_UP)) for each in watched(now)]
        if today := self._unusual(now):
            found.append((today, today.name))
        if not found:
            return []
        # Whoever knows that it is used up need not hear that it is near.
        names = {name for alert, worse in found for name in (alert.name, worse)}
        known = set(Alert.objects.filter(name__in=names).values_list("name", flat=True))
        return [alert for alert, worse in found if not known & {alert.name, worse}]

    def _unusual(self, now: datetime) -> Alert | None:
        today = now.astimezone(UTC).date()
        counters = Counter.objects.filter(name=counter_name(Scope.INSTALLATION), day=today)
        spent = counters.values_list("day_spent", flat=True).first() or 0
        if spent < ONE_CREDIT:
            return None
        if self._usual is None or self._usual.day != today:
            self._usual = usual(today)
        return unusual(self._usual, spent) if self._usual.is_passed_by(spent) else None


def note(found: Collection[Alert]) -> None:
    """Write down what was found, unless another process has; what is long over goes."""
    again = timezone.now() if settings.V0_WEBHOOK_URL else None
    for alert in found:
        alert.post_again_at = again
    Alert.objects.bulk_create(found, ignore_conflicts=True)
    Alert.objects.filter(made_at__lt=timezone.now() - KEPT).delete()


def watched(now: datetime | None = None) -> list[Watched]:
    """Every limit of which four fifths are spent at present, of a role for each person by themselves; not
    one of nothing, which never was left."""
    now = now or timezone.now()
    limits = list(Limit.objects.all())
    roles = [each for each in limits if each.scope == Scope.ROLE]
    counted: list[tuple[Limit, int | None]] = [(each, None) for each in limits if each not in roles]
    counted += _by_person(roles, limits, now)
    named = ((limit, budgets.counter_of(limit, person)) for limit, person in counted)
    standings = budgets.read(named, now)
    found = (
        Watched(standing, person) for standing, (_, person) in zip(standings, counted, strict=True)
    )
    return [each for each in found if 0 < each.standing.most * 4 <= each.standing.spent * 5]


def _by_person(
    roles: Sequence[Limit], limits: Iterable[Limit], now: datetime
) -> list[tuple[Limit, int | None]]:
    """The limits of roles with each person who has that role somewhere, no limit of their own for that
    period, and enough spent for the lowest of these limits."""
    if not roles:
        return []
    least = min(each.credits for each in roles)
    month = now.astimezone(UTC).date().replace(day=1)
    spent = Counter.objects.filter(
        name__startswith=f"{PERSONS} ", month=month, month_spent__gte=-(-least * 4 // 5)
    )
    people = [int(name.split()[1]) for name in spent.values_list("name", flat=True)]
    if not people:
        return []
    held = set(Membership.objects.filter(person__in=people).values_list("person", "role"))
    held |= {(person, Limit.PERSONAL) for person in people}
    own = {(each.key, each.period) for each in limits if each.scope == Scope.PERSON}
    return [
        (limit, person)
        for limit in roles
        for person in people
        if (person, limit.key) in held and (str(person), limit.period) not in own
    ]


def usual(day: date) -> Usual:
    """By the days before it, from the ledger."""
    first = day - timedelta(days=DAYS)
    entries = Entry.objects.filter(
        # What was sent on a day has not ended before it, and this has an index.
        ended_at__gte=datetime.combine(first, time.min, UTC),
        counted_on__gte=first,
        counted_on__lt=day,
    )
    sums = entries.order_by().values("counted_on").annotate(cost=Sum("counted"))
    return Usual(day, tuple(sorted(each["cost"] for each in sums if each["cost"] > 0)))


# The rows


def alert_of(watched: Watched) -> Alert:
    standing, limit = watched.standing, watched.standing.limit
    return Alert(
        name=watched.name(watched.kind),
        details={
            "kind": watched.kind,
            "scope": limit.scope,
            "key": limit.key,
            "person": watched.person,
            "period": limit.period,
            "limit": money.plain(standing.most),
            "spent": money.plain(standing.spent),
            "from": watched.began_on.isoformat(),
            "until": standing.ends_at.date().isoformat(),
        },
    )


def unusual(usual: Usual, spent: int) -> Alert:
    details: dict[str, Any] = {
        "kind": UNUSUAL,
        "scope": Scope.INSTALLATION,
        "key": "",
        "period": "day",
        "spent": money.plain(spent),
        "usual": money.plain(usual.middle),
        "from": usual.day.isoformat(),
        "until": (usual.day + timedelta(days=1)).isoformat(),
    }
    return Alert(name=f"unusual {usual.day}", details=details)
