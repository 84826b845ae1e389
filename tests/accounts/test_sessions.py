"""Sessions: how long they last, the list of them, and their end."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats import demo
from chats.accounts import sessions
from chats.models import AuditEntry, Person
from chats.permissions.doors import Door, codes
from chats.views.browsers import browser
from tests.proof import app_of, proved

LIST = "/settings/security/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


def sign_in(person: Person, *, agent: str = FIREFOX, address: str = "192.0.2.1") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    client.post("/accounts/login/", {"login": person.email, "password": demo.PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get(LIST).status_code == 200


def aged(client: Client, *, since: float, seen: float) -> None:
    """As if the session had begun and been used so many seconds ago."""
    session = client.session
    session[sessions.SINCE] -= since
    session[sessions.SEEN] -= seen
    session.save()


def test_the_list_says_where_one_is_signed_in(owner: Person, mate: Person) -> None:
    laptop, phone = sign_in(owner), sign_in(owner, agent=PHONE, address="198.51.100.7")
    sign_in(mate, address="203.0.113.9")
    page = laptop.get(LIST).content.decode()
    assert page.index("Firefox on Linux") < page.index("This browser") < page.index("198.51.100.7")
    assert "Safari on an iPhone" in page
    assert "203.0.113.9" not in page
    with CaptureQueriesContext(connection) as few:
        laptop.get(LIST)
    for _ in range(3):
        sign_in(owner)
    with CaptureQueriesContext(connection) as many:
        laptop.get(LIST)
    assert len(few) == len(many)
    assert is_in(phone)


def test_one_session_is_ended(owner: Person) -> None:
    laptop, phone = sign_in(owner), sign_in(owner, agent=PHONE)
    row = UserSession.objects.get(session_key=phone.session.session_key)
    assert laptop.post(f"{LIST}{row.pk}/end/")["Location"] == f"{LIST}?done=one"
    assert is_in(laptop)
    assert not is_in(phone)
    assert AuditEntry.objects.get(event="sign-in.sessions-ended").details == {"sessions": 1}


def test_to_end_one_asks_for_a_proof(owner: Person) -> None:
    mine, other = sign_in(owner), sign_in(owner)
    proved(mine, owner, ago=10_000)
    for place in (f"{LIST}end-others/", f"{LIST}1/end/"):
        assert mine.post(place)["Location"].startswith("/accounts/again/")
    assert is_in(other)
    fields = {"next": f"{LIST}end-others/", "password": demo.PASSWORD}
    mine.post(f"{LIST}end-others/")
    assert mine.post("/accounts/again/", fields)["Location"] == f"{LIST}?done=others"
    assert not is_in(other)


def test_to_sign_out_leaves_nothing_of_the_session(owner: Person) -> None:
    sign_in(owner).post("/accounts/logout/")
    assert not UserSession.objects.exists()


def test_one_of_somebody_else_looks_like_none(owner: Person, mate: Person) -> None:
    mine, theirs = sign_in(owner), sign_in(mate)
    row = UserSession.objects.get(session_key=theirs.session.session_key)
    answers = []
    for pk in (row.pk, row.pk + 1000):
        with CaptureQueriesContext(connection) as queries:
            response = mine.post(f"{LIST}{pk}/end/")
        answers.append((response.status_code, response.content, len(queries)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert is_in(theirs)


def test_all_others_are_ended(owner: Person, mate: Person) -> None:
    mine, others, theirs = sign_in(owner), [sign_in(owner) for _ in range(2)], sign_in(mate)
    assert mine.post(f"{LIST}end-others/")["Location"] == f"{LIST}?done=others"
    assert [is_in(client) for client in (mine, *others, theirs)] == [True, False, False, True]
    assert UserSession.objects.filter(user=owner).count() == 1


def test_sockets_of_an_ended_session_must_close(owner: Person) -> None:
    mine, other = sign_in(owner), sign_in(owner)
    doors = [Door(each.session.session_key or "", owner.pk, None) for each in (mine, other)]
    assert codes(doors) == {}
    mine.post(f"{LIST}end-others/")
    assert codes(doors) == {doors[1]: 4401}


def test_sockets_of_who_must_set_up_a_factor_must_close(owner: Person, settings: Settings) -> None:
    door = Door(sign_in(owner).session.session_key or "", owner.pk, None)
    settings.V0_REQUIRE_MFA = "staff"
    assert codes([door]) == {}
    settings.V0_REQUIRE_MFA = "everybody"
    assert codes([door]) == {door: 4401}
    app_of(owner)
    assert codes([door]) == {}


@pytest.mark.parametrize(
    ("since", "seen", "lasts"),
    [(0, 0, True), (0.5, 0.9, True), (0.5, 1.1, False), (1.1, 0, False)],
)
def test_a_session_ends_when_it_is_idle_and_after_a_time_in_all(
    owner: Person, settings: Settings, since: float, seen: float, lasts: bool
) -> None:
    """Parts of the longest time and of the idle one. What ended is so by Django's own date, which
    sockets follow, too."""
    client = sign_in(owner)
    key = client.session.session_key
    idle, longest = settings.V0_SESSION_IDLE, settings.V0_SESSION_LONGEST
    # It was last used `seen` ago, and prolonged then for what was left.
    before, now = since * longest, seen * idle
    session = client.session
    session[sessions.SINCE] = int(time.time() - before)
    left = longest - before + now
    Session.objects.filter(pk=key).update(
        expire_date=timezone.now() + timedelta(seconds=min(idle, left) - now)
    )
    assert is_in(client) == lasts
    door = Door(key or "", owner.pk, None)
    assert (door in codes([door])) != lasts


def test_use_prolongs_a_session_up_to_its_longest(owner: Person, settings: Settings) -> None:
    client = sign_in(owner)
    row = Session.objects.filter(pk=client.session.session_key)
    for since, seen, wanted in (
        (0, 10, settings.V0_SESSION_IDLE - 10),
        (1000, 1000, settings.V0_SESSION_IDLE),
        (settings.V0_SESSION_LONGEST - 2000, 1000, 1000),
    ):
        aged(client, since=since, seen=seen)
        row.update(expire_date=timezone.now() + timedelta(seconds=settings.V0_SESSION_IDLE - seen))
        client.get("/")
        left = (row.get().expire_date - timezone.now()).total_seconds()
        assert abs(left - wanted) < 30


def test_use_is_written_down_now_and_then_and_not_each_time(owner: Person) -> None:
    client = sign_in(owner)
    rows = UserSession.objects.filter(user=owner)
    rows.update(last_seen_at=timezone.now() - timedelta(days=1))
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    assert all(query["sql"].startswith("SELECT") for query in queries)
    aged(client, since=600, seen=600)
    client.get("/sidebar/", headers={"HX-Request": "true"})
    client.post(f"/chats/{uuid4()}/seen/", {"message": ""})
    assert timezone.now() - rows.get().last_seen_at > timedelta(hours=23), "nobody did that"
    client.get("/", REMOTE_ADDR="203.0.113.5", headers={"User-Agent": PHONE})
    row = rows.get()
    assert timezone.now() - row.last_seen_at < timedelta(minutes=1)
    assert (row.ip, row.user_agent) == ("203.0.113.5", PHONE)


def test_a_new_password_ends_all_others(owner: Person) -> None:
    mine, other = sign_in(owner), sign_in(owner)
    fields = {
        "oldpassword": demo.PASSWORD,
        "password1": "long-and-odd-7",
        "password2": "long-and-odd-7",
    }
    mine.post("/accounts/password/change/", fields)
    assert [is_in(mine), is_in(other)] == [True, False]
    assert UserSession.objects.filter(user=owner).count() == 1


def test_what_is_left_of_dead_sessions_goes_when_somebody_signs_in(owner: Person) -> None:
    for _ in range(3):
        sign_in(owner)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    sign_in(owner)
    assert Session.objects.count() == UserSession.objects.count() == 1


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Safari on an iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("curl/8.0", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    assert browser(agent) == words
