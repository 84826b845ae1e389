"""What of spending the overview of the admin area names: what is near or used up now, and an unusual day."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.models import Alert, Chat, Counter, Limit, Membership, Person, Team
from chats.models.budgets import Period, Scope
from chats.usage import alerts
from chats.usage.alerts import ONE_CREDIT, Usual
from tests.views.conftest import ClientOf

TODO = re.compile(r'<ul class="manage-todo">(.*?)</ul>', re.DOTALL)


@pytest.fixture
def staff(admin: Person, client_of: ClientOf) -> Client:
    return client_of(admin)


def limit(scope: str, key: object, credits: int, spent: int, counter: str = "") -> Limit:
    today = timezone.now().date()
    name = counter or f"{scope} {key}".strip()
    amounts = {"day_spent": spent * ONE_CREDIT, "month_spent": spent * ONE_CREDIT}
    Counter.objects.create(name=name, day=today, month=today.replace(day=1), **amounts)
    period = Period.MONTH
    return Limit.objects.create(
        scope=scope, key=str(key), period=period, credits=credits * ONE_CREDIT
    )


def todo(client: Client) -> list[str]:
    """What needs an administrator by its spending, a line each."""
    page = client.get("/manage/").content.decode()
    found = TODO.search(page)
    items = re.findall(r"<li.*?>(.*?)</li>", found.group(1), re.DOTALL) if found else []
    lines = (unescape(re.sub(r"<[^>]*>", "", item)) for item in items)
    return [" ".join(line.split()) for line in lines if re.search("limit|unusual", line)]


def test_limits_are_named_once_four_fifths_are_spent_and_the_worst_stand_first(
    staff: Client, owner: Person, mate: Person, team: Team
) -> None:
    private = Chat.objects.create(owner=owner, title="canary-title")
    limit(Scope.INSTALLATION, "", 100, 79)
    limit(Scope.TEAM, team.pk, 100, 81)
    limit(Scope.PERSON, owner.pk, 10, 12)
    limit(Scope.CHAT, private.pk, 5, 4)
    limit(Scope.ROLE, "member", 20, 20, f"person {mate.pk}")
    Membership.objects.filter(person=mate).update(role="member")
    lines = todo(staff)
    # When it begins anew is said of each.
    assert all(" It begins anew " in line for line in lines)
    assert [line.partition(" It begins anew")[0] for line in lines] == [
        f"{owner.shown_name} ({owner.email}): all of the monthly limit is spent, 12 of 10 credits.",
        "Members of a team: 1 person has spent 80 % or more of the monthly limit for each, "
        "the furthest 20 of 20 credits.",
        f"Chat {str(private.pk)[:8]}: 80 % or more of the monthly limit is spent, 4 of 5 credits.",
        f"{team.name} (Team #{team.pk}): 80 % or more of the monthly limit is spent, 81 of 100 credits.",
    ]
    assert f'href="/manage/limits/{Limit.objects.get(scope="team").pk}/"' in (
        staff.get("/manage/").content.decode()
    )


def test_what_is_far_from_its_limit_needs_nobody(staff: Client) -> None:
    limit(Scope.INSTALLATION, "", 100, 79)
    assert todo(staff) == []


def test_of_many_some_are_named_at_the_same_cost(staff: Client) -> None:
    staff.get("/manage/")

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            staff.get("/manage/")
        return len(seen)

    limit(Scope.TEAM, 1000, 10, 10)
    one = queries()
    for key in range(1001, 1008):
        limit(Scope.TEAM, key, 10, 10)
    assert queries() == one
    lines = todo(staff)
    assert len(lines) == 6
    assert lines[-1] == "Of 3 more limits 80 % or more is spent."


def test_the_last_unusual_day_is_named_for_a_week(staff: Client) -> None:
    today = timezone.now().date()
    found = alerts.unusual(Usual(today, (ONE_CREDIT,) * 5), 9 * ONE_CREDIT)
    alerts.note([found])
    (line,) = todo(staff)
    assert line.startswith(f"{today} was an unusual day: it cost more than three times")
    path = f"/usage/review/?range=custom&amp;from={today}&amp;to={today}"
    assert path in staff.get("/manage/").content.decode()
    assert staff.get(path.replace("&amp;", "&")).status_code == 200
    Alert.objects.update(made_at=timezone.now() - timedelta(days=7))
    assert todo(staff) == []
