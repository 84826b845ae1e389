"""Budgets hold: what is put aside before a run, how it is settled, and that none is left behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from chats.models import (
    Chat,
    Counter,
    Entry,
    Intent,
    Levers,
    Limit,
    Membership,
    Message,
    Override,
    Person,
    Reservation,
    Team,
)
from chats.models.budgets import Period, Scope
from chats.models.messages import IntentState
from chats.relay import intents
from chats.usage import budgets, ledger
from chats.usage.money import units
from chats.usage.refusals import Closed, OverLimit, Refused, TooFast, TooMany
from chats.usage.typical import ceiling, typical
from chats.v0api.types import Amounts, Usage

CREDIT = 10**12


@pytest.fixture
def person(db: None) -> Person:
    return Person.objects.create_user("somebody@example.com")


def limit(scope: str, key: object, credits: int, period: str = Period.DAY) -> Limit:
    return Limit.objects.create(scope=scope, key=str(key), period=period, credits=credits)


def send(person: Person, chat: Chat | None = None, model: str = "v0-mini") -> Message:
    payload = {"message": "Hello", "model": model}
    if chat is None:
        return intents.create(person, uuid4(), payload)
    return intents.send(person, uuid4(), payload, chat)


def end(answer: Message, credits: int) -> None:
    """The answer has cost this."""
    Message.objects.filter(pk=answer.pk).update(state="finished", ended_at=timezone.now())
    cost = Decimal(credits) / CREDIT
    told = Usage(tokens=Amounts(total=Decimal(9)), credits=Amounts(total=cost), model="v0-mini")
    ledger.record(answer, told, outcome="finished")


def counted() -> dict[str, tuple[int, int, int]]:
    rows = Counter.objects.values_list("name", "day_spent", "month_spent", "reserved")
    return {name: (day, month, reserved) for name, day, month, reserved in rows}


def test_a_send_puts_aside_what_is_expected_and_the_cost_settles_it(person: Person) -> None:
    answer = send(person)
    aside = ceiling("v0-mini")
    names = {f"chat {answer.chat_id}", f"person {person.pk}", "installation"}
    assert counted() == dict.fromkeys(names, (0, 0, aside))
    end(answer, 7)
    assert counted() == dict.fromkeys(names, (7, 7, 0))
    assert not Reservation.objects.exists()
    # Late, twice and corrected: the last word counts, once.
    end(answer, 7)
    end(answer, 5)
    assert counted() == dict.fromkeys(names, (5, 5, 0))


def test_what_is_usual_is_put_aside_once_it_is_known(person: Person) -> None:
    for cost in (3, 9, 4):
        end(send(person), cost)
    found = typical(person.pk, "v0-mini")
    assert found is not None
    assert (found.median, found.low, found.high, found.runs) == (4, 3, 9, 3)
    send(person)
    assert Reservation.objects.get().credits == 4
    other = Person.objects.create_user("other@example.com")
    send(other)
    assert Reservation.objects.get(person=other.pk).credits == 4
    send(other, model="v0-max")
    assert Reservation.objects.filter(credits=ceiling("v0-max")).exists()


def test_a_budget_for_three_runs_lets_three_of_ten_go(person: Person) -> None:
    limit(Scope.PERSON, person.pk, 3 * ceiling("v0-mini"))
    for _ in range(3):
        send(person)
    for _ in range(7):
        with pytest.raises(OverLimit) as refusal:
            send(person)
        assert refusal.value.standing.limit.scope == Scope.PERSON
        assert refusal.value.standing.left == 0
    assert Intent.objects.count() == Chat.objects.count() == 3


def test_the_tightest_applies_and_nothing_is_written_where_it_refuses(person: Person) -> None:
    team = Team.objects.create(name="Team")
    Membership.objects.create(team=team, person=person, role="member")
    limit(Scope.INSTALLATION, "", 100 * CREDIT)
    limit(Scope.TEAM, team.pk, 0, Period.MONTH)
    before = counted()
    with pytest.raises(OverLimit) as refusal:
        intents.create(person, uuid4(), {"message": "Hello"}, team=team, privacy="team")
    assert refusal.value.standing.limit.scope == Scope.TEAM
    assert not Intent.objects.exists()
    assert not Chat.objects.exists()
    assert counted() == before
    send(person)


@pytest.mark.parametrize("own", [True, False])
def test_ones_own_limit_stands_in_place_of_that_of_the_role(person: Person, own: bool) -> None:
    team = Team.objects.create(name="Team")
    Membership.objects.create(team=team, person=person, role="member")
    limit(Scope.ROLE, "member", 0)
    limit(Scope.ROLE, "viewer", 0)
    chat = Chat.objects.create(owner=person, team=team)
    send(person)
    if own:
        limit(Scope.PERSON, person.pk, 50 * CREDIT)
        send(person, chat)
    else:
        with pytest.raises(OverLimit):
            send(person, chat)


def test_an_override_counts_until_its_time_is_over(person: Person) -> None:
    held = limit(Scope.INSTALLATION, "", 0)
    now = timezone.now()
    Override.objects.create(limit=held, credits=CREDIT, until=now + timedelta(hours=1), note="x")
    Override.objects.create(
        limit=held, credits=5 * CREDIT, until=now - timedelta(hours=1), note="x"
    )
    (standing,) = budgets.standings(person, None)
    assert (standing.most, standing.override_until) == (CREDIT, now + timedelta(hours=1))
    send(person)
    Override.objects.all().update(until=now)
    with pytest.raises(OverLimit):
        send(person)


def test_a_new_day_begins_with_nothing_spent(person: Person) -> None:
    limit(Scope.PERSON, person.pk, 10)
    limit(Scope.CHAT, uuid4(), 0)
    end(send(person), 10)
    with pytest.raises(OverLimit):
        send(person)
    yesterday = timezone.now().date() - timedelta(days=1)
    Counter.objects.update(day=yesterday)
    answer = send(person)
    standing = next(s for s in budgets.standings(person, None) if s.limit.scope == Scope.PERSON)
    assert (standing.spent, standing.reserved > 0) == (0, True)
    # What ends today and was sent yesterday belongs to yesterday.
    Reservation.objects.update(day=yesterday)
    end(answer, 4)
    standing = next(s for s in budgets.standings(person, None) if s.limit.scope == Scope.PERSON)
    assert (standing.spent, standing.reserved) == (0, 0)


def test_days_of_another_month_are_no_part_of_this_one(person: Person) -> None:
    name = "person 1"
    for on, spent in ((date(2026, 10, 31), 5), (date(2026, 11, 1), 3), (date(2026, 10, 30), 2)):
        budgets._move(name, on, spent=spent)
    row = Counter.objects.get(name=name)
    assert (row.day, row.day_spent, row.month, row.month_spent) == (
        date(2026, 11, 1),
        3,
        date(2026, 11, 1),
        3,
    )


@pytest.mark.parametrize("state", [IntentState.REFUSED, IntentState.UNSENT, IntentState.UNKNOWN])
def test_what_came_to_nothing_is_given_back(person: Person, state: str) -> None:
    answer = send(person)
    Intent.objects.filter(answer=answer).update(state=state)
    later = timezone.now() + timedelta(minutes=2)
    assert budgets.sweep(later) == 1
    assert budgets.sweep(later) == 0
    assert set(counted().values()) == {(0, 0, 0)}


def test_what_is_put_aside_is_kept_until_the_cost_is_known_or_an_hour_has_passed(
    person: Person,
) -> None:
    answer = send(person)
    later = timezone.now() + timedelta(minutes=2)
    assert budgets.sweep(later) == 0
    Message.objects.filter(pk=answer.pk).update(state="finished", ended_at=timezone.now())
    ledger.record(answer, Usage(), outcome="finished")
    assert budgets.sweep(later) == 0
    assert Reservation.objects.exists()
    assert budgets.sweep(later + timedelta(hours=1)) == 1
    # The bill tells after all.
    end(answer, 6)
    assert set(counted().values()) == {(6, 6, 0)}


def test_what_a_chat_had_put_aside_goes_with_it(person: Person) -> None:
    answer = send(person)
    answer.chat.delete()
    assert budgets.sweep(timezone.now() + timedelta(minutes=2)) == 1
    assert {amounts[2] for amounts in counted().values()} == {0}


def test_the_team_in_which_a_run_was_sent_pays_for_it(person: Person) -> None:
    old, new = (Team.objects.create(name=name) for name in ("Old", "New"))
    chat = Chat.objects.create(owner=person, team=old)
    answer = send(person, chat)
    Chat.objects.update(team=new)
    end(Message.objects.get(pk=answer.pk), 7)
    amounts = counted()
    assert amounts[f"team {old.pk}"] == (7, 7, 0)
    assert f"team {new.pk}" not in amounts
    # What is sent from now on is the new one's.
    end(send(person, Chat.objects.get()), 2)
    assert counted()[f"team {new.pk}"] == (2, 2, 0)


@pytest.mark.parametrize("ends", ["settled", "given back"])
def test_a_team_that_is_gone_keeps_nothing_put_aside(person: Person, ends: str) -> None:
    team = Team.objects.create(name="Team")
    answer = send(person, Chat.objects.create(owner=person, team=team))
    Chat.objects.update(team=None)
    Team.objects.all().delete()
    if ends == "settled":
        end(Message.objects.get(pk=answer.pk), 7)
        assert Entry.objects.get().team is None
    else:
        budgets.release(Intent.objects.get().pk)
    assert {reserved for _, _, reserved in counted().values()} == {0}


def test_a_refusal_names_the_limit_that_refused(person: Person) -> None:
    """And none that only seems to be used up by what this send has put aside before it was refused."""
    limit(Scope.PERSON, person.pk, 1)
    limit(Scope.INSTALLATION, "", 0)
    with pytest.raises(OverLimit) as refusal:
        send(person)
    assert refusal.value.standing.limit.scope == Scope.INSTALLATION


def test_no_new_runs_are_taken_while_the_installation_is_closed(person: Person) -> None:
    Levers.objects.create(pk=1, is_closed=True, closed_words="Back at noon.")
    with pytest.raises(Closed, match="Back at noon"):
        send(person)
    assert not Counter.objects.exists()


def test_sends_a_minute_and_runs_at_once_are_counted_for_each_person(person: Person) -> None:
    Levers.objects.create(pk=1, sends_per_minute=2, runs_at_once=1)
    send(person)
    with pytest.raises(TooMany):
        send(person)
    Message.objects.filter(role="assistant").update(state="finished")
    send(person)
    Message.objects.filter(role="assistant").update(state="finished")
    with pytest.raises(TooFast) as refusal:
        send(person)
    assert 0 < refusal.value.again <= 60
    send(Person.objects.create_user("other@example.com"))
    assert issubclass(TooFast, Refused)
    assert Intent.objects.count() == 3


def test_a_refusal_leaves_the_counters_as_they_were(person: Person) -> None:
    limit(Scope.INSTALLATION, "", 0)
    with pytest.raises(OverLimit), transaction.atomic():
        send(person)
    assert not Reservation.objects.exists()
    assert set(counted().values()) <= {(0, 0, 0)}


def test_limits_are_exact_to_the_last_digit(person: Person) -> None:
    most = units(Decimal("0.000000000003"))
    limit(Scope.PERSON, person.pk, most)
    end(send(person), most - 1)
    end(send(person), 0)
    assert not Entry.objects.filter(credits_total=0, is_told=False).exists()
    end(send(person), 1)
    (standing,) = budgets.standings(person, None)
    assert standing.is_used_up
    assert standing.ends_at > datetime.now(UTC)
    with pytest.raises(OverLimit):
        send(person)
