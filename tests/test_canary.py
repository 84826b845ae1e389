"""What one chat holds is found by those alone who may find it, wherever they look.

Everybody of the table of rights walks through the app, opens links, sends forms and downloads files as they
come by them; whatever came back, was logged or was mailed is searched for words that stand nowhere but in the
chats of one level. What sockets tell is searched in tests/test_permissions_sockets.py.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from chats.accounts import recently
from chats.models import Attachment, Chat, Mute, Person
from chats.permissions.sessions import opening
from chats.relay import notices
from tests import canary
from tests.crawler import Ask, Crawler, body
from tests.rights import LEVELS, PEOPLE, READING_ON, expected
from tests.scene import Scene
from tests.test_permissions_routes import OF_A_CHAT, OF_A_MESSAGE, OF_A_NOTE, OF_A_QUEUED, ROWS
from v0web.logs import redacted

Storages: TypeAlias = dict[str, Any]

PLACES = ("/", "/settings/data/", f"/sidebar/?q={canary.SOUGHT}", "/needs-you/", "/gallery/")
USAGE = ("/usage/", "/usage/runs/", "/usage/review/", "/usage/review/export.json")
MORE = (*USAGE, "/settings/shared/", "/audit/", "/manage/chats/", "/admin/chats/chat/")
# How many addresses are asked for, and how many routes at least answer: these four see nearly all there are,
# the others the lists, the chats, and what is seldom seen before what is seen often.
MOST = {"owner": 72, "mate": 45, "stranger": 40, "superuser": 40}
LEAST = {"owner": 40, "mate": 25, "stranger": 20, "superuser": 22}
# What tells somebody of their own, also of what they have lost.
OWN = {"data", "usage", "usage_own_runs", "usage_own_run", "usage_csv", "usage_json"}
BOUND = 25
# A private chat has no link that leads to it.
UNFOUND = {canary.word("link", "private")}


@pytest.fixture(scope="module")
def filled(
    staged: Scene, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Storages:
    """The setting by which files lie where those of these chats were put."""
    kept = {"BACKEND": canary.FILES, "OPTIONS": {"location": tmp_path_factory.mktemp("files")}}
    storages = {**django_settings.STORAGES, "default": kept}
    with override_settings(STORAGES=storages), django_db_blocker.unblock():
        canary.hide(staged.people)
    return storages


@pytest.fixture
def hidden(scene: Scene, settings: Settings, filled: Storages) -> Scene:
    settings.STORAGES = filled
    cache.clear()
    return scene


def prove(client: Client, person: Person | None) -> None:
    """As somebody who has just shown who they are: what asks for that is open, too."""
    request = HttpRequest()
    request.session = client.session
    if person is not None:
        recently.prove(request, person, "password")
    request.session.save()


def crawled(scene: Scene, who: str) -> Crawler:
    client, chats = scene.client(who), [scene.people.chat(who, level) for level in LEVELS]
    if "with link" in who:
        held = client.session
        held["links"] = {str(chat.pk): canary.slug(chat) for chat in chats}
        held.save()
    if scene.sessions[who]:
        prove(client, scene.people.people[who])
    crawler = Crawler(client, canary.SOUGHT, most=MOST.get(who, BOUND))
    pages = [f"/chats/{chat.pk}/{page}" for chat in chats for page in ("", "menu/")]
    crawler.walk(*pages, *PLACES, *MORE)
    return crawler


def is_kept(told: str) -> bool:
    """Whether a cache that people share might keep it, or a browser show it after access has ended."""
    headers = told.partition("}")[0]
    return not ("no-store" in headers or "private" in headers) or "ETag" in headers


def wrote(who: str, word: str) -> bool:
    """Whether it is somebody's own, and so in the archive of what they left in chats that they lost."""
    return word.removeprefix(canary.SOUGHT).startswith(canary.WRITTEN.get(who, ()))


@pytest.mark.parametrize("who", PEOPLE)
def test_a_word_is_found_by_those_alone_who_may_find_it(
    hidden: Scene, settings: Settings, caplog: pytest.LogCaptureFixture, who: str
) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    caplog.set_level(logging.DEBUG, logger="chats")
    crawler, due = crawled(hidden, who), canary.due(who)
    places, undue = set[str](), list[tuple[str, Ask]]()
    for ask, told in crawler.told.items():
        for found in canary.found_in(told):
            places.add(found)
            if found not in due and not (ask.route in OWN and wrote(who, found)):
                undue.append((found, ask))
    assert not undue
    assert not [ask for ask, told in crawler.told.items() if ask.method == "GET" and is_kept(told)]
    letters = "".join(f"{letter.message().as_string()}" for letter in mail.outbox)
    assert not canary.found_in(letters)
    assert not canary.found_in(redacted(caplog.text))
    # They did look: nothing is found by whoever goes nowhere.
    for level in LEVELS:
        if expected("READ")[who][level] == "+" and canary.word("text", level) in due:
            assert canary.word("text", level) in places
    assert len(crawler.routes) >= LEAST.get(who, 0)
    if who == "owner":
        everything = {found for found in due if found.endswith("privatex")}
        assert everything - places == UNFOUND


