"""One human action leads to at most one POST that costs credits, whatever v0 or the network does.

Each fault is played at the wire, for a new chat and for a further message. What the person is told
must be what is true at v0.
"""

from __future__ import annotations

import uuid

import pytest

from tests.sandbox_server import Sandbox
from tests.world import World

REFUSALS = [
    pytest.param(401, "unauthorized", id="401"),
    pytest.param(402, "credits", id="402"),
    pytest.param(403, "forbidden", id="403"),
    pytest.param(404, "gone", id="404"),
    pytest.param(409, "conflict", id="409"),
    pytest.param(413, "too-large", id="413"),
    pytest.param(422, "invalid", id="422"),
    pytest.param(429, "rate-limit", id="429"),
]
OPERATIONS = [
    pytest.param("chats.createStream", id="create"),
    pytest.param("messages.sendStream", id="send"),
]
DOUBTS = [
    pytest.param({"kind": "status", "status": 500}, id="500"),
    pytest.param({"kind": "status", "status": 503}, id="503"),
    pytest.param({"kind": "hang", "seconds": 6}, id="hang"),
    pytest.param({"kind": "reset", "bytes": None}, id="reset"),
    pytest.param({"kind": "close", "bytes": None}, id="close"),
    pytest.param({"kind": "redirect"}, id="redirect"),
]


def begin(world: World, operation: str, message: str) -> str:
    """The chat whose newest message goes through `operation`."""
    if operation == "chats.createStream":
        return world.ask(message)
    chat = world.ask("Make a page about tea")
    world.finished(chat)
    assert world.send(chat, message).status_code in (200, 303)
    return chat


def extra(world: World, operation: str) -> tuple[int, int]:
    """POSTs and user messages at v0, without those of the chat that `begin` made before."""
    before = 0 if operation == "chats.createStream" else 1
    ledger = world.ledger
    return ledger["posts"] - before, ledger["user_messages"] - before


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("status", "problem"), REFUSALS)
def test_a_refusal_is_said_and_nothing_is_sent_again(
    world: World, sandbox: Sandbox, operation: str, status: int, problem: str
) -> None:
    sandbox.fault(path=operation, kind="status", status=status, key=world.app.key)
    chat = begin(world, operation, "A page about <b>mountains</b>")
    answer = world.finished(chat)
    assert (answer["state"], answer["problem"]) == ("failed", problem)
    assert world.messages(chat, role="user")[-1]["state"] == "failed"
    assert extra(world, operation) == (1, 0)
    assert "A page about &lt;b&gt;mountains&lt;/b&gt;" in world.client.get(f"/chats/{chat}/").text


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_error_although_delivered_is_found_out(
    world: World, sandbox: Sandbox, operation: str
) -> None:
    sandbox.fault(path=operation, kind="status", status=402, when="after", key=world.app.key)
    chat = begin(world, operation, "A page about lakes")
    answer = world.finished(chat)
    assert answer["state"] == "finished"
    assert answer["parts"] == world.v0_answer(chat)["parts"]
    assert extra(world, operation) == (1, 1)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", DOUBTS)
def test_what_is_in_doubt_and_was_delivered_is_adopted(
    world: World, sandbox: Sandbox, operation: str, fault: dict[str, object]
) -> None:
    sandbox.fault(path=operation, when="after", key=world.app.key, **fault)
    chat = begin(world, operation, "A page about rivers")
    answer = world.finished(chat)
    assert answer["state"] == "finished"
    assert answer["parts"] == world.v0_answer(chat)["parts"]
    assert extra(world, operation) == (1, 1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_in_doubt_and_was_not_delivered_is_said_to_be_unknown(
    world: World, sandbox: Sandbox, operation: str
) -> None:
    sandbox.fault(path=operation, kind="status", status=500, key=world.app.key)
    chat = begin(world, operation, "A page about seas")
    world.until(chat, "checking")
    answer = world.finished(chat)
    assert (answer["state"], answer["problem"]) == ("failed", "unknown")
    assert extra(world, operation) == (1, 0)


def test_an_unreachable_v0_means_unsent_and_trying_again_is_safe(
    world: World, sandbox: Sandbox
) -> None:
    sandbox.stop()
    try:
        chat = world.ask("A page about clouds")
        answer = world.finished(chat)
        assert (answer["state"], answer["problem"]) == ("failed", "unsent")
    finally:
        sandbox.start()
    assert world.ledger["posts"] == 0
    again = world.post(f"/chats/{chat}/again/", run=answer_id(answer), token=str(uuid.uuid4()))
    assert again.status_code == 303, again.text
    assert world.finished(chat)["state"] == "finished"
    assert (world.ledger["posts"], world.ledger["user_messages"]) == (1, 1)


def test_the_same_form_twice_is_one_intent(world: World) -> None:
    token = str(uuid.uuid4())
    chat = world.ask("A page about moss", token=token)
    assert world.ask("A page about moss", token=token) == chat
    world.finished(chat)
    assert world.ledger["posts"] == 1


def test_the_same_form_with_other_words_is_refused_and_keeps_them(world: World) -> None:
    token = str(uuid.uuid4())
    chat = world.ask("A page about moss", token=token)
    refused = world.post("/chats/", message="A page about ferns", token=token)
    assert refused.status_code == 409
    assert "A page about ferns" in refused.text
    assert token not in refused.text
    world.finished(chat)
    assert world.ledger["posts"] == 1


def test_a_second_message_during_a_run_waits_and_a_stop_holds_it(world: World) -> None:
    chat = world.ask("scenario: long size=20000 pace=1")
    world.until(chat, "streaming")
    assert world.send(chat, "And a blue heading").status_code == 303
    world.stop(chat)
    world.finished(chat)
    assert "And a blue heading" in world.client.get(f"/chats/{chat}/queue/").text
    assert world.ledger["posts"] == 1


def answer_id(answer: dict[str, object]) -> str:
    return str(uuid.UUID(str(answer["id"])))
