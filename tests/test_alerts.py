"""What of spending is worth telling: a limit that is near or used up, an unusual day, each of them once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import median_high
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from chats.models import Alert, Counter, Entry, Limit, Membership, Override, Person, Team
from chats.models.budgets import Period, Scope
from chats.usage import alerts
from chats.usage.alerts import NEAR, ONE_CREDIT, UNUSUAL, USED_UP, Lookout, Usual

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
TODAY = NOW.date()
COSTS = st.lists(st.integers(1, 2**63 - 1), min_size=alerts.FEWEST, max_size=28)


def limit(scope: str, key: object = "", credits: int = 100, period: str = Period.DAY) -> Limit:
    return Limit.objects.create(scope=scope, key=str(key), period=period, credits=credits)


def spend(name: str, day: int, month: int = 0, *, on: date = TODAY, reserved: int = 0) -> None:
    Counter.objects.update_or_create(
        name=name,
        defaults={
            "day": on,
            "day_spent": day,
            "month": on.replace(day=1),
            "month_spent": month or day,
            "reserved": reserved,
        },
    )


def look(now: datetime = NOW) -> list[str]:
    """The kinds of what is new at this look, which writes it down."""
    found = Lookout().find(now)
    alerts.note(found)
    return [alert.details["kind"] for alert in found]


@pytest.mark.parametrize(
    ("spent", "reserved", "kinds"),
    [
        (79, 1000, []),
        (80, 0, [NEAR]),
        (99, 1000, [NEAR]),
        (100, 0, [USED_UP]),
        (250, 0, [USED_UP]),
    ],
)
def test_what_is_spent_counts_and_what_is_put_aside_does_not(
    db: None, spent: int, reserved: int, kinds: list[str]
) -> None:
    limit(Scope.INSTALLATION)
    spend("installation", spent, reserved=reserved)
    assert look() == kinds
    assert look() == [], "once"


def test_each_is_told_once_in_each_day_or_month(db: None) -> None:
    limit(Scope.TEAM, 4)
    limit(Scope.TEAM, 4, 1000, Period.MONTH)
    spend("team 4", 85)
    assert look() == [NEAR]
    spend("team 4", 100, 800)
    assert sorted(look()) == [NEAR, USED_UP]
    # It was corrected by v0's bill: whoever knows the worse needs not hear the better.
    spend("team 4", 90, 800)
    assert look() == []
    assert look(NOW + timedelta(days=1)) == []
    spend("team 4", 80, 880, on=TODAY + timedelta(days=1))
    assert look(NOW + timedelta(days=1)) == [NEAR]
    spend("team 4", 10, 800, on=date(2026, 12, 1))
    assert look(datetime(2026, 12, 1, tzinfo=UTC)) == [NEAR], "of another month"


def test_what_is_told_is_named_by_amounts_as_text(db: None) -> None:
    limit(Scope.CHAT, chat := uuid4(), 10 * ONE_CREDIT, Period.MONTH)
    spend(f"chat {chat}", 1, 8 * ONE_CREDIT + 1)
    assert look() == [NEAR]
    assert Alert.objects.get().details == {
        "kind": "near",
        "scope": "chat",
        "key": str(chat),
        "person": None,
        "period": "month",
        "limit": "10",
        "spent": "8.000000000001",
        "from": "2026-11-01",
        "until": "2026-12-01",
    }


def test_a_limit_that_is_raised_may_be_used_up_once_more(db: None) -> None:
    held = limit(Scope.INSTALLATION)
    spend("installation", 100)
    assert look() == [USED_UP]
    raised = Override.objects.create(
        limit=held, credits=150, until=NOW + timedelta(hours=2), note="A demo"
    )
    assert look() == []
    spend("installation", 150)
    assert look() == [USED_UP]
    raised.delete()
    assert look() == [], "the amount of before was told"


def test_a_limit_of_nothing_is_no_news(db: None) -> None:
    limit(Scope.INSTALLATION, credits=0)
    spend("installation", 5)
    assert look() == []


def test_the_limit_of_a_role_is_told_of_each_person_who_has_spent_it(db: None) -> None:
    team = Team.objects.create(name="Web")
    people = [Person.objects.create_user(f"p{number}@example.com") for number in range(4)]
    member, viewer, own, guest = (person.pk for person in people)
    for person, role in ((member, "member"), (viewer, "viewer"), (own, "member")):
        Membership.objects.create(team=team, person_id=person, role=role)
    limit(Scope.ROLE, "member")
    limit(Scope.PERSON, own, 1000)
    for person in (member, viewer, own, guest):
        spend(f"person {person}", 90)
    assert look() == [NEAR]
    assert Alert.objects.get().details["person"] == member
    # In one's own space everybody may spend by this one, in each month.
    limit(Scope.ROLE, Limit.PERSONAL, 90, Period.MONTH)
    assert look() == [USED_UP] * 4
    found = Alert.objects.filter(details__kind=USED_UP)
    assert {alert.details["person"] for alert in found} == {member, viewer, own, guest}


def test_a_look_is_cheap(db: None) -> None:
    lookout = Lookout()

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert lookout.find(NOW) == []
        return len(seen)

    assert queries() == 2, "without limits"
    for number in range(50):
        limit(Scope.PERSON, number)
        spend(f"person {number}", 10)
    assert queries() == 4
    limit(Scope.ROLE, "member")
    assert queries() == 5
    # What is usual is read once a day, however busy it is.
    spend("installation", 10 * ONE_CREDIT)
    assert queries() == 6
    assert queries() == 5


def test_what_is_long_over_goes(db: None) -> None:
    limit(Scope.INSTALLATION)
    for age, name in ((alerts.KEPT, "old"), (timedelta(days=40), "of last month")):
        made = timezone.now() - age - timedelta(minutes=1)
        Alert.objects.create(name=name, details={}, made_at=made)
    spend("installation", 100)
    assert look() == [USED_UP]
    assert not Alert.objects.filter(name="old").exists()
    assert Alert.objects.count() == 2


# An unusual day


@given(COSTS, st.integers(0, 2**66))
def test_an_unusual_day_is_what_the_definition_says(costs: list[int], spent: int) -> None:
    usual = Usual(TODAY, tuple(sorted(costs)))
    wanted = spent > 3 * median_high(costs) and spent > max(costs) and spent >= ONE_CREDIT
    assert usual.is_passed_by(spent) is wanted
    assert usual.is_passed_by(usual.most + 1)
    assert not usual.is_passed_by(usual.most)


@given(st.lists(st.integers(1, 2**63 - 1), max_size=alerts.FEWEST - 1), st.integers(0, 2**66))
def test_a_few_days_say_nothing_of_what_is_usual(costs: list[int], spent: int) -> None:
    assert not Usual(TODAY, tuple(sorted(costs))).is_passed_by(spent)


@given(COSTS, st.integers(1, 2**63), st.integers(1, 1000))
def test_the_same_in_another_currency_is_as_unusual(
    costs: list[int], spent: int, times: int
) -> None:
    base = [cost * ONE_CREDIT for cost in costs]
    one = Usual(TODAY, tuple(sorted(base)))
    other = Usual(TODAY, tuple(cost * times for cost in sorted(base)))
    assert one.is_passed_by(spent * ONE_CREDIT) is other.is_passed_by(spent * ONE_CREDIT * times)


def entry(cost: int, days_ago: int) -> None:
    at = NOW - timedelta(days=days_ago)
    Entry.objects.create(
        message_id=uuid4(), credits_total=cost, counted=cost, counted_on=at.date(), ended_at=at
    )


def test_a_day_that_is_unusual_is_told_once(db: None) -> None:
    for days_ago in range(1, 6):
        entry(ONE_CREDIT, days_ago)
        entry(ONE_CREDIT, days_ago)
    # What costs nothing, today and what is older than four weeks are no part of what is usual.
    for cost, days_ago in ((0, 7), (90 * ONE_CREDIT, 0), (90 * ONE_CREDIT, 29)):
        entry(cost, days_ago)
    spend("installation", 6 * ONE_CREDIT)
    assert look() == []
    spend("installation", 6 * ONE_CREDIT + 1)
    assert look() == [UNUSUAL]
    assert Alert.objects.get().details == {
        "kind": "unusual",
        "scope": "installation",
        "key": "",
        "period": "day",
        "spent": "6.000000000001",
        "usual": "2",
        "from": "2026-11-22",
        "until": "2026-11-23",
    }
    spend("installation", 90 * ONE_CREDIT)
    assert look() == []
    assert look(NOW + timedelta(days=1)) == [], "that day has cost nothing yet"
