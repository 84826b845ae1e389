"""Ways past the front door of a chat: odd ids, rows of another chat, forged forms, a link's address, files.

Each is tried by somebody who may do a lot, or by everybody; the tables are those of
`tests/test_permissions_routes.py`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Attachment, Chat, Entry, Intent, Message, Person
from tests.people import SLUG
from tests.rights import LEVELS, PEOPLE, READING_ON, expected
from tests.scene import Scene
from tests.test_permissions_routes import (
    ARGUMENTS,
    ELSEWHERE,
    OF_A_CHAT,
    OF_CHATS,
    body,
)


@pytest.mark.parametrize("id", ["{0}/x", "{1}", "prefix:{0}", "{0},{0}", " {0}", "{0}%00", "{2}"])
def test_odd_spellings_of_an_id_are_no_chat(scene: Scene, id: str) -> None:
    chat = scene.people.chats["private of owner"]
    odd = id.format(chat.pk, str(chat.pk).upper(), chat.pk.hex)
    client = scene.client("owner")
    for route in ("", "own/", "actions/"):
        assert client.get(f"/chats/{odd}/{route}").status_code == 404
    for route in ("messages/", "stop/", "again/", "decide/"):
        assert client.post(f"/chats/{odd}/{route}").status_code == 404


@pytest.mark.parametrize("name", ["stop", "again"])
def test_a_run_is_looked_up_within_its_own_chat(scene: Scene, name: str) -> None:
    client = scene.client("owner")
    mine = [scene.people.chats[f"{level} of owner"] for level in LEVELS]
    for chat in mine:
        for other in (other for other in mine if other != chat):
            fields = {"run": str(scene.answers[other.pk].pk), "token": str(uuid4())}
            assert client.post(reverse(name, args=[chat.pk]), fields).status_code == 404
    assert not Intent.objects.exists()


def test_every_form_needs_its_token(scene: Scene) -> None:
    client = Client(enforce_csrf_checks=True)
    owner, chat = scene.people.people["owner"], scene.people.chats["private of owner"]
    assert owner
    client.force_login(owner)
    fields = {"message": "Hello", "token": str(uuid4()), "run": str(scene.answers[chat.pk].pk)}
    posts = [scene.place(name, chat) for name, of in OF_CHATS.items() if "POST" in of]
    for place in (*posts, reverse("create"), reverse("account_logout")):
        for more in ({}, {"Origin": "https://elsewhere.example"}, {"HX-Request": "true"}):
            response = client.post(place, fields, headers=more)
            assert response.status_code == 403, (place, more)
    assert not Intent.objects.exists()


def test_reading_writes_nothing(scene: Scene) -> None:
    client, chat = scene.client("owner"), scene.people.chats["private of owner"]
    gets = [scene.place(name, chat) for name, of in OF_CHATS.items() if "GET" in of]
    gets += [
        reverse(name) for name, of in ELSEWHERE.items() if of[0] == "GET" and name not in ARGUMENTS
    ]
    posts = [reverse(name, args=[chat.pk]) for name, of in OF_A_CHAT.items() if {*of} == {"POST"}]
    # The readiness probe writes, as that is what it probes.
    for place in [*gets, *posts, reverse("create")]:
        # HEAD is a GET whose body is left out at the very end.
        for method in ("HEAD", "OPTIONS"):
            with CaptureQueriesContext(connection) as queries:
                response = client.generic(method, place)
            written = [q["sql"] for q in queries if not q["sql"].startswith("SELECT")]
            assert written == [] or place == reverse("readyz"), (method, place)
            assert place not in posts or method == "OPTIONS" or response.status_code == 405


def test_a_link_is_opened_by_its_address_and_by_nothing_else(scene: Scene) -> None:
    chat = scene.people.chats["unlisted of owner"]
    client = scene.client("stranger")
    assert client.get(f"/chats/{chat.pk}/").status_code == 404
    response = client.get(f"/shared/{chat.link_slug}/")
    assert (response.status_code, response["Location"]) == (302, f"/chats/{chat.pk}/")
    assert client.get(f"/chats/{chat.pk}/").status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/shared/{chat.link_slug}/")
    assert all(query["sql"].startswith("SELECT") for query in queries), (
        "only the first visit writes"
    )
    Chat.objects.filter(pk=chat.pk).update(link_slug="rotated")
    assert client.get(f"/chats/{chat.pk}/").status_code == 404
    assert client.get(f"/shared/{chat.link_slug}/").status_code == 404
    assert SLUG in (chat.link_slug or "")


@pytest.mark.parametrize("reading", [True, False])
def test_a_link_that_opens_nothing_looks_like_one_that_never_was(
    scene: Scene, settings: Settings, reading: bool
) -> None:
    """Of a chat that is private now, that was deleted, or whose link has ended: nothing tells them apart."""
    settings.V0_ANONYMOUS_READING = reading
    owners = scene.people.chats
    ended, deleted = owners["unlisted of owner"], owners["unlisted of owner who left"]
    Chat.objects.filter(pk=ended.pk).update(link_expires_at=timezone.now() - timedelta(seconds=1))
    Chat.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    chats = (owners["private of owner"], owners["team of owner"], ended, deleted)
    for who in ("stranger", "anonymous"):
        client, answers = scene.client(who), []
        for slug in (*(chat.link_slug for chat in chats), "a-link-that-never-was"):
            with CaptureQueriesContext(connection) as queries:
                response = client.get(f"/shared/{slug}/")
            headers = {
                name: value for name, value in response.headers.items() if "Length" not in name
            }
            answers.append((response.status_code, headers, body(response, slug), len(queries)))
        assert answers[0][0] == 404
        assert all(each == answers[0] for each in answers), who


def test_form_fields_of_the_models_name_change_nothing(scene: Scene) -> None:
    client, mate = scene.client("owner"), scene.people.people["mate"]
    assert mate
    fields = [
        f for model in (Chat, Message, Intent, Person, Entry) for f in model._meta.get_fields()
    ]
    stolen = {field.name: str(mate.pk) for field in fields if field.concrete}
    more = {"privacy": "public", "is_staff": "on", "is_superuser": "on", "owner_id": str(mate.pk)}
    names = sorted(stolen | more)
    # A form has only so many fields: the same one, sent in halves, finds its first intent again.
    token = str(uuid4())
    for half in (names[::2], names[1::2]):
        given = {name: (stolen | more)[name] for name in half}
        client.post("/chats/", {**given, "message": "Hello", "token": token})
    intent = Intent.objects.select_related("chat", "person", "message").get()
    chat, owner = intent.chat, scene.people.people["owner"]
    assert (chat.owner, chat.privacy, chat.team, chat.v0_id) == (owner, "private", None, None)
    assert (intent.person, intent.message and intent.message.author) == (owner, owner)
    assert owner
    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_superuser, owner.is_active) == (False, False, True)


@pytest.mark.parametrize("who", PEOPLE)
def test_no_page_tells_of_a_chat_that_is_not_in_the_list(
    scene: Scene, settings: Settings, who: str
) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    titles = {}
    for chat in scene.people.chats.values():
        titles[chat.pk] = f"canary {chat.pk.hex}"
        Chat.objects.filter(pk=chat.pk).update(title=titles[chat.pk])
    client = scene.client(who)
    found = body(client.get(reverse("home")))
    found += body(client.get(f"{reverse('sidebar')}?shown=300", headers={"HX-Request": "true"}))
    for level in LEVELS:
        chat = scene.people.chat(who, level)
        assert (titles[chat.pk] in found) == (expected("LIST")[who][level] == "+"), level


def test_a_file_is_read_by_whoever_reads_its_chat(
    scene: Scene, settings: Settings, tmp_path: Path
) -> None:
    kept = {"BACKEND": settings.STORAGES["default"]["BACKEND"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": kept}
    (tmp_path / "kept").write_bytes(b"text")
    files = {}
    for chat in scene.people.chats.values():
        message = chat.messages.get(role="user")
        files[chat.pk] = Attachment.objects.create(message=message, name="a.txt", file="kept")
    got: dict[str, dict[str, str]] = {}
    for who in PEOPLE:
        settings.V0_ANONYMOUS_READING = who in READING_ON
        client, got[who] = scene.client(who), {}
        for level in LEVELS:
            file = files[scene.people.chat(who, level).pk]
            status = client.get(f"/attachments/{file.pk}/").status_code
            got[who][level] = {404: "4", 403: "3"}.get(status, "+")
        assert client.post(f"/attachments/{file.pk}/remove/").status_code == 404
    assert got == {who: expected("READ")[who] for who in PEOPLE}
