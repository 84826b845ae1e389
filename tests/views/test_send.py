"""`POST /chats/<uuid>/messages/` and `…/again/`: a further message, at most once for each token."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from chats.models import Chat, Intent, Message, Person, Queued, Team
from tests.views.conftest import AddTurn, ChatOf, ClientOf

TEXT = "Make it dark"


@pytest.fixture
def client(client_of: ClientOf, owner: Person) -> Client:
    return client_of(owner)


def send(client: Client, chat: Chat, text: str = TEXT, token: str | None = None, **extra: str):  # type: ignore[no-untyped-def]
    form = {"message": text, "token": token or str(uuid4()), **extra}
    return client.post(f"/chats/{chat.id}/messages/", form)


def again(client: Client, chat: Chat, answer: Message | None, token: str | None = None):  # type: ignore[no-untyped-def]
    run = str(answer.id) if answer else str(uuid4())
    return client.post(f"/chats/{chat.id}/again/", {"run": run, "token": token or str(uuid4())})


def test_who_may_send(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, stranger: Person, team: Team
) -> None:
    private = chat_of(owner)
    of_team = chat_of(owner, privacy="team", team=team)
    to_edit = chat_of(owner, privacy="team-edit", team=team)
    public = chat_of(owner, privacy="public")
    assert send(client_of(mate), to_edit).status_code == 303
    assert send(client_of(mate), of_team).status_code == 403
    assert send(client_of(mate), private).status_code == 404
    assert send(client_of(stranger), private).status_code == 404
    assert send(client_of(stranger), public).status_code == 403
    assert send(client_of(None), private).status_code == 404
    assert Intent.objects.count() == 1


def test_writes_two_messages_and_an_intent_and_raises_the_version(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    response = send(client, chat, "one\r\ntwo\rthree \n")
    assert response.status_code == 303
    assert response["Location"] == f"/chats/{chat.id}/"
    asked, answer = chat.messages.filter(position__gt=2)
    assert (asked.position, asked.role, asked.state, asked.text, asked.author) == (
        3,
        "user",
        "sending",
        "one\ntwo\nthree",
        owner,
    )
    assert (answer.position, answer.role, answer.state) == (4, "assistant", "sending")
    intent = Intent.objects.get()
    assert (intent.kind, intent.message, intent.answer) == ("send", asked, answer)
    version, updated = Chat.objects.values_list("version", "updated_at").get()
    assert version == 2
    assert updated > chat.updated_at


def test_a_chat_that_v0_never_took_is_created_by_its_next_message(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner, state="failed", problem="invalid")
    Chat.objects.update(v0_id=None)
    send(client, chat)
    assert Intent.objects.get().kind == "create"


def test_the_same_form_twice_is_one_message(client: Client, chat_of: ChatOf, owner: Person) -> None:
    chat, token = chat_of(owner), str(uuid4())
    assert [send(client, chat, token=token).status_code for _ in range(3)] == [303] * 3
    assert chat.messages.count() == 4
    assert Intent.objects.count() == 1


def test_the_same_form_after_the_answer_is_still_one_message(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    chat, token = chat_of(owner), str(uuid4())
    send(client, chat, token=token)
    chat.messages.update(state="finished")
    assert send(client, chat, token=token).status_code == 303
    assert chat.messages.count() == 4


def test_the_same_token_with_other_text_or_in_another_chat_is_refused(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    chat, other, token = chat_of(owner), chat_of(owner), str(uuid4())
    send(client, chat, token=token)
    chat.messages.update(state="finished")
    response = send(client, chat, "Make it light", token=token)
    assert response.status_code == 409
    assert ">Make it light</textarea>" in response.content.decode()
    assert str(response.context["token"]) != token
    assert send(client, other, token=token).status_code == 409
    assert Intent.objects.count() == 1


@pytest.mark.parametrize("state", ["sending", "checking", "streaming"])
def test_while_an_answer_runs_a_message_waits(
    client: Client, chat_of: ChatOf, owner: Person, state: str
) -> None:
    chat, token = chat_of(owner, state=state), str(uuid4())
    for _ in range(2):
        assert send(client, chat, token=token).status_code == 303
    row = Queued.objects.get()
    assert (row.chat, row.person, row.text, row.position) == (chat, owner, TEXT, 1)
    assert (chat.messages.count(), Intent.objects.count()) == (2, 0)
    assert Chat.objects.get().version == 2


@pytest.mark.parametrize("text", ["", " ", "\r\n", "\0"], ids=repr)
def test_nothing_to_say_is_said(client: Client, chat_of: ChatOf, owner: Person, text: str) -> None:
    chat = chat_of(owner)
    response = send(client, chat, text)
    assert response.status_code == 422
    assert "Write something first." in response.content.decode()
    assert chat.messages.count() == 2


def test_htmx_gets_a_fresh_composer_without_the_textarea(
    client: Client, htmx: Callable[[Client], Client], chat_of: ChatOf, owner: Person
) -> None:
    chat, token = chat_of(owner), str(uuid4())
    response = send(htmx(client), chat, token=token)
    fragment = response.content.decode()
    assert response.status_code == 200
    assert 'data-mode="running"' in fragment
    assert 'id="token"' in fragment
    assert token not in fragment
    assert "<textarea" not in fragment


def test_htmx_gets_a_refusal_in_words(
    client: Client, htmx: Callable[[Client], Client], chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    Intent.objects.create(token=uuid4(), person=owner, chat=chat, kind="duplicate")
    response = send(htmx(client), chat)
    fragment = response.content.decode()
    assert response.status_code == 409
    assert "This chat is not all here yet" in fragment
    assert 'id="refusal"' in fragment
    assert "<textarea" not in fragment
    assert TEXT not in fragment


def test_messages_are_only_posted(client: Client, chat_of: ChatOf, owner: Person) -> None:
    assert client.get(f"/chats/{chat_of(owner).id}/messages/").status_code == 405


SAFE = ["unsent", "refused", "unauthorized", "credits", "conflict", "rate-limit"]


@pytest.mark.parametrize("problem", SAFE)
def test_what_failed_safely_is_sent_again_as_a_new_message(
    client: Client, chat_of: ChatOf, owner: Person, problem: str
) -> None:
    chat = chat_of(owner, "Hello", state="failed", problem=problem)
    answer = chat.messages.get(role="assistant")
    assert "Try again" in client.get(f"/chats/{chat.id}/").content.decode()
    token = str(uuid4())
    assert again(client, chat, answer, token).status_code == 303
    assert again(client, chat, answer, token).status_code == 303
    texts = chat.messages.filter(role="user").values_list("text", "state")
    assert list(texts) == [("Hello", "failed"), ("Hello", "sending")]
    assert Intent.objects.get().payload == {"message": "Hello"}


@pytest.mark.parametrize("problem", ["unknown", "upstream", "invalid", "too-large", "stuck", ""])
def test_what_may_have_been_taken_is_not_sent_again(
    client: Client, chat_of: ChatOf, owner: Person, problem: str
) -> None:
    chat = chat_of(owner, state="failed", problem=problem)
    answer = chat.messages.get(role="assistant")
    assert "Try again" not in client.get(f"/chats/{chat.id}/").content.decode()
    assert again(client, chat, answer).status_code == 303
    assert not Intent.objects.exists()


def test_a_chat_that_has_gone_on_is_not_sent_again(
    client: Client, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat = chat_of(owner, state="failed", problem="unsent")
    answer = chat.messages.get(role="assistant")
    add_turn(chat, "another")
    assert again(client, chat, answer).status_code == 303
    assert not Intent.objects.exists()


def test_an_answer_of_another_chat_is_not_found(
    client: Client, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner, state="failed", problem="unsent")
    other = chat_of(stranger, state="failed", problem="unsent")
    assert again(client, chat, other.messages.get(role="assistant")).status_code == 404
    assert again(client, chat, chat.messages.get(role="user")).status_code == 404
    assert again(client, chat, None).status_code == 404
    assert client.post(f"/chats/{chat.id}/again/").status_code == 404
    assert again(client, other, other.messages.get(role="assistant")).status_code == 404
    assert not Intent.objects.exists()
