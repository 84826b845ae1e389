"""The table of rights, cell by cell, against the one that is written by hand in `tests.rights`."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.http import Http404, HttpRequest
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from chats import permissions
from chats.models import Chat, Entry, Membership, Message, Person, Team, memberships
from chats.models.chats import Privacy
from chats.permissions import TABLE, WRITES, Action, Visitor, sessions
from tests.people import SLUG, Cast, cast
from tests.rights import LEVELS, PEOPLE, READING_ON, TABLES, expected

MARKS = {Http404: "4", PermissionDenied: "3"}


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


def request_of(person: Visitor, **links: str) -> HttpRequest:
    request = HttpRequest()
    request.user = person  # type: ignore[assignment]
    request.session = SessionStore()
    request.session[sessions.GRANTS_SESSION_KEY] = links
    return request


def outcome(person: Visitor, grants: dict[str, str], chat: Chat, action: Action) -> str:
    try:
        found = permissions.chat_for(person, grants, chat.pk, action)
    except (Http404, PermissionDenied) as error:
        return MARKS[type(error)]
    assert found == chat
    return "+"


def test_the_table_written_by_hand_has_every_row_and_column() -> None:
    assert set(TABLES) == {action.name for action in Action} == {action.name for action in TABLE}
    assert list(LEVELS) == Privacy.values
    assert all(list(expected(name)) == list(PEOPLE) for name in TABLES)
    assert all(list(cells) == Privacy.values for cells in TABLE.values())


@pytest.mark.parametrize("who", PEOPLE)
def test_every_cell_is_as_written_by_hand(people: Cast, settings: Settings, who: str) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    person, grants = people.visitor(who), dict(people.grants(who))
    got = {
        action.name: {
            level: outcome(person, grants, people.chat(who, level), action) for level in LEVELS
        }
        for action in Action
    }
    assert got == {action.name: expected(action.name)[who] for action in Action}


@pytest.mark.parametrize("who", PEOPLE)
def test_may_and_actions_agree_with_the_lookup(people: Cast, settings: Settings, who: str) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    person, grants = people.visitor(who), people.grants(who)
    for level in LEVELS:
        chat = people.chat(who, level)
        grant = grants.get(str(chat.pk))
        allowed = {action for action in Action if expected(action.name)[who][level] == "+"}
        assert permissions.actions(person, chat, grant=grant) == allowed
        assert {a for a in Action if permissions.may(person, chat, a, grant=grant)} == allowed


@pytest.mark.parametrize("who", PEOPLE)
def test_lists_hold_what_the_table_says(people: Cast, settings: Settings, who: str) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    person, grants = people.visitor(who), dict(people.grants(who))
    listed, readable = permissions.visible_chats(person), permissions.readable(person, grants)
    for level in LEVELS:
        chat = people.chat(who, level)
        assert (chat in listed) == (expected("LIST")[who][level] == "+"), level
        assert (chat in readable) == (expected("READ")[who][level] == "+"), level
    assert listed.count() == len(set(listed)), "a chat is listed twice"


def test_lists_are_one_query(people: Cast) -> None:
    mate = people.people["mate"]
    with CaptureQueriesContext(connection) as queries:
        list(permissions.visible_chats(mate))
        list(permissions.readable(mate, {str(uuid4()): "slug"}))
    assert len(queries) == 2


@pytest.mark.parametrize("who", ["owner", "mate", "team owner"])
def test_nobody_writes_where_v0_lets_nobody_write(people: Cast, who: str) -> None:
    for level in LEVELS:
        chat = people.chat(who, level)
        before = permissions.actions(people.visitor(who), chat)
        chat.write_permission = False
        assert permissions.actions(people.visitor(who), chat) == before - WRITES
    assert {action.name for action in WRITES} == {"SEND", "QUEUE", "RENAME", "GRANT", "RESTORE"}


def test_a_team_owner_of_another_team_is_a_stranger(people: Cast) -> None:
    stranger = people.people["stranger"]
    assert stranger
    Membership.objects.create(team=Team.objects.create(name="Other"), person=stranger, role="owner")
    for level in LEVELS:
        chat = people.chat("stranger", level)
        assert outcome(stranger, {}, chat, Action.READ) == expected("READ")["stranger"][level]
        assert outcome(stranger, {}, chat, Action.SET_PRIVATE) in ("3", "4")


def test_a_chat_in_nobodys_team_is_its_owners(people: Cast) -> None:
    owner, mate = people.people["owner"], people.people["mate"]
    assert owner
    for level in ("private", "unlisted", "public"):
        chat = Chat.objects.create(owner=owner, privacy=level)
        assert permissions.actions(owner, chat) == set(Action)
        assert Action.SEND not in permissions.actions(mate, chat)


@pytest.mark.django_db
@pytest.mark.parametrize("level", ["team", "team-edit", "everybody"])
def test_a_team_level_outside_a_team_cannot_be_stored(owner: Person, level: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Chat.objects.create(owner=owner, privacy=level)


def test_an_unknown_chat_and_a_hidden_one_ask_the_database_the_same(people: Cast) -> None:
    seen = []
    for id in (uuid4(), people.chats["private of owner"].pk):
        with CaptureQueriesContext(connection) as queries, pytest.raises(Http404) as error:
            permissions.chat_for(people.people["stranger"], {}, id, Action.READ)
        statements = [query["sql"].replace(id.hex, "") for query in queries]
        seen.append((statements, str(error.value)))
    assert seen[0] == seen[1]


def test_a_request_is_judged_by_its_person_and_its_sessions_links(people: Cast) -> None:
    chat = people.chats["unlisted of owner"]
    stranger = people.people["stranger"]
    linked = request_of(stranger, **{str(chat.pk): chat.link_slug or ""})
    assert permissions.chat(linked, chat.pk, Action.READ) == chat
    with pytest.raises(PermissionDenied):
        permissions.chat(linked, chat.pk, Action.SEND)
    with pytest.raises(Http404):
        permissions.chat(request_of(stranger), chat.pk, Action.READ)
    with pytest.raises(Http404):
        permissions.chat(request_of(AnonymousUser()), chat.pk, Action.READ)


def test_a_message_is_found_within_its_own_chat_only(people: Cast) -> None:
    owner = people.people["owner"]
    chats = [people.chats["private of owner"], people.chats["public of owner"]]
    messages = [
        Message.objects.create(chat=chat, position=1, role="user", state="finished")
        for chat in chats
    ]
    for chat, message in zip(chats, messages, strict=True):
        found = permissions.message(request_of(owner), chat.pk, message.pk, Action.READ)
        assert (found, found.chat) == (message, chat)
    for chat, message in zip(chats, reversed(messages), strict=True):
        with pytest.raises(Http404):
            permissions.message(request_of(owner), chat.pk, message.pk, Action.READ)
    request = request_of(people.people["stranger"])
    with pytest.raises(Http404):
        permissions.message(request, chats[0].pk, messages[0].pk, Action.READ)


def test_opening_a_link_puts_its_grant_into_the_session(people: Cast) -> None:
    chat = people.chats["unlisted of owner"]
    request = request_of(people.people["stranger"])
    assert permissions.open_link(request, chat.link_slug or "") == chat
    assert sessions.grants(request.session) == {str(chat.pk): chat.link_slug}
    assert permissions.chat(request, chat.pk, Action.READ) == chat


@pytest.mark.parametrize("level", ["private", "team", "team-edit"])
def test_a_link_opens_nothing_below_unlisted(people: Cast, level: str) -> None:
    request = request_of(people.people["stranger"])
    with pytest.raises(Http404):
        permissions.open_link(request, people.chats[f"{level} of owner"].link_slug or "")
    assert sessions.grants(request.session) == {}


def test_an_anonymous_visitor_opens_a_link_only_where_they_may_read(
    people: Cast, settings: Settings
) -> None:
    slug = people.chats["unlisted of owner"].link_slug or ""
    with pytest.raises(Http404):
        permissions.open_link(request_of(AnonymousUser()), slug)
    settings.V0_ANONYMOUS_READING = True
    assert permissions.open_link(request_of(AnonymousUser()), slug)


@pytest.mark.parametrize(
    "change", [{"link_slug": "rotated"}, {"link_slug": None}, {"privacy": "private"}]
)
def test_a_rotated_or_ended_link_ends_every_grant(people: Cast, change: dict[str, str]) -> None:
    chat = people.chats["unlisted of owner"]
    request = request_of(people.people["stranger"])
    permissions.open_link(request, chat.link_slug or "")
    Chat.objects.filter(pk=chat.pk).update(**change)
    with pytest.raises(Http404):
        permissions.chat(request, chat.pk, Action.READ)


def test_a_session_that_was_tampered_with_grants_nothing(people: Cast) -> None:
    chat = people.chats["unlisted of owner"]
    request = request_of(people.people["stranger"])
    for held in (["list"], "text", None, {str(chat.pk): None}, {str(chat.pk): ""}):
        request.session[sessions.GRANTS_SESSION_KEY] = held
        with pytest.raises(Http404):
            permissions.chat(request, chat.pk, Action.READ)


def test_who_leaves_a_team_leaves_its_owner_what_the_team_saw(people: Cast) -> None:
    owner, heir = people.people["owner"], people.people["team owner"]
    before = {chat.pk: chat.version for chat in people.chats.values()}
    memberships.leave(Membership.objects.get(person=owner), actor=owner, address=None)
    for level in LEVELS:
        chat = Chat.objects.get(pk=people.chats[f"{level} of owner"].pk)
        passed = level in ("team", "team-edit", "public")
        assert chat.owner == (heir if passed else owner), level
        assert (chat.version > before[chat.pk]) == passed
        assert outcome(owner, {}, chat, Action.SEND) != "+"
        assert outcome(heir, {}, chat, Action.SEND) == ("+" if passed else "4")


def test_usage_is_seen_by_who_spent_it_by_team_owners_and_by_staff(people: Cast) -> None:
    mate = people.people["mate"]
    inside = Entry.objects.create(message_id=uuid4(), person=mate, team=people.team)
    outside = Entry.objects.create(message_id=uuid4(), person=mate)
    seen = {
        who: set(permissions.visible_entries(people.visitor(who)))
        for who in PEOPLE
        if permissions.visible_entries(people.visitor(who)).exists()
    }
    assert seen == {
        "mate": {inside, outside},
        "team owner": {inside},
        "team admin": {inside},
        "admin": {inside, outside},
        "superuser": {inside, outside},
    }


def test_a_grant_never_names_the_slug_of_another_chat(people: Cast) -> None:
    chat, other = people.chats["unlisted of owner"], people.chats["public of owner"]
    crossed = {str(chat.pk): other.link_slug or ""}
    assert outcome(people.people["stranger"], crossed, chat, Action.READ) == "4"
    assert (chat.link_slug or "").endswith(SLUG)


def test_a_link_is_held_only_on_levels_that_have_one(people: Cast) -> None:
    for level in LEVELS:
        chat = people.chats[f"{level} of owner"]
        assert sessions.holds_link(chat, chat.link_slug) == (level in ("unlisted", "public"))
        assert not sessions.holds_link(chat, None)
        chat.link_slug = None
        assert not sessions.holds_link(chat, None)
