"""Every scenario does what its line of help says, and its chunks add up to its message."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from chats.sandbox.agent import texts
from chats.sandbox.agent.scenarios import SCENARIOS
from tests.sandbox.asking import Client, folded

Json = Any


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_chunks_of_every_scenario_add_up_to_the_message(client: Client, name: str) -> None:
    chat_id = client.new_chat()
    stream = client.send(chat_id, f"scenario: {name} seconds=0 size=3000")
    message = client.newest(chat_id)
    assert folded(stream) == message["parts"]
    assert stream[-1] == {"object": "message", **message}
    assert message["finishReason"] is not None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("refusal", "stop"),
        ("length", "length"),
        ("content-filter", "content-filter"),
        ("error", "error"),
        ("empty", "stop"),
        ("failing-tool", "stop"),
    ],
)
def test_every_end_has_its_reason(client: Client, name: str, reason: str) -> None:
    assert client.newest(client.new_chat(f"scenario: {name}"))["finishReason"] == reason


def test_all_parts_has_every_type_operation_and_end(client: Client) -> None:
    parts = client.newest(client.new_chat("scenario: all-parts"))["parts"]
    types = {part["type"] for part in parts}
    assert types == {
        "text",
        "thinking",
        "file-read",
        "file-edit",
        "search",
        "bash",
        "tool-call",
        "agent-action",
        "hologram",
    }
    assert {part.get("operation") for part in parts if part["type"] == "file-edit"} == {
        "create",
        "update",
        "delete",
        "rename",
        "patch",
        "transmogrify",
    }
    assert {part["scope"] for part in parts if part["type"] == "search"} == {"repo", "web"}
    assert {part["status"] for part in parts if part["type"] == "tool-call"} == {"ok", "error"}
    assert any(part.get("isDangerous") for part in parts)


def test_all_parts_has_an_empty_delta(client: Client) -> None:
    deltas = [event.get("delta") for event in client.create("scenario: all-parts")]
    assert {} in deltas


def test_the_length_and_the_grain_of_a_long_answer_are_given(client: Client) -> None:
    fine = client.create("scenario: long size=5000 chunk=10")
    coarse = client.create("scenario: long size=5000 chunk=1000")
    for stream in (fine, coarse):
        assert len(client.newest(stream[0]["id"])["content"]) == 5000
    assert len(fine) > 500 > 40 > len(coarse)


def test_a_long_answer_has_every_kind_of_block() -> None:
    text = texts.long_markdown(random.Random(1), 30_000)
    assert len(text) == 30_000
    for mark in ("\n\n- ", "\n1. ", "\n| --- |", "```ts\n", "\n## Part 2"):
        assert mark in text
    assert max(len(block) for block in text.split("```")) > 4_000


def test_rewriting_is_told_in_both_styles(client: Client) -> None:
    changes = [
        (key, change)
        for event in client.create("scenario: rewrite")
        if event["object"] == "message.parts.chunk"
        for key, change in event["delta"].items()
    ]
    in_place = [change for _, change in changes if isinstance(change, dict)]
    listed = [(key, change) for key, change in changes if isinstance(change, list)]
    assert [change for _, change in listed if change[1:2] and change[-1] == 3], "moves"
    assert [key for key, change in listed if change[1:] == [0, 0]], "removals"
    assert [change for change in in_place if "type" in change], "part types changed in place"
    rewritten = [change["text"] for change in in_place if len(change.get("text", [])) == 2]
    assert [new for old, new in rewritten if not new.startswith(old)], "texts that are no growth"


def test_a_surrogate_pair_is_cut_in_two_on_the_wire(client: Client) -> None:
    answer = client.post("/chats/stream", {"message": "scenario: unicode"})
    assert b"\\ud83d" in answer.content
    assert b"\\u0000" in answer.content
    assert "\u2028".encode() in answer.content
    chat_id = json.loads(answer.content.partition(b"\n")[0][6:])["id"]
    assert client.newest(chat_id)["content"] == texts.UNICODE


def test_an_error_is_an_event_before_the_usage(client: Client) -> None:
    stream = client.create("scenario: error")
    assert [event["object"] for event in stream][-3:] == ["error", "message.usage", "chat"]
    assert stream[-3]["code"] == "model_overloaded"
    assert stream[-3]["id"] == stream[-2]["id"]


def test_the_first_byte_may_be_slow(client: Client) -> None:
    began = time.monotonic()
    with client.streaming(
        "/chats/stream", {"message": "scenario: slow-first-byte seconds=0.4"}
    ) as events:
        next(events)
        assert time.monotonic() - began >= 0.4


def test_an_answer_may_be_silent_in_its_middle(client: Client) -> None:
    gaps = []
    with client.streaming("/chats/stream", {"message": "scenario: silence seconds=0.5"}) as events:
        last = time.monotonic()
        for _ in events:
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
    assert max(gaps) >= 0.4
    assert gaps.index(max(gaps)) not in (0, len(gaps) - 1)


def test_a_silence_can_be_stopped(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": "scenario: silence seconds=600"}) as events:
        chat_id = next(events)["id"]
        message_id = client.newest(chat_id)["id"]
        assert client.post(f"/chats/{chat_id}/messages/{message_id}/stop").status_code == 200
        assert [event["object"] for event in events][-1] == "chat"


def test_many_parts_are_as_many_as_asked(client: Client) -> None:
    assert len(client.newest(client.new_chat("scenario: many-parts n=37"))["parts"]) == 37


def test_an_unknown_scenario_tells_which_there_are(client: Client) -> None:
    content = client.newest(client.new_chat("scenario: nonsense"))["content"]
    assert all(f"`{name}`" in content for name in SCENARIOS)


@pytest.mark.parametrize("option", ["chunk=many", "chunk=nan", "chunk=-5", "chunk=0", "chunk=inf"])
def test_an_option_that_makes_no_sense_is_borne(client: Client, option: str) -> None:
    chat_id = client.new_chat(f"scenario: long size=300 {option}")
    assert client.newest(chat_id)["finishReason"] == "stop"


def test_the_pace_of_one_answer_can_be_set_in_its_prompt(client: Client) -> None:
    began = time.monotonic()
    client.create("scenario: long size=240\npace: 0.5")
    assert time.monotonic() - began >= 0.25
