"""What somebody has seen of a chat, and what they are told is new since then."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from chats.models import Chat, Entry, Follow, Message, Person, Seen, Team
from chats.models import seen as marks
from chats.views import chat as chat_view
from chats.views import seen as views
from tests.views.conftest import AddTurn, ChatOf, ClientOf, count_queries, no_writes

Htmx = Callable[[Client], Client]
PARTS = [
    {"type": "file-edit", "operation": "create", "path": "app/page.tsx"},
    {"type": "file-edit", "operation": "patch", "path": "app/page.tsx"},
    {"type": "file-edit", "operation": "create", "path": "app/layout.tsx"},
    {"type": "bash", "command": "npm test", "output": "", "exitCode": 0},
    "no part at all",
]


@pytest.fixture
def shared(owner: Person, mate: Person, team: Team, chat_of: ChatOf) -> Chat:
    """A chat of the owner's that the mate has read to its end, which is message 2."""
    chat = chat_of(owner, "Tea", privacy="team-edit", team=team)
    marks.see(mate, chat, 2)
    return chat


def told(html: str) -> str:
    """The words of the line in the thread, "" where none is."""
    found = re.search(r'<div class="new-since".*?</div>', html, re.DOTALL)
    return (
        unescape(" ".join(re.sub(r"<[^>]+>|Mark as read", " ", found[0]).split())) if found else ""
    )


def place(html: str) -> str:
    """The message that the line stands before."""
    return "".join(
        re.findall(r'<div class="new-since".*?</div>\s*<article id="m(\S+)"', html, re.DOTALL)
    )


def page(client: Client, chat: Chat, query: str = "") -> str:
    return client.get(f"/chats/{chat.pk}/{query}").content.decode()


def seen_by(person: Person, chat: Chat) -> int | None:
    return Seen.objects.filter(person=person, chat=chat).values_list("position", flat=True).first()


# The mark


def test_a_page_says_up_to_which_message_it_was_seen(
    client_of: ClientOf, mate: Person, shared: Chat, add_turn: AddTurn
) -> None:
    client, answer = client_of(mate), add_turn(shared, "Milk")
    response = client.post(f"/chats/{shared.pk}/seen/", {"message": str(answer.pk)})
    assert (response.status_code, seen_by(mate, shared)) == (204, 4)
    first = shared.messages.get(position=1)
    client.post(f"/chats/{shared.pk}/seen/", {"message": str(first.pk)})
    assert seen_by(mate, shared) == 4, "a page of before takes nothing back"


def test_what_is_not_said_yet_or_not_here_moves_no_mark(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    shared: Chat,
    chat_of: ChatOf,
    add_turn: AddTurn,
) -> None:
    runs = add_turn(shared, "Milk", state="streaming")
    elsewhere = chat_of(owner, "Coffee").messages.last()
    assert elsewhere
    for name in (str(runs.pk), str(elsewhere.pk), str(uuid4()), "", "nonsense"):
        response = client_of(mate).post(f"/chats/{shared.pk}/seen/", {"message": name})
        assert (response.status_code, seen_by(mate, shared)) == (204, 2)


def test_a_button_without_scripts_marks_all_that_is_said(
    client_of: ClientOf, mate: Person, shared: Chat, add_turn: AddTurn
) -> None:
    add_turn(shared, "Milk", state="streaming")
    response = client_of(mate).post(f"/chats/{shared.pk}/seen/")
    assert (response.status_code, response["Location"]) == (303, f"/chats/{shared.pk}/")
    assert seen_by(mate, shared) == 3


def test_looking_writes_nothing_and_a_visitor_has_no_mark(
    client_of: ClientOf, settings: Any, owner: Person, chat_of: ChatOf
) -> None:
    settings.V0_ANONYMOUS_READING = True
    chat, client = chat_of(owner, privacy="public"), client_of(None)
    with no_writes():
        html = page(client, chat)
        client.post(f"/chats/{chat.pk}/seen/", {"message": str(chat.messages.last())})
        assert client.get(f"/chats/{chat.pk}/seen/", headers={"HX-Request": "true"}).content == b""
    assert "data-seen" not in html
    assert "new-since" not in html


@pytest.mark.django_db(transaction=True)
def test_of_many_pages_at_once_the_furthest_counts(owner: Person, chat_of: ChatOf) -> None:
    chat = chat_of(owner)

    def see(position: int) -> None:
        try:
            marks.see(owner, chat, position)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(see, (3, 9, 1, 8, 2, 5)))
    assert seen_by(owner, chat) == 9


