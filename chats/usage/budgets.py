"""Budgets that hold: put aside before a run, settled by what it cost, given back when it cost nothing.

Owns which limits apply to whom, the counters, and the reservations. A counter is kept for the installation and
for each team, person and chat, whether it is limited or not, so that a new limit counts what was spent before
it. All of them are changed by conditional UPDATEs, one after another in a fixed order (chat, person, team,
installation) and after the chat's own row, in the transaction that the change belongs to: what `reserve` writes
stands and falls with the intent.

    admitted   while spent + reserved < limit, in every counter        reserved += estimate
    settled    when v0 has named the cost                              reserved -= estimate, spent += cost
    released   when v0 never got it, or nobody can tell                reserved -= estimate

So a limit is never passed by more than the one reservation that reached it, and by what runs cost beyond what was
put aside for them. What a run costs counts for the day on which it was sent. Relies on models alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils import timezone

from chats.models import (
    Chat,
    Counter,
    Entry,
    Intent,
    Levers,
    Limit,
    Membership,
    Override,
    Person,
    Reservation,
    Team,
)
from chats.models.budgets import Period, Scope, counter_name
from chats.models.messages import LIVE, IntentState
from chats.usage import levers
from chats.usage.refusals import OverLimit, Standing
from chats.usage.typical import estimate

# What a person is charged for; everything else is free at v0, and refused only when nothing is left.
RUNS = ("create", "send", "resolve")
OVER = (IntentState.REFUSED, IntentState.UNSENT, IntentState.UNKNOWN)
# A run whose cost v0 has not named this long after its end is paid when the bill names it.
TOLD_WITHIN = timedelta(hours=1)
AT_ONCE = 200
# The order in which everybody takes counters.
ORDER = (Scope.CHAT, Scope.PERSON, Scope.TEAM, Scope.INSTALLATION)


@dataclass(frozen=True, slots=True)
class Spender:
    """Who spends where, by ids."""

    person: int
    team: int | None
    chat: UUID


def reserve(intent: Intent) -> None:
    """Put aside what the intent is expected to cost, in the transaction that writes it, after its chat's
    row is held. Refused, and then the transaction has to end without it."""
    now = timezone.now()
    held = Levers.current()
    levers.check_open(held)
    chat, person, today = intent.chat, intent.person, _day(now)
    expected = estimate(person.pk, intent.payload.get("model", "")) if intent.kind in RUNS else 0
    limits = _limits(person.pk, chat.team_id, chat.pk)
    raised = _overrides(limits, now) if limits else {}
    for name in _names(person.pk, chat.team_id, chat.pk):
        its_own = [limit for limit in limits if counter_of(limit, person.pk) == name]
        room = [_room(limit, _most(limit, raised), today) for limit in its_own]
        if not _move(name, today, reserved=expected, room=room):
            # Those taken before it hold this reservation already, and would seem to be used up by it.
            raise OverLimit(_tightest(read([(limit, name) for limit in its_own], now)))
    Reservation.objects.create(
        intent=intent.pk,
        credits=expected,
        person=person.pk,
        team=chat.team_id,
        chat=chat.pk,
        day=today,
    )
    levers.check_pace(held, person, now)


def check(person: Person, chat: Chat) -> None:
    """Refused where nothing that somebody sends in the chat could begin now. Writes nothing."""
    levers.check_open(Levers.current())
    used_up = [each for each in standings(person, chat) if each.is_used_up]
    if used_up:
        raise OverLimit(_tightest(used_up))


def release(intent: UUID) -> None:
    """Give back what was put aside for what v0 never got; nothing where that was done before."""
    with transaction.atomic():
        held = Reservation.objects.filter(intent=intent).first()
        if held is not None and Reservation.objects.filter(pk=held.pk).delete()[0]:
            _move_all(_changes(held), held.day)


def team_of(intent: Intent, chat: Chat) -> int | None:
    """The team that pays for a run: in which it was sent, whose budget it was held against, as long as that is
    known and there is one; else that of the chat, which may have moved since."""
    for team in Reservation.objects.filter(intent=intent.pk).values_list("team", flat=True):
        return team if team and Team.objects.filter(pk=team).exists() else None
    return chat.team_id


def count(message: UUID, intent: UUID | None = None) -> None:
    """Bring the counters to what the entry of `message` says, by the difference to what they have of it;
    once v0 has named a cost, what `intent` had put aside is free. Safe to repeat."""
    with transaction.atomic():
        entry = Entry.objects.filter(message_id=message).first()
        if entry is None:
            return
        held = Reservation.objects.filter(intent=intent).first() if intent else None
        on = entry.counted_on or (held.day if held else _day(entry.started_at or entry.ended_at))
        mine = Entry.objects.filter(pk=entry.pk, counted=entry.counted)
        if not mine.update(counted=entry.credits_total, counted_on=on):
            # Somebody else is at it, and has seen the same entry or a newer one.
            return
        is_free = bool(
            held is not None
            and entry.is_told
            and Reservation.objects.filter(pk=held.pk).delete()[0]
        )
        _move_all(_changes(held if is_free else None, entry), on)


def sweep(now: datetime | None = None) -> int:
    """Give back what was put aside for runs that are over and were never settled: their chat is gone, the
    process that ran them died in between, or v0 does not name a cost. How many those were."""
    now = now or timezone.now()
    rows = Reservation.objects.filter(made_at__lt=now - timedelta(minutes=1))
    over = rows.filter(~Exists(_unsettled(now).filter(pk=OuterRef("intent"))))
    intents = list(over.order_by("made_at").values_list("intent", flat=True)[:AT_ONCE])
    for intent in intents:
        release(intent)
    return len(intents)


def _unsettled(now: datetime) -> QuerySet[Intent]:
    """Intents whose cost is still to come: they wait, run, are looked up, or ended a moment ago. What has no
    answer of its own waits until v0 has made it."""
    told = Q(answer__ended_at__gte=now - TOLD_WITHIN)
    made = Q(state=IntentState.ACCEPTED, lease_until=None)
    waiting = Q(answer__state__in=LIVE) | told | (Q(answer=None) & ~made)
    return Intent.objects.filter(waiting).exclude(state__in=OVER)


# Limits


def standings(person: Person, chat: Chat | None, now: datetime | None = None) -> list[Standing]:
    """Every limit that applies to what `person` sends in `chat`, None for a new one in their own space."""
    team = chat.team_id if chat else None
    return applying(person, team, chat.pk if chat else None, now or timezone.now())


def applying(person: Person, team: int | None, chat: UUID | None, now: datetime) -> list[Standing]:
    """As `standings`, by ids: the installation's, the team's, the chat's, and the person's own or, for a
    period in which they have none, that of their role. Limits that are tighter stand first."""
    limits = _limits(person.pk, team, chat)
    found = read(((limit, counter_of(limit, person.pk)) for limit in limits), now)
    return sorted(found, key=lambda each: each.left)


def _limits(person: int, team: int | None, chat: UUID | None) -> list[Limit]:
    names = _names(person, team, chat)
    keys = [str(key) for key in (chat, person, team, "") if key is not None]
    found = Limit.objects.filter(Q(key__in=keys) | Q(scope=Scope.ROLE))
    return _for_role([limit for limit in found if _is_among(limit, names)], person, team)


def over_spent(spenders: Collection[Spender], now: datetime) -> set[Spender]:
    """Those of them to whom a limit applies that is used up by what is spent; what is put aside does not
    count. Three queries, and one more for each of them where roles have limits."""
    limits = list(Limit.objects.all())
    pairs, whose = [], []
    for each in spenders:
        names = _names(each.person, each.team, each.chat)
        mine = [limit for limit in limits if _is_among(limit, names)]
        for limit in _for_role(mine, each.person, each.team):
            pairs.append((limit, counter_of(limit, each.person)))
            whose.append(each)
    found = zip(whose, read(pairs, now), strict=True)
    return {each for each, standing in found if standing.spent >= standing.most}


def _is_among(limit: Limit, names: list[str]) -> bool:
    return limit.scope == Scope.ROLE or counter_name(limit.scope, limit.key) in names


def of_person(person: Person, roles: Mapping[int, str], now: datetime) -> list[Standing]:
    """Every limit that applies to somebody somewhere, but for those of single chats. `roles` are theirs, by team."""
    wanted = Q(scope=Scope.INSTALLATION) | Q(scope=Scope.PERSON, key=str(person.pk))
    wanted |= Q(scope=Scope.ROLE, key__in={Limit.PERSONAL, *roles.values()})
    wanted |= Q(scope=Scope.TEAM, key__in=[str(team) for team in roles])
    limits = list(Limit.objects.filter(wanted))
    own = {each.period for each in limits if each.scope == Scope.PERSON}
    kept = [each for each in limits if each.scope != Scope.ROLE or each.period not in own]
    return read(((limit, counter_of(limit, person.pk)) for limit in kept), now)


def read(counted: Iterable[tuple[Limit, str]], now: datetime) -> list[Standing]:
    """How far limits are used, each with the name of the counter that it is held against: two queries,
    and none without limits."""
    pairs = list(counted)
    if not pairs:
        return []
    counters = Counter.objects.filter(name__in={name for _, name in pairs})
    rows = {each.name: each for each in counters}
    overrides = _overrides([limit for limit, _ in pairs], now)
    return [_standing(limit, rows.get(name), overrides, now) for limit, name in pairs]


def _for_role(limits: list[Limit], person: int, team: int | None) -> list[Limit]:
    """Without those of other roles, and those of a role for a period in which there is one's own."""
    if not any(each.scope == Scope.ROLE for each in limits):
        return limits
    role = role_of(person, team)
    own = {each.period for each in limits if each.scope == Scope.PERSON}
    return [
        each
        for each in limits
        if each.scope != Scope.ROLE or (each.key == role and each.period not in own)
    ]


