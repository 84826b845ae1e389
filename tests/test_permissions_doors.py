"""Who hears of a change, and which open sockets must be closed: asked for all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats import permissions
from chats.models import Chat, Membership, Person
from chats.permissions.doors import Door, Ended, codes, still_allowed
from tests.people import Cast, cast
from tests.rights import LEVELS, PEOPLE, READING_ON, expected

SIGNED_IN = [
    who
    for who in PEOPLE
    if who not in READING_ON and not who.startswith(("anonymous", "deactivated"))
]

GUESTS = {"invited-reader", "invited-editor"}


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


def door(person: Person | None, chat: Chat | None, grant: str = "") -> Door:
    """The door of somebody who has just signed in, or of a visitor without a session."""
    id = chat.pk if chat else None
    if person is None:
        return Door("", None, id, grant)
    client = Client()
    client.force_login(person)
    return Door(client.session.session_key or "", person.pk, id, grant)


@pytest.mark.parametrize("level", LEVELS)
def test_those_hear_of_a_change_who_have_the_chat_in_their_list(people: Cast, level: str) -> None:
    for who in PEOPLE:
        person, chat = people.people[who], people.chat(who, level)
        if person is not None:
            told = permissions.readers_of(chat.pk, [person.pk])
            assert (told == {person.pk}) == (expected("LIST")[who][level] == "+"), who


def test_listeners_of_many_chats_are_found_by_two_queries(people: Cast) -> None:
    everybody = [person.pk for person in people.people.values() if person]
    chats = [chat.pk for chat in people.chats.values()]
    with CaptureQueriesContext(connection) as queries:
        told = permissions.listeners(chats, everybody)
    assert len(queries) == 2
    names = {Person.objects.get(pk=pk).shown_name for pk in told}
    assert names == {"owner", "mate", "team-owner", "team-admin", "team-viewer"} | GUESTS
    assert permissions.listeners(chats, []) == set()
    assert permissions.listeners([uuid4()], everybody) == set()


@pytest.mark.parametrize("who", SIGNED_IN)
def test_doors_stay_open_for_those_who_may_read(people: Cast, who: str) -> None:
    person, grants = people.people[who], people.grants(who)
    for level in LEVELS:
        chat = people.chat(who, level)
        standing = door(person, chat, grants.get(str(chat.pk), ""))
        found = codes([standing])
        may_read = expected("READ")[who][level] == "+"
        assert found == ({} if may_read else {standing: Ended.ACCESS_ENDED}), level


@pytest.mark.parametrize("who", ["anonymous", "anonymous with link", "reader", "reader with link"])
def test_doors_of_visitors_follow_the_setting(people: Cast, settings: Settings, who: str) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    for level in LEVELS:
        chat = people.chat(who, level)
        standing = door(None, chat, people.grants(who).get(str(chat.pk), ""))
        open_ = still_allowed([standing]) == {standing}
        assert open_ == (expected("READ")[who][level] == "+"), level


def sign_out(client: Client, person: Person, chat: Chat) -> None:
    client.post("/accounts/logout/")


def change_password(client: Client, person: Person, chat: Chat) -> None:
    person.set_password("another")
    person.save()


def deactivate(client: Client, person: Person, chat: Chat) -> None:
    Person.objects.filter(pk=person.pk).update(is_active=False)


def delete_session(client: Client, person: Person, chat: Chat) -> None:
    Session.objects.all().delete()


def let_session_expire(client: Client, person: Person, chat: Chat) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def sign_in_as_another(client: Client, person: Person, chat: Chat) -> None:
    client.force_login(Person.objects.get(email="owner@cast.example.com"))


def leave_team(client: Client, person: Person, chat: Chat) -> None:
    Membership.objects.get(person=person).delete()


def make_private(client: Client, person: Person, chat: Chat) -> None:
    Chat.objects.filter(pk=chat.pk).update(privacy="private")


def delete_chat(client: Client, person: Person, chat: Chat) -> None:
    Chat.objects.filter(pk=chat.pk).delete()


Change = Callable[[Client, Person, Chat], None]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (sign_out, 4401),
        (change_password, 4401),
        (deactivate, 4401),
        (delete_session, 4401),
        (let_session_expire, 4401),
        (sign_in_as_another, 4401),
        (leave_team, 4403),
        (make_private, 4403),
        (delete_chat, 4404),
    ],
)
def test_a_right_that_is_taken_away_closes_the_door(
    people: Cast, change: Change, code: int
) -> None:
    mate, chat = people.people["mate"], people.chats["team of owner"]
    assert mate
    client = Client()
    client.force_login(mate)
    key = client.session.session_key or ""
    standing, bystander = Door(key, mate.pk, chat.pk), door(people.people["team owner"], None)
    own_marks = Door(key, mate.pk, None)
    assert codes([standing, bystander, own_marks]) == {}
    change(client, mate, chat)
    found = codes([standing, bystander, own_marks])
    assert found.pop(standing) == code
    assert (own_marks in found) == (code == 4401)
    assert (bystander in found) == (change in (delete_session, let_session_expire))


@pytest.mark.parametrize("change", [{"link_slug": "rotated"}, {"privacy": "private"}])
def test_an_ended_link_closes_the_doors_it_opened(people: Cast, change: dict[str, str]) -> None:
    chat = people.chats["unlisted of owner"]
    standing = door(people.people["stranger"], chat, chat.link_slug or "")
    assert codes([standing]) == {}
    Chat.objects.filter(pk=chat.pk).update(**change)
    assert codes([standing]) == {standing: Ended.ACCESS_ENDED}


def test_a_visitor_who_signs_in_leaves_the_door_of_before(people: Cast, settings: Settings) -> None:
    settings.V0_ANONYMOUS_READING = True
    chat = people.chats["public of owner"]
    client = Client()
    session = client.session
    session["links"] = {}
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    standing = Door(session.session_key or "", None, chat.pk)
    assert codes([standing]) == {}
    stranger = people.people["stranger"]
    assert stranger
    client.force_login(stranger)
    assert codes([standing]) == {standing: Ended.SIGNED_OUT}


def test_a_session_signed_by_a_key_that_is_being_replaced_still_counts(
    people: Cast, settings: Settings
) -> None:
    standing = door(people.people["owner"], people.chats["private of owner"])
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-key-" * 6
    assert codes([standing]) == {}
    settings.SECRET_KEY_FALLBACKS = []
    assert codes([standing]) == {standing: Ended.SIGNED_OUT}


def test_another_persons_session_opens_no_door(people: Cast) -> None:
    owner, mate = people.people["owner"], people.people["mate"]
    assert owner
    stolen = door(mate, None).session
    standing = Door(stolen, owner.pk, people.chats["private of owner"].pk)
    assert codes([standing]) == {standing: Ended.SIGNED_OUT}
    without = Door("", owner.pk, people.chats["private of owner"].pk)
    assert codes([without]) == {without: Ended.SIGNED_OUT}


def test_all_doors_together_are_five_queries(people: Cast) -> None:
    chats = list(people.chats.values())
    doors = [
        door(person, chat) for person in people.people.values() if person for chat in chats[:5]
    ]
    with CaptureQueriesContext(connection) as queries:
        open_ = still_allowed(doors)
    assert len(queries) == 5
    assert 0 < len(open_) < len(doors)
    with CaptureQueriesContext(connection) as queries:
        assert codes([]) == {}
    assert len(queries) <= 4
