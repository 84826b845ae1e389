"""`/chats/<uuid>/search/`: everything that every reader may see, in bounded pages, each hit with its link."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from chats.models import Chat, Entry, Message, Person, Queued
from chats.views import search as module
from chats.views.search import look
from tests.views.conftest import AddTurn, ChatOf, ClientOf, no_writes

PARTS = [
    {"type": "thinking", "text": "I look for the lighthouse."},
    {"type": "file-edit", "operation": "create", "path": "app/lighthouse.tsx"},
    {"type": "bash", "command": "ls", "output": "LIGHTHOUSE.md\nlighthouse.png"},
    {"type": "tool-call", "name": "draw", "input": {"what": "a Lighthouse"}, "output": None},
    {"type": "text", "text": "Nothing of the kind."},
]


def hits(client: Client, chat: Chat, query: str, **more: Any) -> list[tuple[str, str]]:
    """Where each hit leads to, and the words that were found."""
    page = client.get(f"/chats/{chat.id}/search/", {"q": query, **more}).content.decode()
    found = re.findall(r'class="hit" href="([^"]+)".*?<mark>(.*?)</mark>', page, re.DOTALL)
    return [(unescape(href), unescape(words)) for href, words in found]


def test_hits_in_all_kinds_of_text_lead_to_their_part_the_last_first(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat, client = chat_of(owner, "Draw a lighthouse"), client_of(owner)
    answer = chat.messages.get(role="assistant")
    asked = chat.messages.get(role="user")
    Message.objects.filter(id=answer.id).update(parts=PARTS)
    add_turn(chat, "And now the lightHOUSE again")
    with no_writes():
        found = hits(client, chat, "Lighthouse")
    place = f"/chats/{chat.id}/?at={answer.id}&find=Lighthouse#m{answer.id}"
    assert found[2:] == [
        (f"{place}-p3", "Lighthouse"),
        (f"{place}-p2", "LIGHTHOUSE"),
        (f"{place}-p1", "lighthouse"),
        (f"{place}-p0", "lighthouse"),
        (f"/chats/{chat.id}/?at={asked.id}&find=Lighthouse#m{asked.id}", "lighthouse"),
    ]
    assert [words for _, words in found[:2]] == ["lightHOUSE"] * 2, "the answer repeats it"
    page = client.get(f"/chats/{chat.id}/search/", {"q": "lighthouse"}).content.decode()
    assert "v0 · Command · 2 times" in page
    assert "Olivia Owner · Message" in page


@pytest.mark.parametrize("query", ["%", "_", "\\", "'", '"><b>', "100%", "ß", "\u2028x"])
def test_every_character_means_itself(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, query: str
) -> None:
    chat, client = chat_of(owner, "plain words"), client_of(owner)
    assert hits(client, chat, query) == []
    page = client.get(f"/chats/{chat.id}/search/", {"q": query}).content.decode()
    assert "is nowhere in this chat" in page
    assert "<b>" not in page
    chat = chat_of(owner, f"a {query} b")
    assert hits(client, chat, query)[0][1].casefold() == " ".join(query.split()).casefold()


@pytest.mark.parametrize("query", ["", "  ", "\n"])
def test_without_words_there_is_a_field_and_what_is_searched(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, query: str
) -> None:
    page = client_of(owner).get(f"/chats/{chat_of(owner).id}/search/", {"q": query})
    assert page.status_code == 200
    assert 'name="q"' in page.content.decode()
    assert "Everything in it is searched" in page.content.decode()


def test_nothing_is_found_that_only_some_may_see(
    client_of: ClientOf,
    chat_of: ChatOf,
    cost_of: Callable[[Message], Entry],
    owner: Person,
    stranger: Person,
) -> None:
    chat, other = chat_of(owner, privacy="public"), chat_of(owner, "canary")
    cost_of(chat.messages.get(role="assistant"))
    chat.messages.update(sent_with={"system": "canary", "model": "canary"}, v0_author="canary")
    wish = {"person": owner, "token": uuid4(), "position": 1, "payload": {"message": "canary"}}
    Queued.objects.create(chat=chat, **wish)
    for person in (owner, stranger):
        for words in ("canary", "0.0421", "12,345", str(owner.email), str(chat.v0_id)):
            assert hits(client_of(person), chat, words) == [], words
        assert hits(client_of(person), chat, "hello")
    assert hits(client_of(owner), other, "canary")


def test_a_long_chat_is_searched_in_pages_that_miss_nothing(
    client_of: ClientOf,
    chat_of: ChatOf,
    add_turn: AddTurn,
    owner: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chat, client = chat_of(owner, "turn 0"), client_of(owner)
    for number in range(1, 30):
        add_turn(chat, f"turn {number}")
    wanted = [href for href, _ in hits(client, chat, "turn")]
    assert len(wanted) == 50, "as many as one page has"
    for name, bound in (("HITS", 7), ("MESSAGES", 9), ("CHARACTERS", 100)):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, bound)
            read, before, pages = [], None, 0
            while True:
                found = look(chat, "turn", before=before)
                read += [hit.anchor for hit in found.hits]
                pages += 1
                if found.before is None:
                    break
                before = found.before
            assert len(read) == len(set(read)) == 60
            assert pages > 4
    page = client.get(f"/chats/{chat.id}/search/", {"q": "turn"}).content.decode()
    on = re.search(r'href="([^"]+)"[^>]*data-search-on>Search earlier messages', page)
    assert on
    rest = client.get(unescape(on[1])).content.decode()
    assert rest.count('class="hit"') == 10
    assert "Back to the latest" in rest


def test_one_search_is_a_handful_of_queries_and_reads_in_pieces(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    short, long, client = chat_of(owner, "one"), chat_of(owner, "one"), client_of(owner)
    for number in range(25):
        add_turn(long, f"one {number}")
    counts = []
    for chat in (short, long):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/chats/{chat.id}/search/", {"q": "one"}, headers={"HX-Request": "true"})
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5


def test_more_hits_than_a_page_has_in_one_message_are_counted(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    parts = [{"type": "text", "text": f"word {number}"} for number in range(60)]
    chat.messages.filter(role="assistant").update(parts=parts)
    page = client_of(owner).get(f"/chats/{chat.id}/search/", {"q": "word"}).content.decode()
    assert page.count('class="hit"') == 50
    assert "10 more in the same message." in page


def test_a_query_has_a_longest(client_of: ClientOf, chat_of: ChatOf, owner: Person) -> None:
    chat = chat_of(owner, "a" * 300)
    assert hits(client_of(owner), chat, "a" * 100_000)[0][1] == "a" * 200


def test_the_fragment_is_the_same_without_the_page(
    client_of: ClientOf, htmx: Callable[[Client], Client], chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    fragment = htmx(client_of(owner)).get(f"/chats/{chat.id}/search/", {"q": "hello"})
    text = fragment.content.decode()
    assert "<html" not in text
    assert 'data-query="hello"' in text
    assert text.count('class="hit"') == 2
    assert "data-step" in text


def test_a_chat_that_is_opened_at_a_hit_opens_its_search(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person, settings: Settings
) -> None:
    chat = chat_of(owner, privacy="public")
    link = f"/chats/{chat.id}/?find=a%26b+%3Cc%3E"
    for person in (owner, stranger):
        page = client_of(person).get(link).content.decode()
        assert (
            f'id="finder" hx-get="/chats/{chat.id}/search/?q=a%26b%20%3Cc%3E" hx-trigger="load"'
            in page
        )
        assert f'href="/chats/{chat.id}/search/"' in page, "the button in the bar"
        assert "“a&amp;b &lt;c&gt;” was found" in page, "without scripts"
    settings.V0_ANONYMOUS_READING = True
    assert hits(client_of(None), chat, "hello")
