"""A plain client of the sandbox: HTTP as it is on the wire, streams as lists of events.

Owns `Client`, which knows one bearer key. Relies on httpx and on nothing of `chats.v0api`, so that
the sandbox is not judged by the client that it was made for.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

from tests.sandbox.applying import applied
from tests.sandbox_server import Sandbox

Json = Any
Event = dict[str, Json]


class Client:
    def __init__(self, sandbox: Sandbox, key: str | None = None) -> None:
        self.sandbox = sandbox
        self.key = key if key is not None else f"v1:team_test:{uuid.uuid4().hex}"
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        options: dict[str, Any] = {"trust_env": False, "verify": False, "timeout": 20}
        self.http = httpx.Client(base_url=sandbox.base_url, headers=headers, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.http.close()

    def get(self, path: str, **params: Json) -> httpx.Response:
        return self.http.get(path, params=params)

    def post(self, path: str, body: Json = None) -> httpx.Response:
        return self.http.post(path, json=body)

    def ledger(self) -> dict[str, Json]:
        return self.sandbox.ledger(self.key)

    @contextmanager
    def streaming(self, path: str, body: Json = None) -> Iterator[Iterator[Event]]:
        """The events of a stream as they arrive; leaving the block closes the connection."""
        with self.http.stream("POST", path, json=body) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield events(answer.iter_bytes())

    def events(self, path: str, body: Json = None) -> list[Event]:
        with self.streaming(path, body) as arriving:
            return list(arriving)

    def create(self, message: str, **fields: Json) -> list[Event]:
        return self.events("/chats/stream", {"message": message, **fields})

    def send(self, chat_id: str, message: str, **fields: Json) -> list[Event]:
        return self.events(f"/chats/{chat_id}/messages/stream", {"message": message, **fields})

    def new_chat(self, message: str = "Hello", **fields: Json) -> str:
        """The id of a chat whose first answer is over."""
        chat_id: str = self.create(message, **fields)[0]["id"]
        return chat_id

    def newest(self, chat_id: str) -> dict[str, Json]:
        message: dict[str, Json] = self.messages(chat_id)[0]
        return message

    def messages(self, chat_id: str) -> list[dict[str, Json]]:
        listed: list[dict[str, Json]] = self.get(f"/chats/{chat_id}/messages").json()["messages"]
        return listed

    def files(self, chat_id: str) -> dict[str, str]:
        listed = self.get(f"/chats/{chat_id}/files").json()["files"]
        return {item["path"]: item["content"] for item in listed}


def events(chunks: Iterator[bytes]) -> Iterator[Event]:
    rest = b""
    for chunk in chunks:
        *frames, rest = (rest + chunk).split(b"\n\n")
        for frame in frames:
            assert frame.startswith(b"data: "), frame
            yield json.loads(frame.removeprefix(b"data: "))
    assert rest == b""


def objects(stream: list[Event]) -> list[str]:
    """The kinds of events, with runs of the same kind taken together."""
    kinds = [event["object"] for event in stream]
    return [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind]


def folded(stream: list[Event]) -> list[Json]:
    """The parts that the chunks of a stream add up to."""
    parts: list[Json] = []
    for event in stream:
        if event["object"] == "message.parts.chunk":
            parts = applied(parts, event["delta"])
    return parts
