"""How an answer that ended badly, or too soon, says what to do: one sentence, one action."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chats.models import Chat, Message, Person, Team
from chats.relay import intents
from tests.views.conftest import AddTurn, ChatOf, ClientOf

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("problem", "words", "action"),
    [
        ("unsent", "did not reach v0", "Try again"),
        ("unauthorized", "does not accept this installation", "Try again"),
        ("credits", "out of credits", "Try again"),
        ("rate-limit", "too many requests", "Try again"),
        ("forbidden", "does not allow this chat", "Ask this in a new chat"),
        ("gone", "no longer has this chat", "Ask this in a new chat"),
        ("old", "an older version of its API", "Ask this in a new chat"),
        ("unknown", "could not be found out", "Edit and send"),
        ("too-large", "larger than v0 accepts", "Edit and send"),
    ],
)
def test_a_failure_says_what_happened_and_what_to_do(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, problem: str, words: str, action: str
) -> None:
    chat = chat_of(owner, "A page about tea & cake", state="failed", problem=problem)
    page = client_of(owner).get(f"/chats/{chat.id}/").content.decode()
    assert words in page
    assert action in page
    assert ("Try again" in page) == (action == "Try again")
    asked = chat.messages.get(role="user")
    way = f"/?chat={chat.id}&ask={asked.id}"
    assert (way.replace("&", "&amp;") in page) == ("new chat" in action)
    assert "A page about tea &amp; cake</textarea>" in client_of(owner).get(way).content.decode()
    edited = client_of(owner).get(f"/chats/{chat.id}/?edit={asked.id}").content.decode()
    assert "A page about tea &amp; cake</textarea>" in edited


def test_a_rate_limit_names_its_end_in_the_message_and_at_the_button(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner, state="failed", problem="rate-limit", again_at=WHEN)
    page = client_of(owner).get(f"/chats/{chat.id}/").content.decode()
    assert 'data-until="2026-01-02T03:04:05.000Z">after 2026-01-02 03:04:05 UTC</time>' in page
    assert 'data-not-before="2026-01-02T03:04:05.000Z"' in page


def test_an_answer_that_was_cut_can_be_continued_until_the_chat_goes_on(
    client_of: ClientOf,
    chat_of: ChatOf,
    add_turn: AddTurn,
    owner: Person,
    mate: Person,
    team: Team,
) -> None:
    chat = chat_of(owner, finish_reason="length", privacy="team", team=team)
    cut = chat.messages.get(role="assistant")
    client, path = client_of(owner), f"/chats/{chat.id}/own/"
    button = 'name="message" value="Continue"'
    assert button in client.get(path).content.decode()
    assert button in client.get(f"/chats/{chat.id}/").content.decode()
    assert button not in client_of(mate).get(path).content.decode()
    add_turn(chat, "Go on")
    fragment = client.get(path).content.decode()
    assert button not in fragment
    assert f'<div id="m{cut.id}-own"></div>' in fragment


def test_continue_is_an_ordinary_message_that_is_sent_once(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner, finish_reason="length")
    client = client_of(owner)
    page = client.get(f"/chats/{chat.id}/own/").content.decode()
    token = page.split('name="token" value="')[1].split('"')[0]
    for _ in range(2):
        answer = client.post(f"/chats/{chat.id}/messages/", {"message": "Continue", "token": token})
        assert answer.status_code == 303
    asked = Message.objects.filter(chat=chat, role="user", text="Continue")
    assert asked.count() == 1


def test_trying_again_keeps_the_model_that_was_asked_for(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    payload = {"message": "Hello", "model": "v0-mini", "system": "Briefly."}
    answer = intents.send(owner, uuid4(), payload, chat)
    Message.objects.filter(position__gte=answer.position - 1, chat=chat).update(
        state="failed", problem="unsent"
    )
    fields = {"run": str(answer.id), "token": str(uuid4())}
    assert client_of(owner).post(f"/chats/{chat.id}/again/", fields).status_code == 303
    latest = Message.objects.get(chat=chat, position=answer.position + 2)
    assert latest.intent.payload == payload


def test_what_was_asked_in_a_hidden_chat_is_nobody_elses_to_take_along(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner, "A secret page", state="failed", problem="gone")
    asked = chat.messages.get(role="user")
    page = client_of(stranger).get(f"/?chat={chat.id}&ask={asked.id}")
    assert page.status_code == 200
    assert "A secret page" not in page.content.decode()


@pytest.mark.parametrize(
    ("problem", "word", "for_staff"),
    [
        ("unauthorized", "Ask your administrator to check the key.", "V0_API_KEY"),
        ("credits", "Ask your administrator to add credits.", "v0.app/chat/settings/billing"),
    ],
)
def test_who_can_put_it_right_is_told_where(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, problem: str, word: str, for_staff: str
) -> None:
    chat = chat_of(owner, state="failed", problem=problem)
    page = client_of(owner).get(f"/chats/{chat.id}/").content.decode()
    assert (word in page, for_staff in page) == (True, False)
    Person.objects.update(is_staff=True)
    page = client_of(owner).get(f"/chats/{chat.id}/").content.decode()
    assert (word in page, for_staff in page) == (False, True)


@pytest.mark.parametrize(
    ("closed", "words", "action"),
    [
        ({"at_v0": "gone"}, "was deleted at v0", "Start a new chat"),
        ({"at_v0": "old"}, "older version of v0", "Start a new chat"),
        ({"write_permission": False}, "v0 does not take messages", "Duplicate</a>"),
    ],
)
def test_a_chat_that_v0_closed_says_why_and_loses_nothing_that_is_typed(
    client_of: ClientOf,
    chat_of: ChatOf,
    owner: Person,
    closed: dict[str, object],
    words: str,
    action: str,
) -> None:
    chat = chat_of(owner, "A page about tea", state="failed", problem="unsent")
    Chat.objects.filter(id=chat.id).update(**closed)
    client, path = client_of(owner), f"/chats/{chat.id}/"
    for place in (path, f"{path}own/"):
        page = client.get(place).content.decode()
        assert words in page
        assert action in page
        assert "Ask this in a new chat" in page
        assert "Try again" not in page
    fields = {"message": "What was being typed", "token": str(uuid4())}
    refused = client.post(f"{path}messages/", fields)
    page = refused.content.decode()
    assert refused.status_code == 403
    assert "What was being typed</textarea>" in page
    assert 'data-composer="new"' in page
    assert client.get(f"{path}actions/").status_code == 200


def test_a_filtered_answer_offers_to_ask_with_other_words(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner, "A page about tea", finish_reason="content-filter")
    page = client_of(owner).get(f"/chats/{chat.id}/").content.decode()
    assert "content filter" in page
    assert "Edit and ask again" in page
    edit = f"/chats/{chat.id}/?edit={chat.messages.get(role='user').id}"
    assert f'href="{edit}"' in page
    assert "A page about tea</textarea>" in client_of(owner).get(edit).content.decode()
