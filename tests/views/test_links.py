"""Links to a message and to a part: they lead there however old it is, and grant nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote
from uuid import uuid4

import pytest

from chats.models import Chat, Person
from chats.views.chat import WINDOW
from tests.views.conftest import AddTurn, ChatOf, ClientOf, count_queries, no_writes

LATEST = "These are earlier messages"


def positions(chat: Chat, html: str) -> list[int]:
    """Where the messages of a page stand in their chat."""
    places = {str(row.id): row.position for row in chat.messages.all()}
    return [places[id] for id in re.findall(r'<article[^>]* data-message="([^"]+)"', html)]


@pytest.fixture
def long(chat_of: ChatOf, add_turn: AddTurn, owner: Person) -> Chat:
    """160 messages."""
    chat = chat_of(owner, "turn 0")
    for number in range(1, 80):
        add_turn(chat, f"turn {number}")
    return chat


def test_the_time_of_each_message_is_its_link(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    page = client_of(owner).get(f"/chats/{chat.id}/").content.decode()
    for row in chat.messages.all():
        link = f'<a class="message-link" href="/chats/{chat.id}/?at={row.id}#m{row.id}"><time '
        assert link in page
        assert f'<article id="m{row.id}"' in page
    assert f'id="m{row.id}-p0"' in page


@pytest.mark.parametrize("position", [1, 2, 40, 85, 110])
def test_a_link_leads_to_the_window_that_has_the_message(
    client_of: ClientOf, long: Chat, owner: Person, position: int
) -> None:
    client, wanted = client_of(owner), long.messages.get(position=position)
    with no_writes():
        page = client.get(f"/chats/{long.id}/", {"at": str(wanted.id)}).content.decode()
    shown = positions(long, page)
    assert position in shown
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert len(shown) <= WINDOW
    assert LATEST in page
    before = count_queries(client, f"/chats/{long.id}/")
    assert count_queries(client, f"/chats/{long.id}/?at={wanted.id}") <= before + 3


@pytest.mark.parametrize("position", [111, 135, 160])
def test_a_message_among_the_latest_is_shown_on_a_page_that_is_alive(
    client_of: ClientOf, long: Chat, owner: Person, position: int
) -> None:
    wanted = long.messages.get(position=position)
    page = client_of(owner).get(f"/chats/{long.id}/", {"at": str(wanted.id)}).content.decode()
    assert positions(long, page) == list(range(111, 161))
    assert f'ws-connect="/ws/chats/{long.id}/"' in page


def test_one_can_read_on_from_an_old_message_to_the_latest(
    client_of: ClientOf, long: Chat, owner: Person
) -> None:
    client, first = client_of(owner), long.messages.get(position=1)
    page = client.get(f"/chats/{long.id}/", {"at": str(first.id)}).content.decode()
    read = positions(long, page)
    while later := re.search(r'href="([^"]+)">Later messages', page):
        page = client.get(later[1]).content.decode()
        read += positions(long, page)
    page = client.get(f"/chats/{long.id}/").content.decode()
    assert sorted({*read, *positions(long, page)}) == list(range(1, 161))
    assert len(read) == len(set(read)), "a message came twice"


def test_a_link_to_what_is_gone_says_so_and_shows_the_latest(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat, other = chat_of(owner), chat_of(owner, "other")
    elsewhere = other.messages.get(role="user")
    for id in (uuid4(), elsewhere.id):
        page = client_of(owner).get(f"/chats/{chat.id}/", {"at": str(id)}).content.decode()
        assert "is not in this chat any more" in page
        assert positions(chat, page) == [1, 2]
    page = client_of(owner).get(f"/chats/{chat.id}/", {"at": "x"}).content.decode()
    assert "is not in this chat any more" not in page


def test_what_a_page_still_shows_counts_more_than_the_message_of_its_address(
    client_of: ClientOf, long: Chat, owner: Person
) -> None:
    """A page that is renewed asks by both."""
    asked = {"at": str(long.messages.get(position=1).id)}
    asked["from"] = str(long.messages.get(position=100).id)
    page = client_of(owner).get(f"/chats/{long.id}/", asked).content.decode()
    assert positions(long, page) == list(range(100, 161))


def test_a_link_grants_nothing(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner)
    link = f"/chats/{chat.id}/?at={chat.messages.get(role='user').id}"
    for somebody in (stranger, None):
        hidden, none = (client_of(somebody).get(path) for path in (link, f"/chats/{uuid4()}/"))
        assert hidden.status_code == none.status_code == 404


def test_a_link_is_kept_while_somebody_signs_in(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    link = f"/chats/{chat.id}/?at={chat.messages.get(role='user').id}"
    page = client_of(None).get(link).content.decode()
    offered = re.search(r'href="/accounts/login/\?next=([^"]+)"', page)
    assert offered
    assert unquote(offered[1]) == link
