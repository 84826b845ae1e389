"""`/chats/<uuid>/`: the page of one chat, for whoever may read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chats.live.state import Node, State
from chats.models import Chat, Entry, Message, Person, Team
from chats.views.chat import last_final, nodes, window
from tests.views.conftest import AddTurn, ChatOf, ClientOf, no_writes

NOBODY = "00000000-0000-4000-8000-000000000000"
COMPOSER = 'id="message"'


def path(chat: Chat) -> str:
    return f"/chats/{chat.id}/"


def test_who_may_read_a_private_chat(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner)
    assert client_of(owner).get(path(chat)).status_code == 200
    assert client_of(stranger).get(path(chat)).status_code == 404
    assert client_of(None).get(path(chat)).status_code == 404


def test_who_may_read_a_chat_of_the_team(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, stranger: Person, team: Team
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    assert client_of(mate).get(path(chat)).status_code == 200
    assert client_of(stranger).get(path(chat)).status_code == 404
    assert client_of(None).get(path(chat)).status_code == 404


def test_a_hidden_chat_looks_like_none(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    client = client_of(stranger)
    hidden = client.get(path(chat_of(owner)))
    none = client.get(f"/chats/{uuid4()}/")
    assert hidden.status_code == none.status_code == 404
    assert hidden.content == none.content


def test_a_visitor_who_finds_nothing_is_offered_to_sign_in(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    page = client_of(None).get(path(chat)).content.decode()
    assert f"/accounts/login/?next=/chats/{chat.id}/" in page


def test_shows_every_message_in_order_and_writes_nothing(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat = chat_of(owner, "first")
    add_turn(chat, "second")
    client = client_of(owner)
    with no_writes():
        page = client.get(path(chat)).content.decode()
    ids = [str(id) for id in chat.messages.values_list("id", flat=True)]
    assert re.findall(r'<article[^>]* data-message="([^"]+)"', page) == ids
    assert re.findall(r'<article[^>]* data-role="([^"]+)"', page) == ["user", "assistant"] * 2
    assert page.index("The answer to first") < page.index("second</")


def test_a_finished_chat_stands_at_its_version(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    last = chat.messages.last()
    assert last is not None
    page = client_of(owner).get(path(chat)).content.decode()
    at = f'<i id="at" data-at="v{chat.version}" data-after="{last.id}" data-version="1"'
    assert at in page
    assert 'data-mode="ready"' in page
    assert "http-equiv" not in page


def test_a_running_chat_that_is_not_held_here_has_no_position(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat = chat_of(owner)
    run = add_turn(chat, "more", state="streaming")
    asked = chat.messages.get(position=run.position - 1)
    page = client_of(owner).get(path(chat)).content.decode()
    assert f'<i id="at" data-at="" data-after="{asked.id}"' in page
    assert '<meta http-equiv="refresh" content="4">' in page
    assert "<title>● About Hello " in page
    assert f'name="run" value="{run.id}"' in page


def test_the_number_of_queries_does_not_grow_with_the_chat(
    client_of: ClientOf,
    chat_of: ChatOf,
    add_turn: AddTurn,
    cost_of: Callable[[Message], Entry],
    owner: Person,
) -> None:
    client, short, long = client_of(owner), chat_of(owner, "short"), chat_of(owner, "long")
    for number in range(20):
        cost_of(add_turn(long, f"turn {number}"))
    counts = []
    for chat in (short, long):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path(chat)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    # Four of them are about budgets and costs, in an installation without limits.
    assert counts[0] <= 19


def test_earlier_messages_are_behind_a_link(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat = chat_of(owner, "turn 0")
    for number in range(1, 40):
        add_turn(chat, f"turn {number}")
    client = client_of(owner)
    page = client.get(path(chat)).content.decode()
    assert page.count("<article") == 50
    assert "?before=31" in page
    earlier = client.get(path(chat), {"before": 31}).content.decode()
    assert earlier.count("<article") == 30
    assert "Earlier messages</a>" not in earlier
    assert "Go to the latest messages" in earlier
    # It hears of nothing but that access ended: nothing that runs is put beside what is old.
    assert f"/ws/chats/{chat.id}/?only=rights" in earlier
    assert COMPOSER not in earlier


def test_a_page_that_shows_more_is_renewed_from_its_first_message(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat = chat_of(owner, "turn 0")
    for number in range(1, 40):
        add_turn(chat, f"turn {number}")
    third = chat.messages.get(position=3)
    page = client_of(owner).get(path(chat), {"from": str(third.id)}).content.decode()
    assert page.count("<article") == 78
    assert "?before=3" in page
    assert "/ws/chats/" in page


@pytest.mark.parametrize("name", ["before", "from", "edit"])
@pytest.mark.parametrize("value", ["", "-1", "x", "9" * 40, "\0", "1e3", "٣", NOBODY])
def test_a_nonsensical_window_is_still_a_page(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, name: str, value: str
) -> None:
    assert client_of(owner).get(path(chat_of(owner)), {name: value}).status_code == 200


def test_a_reader_has_no_composer_and_sees_no_cost_of_others(
    client_of: ClientOf,
    chat_of: ChatOf,
    cost_of: Callable[[Message], Entry],
    owner: Person,
    mate: Person,
    stranger: Person,
    team: Team,
) -> None:
    of_team = chat_of(owner, privacy="team", team=team)
    public = chat_of(owner, privacy="public")
    for chat in (of_team, public):
        cost_of(chat.messages.get(role="assistant"))
    seen = client_of(mate).get(path(of_team)).content.decode()
    assert "0.0421 credits · 12,345 tokens" in seen
    assert COMPOSER not in seen
    assert "Writing is up to its owner" in seen
    page = client_of(stranger).get(path(public)).content.decode()
    assert "The answer to Hello" in page
    assert "credits" not in page
    assert COMPOSER not in page


def test_says_so_when_v0_takes_no_messages(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    Chat.objects.update(write_permission=False)
    page = client_of(owner).get(path(chat)).content.decode()
    assert "v0 does not take messages for this chat any more" in page
    assert COMPOSER not in page


def test_a_failed_text_can_be_taken_up_again(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner, "Try <me>", state="failed", problem="invalid")
    client = client_of(owner)
    asked = chat.messages.get(role="user")
    page = client.get(path(chat)).content.decode()
    assert f"/chats/{chat.id}/?edit={asked.id}" in page
    assert "Try again" not in page
    page = client.get(path(chat), {"edit": str(asked.id)}).content.decode()
    assert ">Try &lt;me&gt;</textarea>" in page


def test_nothing_of_one_message_can_become_part_of_the_page(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    attack = '<img src=x onerror=alert(1)><div hx-get="/" id="composer"></textarea>'
    chat = chat_of(owner, attack)
    page = client_of(owner).get(path(chat)).content.decode()
    assert "<img" not in page
    assert '<div hx-get="/"' not in page


def node(row: Message, state: str, html: str = "") -> Node:
    attrs = (("data-message", str(row.id)), ("data-state", state))
    return Node(f"m{row.id}", "article", attrs, html)


def test_the_state_wins_unless_the_row_is_final(chat_of: ChatOf, owner: Person) -> None:
    chat = chat_of(owner, state="streaming")
    asked, answer = chat.messages.all()
    held = State(messages=(node(asked, "finished", "held"), node(answer, "streaming", "held")))
    rows = window(chat).rows
    made = nodes(rows, held)
    assert [node.html == "held" for node in made] == [False, True]
    Message.objects.filter(id=answer.id).update(state="finished")
    made = nodes(window(chat).rows, held)
    assert [node.html == "held" for node in made] == [False, False]


def test_what_the_state_has_beyond_the_rows_is_shown_too(
    chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat = chat_of(owner)
    before = window(chat).rows
    later = add_turn(chat, "more", state="streaming")
    asked = chat.messages.get(position=3)
    held = State(
        messages=(
            *(node(row, "finished") for row in before),
            node(asked, "finished"),
            node(later, "streaming"),
        )
    )
    made = nodes(before, held)
    ids = [f"m{id}" for id in chat.messages.values_list("id", flat=True)]
    assert [made_node.id for made_node in made] == ids
    assert last_final(made) == str(asked.id)


def test_nothing_is_final_before_the_first_that_is_not(chat_of: ChatOf, owner: Person) -> None:
    chat = chat_of(owner, state="sending")
    assert last_final(nodes(window(chat).rows, None)) == ""
