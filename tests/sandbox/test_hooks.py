"""Webhooks: what is kept of them, who is told of what, and that nobody waits for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.asking import Client
from tests.sandbox.listening import Listener, listening

Json = Any

EVENTS = [
    "chat.created",
    "chat.updated",
    "chat.deleted",
    "message.created",
    "message.updated",
    "message.finished",
]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def hook(client: Client, url: str, events: list[str], chat_id: str | None = None) -> Json:
    body = {"name": "Mine", "events": events, "url": url, "chatId": chat_id}
    answer = client.post("/hooks", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def settled(client: Client, is_settled: Callable[[list[Json]], bool]) -> list[Json]:
    """The log of deliveries, once it is as it should become."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        log = client.sandbox.deliveries(client.key)
        if is_settled(log):
            return log
    pytest.fail(f"the deliveries stay {log}")


def test_a_webhook_is_kept_changed_and_deleted(client: Client) -> None:
    made = hook(client, "https://a.example/hook", ["chat.created"])
    path = f"/hooks/{made['id']}"
    assert client.get(path).json() == made
    assert client.get("/hooks").json() == [{"id": made["id"], "name": "Mine"}]
    changed = client.http.patch(path, json={"name": "Yours", "events": ["message.finished"]}).json()
    assert changed == {**made, "name": "Yours", "events": ["message.finished"]}
    assert client.http.delete(path).json() == {"id": made["id"], "deleted": True}
    assert client.get(path).status_code == client.http.delete(path).status_code == 404
    assert client.get("/hooks").json() == []


def test_a_webhook_belongs_to_its_key_and_to_a_chat_that_is_there(client: Client) -> None:
    made = hook(client, "https://a.example/hook", [])
    with Client(client.sandbox) as other:
        assert other.get(f"/hooks/{made['id']}").status_code == 404
        assert other.get("/hooks").json() == []
    body = {"name": "Mine", "events": [], "url": "https://a.example/", "chatId": "nobody"}
    assert client.post("/hooks", body).status_code == 404
    assert client.post("/hooks", {**body, "chatId": None, "url": "ftp://a"}).status_code == 422


def test_the_life_of_a_chat_is_told_in_order(client: Client, listener: Listener) -> None:
    hook(client, listener.url, EVENTS)
    chat_id = client.new_chat("scenario: code")
    answer, question = client.messages(chat_id)
    client.http.delete(f"/chats/{chat_id}")
    told = [listener.next()]
    while told[-1]["event"] != "chat.deleted":
        told.append(listener.next())
    assert {item["chatId"] for item in told} == {chat_id}
    assert {item["object"] for item in told} == {"hook_event"}
    assert len({item["id"] for item in told}) == len(told)
    firsts = list(dict.fromkeys(item["event"] for item in told))
    assert firsts[:2] == ["chat.created", "message.created"]
    assert firsts[-2:] == ["message.finished", "chat.deleted"]
    created = [item["messageId"] for item in told if item["event"] == "message.created"]
    assert created == [question["id"], answer["id"]]
    finished = [item["messageId"] for item in told if item["event"] == "message.finished"]
    assert finished == [answer["id"]]


def test_a_webhook_hears_its_events_of_its_chat_alone(client: Client, listener: Listener) -> None:
    chat_id, other = client.new_chat(), client.new_chat()
    hook(client, listener.url, ["message.finished"], chat_id)
    client.send(other, "And?")
    client.send(chat_id, "And?")
    body = listener.next()
    assert (body["event"], body["chatId"]) == ("message.finished", chat_id)
    assert body["messageId"] == client.newest(chat_id)["id"]
    log = settled(client, lambda log: log[-1]["status"] == "success")
    assert [(item["tries"], item["code"]) for item in log] == [(1, 200)]


def test_what_fails_is_tried_once_more(client: Client, listener: Listener) -> None:
    listener.statuses = [500, 204, 500, 503]
    hook(client, listener.url, ["chat.created"])
    client.new_chat()
    client.new_chat()
    bodies = [listener.next() for _ in range(4)]
    assert bodies[0] == bodies[1]
    assert bodies[2] == bodies[3]
    log = settled(client, lambda log: log[-1]["status"] != "pending")
    assert [(item["status"], item["tries"], item["code"]) for item in log] == [
        ("success", 2, 204),
        ("error", 2, 503),
    ]


def test_nobody_waits_for_a_listener_that_is_silent(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook(client, f"http://127.0.0.1:{silent.getsockname()[1]}/", ["chat.created"])
        began = time.monotonic()
        client.new_chat()
        took = time.monotonic() - began
        log = settled(client, lambda log: log[-1]["status"] != "pending")
    assert took < 2
    assert (log[0]["status"], log[0]["tries"], log[0]["code"]) == ("error", 2, 0)


def test_only_this_machine_is_called(client: Client) -> None:
    for url in ("http://192.0.2.1/", "https://127.0.0.1:1/", "http://a.example/"):
        hook(client, url, ["chat.created"])
    client.new_chat()
    log = settled(client, lambda log: all(item["status"] != "pending" for item in log))
    assert [(item["status"], item["tries"]) for item in log] == [("skipped", 0)] * 3