def test_a_superuser_who_opened_a_chat_finds_what_its_readers_find(hidden: Scene) -> None:
    """And nothing that is between its people: notes, costs, what waits, what it was sent with."""
    chat, client = hidden.people.chats["private of owner"], hidden.client("superuser")
    held = client.session
    held["links"] = {str(chat.pk): opening(timezone.now() + timedelta(minutes=5))}
    held.save()
    crawler = Crawler(client, canary.SOUGHT, each=1, most=22)
    crawler.walk(f"/chats/{chat.pk}/", f"/chats/{chat.pk}/menu/")
    found = {word for told in crawler.told.values() for word in canary.found_in(told)}
    reads = canary.for_every_reader("private") | {canary.word("inside", "private")}
    assert canary.for_every_reader("private") <= found
    assert not found - reads - canary.due("superuser")


def test_a_mail_tells_of_a_chat_to_those_alone_who_may_see_it(
    hidden: Scene, settings: Settings
) -> None:
    """Everybody wants mail, and everything has waited: tasks, and notes that once named somebody."""
    settings.V0_NOTICE_AFTER = 0
    Person.objects.update(notices_by_mail=True)
    Mute.objects.all().delete()
    letters = [notices.claim(*each) for each in notices.due()]
    letters += [notices.claim_mention(*each) for each in notices.named()]
    told: dict[str, set[str]] = {}
    for letter in filter(None, letters):
        who = letter.to.partition("@")[0].replace("-", " ")
        told.setdefault(who, set()).update(canary.found_in(f"{letter.subject}{letter.text}"))
    assert {"owner", "mate", "invited editor"} <= told.keys()
    assert all(words <= canary.due(who) for who, words in told.items()), told


def of_private(text: str) -> set[str]:
    return {found for found in canary.found_in(text) if "private" in found}


def test_ids_of_a_hidden_chat_open_nothing_anywhere_else(hidden: Scene) -> None:
    """Rows of a private chat, asked for in one that a mate may write in, and in every field of an address."""
    chats, client = hidden.people.chats, hidden.client("mate", hx_request="true")
    secret, mine = chats["private of owner"], chats["team-edit of owner"]
    asked, answer = secret.messages.order_by("position").values_list("pk", flat=True)
    note, queued = secret.notes.get().pk, secret.queue.get(person=secret.owner).pk
    file, page = Attachment.objects.get(message=asked).pk, f"/chats/{mine.pk}/"
    rows = {**dict.fromkeys(OF_A_MESSAGE, asked), **dict.fromkeys(OF_A_NOTE, note)}
    rows |= dict.fromkeys(OF_A_QUEUED, queued)
    before = stored(secret)
    for name, method in ((name, method) for name, method, _ in ROWS if name in rows):
        response = client.generic(method, reverse(name, args=[mine.pk, rows[name]]))
        assert not of_private(body(response)), name
    for path in (
        *(f"{page}?at={asked}", f"{page}?from={asked}&edit={asked}&attachment={file}"),
        *(f"/?saved={secret.pk}&deleted={secret.pk}&attachment={file}", f"/?attachment={file}"),
        *(f"/?chat={chat.pk}&ask={asked}" for chat in (secret, mine)),
        *(f"{page}{name}/?run={answer}" for name in ("duplicate", "rewind")),
        *(f"{page}own/?seen={asked}&noted={asked}&open={answer}"),
        *(f"/chats/import/?chat={secret.pk}", f"/sidebar/?current={secret.pk}"),
    ):
        assert not of_private(body(client.get(path))), path
    fields = {"run": answer, "attachment": file, "message": "Go", "token": uuid4(), "note": note}
    for name in (name for name, method, _ in ROWS if method == "POST" and name in OF_A_CHAT):
        with transaction.atomic():
            told = body(client.post(reverse(name, args=[mine.pk]), fields))
            assert not of_private(f"{told}{stored(mine)}"), name
            transaction.set_rollback(True)
    assert stored(secret) == before


def stored(chat: Chat) -> str:
    """Everything that a chat's rows say."""
    rows = (chat.messages, chat.queue, chat.notes, chat.intents)
    return str([list(each.order_by("pk").values()) for each in rows])
