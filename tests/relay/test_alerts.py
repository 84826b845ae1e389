"""Mail about spending: to whom it concerns and who can do something, once, in plain words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Alert, Chat, Counter, Limit, Membership, Notice, Person, Team
from chats.models.budgets import Scope
from chats.relay import alerts, notices
from chats.relay.notices import Letter
from chats.relay.relay import Relay
from chats.usage.alerts import NEAR, UNUSUAL, USED_UP, Lookout, note
from tests.app_server import free_port
from tests.relay.inside import Inside

CANARY = "canary-title"


@pytest.fixture
def people(db: None) -> dict[str, Person]:
    """Somebody for each place: those without "quiet" in their name want mail."""
    found = {
        name: Person.objects.create_user(
            f"{name.replace(' ', '-')}@example.com",
            name=name.title(),
            is_staff="staff" in name,
            notices_by_mail="quiet" not in name,
        )
        for name in (
            *("quiet staff", "staff who left", "owner", "admin", "quiet admin"),
            *("member", "quiet", "stranger"),
        )
    }
    Person.objects.filter(pk=found["staff who left"].pk).update(is_active=False)
    team = Team.objects.create(pk=4, name="Web\nBcc: all@example.com")
    for name in ("owner", "admin", "quiet admin", "member"):
        role = name.removeprefix("quiet ")
        Membership.objects.create(team=team, person=found[name], role=role)
    return found


def alert(kind: str, scope: str = Scope.INSTALLATION, key: object = "", **more: Any) -> Alert:
    details = {
        "kind": kind,
        "scope": scope,
        "key": str(key),
        "person": None,
        "period": "month",
        "limit": "10",
        "spent": "8.500000000001",
        "usual": "2",
        "from": "2026-11-01",
        "until": "2026-12-01",
    }
    return Alert.objects.create(name=f"{kind} {scope} {key}", details={**details, **more})


def key_of(people: dict[str, Person], scope: str, whose: str) -> str:
    match scope:
        case Scope.TEAM:
            return "4"
        case Scope.PERSON:
            return str(people[whose].pk)
        case Scope.ROLE:
            return "member"
        case Scope.CHAT:
            return str(Chat.objects.create(owner=people[whose], title=CANARY).pk)
        case _:
            return ""


# Who gets which, written by hand.
TOLD = [
    (NEAR, Scope.INSTALLATION, "", {"quiet staff"}),
    (USED_UP, Scope.INSTALLATION, "", {"quiet staff"}),
    (UNUSUAL, Scope.INSTALLATION, "", {"quiet staff"}),
    (NEAR, Scope.TEAM, "", {"owner", "admin"}),
    (USED_UP, Scope.TEAM, "", {"owner", "admin", "quiet staff"}),
    (NEAR, Scope.PERSON, "member", {"member"}),
    (NEAR, Scope.PERSON, "quiet", set()),
    (USED_UP, Scope.PERSON, "member", {"member", "quiet staff"}),
    (NEAR, Scope.ROLE, "member", {"member"}),
    (USED_UP, Scope.ROLE, "member", {"member"}),
    (USED_UP, Scope.ROLE, "quiet", set()),
    (NEAR, Scope.CHAT, "stranger", {"stranger"}),
    (USED_UP, Scope.CHAT, "stranger", {"stranger"}),
]


@pytest.mark.parametrize(("kind", "scope", "whose", "told"), TOLD)
def test_whom_it_concerns_and_who_can_do_something_are_written_to_once(
    people: dict[str, Person], kind: str, scope: str, whose: str, told: set[str]
) -> None:
    person = people[whose].pk if scope == Scope.ROLE else None
    made = alert(kind, scope, key_of(people, scope, whose), person=person)
    expected = {(people[name].pk, made.pk) for name in told}
    assert set(alerts.due()) == expected
    for each in expected:
        letter = alerts.claim(*each)
        assert letter
        assert CANARY not in letter.text + letter.subject
        assert alerts.claim(*each) is None
    assert alerts.due() == []
    alerts.close()
    made.refresh_from_db()
    assert made.mailed_at is not None
    assert alerts.unmailed() == []


WORDS = [
    (
        NEAR,
        Scope.TEAM,
        "admin",
        "80 % spent of the monthly budget of the team Web Bcc: all@example.com",
        ("An administrator of this installation can raise it", "/usage/review/?team=4\n"),
    ),
    (
        USED_UP,
        Scope.PERSON,
        "member",
        "All spent of your monthly budget",
        ("All of your monthly budget is spent.", "/usage/\n", "/settings/notices/"),
    ),
    (
        NEAR,
        Scope.ROLE,
        "member",
        "80 % spent of your monthly budget as a member of a team",
        ("Spent:  8.5000 credits\nLimit:  10.0000 credits\n", "/usage/\n"),
    ),
    (
        NEAR,
        Scope.CHAT,
        "stranger",
        "80 % spent of the monthly budget of a chat of yours",
        ("You can raise it in the chat.", "/chats/"),
    ),
    (
        USED_UP,
        Scope.INSTALLATION,
        "quiet staff",
        "All spent of the monthly budget of this installation",
        ("You can raise it, for good or for a while.", "/usage/review/\n", "Administrators get"),
    ),
    (
        UNUSUAL,
        Scope.INSTALLATION,
        "quiet staff",
        "An unusual day: 8.5000 credits so far",
        ("more than three times the usual day", "costs 2.0000 credits", "/usage/review/\n"),
    ),
]


@pytest.mark.parametrize(("kind", "scope", "reader", "subject", "parts"), WORDS)
def test_a_mail_says_which_budget_how_far_until_when_and_who_can_raise_it(
    people: dict[str, Person], kind: str, scope: str, reader: str, subject: str, parts: list[str]
) -> None:
    made = alert(kind, scope, key_of(people, scope, reader))
    person = people[reader]
    person.time_zone = "Europe/Berlin"
    letter = alerts.letter(1, person, made)
    assert (letter.to, letter.subject) == (person.email, subject)
    for part in parts:
        assert part in letter.text
    if kind != UNUSUAL:
        assert "It begins anew at 2026-12-01 01:00 CET." in letter.text
    notices.send(letter)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.bcc) == ([person.email], subject, [])


def test_staff_are_told_whose_budget_it_is(people: dict[str, Person]) -> None:
    made = alert(USED_UP, Scope.PERSON, people["member"].pk)
    letter = alerts.letter(1, people["quiet staff"], made)
    assert letter.subject == "All spent of the monthly budget of Member (member@example.com)"
    assert f"/usage/review/?person={people['member'].pk}\n" in letter.text


CHANGES: dict[str, Callable[[Person], object]] = {
    "mail is not wanted any more": lambda member: set_person(member, notices_by_mail=False),
    "the account was deactivated": lambda member: set_person(member, is_active=False),
    "another process has it": lambda member: alerts.claim(member.pk, Alert.objects.get().pk),
}


def set_person(person: Person, **fields: Any) -> None:
    Person.objects.filter(pk=person.pk).update(**fields)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_asked_again_at_the_moment_of_sending(
    people: dict[str, Person], change: Callable[[Person], object]
) -> None:
    member = people["member"]
    made = alert(NEAR, Scope.PERSON, member.pk)
    assert alerts.due() == [(member.pk, made.pk)]
    change(member)
    assert alerts.claim(member.pk, made.pk) is None
    alerts.close()
    assert alerts.unmailed() == []


def test_a_chat_that_was_deleted_and_a_team_that_is_gone_concern_nobody(
    people: dict[str, Person],
) -> None:
    alert(NEAR, Scope.CHAT, key_of(people, Scope.CHAT, "stranger"))
    gone = alert(USED_UP, Scope.TEAM, "4")
    Chat.objects.update(deleted_at=timezone.now())
    Team.objects.all().delete()
    staff = people["quiet staff"]
    assert alerts.due() == [(staff.pk, gone.pk)]
    assert "a team that is gone" in alerts.letter(1, staff, gone).text


def test_a_mail_server_that_refuses_is_tried_again_and_what_is_old_is_no_news(
    people: dict[str, Person],
) -> None:
    made = alert(NEAR)
    ((person, _),) = alerts.due()
    letter = alerts.claim(person, made.pk)
    assert letter
    notices.failed(letter.notice)
    alerts.close()
    assert alerts.due() == [], "not before a while has passed"
    assert [each.pk for each in alerts.unmailed()] == [made.pk]
    Notice.objects.update(again_at=timezone.now() - timedelta(seconds=1))
    assert alerts.due() == [(person, made.pk)]
    Alert.objects.update(made_at=timezone.now() - notices.OLD)
    assert alerts.due() == []


@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_write_it_down_once_and_send_one_mail(
    people: dict[str, Person],
) -> None:
    Limit.objects.create(scope=Scope.INSTALLATION, period="day", credits=100)
    today = timezone.now().date()
    Counter.objects.create(name="installation", day=today, month=today, day_spent=100)
    ready = Barrier(6)
    staff = people["quiet staff"].pk

    def process(_: int) -> Letter | None:
        try:
            found = Lookout().find()
            ready.wait()
            note(found)
            return alerts.claim(staff, Alert.objects.get().pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        letters = [letter for letter in pool.map(process, range(6)) if letter]
    assert (len(letters), Alert.objects.count(), Notice.objects.count()) == (1, 1, 1)


def test_a_run_that_passes_a_limit_leads_to_one_mail(inside: Inside) -> None:
    """From the answer's end to the mail, in a relay that is restarted, with a mail server that is away
    at first."""
    inside.settings.V0_NOTICE_EVERY = 0.1
    inside.settings.V0_CEILINGS = {"v0-mini": "0.000001"}
    set_person(inside.person, notices_by_mail=True)
    Limit.objects.create(scope=Scope.PERSON, key=inside.person.pk, period="day", credits=10**9)
    away(inside.settings)
    inside.run(inside.create("scenario: empty\npace: 0"))

    def wait_for(rows: QuerySet[Any]) -> None:
        async def there(relay: Relay) -> None:
            while not await relay.threads.read(rows.all().exists):  # noqa: ASYNC110 (rows tell nobody)
                await asyncio.sleep(0.05)

        inside.during(there)

    wait_for(Notice.objects.filter(failures=1))
    inside.settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Notice.objects.update(again_at=timezone.now())
    wait_for(Alert.objects.filter(mailed_at__isnull=False))
    assert alerts.unmailed() == [], "whoever starts again has nothing to send"
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([inside.person.email], "All spent of your daily budget")


def away(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "localhost", free_port()
