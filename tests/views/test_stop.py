"""`POST /chats/<uuid>/stop/`: a wish, written down once."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from chats.models import Chat, Person, Team
from tests.views.conftest import AddTurn, ChatOf, ClientOf


@pytest.fixture
def client(client_of: ClientOf, owner: Person) -> Client:
    return client_of(owner)


def stop(client: Client, chat: Chat, run: object = None):  # type: ignore[no-untyped-def]
    return client.post(f"/chats/{chat.id}/stop/", {} if run is None else {"run": str(run)})


def test_who_may_stop(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, stranger: Person, team: Team
) -> None:
    private = chat_of(owner, state="streaming")
    of_team = chat_of(owner, state="streaming", privacy="team", team=team)
    to_edit = chat_of(owner, state="streaming", privacy="team-edit", team=team)
    assert stop(client_of(mate), to_edit).status_code == 303
    assert stop(client_of(mate), of_team).status_code == 403
    assert stop(client_of(stranger), private).status_code == 404
    assert stop(client_of(None), private).status_code == 404
    asked = Chat.objects.filter(messages__stop_asked_at__isnull=False)
    assert list(asked) == [to_edit]


@pytest.mark.parametrize("state", ["sending", "checking", "streaming"])
def test_names_the_run_or_means_the_running_one(
    client: Client, chat_of: ChatOf, owner: Person, state: str
) -> None:
    for named in (True, False):
        chat = chat_of(owner, state=state)
        answer = chat.messages.get(role="assistant")
        response = stop(client, chat, answer.id if named else None)
        assert (response.status_code, response["Location"]) == (303, f"/chats/{chat.id}/")
        answer.refresh_from_db()
        chat.refresh_from_db()
        assert answer.stop_asked_by == owner
        assert (answer.state, chat.version) == (state, 2)


def test_the_first_wish_counts(
    client: Client, client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, team: Team
) -> None:
    chat = chat_of(owner, state="streaming", privacy="team-edit", team=team)
    stop(client_of(mate), chat)
    first = chat.messages.get(role="assistant")
    stop(client, chat)
    second = chat.messages.get(role="assistant")
    assert (second.stop_asked_by, second.stop_asked_at) == (mate, first.stop_asked_at)
    assert Chat.objects.get().version == 2


@pytest.mark.parametrize("state", ["stopped", "failed", "finished"])
def test_one_that_is_over_stays_as_it_is(
    client: Client, chat_of: ChatOf, owner: Person, state: str
) -> None:
    chat = chat_of(owner, state=state)
    answer = chat.messages.get(role="assistant")
    assert stop(client, chat, answer.id).status_code == 303
    assert stop(client, chat).status_code == 303
    answer.refresh_from_db()
    assert answer.stop_asked_at is None
    assert Chat.objects.get().version == 1


def test_an_old_run_does_not_stop_the_new_one(
    client: Client, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat = chat_of(owner)
    old = chat.messages.get(role="assistant")
    new = add_turn(chat, "more", state="streaming")
    assert stop(client, chat, old.id).status_code == 303
    new.refresh_from_db()
    assert new.stop_asked_at is None


def test_a_run_of_another_chat_is_not_found(
    client: Client, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    mine, theirs = chat_of(owner, state="streaming"), chat_of(stranger, state="streaming")
    also_mine = chat_of(owner, state="streaming")
    for run in (
        theirs.messages.get(role="assistant").id,
        also_mine.messages.get(role="assistant").id,
        mine.messages.get(role="user").id,
        uuid4(),
        "nonsense",
        "\0",
    ):
        assert stop(client, mine, run).status_code == 404
    assert not Chat.objects.filter(messages__stop_asked_at__isnull=False).exists()


def test_htmx_sees_at_once_that_it_is_stopping(
    client: Client, htmx: Callable[[Client], Client], chat_of: ChatOf, owner: Person
) -> None:
    response = stop(htmx(client), chat_of(owner, state="streaming"))
    fragment = response.content.decode()
    assert response.status_code == 200
    assert 'data-mode="stopping"' in fragment
    assert "Stopping…" in fragment


def test_reading_stops_nothing(client: Client, chat_of: ChatOf, owner: Person) -> None:
    assert client.get(f"/chats/{chat_of(owner, state='streaming').id}/stop/").status_code == 405
