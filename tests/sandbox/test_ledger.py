"""The ledger tells exactly what was posted, stopped and charged, per chat, world and in all, and
only on this machine."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from chats.sandbox.app import application
from chats.sandbox.runs import Runs
from chats.sandbox.spec import Spec
from chats.sandbox.store import Store
from chats.sandbox.world import Sandbox
from tests.sandbox.asking import Client
from tests.sandbox_server import running_sandbox


def test_the_ledger_counts_per_chat_and_in_all(client: Client) -> None:
    first = client.new_chat("Build a page for a bakery")
    client.send(first, "Make it dark")
    second = client.new_chat("Hello")
    ledger = client.ledger()
    assert {name: ledger[name] for name in ("posts", "user_messages", "stops", "resolves")} == {
        "posts": 3,
        "user_messages": 3,
        "stops": 0,
        "resolves": 0,
    }
    assert (ledger["chats"][first]["posts"], ledger["chats"][second]["posts"]) == (2, 1)


def test_credits_are_the_exact_sum_of_what_messages_say(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    configuration = {"modelId": "v0-mini", "imageGenerations": False}
    client.send(chat_id, "Make it dark", modelConfiguration=configuration)
    text = client.get(f"/chats/{chat_id}/messages").text
    messages = json.loads(text, parse_float=Decimal)["messages"]
    total = sum(Decimal(item["usage"]["creditsCost"]["total"]) for item in messages)
    ledger = client.ledger()
    assert Decimal(ledger["credits"]) == total > 0
    assert ledger["chats"][chat_id]["credits"] == ledger["credits"]
    assert "E" not in ledger["credits"].upper()


def test_refused_posts_are_counted_and_free(client: Client) -> None:
    client.sandbox.fault(path="chats.createStream", kind="status", status=402, times=2)
    for _ in range(2):
        client.post("/chats/stream", {"message": "x"})
    client.post("/chats/stream", {"message": ""})
    ledger = client.ledger()
    assert (ledger["posts"], ledger["user_messages"], ledger["credits"]) == (3, 0, "0")
    assert ledger["chats"] == {}


def test_reading_resuming_and_stopping_are_no_charged_posts(client: Client) -> None:
    chat_id = client.new_chat()
    message_id = client.newest(chat_id)["id"]
    client.events(f"/chats/{chat_id}/resume")
    client.post(f"/chats/{chat_id}/messages/{message_id}/stop")
    client.get("/chats")
    assert client.ledger()["posts"] == 1


def test_without_a_key_the_ledger_covers_all_worlds(tmp_path: Path) -> None:
    with (
        running_sandbox(tmp_path / "s.sqlite3") as sandbox,
        Client(sandbox) as one,
        Client(sandbox) as other,
    ):
        one.new_chat()
        other.new_chat()
        other.new_chat()
        assert (one.ledger()["posts"], other.ledger()["posts"]) == (1, 2)
        assert sandbox.ledger()["posts"] == 3
        assert len(sandbox.ledger()["chats"]) == 3


ROUTES = [
    ("GET", "/_sandbox/ledger"),
    ("GET", "/_sandbox/faults"),
    ("GET", "/_sandbox/deliveries"),
    ("PUT", "/_sandbox/plan"),
    ("PATCH", "/_sandbox/chats/x"),
    ("DELETE", "/_sandbox/chats/x"),
    ("POST", "/_sandbox/chats/x/messages"),
    ("PATCH", "/_sandbox/chats/x/messages/y"),
    ("DELETE", "/_sandbox/chats/x/messages/y"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    ("host", "is_here"), [("127.0.0.1", True), ("::1", True), ("192.0.2.7", False), ("", False)]
)
def test_only_this_machine_may_look(
    tmp_path: Path, method: str, path: str, host: str, is_here: bool
) -> None:
    store = Store(tmp_path / "s.sqlite3")
    app = application(Sandbox(Spec(), store, Runs(store), pace=0))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(host, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as asking:
            return await asking.request(method, path)

    assert (asyncio.run(ask()).status_code != 403) == is_here
    store.close()
