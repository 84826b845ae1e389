"""A superuser reads somebody's chat: for a reason, for an hour, and to be seen by its owner."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats import demo, permissions
from chats.models import AuditEntry, Chat, Person
from chats.permissions import Action, opening, sessions
from chats.permissions.doors import Door, Ended, codes
from tests.proof import proved
from tests.rights import LEVELS
from tests.views.conftest import ChatOf, ClientOf

REASON = "Request 4711: the owner sees an empty page"


@pytest.fixture
def superuser(admin: Person) -> Person:
    Person.objects.filter(pk=admin.pk).update(is_superuser=True)
    admin.refresh_from_db()
    return admin


@pytest.fixture
def chat(chat_of: ChatOf, owner: Person) -> Chat:
    return chat_of(owner, "A page about tea")


@pytest.fixture
def reader(superuser: Person, chat: Chat, client_of: ClientOf) -> Client:
    """The superuser, with the chat opened."""
    client = proved(client_of(superuser), superuser)
    response = client.post(place(chat), {"reason": f" {REASON}\n"})
    assert (response.status_code, response["Location"]) == (303, f"/chats/{chat.pk}/")
    return client


def place(chat: Chat) -> str:
    return f"/chats/{chat.pk}/open/"


def grant_of(client: Client, chat: Chat) -> str:
    return sessions.grants(client.session).get(str(chat.pk), "")


def set_grant(client: Client, chat: Chat, grant: str) -> None:
    session = client.session
    session["links"] = {str(chat.pk): grant}
    session.save()


def test_without_a_reason_a_superuser_sees_nothing(
    superuser: Person, chat: Chat, client_of: ClientOf
) -> None:
    client = client_of(superuser)
    assert client.get(f"/chats/{chat.pk}/").status_code == 404
    page = client.get(place(chat)).content.decode()
    assert "Olivia Owner" in page
    assert "about tea" not in page, "not even the title"
    for reason in ("", "          ", "too short", "x" * 501):
        answer = client.post(place(chat), {"reason": reason})
        assert answer.status_code == 422
        assert f">{reason}</textarea>" in answer.content.decode().replace("\n", "")
    assert client.get(f"/chats/{chat.pk}/").status_code == 404
    assert not AuditEntry.objects.exists()
    assert client.get(f"/chats/{uuid4()}/open/").status_code == 404


def test_it_asks_who_it_is_and_goes_on_with_the_reason(
    superuser: Person, chat: Chat, client_of: ClientOf
) -> None:
    client = client_of(superuser)
    asked = client.post(place(chat), {"reason": REASON})
    assert asked["Location"] == f"/accounts/again/?next=%2Fchats%2F{chat.pk}%2Fopen%2F"
    assert client.get(f"/chats/{chat.pk}/").status_code == 404
    given = {"password": demo.PASSWORD, "next": place(chat)}
    proof = client.post("/accounts/again/", given)
    assert proof["Location"] == f"/chats/{chat.pk}/"
    assert client.get(f"/chats/{chat.pk}/").status_code == 200
    assert AuditEntry.objects.get(event="chat.opened").details == {"reason": REASON}


def test_with_one_the_chat_can_be_read_and_the_owner_sees_who_did_and_why(
    reader: Client, chat: Chat, owner: Person, superuser: Person, client_of: ClientOf
) -> None:
    page = reader.get(f"/chats/{chat.pk}/").content.decode()
    assert "A page about tea" in page
    assert re.search(
        r"You read Olivia Owner.s chat for a reason that they can see, until <time", page
    )
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.actor, entry.person) == ("chat.opened", superuser.pk, owner.pk)
    assert entry.details == {"reason": REASON}
    seen = client_of(owner).get(f"/chats/{chat.pk}/audit/").content.decode()
    assert "opened a chat of Olivia Owner to read it" in seen
    assert f"Reason: {REASON}" in seen
    # Again is no second reading.
    assert reader.get(place(chat)).status_code == 303
    assert AuditEntry.objects.count() == 1


def test_it_is_a_right_to_read_and_nothing_else(
    reader: Client, chat: Chat, superuser: Person
) -> None:
    for level in LEVELS:
        without = permissions.Tie(signed_in=True)
        opened = permissions.Tie(signed_in=True, opened=True)
        more = {
            action
            for action in Action
            if opened.allows(action, level) and not without.allows(action, level)
        }
        assert more <= {Action.READ}
    assert reader.post(f"/chats/{chat.pk}/messages/", {"message": "x"}).status_code == 403
    assert reader.get(f"/chats/{chat.pk}/audit/").status_code == 403
    assert reader.post(f"/chats/{chat.pk}/delete/", {"confirmed": "yes"}).status_code == 403
    assert not permissions.visible_chats(superuser).exists()
    assert "A page about tea" not in reader.get("/").content.decode()


@pytest.mark.parametrize("end", ["an hour", "given back", "no superuser", "signed out"])
def test_it_ends_here_and_on_open_sockets(
    reader: Client, chat: Chat, superuser: Person, end: str
) -> None:
    grant = grant_of(reader, chat)
    door = Door(reader.session.session_key or "", superuser.pk, chat.pk, grant)
    assert codes([door]) == {}
    match end:
        case "an hour":
            grant = sessions.opening(timezone.now() - timedelta(seconds=1))
            set_grant(reader, chat, grant)
            door = door._replace(grant=grant)
        case "given back":
            assert reader.post(f"{place(chat)}end/").status_code == 303
        case "no superuser":
            Person.objects.filter(pk=superuser.pk).update(is_superuser=False)
        case "signed out":
            reader.logout()
    ended = Ended.SIGNED_OUT if end == "signed out" else Ended.ACCESS_ENDED
    assert codes([door]) == {door: ended}
    assert reader.get(f"/chats/{chat.pk}/").status_code == 404


def test_it_lasts_an_hour(reader: Client, chat: Chat) -> None:
    until = sessions.opened_until(grant_of(reader, chat))
    assert until is not None
    assert timedelta() <= timezone.now() + opening.LASTS - until < timedelta(seconds=10)


@pytest.mark.parametrize(
    "grant", ["opened/", "opened/x", "opened/-9", "x opened/99999999999", "99999999999"]
)
def test_nothing_else_is_taken_for_it(
    superuser: Person, chat: Chat, client_of: ClientOf, grant: str
) -> None:
    client = client_of(superuser)
    set_grant(client, chat, grant)
    assert client.get(f"/chats/{chat.pk}/").status_code == 404


def test_nobody_else_has_any_use_for_it(
    chat: Chat, mate: Person, admin: Person, owner: Person, client_of: ClientOf
) -> None:
    in_an_hour = sessions.opening(timezone.now() + opening.LASTS)
    for person in (mate, admin):
        client = client_of(person)
        set_grant(client, chat, in_an_hour)
        assert client.get(f"/chats/{chat.pk}/").status_code == 404
        assert client.post(place(chat), {"reason": REASON}).status_code == 404
    assert client_of(owner).post(place(chat), {"reason": REASON}).status_code == 403
    assert not AuditEntry.objects.exists()


def test_for_others_a_chat_and_none_are_the_same(
    chat: Chat, mate: Person, client_of: ClientOf
) -> None:
    client, answers = client_of(mate), []
    for id in (chat.pk, uuid4()):
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(f"/chats/{id}/open/")
        answers.append((answer.status_code, len(queries), len(answer.content)))
    assert answers[0] == answers[1]


def test_the_lists_of_chats_as_metadata_lead_there(
    superuser: Person, chat: Chat, client_of: ClientOf
) -> None:
    client = client_of(superuser)
    for is_superuser in (True, False):
        Person.objects.filter(pk=superuser.pk).update(is_superuser=is_superuser)
        for listed in (f"/admin/chats/chat/{chat.pk}/change/", "/manage/chats/"):
            page = client.get(listed).content.decode()
            assert (f'href="{place(chat)}"' in page) == is_superuser
