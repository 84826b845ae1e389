"""When a message is final, the stored parts equal v0's own, character for character.

Each scenario and each fault of a stream is played through the app; the answer, its cost and its
state are compared with what v0 says itself.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox_server import Sandbox
from tests.world import World

SCENARIOS = [
    "all-parts",
    "long size=8000",
    "code",
    "table",
    "list",
    "markdown-hostile",
    "many-parts n=60",
    "rewrite",
    "failing-tool",
    "refusal",
    "length",
    "content-filter",
    "empty",
    "slow-first-byte seconds=1",
    "silence seconds=1",
]
FAULTS = [
    pytest.param({"kind": "reset", "bytes": 900}, id="reset early"),
    pytest.param({"kind": "reset", "bytes": 6000}, id="reset late"),
    pytest.param({"kind": "close", "bytes": 3000}, id="closed in the middle"),
    pytest.param({"kind": "close", "bytes": 3000, "complete": True}, id="closed in good order"),
    pytest.param({"kind": "stall", "bytes": 3000, "seconds": 4}, id="silent"),
    pytest.param({"kind": "malformed"}, id="malformed frame"),
    pytest.param({"kind": "unknown-object"}, id="unknown object"),
    pytest.param(
        {"kind": "wrong-delta", "delta": {"_t": "a", "7": {"text": ["a", "b"]}}}, id="bad delta"
    ),
    pytest.param({"kind": "lost-delta", "frame": 4}, id="lost delta"),
    pytest.param({"kind": "no-usage"}, id="no usage"),
    pytest.param({"kind": "no-closing"}, id="no closing snapshot"),
    pytest.param({"kind": "different-closing"}, id="another closing snapshot"),
    pytest.param({"kind": "wrong-content-type"}, id="wrong content type"),
]


def same_as_v0(world: World, chat: str) -> dict[str, object]:
    answer, truth = world.answer(chat), world.v0_answer(chat)
    assert answer["finish_reason"] == truth["finishReason"]
    assert answer["content"] == truth["content"]
    assert answer["parts"] == truth["parts"]
    credits = world.rows(
        "SELECT credits_total, tokens_total FROM chats_entry WHERE message_id = ?", answer["id"]
    )
    assert len(credits) == 1
    assert Decimal(credits[0]["credits_total"]).scaleb(-12) == Decimal(
        str(truth["usage"]["creditsCost"]["total"])
    )
    assert credits[0]["tokens_total"] == truth["usage"]["tokens"]["total"]
    user = world.messages(chat, role="user")[-1]
    listed = {
        item["id"]
        for item in world.at_v0(f"/chats/{world.chat(chat)['v0_id']}/messages")["messages"]
    }
    assert user["v0_id"] in listed
    return answer


def test_every_scenario_is_stored_as_v0_has_it(world: World) -> None:
    for scenario in SCENARIOS:
        chat = world.ask(f"Play this.\nscenario: {scenario}")
        assert world.finished(chat)["state"] == "finished", scenario
        same_as_v0(world, chat)
    assert world.ledger["posts"] == len(SCENARIOS)


def test_an_error_event_ends_as_failed_with_what_there_was(world: World) -> None:
    chat = world.ask("scenario: error")
    answer = world.finished(chat)
    assert (answer["state"], answer["problem"]) == ("failed", "upstream")
    assert answer["parts"] == world.v0_answer(chat)["parts"] != []
    assert answer["detail"]


def test_odd_characters_are_repaired_once_and_for_all(world: World) -> None:
    chat = world.ask("scenario: unicode")
    answer = world.finished(chat)
    text = "".join(str(part.get("text", "")) for part in answer["parts"])
    assert "\0" not in text
    assert text.encode()
    assert world.client.get(f"/chats/{chat}/").status_code == 200


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["chats.createStream", "messages.sendStream"])
def test_a_broken_stream_ends_as_v0_has_it(
    world: World, sandbox: Sandbox, operation: str, fault: dict[str, object]
) -> None:
    posts = 1
    chat = ""
    if operation == "messages.sendStream":
        chat = world.ask("A page about stones")
        world.finished(chat)
        posts = 2
    sandbox.fault(path=operation, key=world.app.key, **fault)
    message = "Go on.\nscenario: long size=6000 pace=0.05"
    if chat:
        assert world.send(chat, message).status_code == 303
    else:
        chat = world.ask(message)
    assert world.finished(chat)["state"] == "finished"
    same_as_v0(world, chat)
    assert world.ledger["posts"] == posts


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "status", "status": 404}, id="404"),
        pytest.param({"kind": "status", "status": 500}, id="500"),
        pytest.param({"kind": "reset", "bytes": 700}, id="reset"),
    ],
)
def test_a_resume_that_fails_is_tried_again(
    world: World, sandbox: Sandbox, fault: dict[str, object], times: int
) -> None:
    sandbox.fault(path="chats.createStream", kind="reset", bytes=2500, key=world.app.key)
    sandbox.fault(path="chats.resume", key=world.app.key, times=times, **fault)
    chat = world.ask("scenario: long size=9000 pace=0.2")
    assert world.finished(chat)["state"] == "finished"
    same_as_v0(world, chat)
    assert world.ledger["posts"] == 1


def test_v0s_title_is_taken_over(world: World) -> None:
    chat = world.ask("A page about honey")
    world.finished(chat)
    assert world.chat(chat)["title"] == world.at_v0(f"/chats/{world.chat(chat)['v0_id']}")["title"]
    assert world.chat(chat)["title"]
