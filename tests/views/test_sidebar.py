"""`/sidebar/`: the list of chats, newest first."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from chats.models import Chat, Person
from chats.views.shell import Cursor
from tests.views.conftest import ChatOf, ClientOf, count_queries, no_writes

Htmx = Callable[[Client], Client]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def many(owner: Person) -> list[Chat]:
    """Seventy chats, newest first; some changed in the same moment."""
    chats = [
        Chat(owner=owner, title=f"Number {n}", updated_at=BEGIN - timedelta(minutes=n // 3))
        for n in range(70)
    ]
    Chat.objects.bulk_create(chats)
    return list(Chat.objects.order_by("-updated_at", "-id"))


def listed(html: str) -> list[str]:
    return re.findall(r'href="/chats/([0-9a-f-]+)/"', html)


def test_anonymous_has_no_list(client_of: ClientOf, htmx: Htmx, db: None) -> None:
    assert client_of(None).get("/sidebar/").status_code == 302
    response = htmx(client_of(None)).get("/sidebar/")
    assert response.content == b""
    assert response["HX-Redirect"].startswith("/accounts/login/")


def test_pages_follow_each_other_without_a_gap_or_a_repetition(
    client_of: ClientOf, htmx: Htmx, owner: Person, many: list[Chat]
) -> None:
    client, found, path = htmx(client_of(owner)), [], "/sidebar/"
    for _ in range(3):
        html = client.get(path).content.decode()
        found.append(listed(html))
        more = re.search(r'hx-get="(/sidebar/\?after=[^"]+)"', html)
        path = more[1] if more else ""
    assert [len(page) for page in found] == [30, 30, 10]
    assert path == ""
    assert [id for page in found for id in page] == [str(chat.id) for chat in many]


def test_a_list_that_is_fetched_again_is_as_long_as_it_was(
    client_of: ClientOf, htmx: Htmx, owner: Person, many: list[Chat]
) -> None:
    client = htmx(client_of(owner))
    html = client.get("/sidebar/", {"shown": ["30", "30"]}).content.decode()
    assert len(listed(html)) == 60


def test_without_scripts_older_chats_are_a_page(
    client_of: ClientOf, owner: Person, many: list[Chat]
) -> None:
    client = client_of(owner)
    home = client.get("/").content.decode()
    link = re.search(r'href="(/sidebar/\?after=[^"]+)"', home)
    assert link is not None
    page = client.get(link[1]).content.decode()
    main = page[page.index("<main") :]
    assert listed(main) == [str(chat.id) for chat in many[30:60]]
    assert urlsplit(link[1]).path == "/sidebar/"


def test_what_runs_has_a_dot_and_what_is_open_is_marked(
    client_of: ClientOf, htmx: Htmx, owner: Person, chat_of: ChatOf
) -> None:
    chat_of(owner, "done")
    runs = chat_of(owner, "running", state="streaming")
    html = htmx(client_of(owner)).get("/sidebar/", {"current": str(runs.id)}).content.decode()
    assert html.count('class="dot"') == 1
    assert re.findall(r'href="/chats/([0-9a-f-]+)/" aria-current="page" data-running', html) == [
        str(runs.id)
    ]


def test_the_number_of_queries_does_not_grow_with_the_list(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    client = client_of(owner)
    none = count_queries(client, "/sidebar/")
    for number in range(12):
        chat_of(owner, f"Number {number}", state="streaming")
    with no_writes():
        assert count_queries(client, "/sidebar/") == none


NONSENSE = ["", "x", "-", "1-", "-1-2", "9" * 59, f"{10**30}-{'0' * 32}", "\0", "1-\ud800"]


@pytest.mark.parametrize("text", NONSENSE, ids=ascii)
def test_a_nonsensical_cursor_is_the_first_page(
    client_of: ClientOf, htmx: Htmx, owner: Person, chat_of: ChatOf, text: str
) -> None:
    chat = chat_of(owner)
    query = {"after": text.encode("utf-8", "replace").decode(), "shown": text, "current": text}
    query = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    html = htmx(client_of(owner)).get("/sidebar/", query).content.decode()
    assert listed(html) == [str(chat.id)]


def test_a_cursor_is_what_it_says(many: list[Chat]) -> None:
    cursor = Cursor(many[0].updated_at, many[0].id)
    assert Cursor.parse(str(cursor)) == cursor
