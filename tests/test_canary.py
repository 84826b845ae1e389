"""What one chat holds is found by those alone who may find it, wherever they look.

Everybody of the table of rights walks through the app, opens links, sends forms and downloads files as they
come by them; whatever came back, was logged or was mailed is searched for words that stand nowhere but in the
chats of one level. What sockets tell is searched in tests/test_permissions_sockets.py.
"""

from __future__ import annotations

import logging
from typing import Any, TypeAlias

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.cache import cache
from django.test import override_settings
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from tests import canary
from tests.crawler import Crawler
from tests.rights import LEVELS, PEOPLE, READING_ON, expected
from tests.scene import Scene
from v0web.logs import redacted

Storages: TypeAlias = dict[str, Any]

PLACES = ("/", f"/sidebar/?q={canary.SOUGHT}", "/needs-you/", "/gallery/")
OF_STAFF = ("/manage/chats/", "/audit/", "/admin/chats/chat/", "/usage/", "/manage/")
# How many addresses are asked for, and how many routes at least answer: these four see nearly all there are,
# the others the lists, the chats, and what is seldom seen before what is seen often.
MOST = {"owner": 110, "mate": 70, "stranger": 60, "superuser": 50}
LEAST = {"owner": 45, "mate": 40, "stranger": 22, "superuser": 26}
BOUND = 30
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


def crawled(scene: Scene, who: str) -> Crawler:
    client, chats = scene.client(who), [scene.people.chat(who, level) for level in LEVELS]
    if "with link" in who:
        held = client.session
        held["links"] = {str(chat.pk): canary.slug(chat) for chat in chats}
        held.save()
    crawler = Crawler(client, canary.SOUGHT, most=MOST.get(who, BOUND))
    pages = [f"/chats/{chat.pk}/{page}" for chat in chats for page in ("", "menu/")]
    crawler.walk(*pages, *PLACES, *OF_STAFF)
    return crawler


@pytest.mark.parametrize("who", PEOPLE)
def test_a_word_is_found_by_those_alone_who_may_find_it(
    hidden: Scene, settings: Settings, caplog: pytest.LogCaptureFixture, who: str
) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    caplog.set_level(logging.DEBUG, logger="chats")
    crawler, due = crawled(hidden, who), canary.due(who)
    places: dict[str, set[tuple[str, str]]] = {}
    for ask, told in crawler.told.items():
        for found in canary.found_in(told):
            places.setdefault(found, set()).add((ask.method, ask.route))
    undue = {found: where for found, where in places.items() if found not in due}
    assert not undue
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
        assert everything - places.keys() == UNFOUND
