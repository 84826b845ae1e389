"""Chats to look at: rows as the relay leaves them, without a relay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chats.models import Chat, Entry, Message, Person, Team
from tests.app_server import prepared_database, running_app
from tests.relay.conftest import QUICK
from tests.sandbox_server import running_sandbox
from tests.world import World
from tests.world import world as owners_world

ClientOf: TypeAlias = Callable[[Person | None], Client]
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class ChatOf(Protocol):
    """`chat_of(owner, "Hello", state="finished")`: a chat with one question and its answer."""

    def __call__(
        self,
        owner: Person,
        text: str = ...,
        *,
        state: str = ...,
        privacy: str = ...,
        team: Team | None = ...,
        **answer: Any,
    ) -> Chat: ...


class AddTurn(Protocol):
    def __call__(self, chat: Chat, text: str, *, state: str = ..., **answer: Any) -> Message: ...


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shared_folder: Path) -> Iterator[World]:
    """The owner's world, for modules that look at what a running app serves."""
    folder = tmp_path_factory.mktemp("served")
    settings = {**QUICK, "V0_COMPARE_OPENED": "0.2"}
    with (
        running_sandbox(folder / "v0.sqlite3", pace=0) as sandbox,
        running_app(
            folder, sandbox, template=prepared_database(shared_folder), database=None, **settings
        ) as app,
        owners_world(app, sandbox) as served,
    ):
        yield served


@pytest.fixture
def add_turn() -> AddTurn:
    """A question at the end of a chat, and its answer, which is returned."""

    def add_turn(chat: Chat, text: str, *, state: str = "finished", **answer: Any) -> Message:
        position = chat.messages.count() + 1
        asked = state if state in ("sending", "checking", "failed") else "finished"
        Message.objects.create(
            chat=chat, position=position, role="user", state=asked, text=text, author=chat.owner
        )
        parts = [
            {
                "type": "text",
                "text": f"The answer to {text}",
                "startedAt": "2026-01-01T00:00:00Z",
                "finishedAt": "2026-01-01T00:00:01Z",
            }
        ]
        return Message.objects.create(
            chat=chat,
            position=position + 1,
            role="assistant",
            state=state,
            parts=[] if state in ("sending", "failed") else parts,
            **answer,
        )

    return add_turn


@pytest.fixture
def chat_of(add_turn: AddTurn) -> ChatOf:
    def chat_of(
        owner: Person,
        text: str = "Hello",
        *,
        state: str = "finished",
        privacy: str = "private",
        team: Team | None = None,
        **answer: Any,
    ) -> Chat:
        chat = Chat.objects.create(
            owner=owner, title=f"About {text}", v0_id=uuid4().hex, privacy=privacy, team=team
        )
        add_turn(chat, text, state=state, **answer)
        return chat

    return chat_of


@pytest.fixture
def cost_of() -> Callable[[Message], Entry]:
    """What an answer cost: 0.0421 credits and 12,345 tokens."""

    def cost_of(answer: Message) -> Entry:
        return Entry.objects.create(
            message_id=answer.id,
            chat=answer.chat,
            person=answer.chat.owner,
            model="v0-pro",
            tokens_input=9_210,
            tokens_output=3_135,
            tokens_total=12_345,
            credits_input=12_100_000_000,
            credits_output=30_000_000_000,
            credits_total=42_100_000_000,
        )

    return cost_of


@pytest.fixture
def htmx() -> Callable[[Client], Client]:
    """A client whose requests come from htmx."""

    def htmx(client: Client) -> Client:
        client.defaults["HTTP_HX_REQUEST"] = "true"
        return client

    return htmx


@contextmanager
def no_writes() -> Iterator[None]:
    with CaptureQueriesContext(connection) as queries:
        yield
    assert not [q["sql"] for q in queries if q["sql"].lstrip().upper().startswith(WRITES)]


def count_queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)