def role_of(person: Person | int, team: int | None) -> str:
    """The role by which somebody spends in a team's chat; PERSONAL in their own space and as a guest."""
    if team is None:
        return Limit.PERSONAL
    roles = Membership.objects.filter(person=person, team=team).values_list("role", flat=True)
    return roles.first() or Limit.PERSONAL


def _overrides(limits: list[Limit], now: datetime) -> dict[int, tuple[int, datetime]]:
    """The highest that counts now of each limit which has one: credits, and until when."""
    rows = Override.objects.filter(limit__in=limits, until__gt=now)
    found: dict[int, tuple[int, datetime]] = {}
    for limit, credits, until in rows.values_list("limit", "credits", "until"):
        found[limit] = max(found.get(limit, (0, until)), (credits, until))
    return found


def _standing(
    limit: Limit,
    row: Counter | None,
    overrides: dict[int, tuple[int, datetime]],
    now: datetime,
) -> Standing:
    today = _day(now)
    first, ends = _period(limit.period, today)
    spent = 0
    if row is not None and (row.day if limit.period == Period.DAY else row.month) >= first:
        spent = row.day_spent if limit.period == Period.DAY else row.month_spent
    most = _most(limit, overrides)
    return Standing(
        limit=limit,
        most=most,
        spent=spent,
        reserved=row.reserved if row else 0,
        ends_at=datetime.combine(ends, time.min, UTC),
        override_until=overrides[limit.pk][1] if most > limit.credits else None,
    )


