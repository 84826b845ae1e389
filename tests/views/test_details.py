"""`/chats/<uuid>/messages/<uuid>/` and its Markdown: what is known about one message, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from chats.models import Chat, Entry, Message, Person, Team
from tests.views.conftest import ChatOf, ClientOf, no_writes

PARTS = [
    {"type": "thinking", "text": "Hm\n\n- a", "startedAt": "2026-01-01T00:00:00Z"},
    {
        "type": "bash",
        "command": "echo '```'",
        "output": "```\n",
        "exitCode": 1,
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:00:05Z",
    },
    {"type": "text", "text": "It is **done**:\n\n```js\nlet a"},
]
OPTIONS = {"model": "v0-max", "system": "Be brief", "metadata": {"case": "7"}}


@pytest.fixture
def chat(chat_of: ChatOf, owner: Person, team: Team, cost_of: Callable[[Message], Entry]) -> Chat:
    """A chat that the team reads, and everybody else if it becomes public."""
    chat = chat_of(owner, "Make <it>", privacy="team", team=team, finish_reason="length")
    answer = chat.messages.get(role="assistant")
    answer.parts, answer.v0_id = PARTS, "msg_at_v0"
    answer.ended_at = answer.created_at + timedelta(seconds=65)
    answer.save()
    chat.messages.filter(role="user").update(sent_with=OPTIONS)
    cost_of(answer)
    return chat


def path(chat: Chat, role: str = "assistant") -> str:
    return f"/chats/{chat.id}/messages/{chat.messages.get(role=role).id}/"


def test_every_reader_is_told_of_times_parts_and_ids(
    client_of: ClientOf, chat: Chat, stranger: Person
) -> None:
    Chat.objects.update(privacy="public")
    answer, client = chat.messages.get(role="assistant"), client_of(stranger)
    with no_writes():
        page = client.get(path(chat)).content.decode()
    for told in (
        *("This answer", "1 min 5 s", "Cut off because the answer reached its length limit"),
        *(str(answer.id), "msg_at_v0", "Thinking</a>", "Command</a> <span>5 s</span>", "Text</a>"),
        *(f"/chats/{chat.id}/?at={answer.id}#m{answer.id}-p{number}" for number in range(3)),
    ):
        assert told in page, told


def test_options_are_for_those_who_may_send_and_costs_for_those_who_may_see_them(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person, stranger: Person
) -> None:
    seen = {}
    for name, person, privacy in (
        ("owner", owner, "team"),
        ("mate", mate, "team"),
        ("stranger", stranger, "public"),
    ):
        Chat.objects.update(privacy=privacy)
        seen[name] = [
            client_of(person).get(path(chat, role)).content.decode()
            for role in ("assistant", "user")
        ]
    options, cost = ("v0-max", "Be brief", "case=7"), ("0.0421", "12,345", "What it cost")
    for word in options:
        assert all(word in page for page in seen["owner"])
        assert not any(word in page for name in ("mate", "stranger") for page in seen[name])
    for word in cost:
        assert word in seen["owner"][0]
        assert word in seen["mate"][0]
        assert not any(word in page for page in seen["stranger"])


def test_a_question_and_an_answer_without_any_of_it_have_details_too(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat, client = chat_of(owner, state="failed", problem="unsent"), client_of(owner)
    for role in ("assistant", "user"):
        page = client.get(path(chat, role)).content.decode()
        assert "None: v0 did not take it" in page
        assert "cost" not in page.partition("<main")[2].partition("</main>")[0]
    assert "Olivia Owner" in page
    assert "This did not reach v0" in client.get(path(chat)).content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"finish_reason": "stop"}, "Finished."),
        ({"finish_reason": "tool-calls"}, "Finished with a tool&#x27;s result."),
        ({"finish_reason": "tool-calls", "asks": "plan"}, "Finished with something to decide."),
        ({"finish_reason": "brand-new"}, "Ended early, for a reason that v0 does not name."),
        ({"state": "stopped"}, "Stopped."),
        (
            {"state": "stopped", "stop_reason": "budget"},
            "Stopped, because a budget was used up.",
        ),
        ({"state": "streaming"}, "Not ended yet."),
    ],
)
def test_the_end_is_told_in_words(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, fields: dict[str, Any], said: str
) -> None:
    page = client_of(owner).get(path(chat_of(owner, **fields))).content.decode()
    assert f"<dd>{said}</dd>" in page


def test_details_come_as_a_fragment_for_the_dialog(
    client_of: ClientOf, htmx: Callable[[Client], Client], chat: Chat, owner: Person
) -> None:
    fragment = htmx(client_of(owner)).get(path(chat)).content.decode()
    assert "<html" not in fragment
    assert "<h2" in fragment


def test_a_message_is_copied_as_markdown(client_of: ClientOf, chat: Chat, owner: Person) -> None:
    response = client_of(owner).get(f"{path(chat)}markdown/")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.content.decode() == (
        "> **Thought**\n>\n> Hm\n>\n> - a\n\n"
        "**Ran** (exit 1)\n\n```sh\necho '```'\n```\n\nOutput:\n\n````\n```\n````\n\n"
        "It is **done**:\n\n```js\nlet a\n```\n\n"
        "*Cut off because the answer reached its length limit.*\n"
    ).replace("```sh\necho '```'\n```", "````sh\necho '```'\n````")
    question = client_of(owner).get(f"{path(chat, 'user')}markdown/").content.decode()
    assert question == "Make <it>\n"


@pytest.mark.parametrize("more", ["", "markdown/"])
def test_a_message_is_looked_up_within_its_own_chat(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, more: str
) -> None:
    one, other = chat_of(owner, "one"), chat_of(owner, "other")
    client, row = client_of(owner), other.messages.get(role="user")
    assert client.get(f"/chats/{other.id}/messages/{row.id}/{more}").status_code == 200
    for id in (row.id, uuid4()):
        assert client.get(f"/chats/{one.id}/messages/{id}/{more}").status_code == 404


def test_each_message_that_has_ended_offers_its_actions_to_every_reader(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner, privacy="public")
    for person in (owner, stranger):
        page = client_of(person).get(f"/chats/{chat.id}/").content.decode()
        for row in chat.messages.all():
            place = f"/chats/{chat.id}/messages/{row.id}/"
            assert f'data-act="copy" href="{place}markdown/"' in page
            assert f'data-act="details" data-dialog href="{place}"' in page
    running = chat_of(owner, state="streaming")
    page = client_of(owner).get(f"/chats/{running.id}/").content.decode()
    assert page.count('data-act="details"') == 1, "of the question alone"
