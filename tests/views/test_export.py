"""`/chats/<uuid>/export.md` and `export.json`: what is stored, equal, as it comes, for whom.

That the exports of every scenario are equal, as a running app serves them, is shown where all of them
are played: `test_what_the_page_shows.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from chats.models import AuditEntry, Chat, Entry, Message, Person, Team
from chats.views.export import CHUNK
from tests.live.recorded import DIRECTORY
from tests.rendering.documents import has, levelled, rendered
from tests.rendering.shape import shape_of_whole
from tests.views.conftest import AddTurn, ChatOf, ClientOf


def export(client: Client, chat: Chat, ending: str) -> StreamingHttpResponse:
    response = cast("StreamingHttpResponse", client.post(f"/chats/{chat.id}/export.{ending}"))
    assert response.status_code == 200
    return response


def text(client: Client, chat: Chat, ending: str) -> str:
    return b"".join(cast("Iterator[bytes]", export(client, chat, ending))).decode()


def read(client: Client, chat: Chat) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text(client, chat, "json"))
    return found


@pytest.mark.parametrize(
    "name", ["all-parts", "code", "length", "list", "markdown-hostile", "unicode"]
)
def test_a_recorded_answer_reads_back_equal_and_renders_equal(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, name: str
) -> None:
    wire = json.loads((DIRECTORY / f"{name}.json").read_text())
    stored = json.loads(json.dumps(wire["parts"]).replace(r"\u0000", r"\ufffd"))
    chat, client = chat_of(owner, finish_reason=wire["finishReason"]), client_of(owner)
    chat.messages.filter(role="assistant").update(parts=stored, content=wire["content"])
    answer = read(client, chat)["messages"][1]
    assert (answer["parts"], answer["content"]) == (stored, wire["content"])
    assert answer["finish_reason"] == wire["finishReason"]
    texts = [part["text"] for part in stored if part["type"] == "text"]
    document = rendered(text(client, chat, "md"))
    assert has(document, [levelled(shape_of_whole(each)) for each in texts])


@pytest.mark.parametrize(
    "word", ["\ud83d", "\u2028\u0085\x1b", 'a"\\\n', "é 😀", 1.5, 10**20, None]
)
def test_whatever_a_part_holds_reads_back_equal(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, word: Any
) -> None:
    chat, parts = chat_of(owner), [{"type": "tool-call", "input": {"a": [word]}}, word]
    chat.messages.filter(role="assistant").update(parts=parts)
    assert read(client_of(owner), chat)["messages"][1]["parts"] == parts
    assert text(client_of(owner), chat, "md")


def test_the_file_says_what_was_asked_by_whom_and_when(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat, client = chat_of(owner, "What *is* <it>?\n"), client_of(owner)
    add_turn(chat, "and then", state="stopped")
    told, page = read(client, chat), text(client, chat, "md")
    rows = list(chat.messages.all())
    assert [each["id"] for each in told["messages"]] == [str(row.id) for row in rows]
    assert told["messages"][0]["text"] == rows[0].text
    assert told["messages"][0]["author"] == told["chat"]["owner"] == "Olivia Owner"
    assert told["messages"][0]["created_at"] == rows[0].created_at.isoformat()[:23] + "Z"
    assert (told["format"], told["version"], told["chat"]["id"]) == ("v0web chat", 1, str(chat.id))
    assert page.startswith("# About What \\*is\\* \\<it\\>?\n\nFrom <http://testserver/chats/")
    assert re.findall("^## (.*), 20", page, re.MULTILINE) == ["Olivia Owner", "v0"] * 2
    assert (
        page.index("What *is* <it>?\n") < page.index("The answer to What") < page.index("and then")
    )
    assert page.endswith("*Stopped.*\n")


def test_times_to_read_are_in_the_readers_own_zone(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person
) -> None:
    chat = chat_of(owner, privacy="public")
    Message.objects.update(created_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    Person.objects.filter(pk=mate.pk).update(time_zone="Asia/Tokyo")
    assert "## Olivia Owner, 2026-07-01 22:30 UTC\n" in text(client_of(owner), chat, "md")
    assert "## Olivia Owner, 2026-07-02 07:30 JST\n" in text(client_of(mate), chat, "md")
    assert read(client_of(mate), chat)["messages"][0]["created_at"] == "2026-07-01T22:30:00.000Z"


def test_what_is_in_the_file_follows_from_what_its_reader_may_see(
    client_of: ClientOf,
    chat_of: ChatOf,
    cost_of: Callable[[Message], Entry],
    owner: Person,
    mate: Person,
    stranger: Person,
    team: Team,
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    cost_of(chat.messages.get(role="assistant"))
    chat.messages.filter(role="user").update(sent_with={"system": "Be brief"})
    by_owner, by_mate = read(client_of(owner), chat), read(client_of(mate), chat)
    usage = {
        "model": "v0-pro",
        "tokens": {"input": 9210, "output": 3135, "cache_read": 0, "cache_write": 0, "total": 12345},
        "credits": {
            "input": "0.0121", "output": "0.03", "cache_read": "0", "cache_write": "0", "total": "0.0421",
        },
    }  # fmt: skip
    assert by_owner["messages"][1]["usage"] == by_mate["messages"][1]["usage"] == usage
    assert "0.0421 credits" in text(client_of(mate), chat, "md")
    assert by_owner["messages"][0]["sent_with"] == {"system": "Be brief"}
    assert (by_owner["chat"]["privacy"], by_owner["chat"]["v0_id"]) == ("team", chat.v0_id)
    assert by_mate["chat"].keys().isdisjoint({"privacy", "v0_id"})
    assert "sent_with" not in by_mate["messages"][0]
    Chat.objects.update(privacy="public")
    for ending in ("md", "json"):
        seen = text(client_of(stranger), chat, ending)
        assert "The answer to Hello" in seen
        assert not re.search("credits|usage|Be brief|0421", seen)
        assert str(chat.v0_id) not in seen


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A / B: c?", "a-b-c"),
        ("../../etc/passwd", "etcpasswd"),
        ('x"; filename="y.exe', "x-filenameyexe"),
        ("", "chat"),
        ("\u202egpj", "gpj"),
        ("w" * 200, "w" * 80),
    ],
)
def test_the_name_of_the_file_is_safe(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, title: str, name: str
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    Chat.objects.update(title=title)
    for ending, kind in (("md", "text/markdown; charset=utf-8"), ("json", "application/json")):
        headers = export(client, chat, ending).headers
        assert headers["Content-Disposition"] == f'attachment; filename="{name}.{ending}"'
        assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == (kind, "nosniff")
        assert "no-store" in headers["Cache-Control"]
    Chat.objects.update(title="日本語")
    named = export(client, chat, "md").headers["Content-Disposition"]
    assert named == "attachment; filename*=utf-8''%E6%97%A5%E6%9C%AC%E8%AA%9E.md"


@pytest.mark.parametrize("ending", ["md", "json"])
def test_a_long_chat_is_read_while_it_is_sent(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person, ending: str
) -> None:
    chat = chat_of(owner)
    for number in range(CHUNK):
        add_turn(chat, f"turn {number}")
    pieces = iter(export(client_of(owner), chat, ending))
    with CaptureQueriesContext(connection) as queries:
        counts = [len(queries) for _ in pieces]
    # The head before any row, then three chunks, each with two queries, and one for the notes.
    assert counts == ([0, 2, 4, 6] if ending == "md" else [0, 2, 4, 6, 6, 7])
    assert len(queries) == 7


def test_it_is_no_address_to_follow_since_it_is_noted(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    for method in (client.get, client.head):
        assert method(f"/chats/{chat.id}/export.json").status_code == 405
    assert not AuditEntry.objects.exists()
    export(client, chat, "md")
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.actor, entry.chat) == ("chat.exported", owner.pk, chat.pk)
    assert entry.details == {"kind": "md"}


def test_every_reader_finds_the_export_in_the_menu(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner, privacy="public")
    for person in (owner, stranger):
        assert (
            f'href="/chats/{chat.id}/menu/"'
            in client_of(person).get(f"/chats/{chat.id}/").content.decode()
        )
        menu = client_of(person).get(f"/chats/{chat.id}/menu/").content.decode()
        assert f"/chats/{chat.id}/export.md" in menu
        assert f"/chats/{chat.id}/export.json" in menu


@pytest.mark.parametrize("ending", ["md", "json"])
def test_a_file_that_is_taken_slowly_ends_with_the_right_to_it(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    team: Team,
    chat_of: ChatOf,
    add_turn: AddTurn,
    settings: Settings,
    ending: str,
) -> None:
    settings.V0_RIGHTS_CHECK = 0
    chat = chat_of(owner, privacy="team", team=team)
    for number in range(CHUNK):
        add_turn(chat, f"question {number}")
    pieces = iter(export(client_of(mate), chat, ending))
    taken = b""
    while b"question 0" not in taken:
        taken += next(pieces)
    Chat.objects.filter(pk=chat.pk).update(privacy="private")
    rest = b"".join(pieces).decode()
    assert rest == "\n\nThis file is not complete: access to the chat has ended.\n"