def _most(limit: Limit, overrides: dict[int, tuple[int, datetime]]) -> int:
    return max(limit.credits, overrides.get(limit.pk, (0, None))[0])


def _period(period: str, today: date) -> tuple[date, date]:
    """Its first day, and the one after its last."""
    if period == Period.DAY:
        return today, today + timedelta(days=1)
    first = today.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _tightest(standings: list[Standing]) -> Standing:
    return min(standings, key=lambda each: (each.left, each.most))


# Counters


def _names(person: int | None, team: int | None, chat: UUID | None) -> list[str]:
    """The counters of a run, in the order in which everybody takes them."""
    of = zip(ORDER, (chat, person, team, ""), strict=True)
    return [counter_name(scope, key) for scope, key in of if key is not None]


def counter_of(limit: Limit, person: int | None = None) -> str:
    """The counter that a limit is held against for this person; "" of a role's for nobody, which has none."""
    if limit.scope != Scope.ROLE:
        return counter_name(limit.scope, limit.key)
    return "" if person is None else counter_name(Scope.PERSON, person)


def _room(limit: Limit, most: int, today: date) -> Q:
    """That something is left: as the database sees it in the moment of the change."""
    free = _big(most) - F("reserved")
    if limit.period == Period.DAY:
        return Q(day__gte=today, day_spent__lt=free) | Q(day__lt=today, reserved__lt=most)
    month = today.replace(day=1)
    return Q(month__gte=month, month_spent__lt=free) | Q(month__lt=month, reserved__lt=most)


def _changes(free: Reservation | None, entry: Entry | None = None) -> dict[str, tuple[int, int]]:
    """What to add to which counters, as spent and as put aside: whoever put something aside has it back, which may be others than those
    who pay, and the difference to what is counted of the entry is spent."""
    changes: dict[str, tuple[int, int]] = {}
    if free is not None:
        for name in _names(free.person, free.team, free.chat):
            changes[name] = 0, -free.credits
    if entry is not None and entry.credits_total != entry.counted:
        for name in _names(entry.person_id, entry.team_id, entry.chat_id):
            _, freed = changes.get(name, (0, 0))
            changes[name] = entry.credits_total - entry.counted, freed
    return changes


def _move_all(changes: dict[str, tuple[int, int]], on: date) -> None:
    for name in sorted(changes, key=_place):
        spent, reserved = changes[name]
        _move(name, on, spent=spent, reserved=reserved)


def _place(name: str) -> tuple[int, str]:
    """Where a counter stands in the order in which everybody takes them."""
    return ORDER.index(name.partition(" ")[0]), name


def _move(
    name: str, on: date, *, spent: int = 0, reserved: int = 0, room: Iterable[Q] = ()
) -> bool:
    """Change a counter, if there is `room` in it; whether there was. One that is of an earlier day or month
    begins anew with what is spent; what belongs to an earlier one than the counter's is no part of it any more."""
    month = on.replace(day=1)
    rows = Counter.objects.filter(*room, name=name)
    changes: dict[str, Any] = {"reserved": F("reserved") + _big(reserved)}
    if spent:
        changes |= {
            "day_spent": _rolled("day", on, spent),
            "day": Case(When(day__lt=on, then=Value(on)), default=F("day")),
            "month_spent": _rolled("month", month, spent),
            "month": Case(When(month__lt=month, then=Value(month)), default=F("month")),
        }
    if rows.update(**changes):
        return True
    Counter.objects.bulk_create([Counter(name=name, day=on, month=month)], ignore_conflicts=True)
    return bool(rows.update(**changes))


def _rolled(field: str, on: date, spent: int) -> Case:
    kept = F(f"{field}_spent")
    return Case(
        When(**{f"{field}__lt": on}, then=_big(spent)),
        When(**{field: on}, then=kept + _big(spent)),
        default=kept,
    )


def _big(amount: int) -> Value:
    return Value(amount, output_field=BigIntegerField())


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