# What is new


def test_who_was_never_here_has_nothing_new(
    client_of: ClientOf, mate: Person, owner: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    html = page(client_of(mate), chat)
    assert "new-since" not in html
    assert f'data-seen="/chats/{chat.pk}/seen/" data-seen-up-to=""' in html


def test_the_line_stands_before_what_others_said_and_counts_it(
    client_of: ClientOf,
    mate: Person,
    shared: Chat,
    add_turn: AddTurn,
    cost_of: Callable[[Message], Entry],
) -> None:
    client = client_of(mate)
    assert told(page(client, shared)) == ""
    Seen.objects.update(at=timezone.now().replace(year=2026, month=11, day=17, hour=14, minute=3))
    answers = [add_turn(shared, "Milk"), add_turn(shared, "Sugar", state="stopped")]
    for answer in answers:
        Message.objects.filter(pk=answer.pk).update(parts=PARTS)
        cost_of(answer)
    html = page(client, shared)
    assert place(html) == str(shared.messages.get(position=3).pk)
    assert told(html) == (
        "New since 2026-11-17 14:03 UTC "
        "Since you last looked: 2 runs, 2 files, 2 commands, 2 messages, 0.0842 credits"
    )
    assert f'data-seen-up-to="{shared.messages.get(position=2).pk}"' in html
    marks.see(mate, shared, 6)
    assert told(page(client, shared)) == ""


def test_ones_own_message_is_not_new_and_neither_is_what_runs(
    client_of: ClientOf, owner: Person, shared: Chat, add_turn: AddTurn
) -> None:
    client = client_of(owner)
    marks.see(owner, shared, 2)
    answer = add_turn(shared, "Milk", state="streaming")
    assert told(page(client, shared)) == ""
    Message.objects.filter(pk=answer.pk).update(state="finished")
    html = page(client, shared)
    assert place(html) == str(answer.pk)
    assert told(html).endswith("Since you last looked: 1 run")


def test_credits_are_for_those_who_see_costs(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    shared: Chat,
    add_turn: AddTurn,
    cost_of: Callable[[Message], Entry],
) -> None:
    cost_of(add_turn(shared, "Milk"))
    assert told(page(client_of(mate), shared)).endswith("1 run, 1 message, 0.0421 credits")
    Chat.objects.update(privacy="public")
    assert told(page(client_of(mate), shared)).endswith("1 run, 1 message")


def test_what_is_new_before_the_page_begins_is_counted_and_led_to(
    client_of: ClientOf,
    mate: Person,
    shared: Chat,
    add_turn: AddTurn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat_view, "WINDOW", 4)
    monkeypatch.setattr(views, "MOST", 5)
    for text in ("Milk", "Sugar", "Salt"):
        add_turn(shared, text)
    first = shared.messages.get(position=3).pk
    client = client_of(mate)
    html = page(client, shared)
    assert told(html) == ""
    assert f'href="/chats/{shared.pk}/?at={first}#m{first}">Go to the first new message' in html
    assert "Since you last looked: at least 2 runs, at least 3 messages." in html
    html = page(client, shared, f"?at={first}")
    assert place(html) == str(first)
    assert told(html).endswith("at least 2 runs, at least 3 messages")


def test_news_cost_as_many_queries_however_much_there_is(
    client_of: ClientOf, mate: Person, shared: Chat, add_turn: AddTurn
) -> None:
    client, path = client_of(mate), f"/chats/{shared.pk}/"
    nothing = count_queries(client, path)
    add_turn(shared, "Milk")
    some = count_queries(client, path)
    for number in range(5):
        add_turn(shared, str(number))
    with no_writes():
        assert count_queries(client, path) == some <= nothing + 1


def test_a_page_that_was_left_open_asks_for_the_line_alone(
    client_of: ClientOf, htmx: Htmx, mate: Person, shared: Chat, add_turn: AddTurn
) -> None:
    path, client = f"/chats/{shared.pk}/seen/", htmx(client_of(mate))
    assert client.get(path).status_code == 204
    answer = add_turn(shared, "Milk")
    html = client.get(path).content.decode()
    assert told(html).endswith("Since you last looked: 1 run, 1 message")
    assert f'data-before="m{shared.messages.get(position=3).pk}"' in html
    assert "<form" not in html
    marks.see(mate, shared, answer.position)
    assert client.get(path).status_code == 204


# The list of chats


def rows(client: Client) -> dict[str, bool]:
    """Which chats of the list are unread."""
    html = client.get("/sidebar/", headers={"HX-Request": "true"}).content.decode()
    found = re.findall(r'<a class="chat-link".*?</a>', html, re.DOTALL)
    titles = [re.search(r'title">(.*?)<', row) for row in found]
    return {
        title[1]: "data-unread" in row and "</span>new" in row
        for title, row in zip(titles, found, strict=True)
        if title
    }


def test_a_chat_is_unread_once_others_have_said_something(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    team: Team,
    shared: Chat,
    chat_of: ChatOf,
    add_turn: AddTurn,
) -> None:
    chat_of(owner, "Old", privacy="team", team=team)
    client = client_of(mate)
    assert rows(client) == {"About Old": False, "About Tea": False}, "never opened is not unread"
    answer = add_turn(shared, "Milk", state="streaming")
    assert rows(client)["About Tea"], "somebody else wrote"
    marks.see(mate, shared, 3)
    assert not rows(client)["About Tea"], "what runs is told by its own sign"
    Message.objects.filter(pk=answer.pk).update(state="finished")
    assert rows(client)["About Tea"]
    html = page(client, shared)
    assert "data-unread" not in html, "not the one that is being read"
    mine = Message(chat=shared, position=5, role="user", state="finished", author=mate)
    mine.save()
    marks.see(mate, shared, 4)
    assert not rows(client)["About Tea"], "one's own message is not news"


def test_everything_is_marked_as_read_where_it_was_unread(
    client_of: ClientOf,
    htmx: Htmx,
    owner: Person,
    mate: Person,
    team: Team,
    shared: Chat,
    chat_of: ChatOf,
    add_turn: AddTurn,
) -> None:
    never = chat_of(owner, "Old", privacy="team", team=team)
    hidden = chat_of(owner, "Gone", privacy="private", team=team)
    marks.see(mate, hidden, 1)
    add_turn(shared, "Milk")
    add_turn(shared, "Sugar", state="streaming")
    client = client_of(mate)
    listed = client.get("/sidebar/").content.decode()
    assert listed.count("data-unread") == 2, "in the sidebar, and on the page of the list"
    assert listed.count("Mark all as read") == 2
    response = client.post("/seen/")
    assert (response.status_code, response["Location"]) == (303, "/")
    assert (seen_by(mate, shared), seen_by(mate, never), seen_by(mate, hidden)) == (5, None, 1)
    assert not any(rows(client).values())
    assert "data-unread" not in client.get("/sidebar/").content.decode()
    assert htmx(client).post("/seen/")["HX-Trigger"]


# Follow


def test_whoever_follows_a_chat_they_never_opened_hears_what_is_new_from_then_on(
    client_of: ClientOf, mate: Person, owner: Person, team: Team, chat_of: ChatOf, add_turn: AddTurn
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    client, path = client_of(mate), f"/chats/{chat.pk}/follow/"
    assert "Follow this chat" in page(client, chat, "menu/")
    assert client.post(path, {"followed": "perhaps"}).status_code == 422
    for _ in range(2):
        assert client.post(path, {"followed": "yes"}).status_code == 303
    assert "Stop following" in page(client, chat, "menu/")
    assert not rows(client)["About Hello"]
    add_turn(chat, "Milk")
    assert rows(client)["About Hello"]
    assert re.search(r"data-followed data-unread", client.get("/").content.decode())
    back = client.post(path, {"followed": "no", "back": "yes"})
    assert back["Location"] == "/settings/notices/"
    assert not Follow.objects.exists()


def test_the_owner_follows_by_default_and_is_offered_no_switch(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    chat = chat_of(owner)
    client = client_of(owner)
    assert "follow" not in page(client, chat, "menu/").partition("menu-list")[2].lower()
    assert "data-followed" in client.get("/").content.decode()


def test_the_page_of_notices_lists_what_is_followed_and_still_theirs_to_see(
    client_of: ClientOf, mate: Person, shared: Chat
) -> None:
    Follow.objects.create(person=mate, chat=shared)
    client = client_of(mate)
    assert "Stop following About Tea" in client.get("/settings/notices/").content.decode()
    Chat.objects.filter(pk=shared.pk).update(privacy="private")
    assert "About Tea" not in client.get("/settings/notices/").content.decode()
