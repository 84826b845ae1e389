"""One person's dealings with a running app and the sandbox behind it.

Owns asking, waiting and looking: over HTTP as a page does it, in the app's database file as it is
stored, and at the sandbox as v0 tells it. Relies on both being processes of their own.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.app_server import AppServer, wait_until
from tests.sandbox_server import Sandbox

LIVE = ("sending", "checking", "streaming")


@dataclass
class World:
    """`client` is signed in as the person who asks."""

    app: AppServer
    sandbox: Sandbox
    client: httpx.Client
    before: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = self.sandbox.ledger(self.app.key)

    def ask(self, message: str, *, token: str = "") -> str:
        """A new chat; its uuid."""
        answer = self.post("/chats/", message=message, token=token or str(uuid.uuid4()))
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].strip("/").rpartition("/")[2]

    def send(self, chat: str, message: str, *, token: str = "") -> httpx.Response:
        token = token or str(uuid.uuid4())
        return self.post(f"/chats/{chat}/messages/", message=message, token=token)

    def stop(self, chat: str, **fields: str) -> httpx.Response:
        return self.post(f"/chats/{chat}/stop/", **fields)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.client.post(path, data=fields)

    def noted(self, event: str) -> list[dict[str, Any]]:
        """The details of every entry of the audit log about it."""
        rows = self.rows("SELECT details FROM chats_auditentry WHERE event = ? ORDER BY id", event)
        return [json.loads(row["details"]) for row in rows]

    def finished(self, chat: str, *, within: float = 30) -> dict[str, Any]:
        """The newest answer, once it has ended."""
        wait_until(lambda: self.state(chat) not in LIVE, within=within, what="the answer's end")
        return self.answer(chat)

    def until(self, chat: str, state: str, *, within: float = 20) -> dict[str, Any]:
        wait_until(lambda: self.state(chat) == state, within=within, what=state)
        return self.answer(chat)

    def growing(self, chat: str, characters: int = 1, *, within: float = 20) -> str:
        """The page, once its answer streams and shows at least that much."""
        page = ""

        def shows() -> bool:
            nonlocal page
            page = self.client.get(f"/chats/{chat}/").text
            return 'data-state="streaming"' in page and page.count("<p") >= characters

        wait_until(shows, within=within, what="an answer that streams")
        return page

    def state(self, chat: str) -> str:
        """That of the newest answer."""
        state: str = self.rows(
            "SELECT state FROM chats_message WHERE chat_id = ? AND role = 'assistant' "
            "ORDER BY position DESC LIMIT 1",
            uuid.UUID(chat).hex,
        )[0]["state"]
        return state

    def answer(self, chat: str) -> dict[str, Any]:
        return self.messages(chat, role="assistant")[-1]

    def messages(self, chat: str, *, role: str = "") -> list[dict[str, Any]]:
        rows = self.rows(
            "SELECT * FROM chats_message WHERE chat_id = ? ORDER BY position",
            uuid.UUID(chat).hex,
        )
        for row in rows:
            row["parts"] = json.loads(row["parts"])
        return [row for row in rows if not role or row["role"] == role]

    def chat(self, chat: str) -> dict[str, Any]:
        return self.rows("SELECT * FROM chats_chat WHERE id = ?", uuid.UUID(chat).hex)[0]

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.app.database, timeout=20)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    @property
    def ledger(self) -> dict[str, int]:
        """What has reached v0 since this world began: posts, user_messages, stops."""
        now = self.sandbox.ledger(self.app.key)
        return {name: now[name] - self.before[name] for name in ("posts", "user_messages", "stops")}

    def at_v0(self, path: str) -> Any:
        answer = httpx.get(
            f"{self.sandbox.base_url}{path}",
            headers={"Authorization": f"Bearer {self.app.key}"},
            trust_env=False,
            verify=False,  # Reading certificates would be most of the work.
        )
        answer.raise_for_status()
        return answer.json()

    def v0_answer(self, chat: str) -> dict[str, Any]:
        """v0's own GET of the newest answer."""
        v0_chat = self.chat(chat)["v0_id"]
        found: dict[str, Any] = self.at_v0(
            f"/chats/{v0_chat}/messages/{self.answer(chat)['v0_id']}"
        )
        return found


@contextmanager
def world(app: AppServer, sandbox: Sandbox, email: str = "owner@example.com") -> Iterator[World]:
    with app.client_of(email) as client:
        yield World(app, sandbox, client)
