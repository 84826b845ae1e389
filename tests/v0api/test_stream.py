"""Frames that are events and frames that are none, and what events add up to."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chats.sandbox.diff import diff
from chats.v0api import stream, wire
from chats.v0api.errors import DeltaError, StreamError, V0Error
from chats.v0api.stream import (
    ChatEvent,
    ErrorEvent,
    Fold,
    MessageEvent,
    PartsEvent,
    TitleEvent,
    UnknownEvent,
    UsageEvent,
    fold,
    parse,
)
from chats.v0api.types import Number

CHAT = {
    "id": "chat_1",
    "title": "A page",
    "privacy": "private",
    "createdAt": "2026-08-21T10:00:00.000Z",
    "authorId": "user_1",
    "metadata": {"ours": "1"},
    "writePermission": True,
}
USAGE = {
    "tokens": {"input": 1, "output": 42, "cacheRead": 0, "cacheWrite": 0, "total": 43},
    "creditsCost": {"input": 0.1, "output": 0.2, "cacheRead": 0, "cacheWrite": 0, "total": 0.3},
}


def message(parts: list[Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "object": "message",
        "id": "msg_1",
        "chatId": "chat_1",
        "role": "assistant",
        "content": "",
        "parts": parts,
        "finishReason": reason,
        "restorable": False,
        "authorId": None,
        "usage": USAGE,
        **more,
    }


def chunk(delta: Any, id: str = "msg_1") -> dict[str, Any]:
    return {"object": "message.parts.chunk", "id": id, "delta": delta}


def folded(*frames: dict[str, Any], state: Fold | None = None) -> Fold:
    state = state or Fold()
    for frame in frames:
        state = fold(state, parse(json.dumps(frame)))
    return state


def first(text: str = "a") -> dict[str, Any]:
    return chunk({"_t": "a", "0": [{"type": "text", "text": text}]})


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"object": "chat", **CHAT}, ChatEvent),
        ({"object": "chat.title", "id": "chat_1", "delta": "A"}, TitleEvent),
        (message([]), MessageEvent),
        (chunk({}), PartsEvent),
        ({"object": "message.parts.chunk", "id": "msg_1"}, PartsEvent),
        ({"object": "message.usage", "id": "msg_1", "usage": USAGE}, UsageEvent),
        ({"object": "error", "id": "msg_1", "message": "no", "code": "x"}, ErrorEvent),
        ({"object": "error"}, ErrorEvent),
        ({"object": "message.new-thing", "id": 1}, UnknownEvent),
        ({"type": "connected"}, UnknownEvent),
        ({"event": "chat", **CHAT}, ChatEvent),
        ({"object": "chat", "event": "other", **CHAT}, ChatEvent),
    ],
    ids=str,
)
def test_a_frame_is_the_event_that_it_says(frame: dict[str, Any], kind: type) -> None:
    assert type(parse(json.dumps(frame))) is kind


def test_an_unknown_event_keeps_everything() -> None:
    frame = {"object": "message.sound", "id": "s", "volume": 11}

    assert parse(json.dumps(frame)) == UnknownEvent("message.sound", frame)


def test_money_is_read_digit_for_digit() -> None:
    text = (
        '{"object":"message.usage","id":"m","usage":{"tokens":{"total":12},'
        '"creditsCost":{"input":0.1000000000000000000001,"output":1e-12,"total":3}}}'
    )

    event = parse(text)

    assert isinstance(event, UsageEvent)
    assert event.usage.credits.input == Decimal("0.1000000000000000000001")
    assert event.usage.credits.output == Decimal("1e-12")
    assert event.usage.credits.total == 3
    assert event.usage.tokens.total == 12


ABSURD = (
    *("1e300", "1e308", "-1e200", "1" + "0" * 300, '"1e999999999"', "1e999", "-1.0e4000"),
    *("9" * 5000, "NaN", "-Infinity", '"NaN"', "null", "true", "[1]", '"many"'),
)


@pytest.mark.parametrize("number", ABSURD)
def test_absurd_amounts_count_as_none(number: str) -> None:
    event = parse(
        f'{{"object":"message.usage","id":"m","usage":{{"tokens":{{"total":{number}}},'
        f'"creditsCost":{{"total":{number}}}}}}}'
    )

    assert isinstance(event, UsageEvent)
    assert event.usage.tokens.total == event.usage.credits.total == 0
    assert not event.usage.is_priced


def test_what_is_no_number_is_null_and_hides_nothing_else() -> None:
    assert wire.loads("[NaN,-Infinity,1e999,%s,0.50,7]" % ("9" * 5000)) == [
        *(None, None, None, None),
        *(Number("0.50"), 7),
    ]


def nested_lists(depth: int) -> str:
    return f'{{"object":"x","a":{"[" * depth}1{"]" * depth}}}'


MALFORMED: dict[str, str] = {
    "nothing": "",
    "a space": " ",
    "[DONE]": "[DONE]",
    "words": "hello",
    "null": "null",
    "true": "true",
    "a number": "1",
    "a text": '"chat"',
    "a list": "[]",
    "a list of an event": '[{"object":"chat","id":"c"}]',
    "an empty object": "{}",
    "an object that is null": '{"object":null}',
    "an object that is a number": '{"object":1}',
    "an object that is a list": '{"object":["chat"]}',
    "an object that is empty": '{"object":""}',
    "only an id": '{"id":"c"}',
    "an open object": "{",
    "an open key": '{"object',
    "an open text": '{"object":"chat',
    "no end": '{"object":"chat","id":"c"',
    "no value": '{"object":}',
    "no colon": '{"object" "chat"}',
    "no comma": '{"object":"chat" "id":"c"}',
    "a comma too many": '{"object":"chat","id":"c",}',
    "two values": '{"object":"chat","id":"c"}{}',
    "rubbish after it": '{"object":"chat","id":"c"}x',
    "single quotes": "{'object':'chat','id':'c'}",
    "no quotes": "{object:1}",
    "a comment": '{"object":"chat",/**/"id":"c"}',
    "a BOM inside": '\ufeff{"object":"chat","id":"c"}',
    "a BOM in front of a key": '{\ufeff"object":"chat","id":"c"}',
    "a leading zero": '{"object":"x","a":01}',
    "a leading plus": '{"object":"x","a":+1}',
    "a bare point": '{"object":"x","a":.5}',
    "a trailing point": '{"object":"x","a":5.}',
    "hexadecimal": '{"object":"x","a":0x10}',
    "digits of another script": '{"object":"x","a":٣}',
    "an underscore": '{"object":"x","a":1_0}',
    "NUL in a text": '{"object":"x","a":"\0"}',
    "a line feed in a text": '{"object":"x","a":"\n"}',
    "a tab in a text": '{"object":"x","a":"\t"}',
    "an escape that is none": '{"object":"x","a":"\\x41"}',
    "an escape cut short": '{"object":"x","a":"\\u12"}',
    "an escape of other digits": '{"object":"x","a":"\\u12g4"}',
    "an escape with a sign": '{"object":"x","a":"\\u+123"}',
    "a backslash at the end": '{"object":"x","a":"\\',
    "True": '{"object":"x","a":True}',
    "undefined": '{"object":"x","a":undefined}',
    "lists nested deeply": '{"object":"x","a":%s}' % ("[" * 200 + "]" * 200),
    "lists nested without an end": "[" * 100_000,
    "objects nested without an end": '{"a":' * 100_000,
    "nested just too deeply": nested_lists(wire.DEPTH),
    "a chat without an id": '{"object":"chat"}',
    "a chat whose id is a number": '{"object":"chat","id":1}',
    "a chat whose id is empty": '{"object":"chat","id":""}',
    "a title without an id": '{"object":"chat.title","delta":"A"}',
    "a title without a title": '{"object":"chat.title","id":"c"}',
    "a title that is null": '{"object":"chat.title","id":"c","delta":null}',
    "a title that is a list": '{"object":"chat.title","id":"c","delta":["A"]}',
    "a message without an id": '{"object":"message","parts":[]}',
    "a message whose id is null": '{"object":"message","id":null}',
    "a message whose id is an object": '{"object":"message","id":{}}',
    "a chunk without an id": '{"object":"message.parts.chunk","delta":{}}',
    "a chunk whose id is true": '{"object":"message.parts.chunk","id":true,"delta":{}}',
    "a chunk whose id is empty": '{"object":"message.parts.chunk","id":"","delta":{}}',
    "usage without an id": '{"object":"message.usage","usage":{}}',
    "HTML": "<!doctype html><title>502</title>",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_a_frame_that_is_no_event_is_a_stream_error_and_nothing_else(data: str) -> None:
    with pytest.raises(StreamError) as caught:
        parse(data)

    assert caught.value.reason == "malformed"
    assert caught.value.__cause__ is None
    assert len(str(caught.value)) < 200


def test_there_are_enough_malformed_frames() -> None:
    assert len(MALFORMED) >= 60


ODD: dict[str, str] = {
    "parts that are no list": '{"object":"message","id":"m","parts":{"0":1}}',
    "parts of anything": '{"object":"message","id":"m","parts":[null,1,"x",[],{"type":5}]}',
    "usage of anything": '{"object":"message.usage","id":"m","usage":["x"]}',
    "a chat of anything": '{"object":"chat","id":"c","metadata":5,"title":{},"privacy":null}',
    "an error of anything": '{"object":"error","id":[],"message":{},"code":{"a":1}}',
    "a key twice": '{"object":"x","object":"chat","id":"c"}',
    "python's own names": '{"object":"__class__","__dict__":{},"__init__":"x"}',
    "nested as deeply as allowed": nested_lists(wire.DEPTH - 1),
    "many brackets in a text": '{"object":"x","a":"%s"}' % ("[{" * 1000),
    "an integer of 4,000 digits": '{"object":"x","a":%s}' % ("9" * 4000),
    "NUL and lone halves in names": '{"object":"\\u0000\\ud83d","id":"\\udc00"}',
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_odd_values_are_kept_and_harm_nothing(data: str) -> None:
    state = fold(Fold(), parse(data))

    json.dumps(state.parts)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["object", "id", "delta", "usage", "parts", "_t", "0"]) | st.text(),
                inner,
            )
        ),
        max_leaves=15,
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_an_event_or_our_error(value: Any) -> None:
    with suppress(V0Error):
        fold(Fold(), parse(json.dumps(value)))


@pytest.mark.parametrize(
    "delta", [5, "x", True, [1, 2, 3, 4], [{}], [[], {"a": 1}], {"_t": "b"}, [[], 0, 0]], ids=str
)
def test_a_delta_that_does_not_leave_a_list_is_refused(delta: Any) -> None:
    state = folded(first())

    with pytest.raises(DeltaError):
        folded(chunk(delta), state=state)


def test_a_send_stream_adds_up_to_its_closing_message() -> None:
    end = [{"type": "text", "text": "ab", "finishedAt": "t"}]

    state = folded(message([]), first(), chunk({"_t": "a", "0": {"text": ["a", "ab"]}}))
    assert (state.message_id, state.ended, state.message) == ("msg_1", False, None)

    state = folded(
        {"object": "message.usage", "id": "msg_1", "usage": {}},
        message(end, "stop", content="ab"),
        state=state,
    )

    assert state.parts == tuple(end)
    assert state.ended
    assert state.message is not None
    assert state.message.finish_reason == "stop"
    assert state.usage == state.message.usage
    assert state.usage.credits.total == Decimal("0.3")


def test_a_create_stream_ends_with_the_chat_a_second_time() -> None:
    chat = {"object": "chat", **CHAT, "title": ""}

    state = folded(chat, {"object": "chat.title", "id": "chat_1", "delta": "A pa"}, first())
    assert (state.title, state.message_id, state.ended) == ("A pa", "msg_1", False)

    state = folded(chat, state=state)
    assert (state.title, state.ended, state.message) == ("A pa", True, None)
    assert state.chat is not None
    assert state.chat.metadata == {"ours": "1"}


def test_an_error_event_ends_the_stream_and_keeps_what_was_said() -> None:
    state = folded(first("so far"), {"object": "error", "id": "chat_1", "message": "broken"})

    assert state.error == ErrorEvent("chat_1", "broken", "")
    assert state.ended
    assert state.parts[0]["text"] == "so far"


def test_what_another_message_says_is_ignored() -> None:
    state = folded(message([]), first())

    after = folded(
        chunk({"_t": "a", "0": {"text": ["", "foreign"]}}, "msg_2"),
        {"object": "message.usage", "id": "msg_2", "usage": USAGE},
        message([], "stop", id="msg_2"),
        message([], "stop", role="user"),
        state=state,
    )

    assert after.parts == state.parts
    assert (after.usage, after.message, after.ended) == (None, None, False)


def test_deltas_after_a_snapshot_apply_to_it() -> None:
    state = folded(
        first("a"),
        message([{"type": "thinking", "text": "x"}]),
        chunk({"_t": "a", "0": {"text": ["x", "xy"]}}),
    )

    assert state.parts == ({"type": "thinking", "text": "xy"},)


@pytest.mark.parametrize(
    ("delta", "changed"),
    [
        ({}, set()),
        ({"_t": "a", "1": {"text": ["b", "bb"]}}, {1}),
        ({"_t": "a", "1": {"text": ["b", "b"]}}, set()),
        ({"_t": "a", "2": [{"type": "bash"}]}, {2}),
        ({"_t": "a", "0": [{"type": "bash"}]}, {0, 1, 2}),
        ({"_t": "a", "_1": ["", 0, 0]}, {1}),
        ({"_t": "a", "_0": ["", 0, 0]}, {0, 1}),
        ({"_t": "a", "_0": ["", 1, 3]}, {0, 1}),
        ({"_t": "a", "0": {"dangerous": [1, True]}}, {0}),
    ],
    ids=str,
)
def test_changed_says_which_parts_differ(delta: Any, changed: set[int]) -> None:
    parts = [{"type": "text", "text": "a", "dangerous": 1}, {"type": "text", "text": "b"}]
    state = folded(message(parts))

    after = folded(chunk(delta), state=state)

    assert after.changed == changed
    for at, part in enumerate(after.parts):
        assert (at in changed) or part is state.parts[at]


def test_a_snapshot_that_says_the_same_changes_nothing_and_keeps_the_objects() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "bash", "command": "ls"}]
    state = folded(message(parts))

    after = folded(message([parts[0], {"type": "bash", "command": "pwd"}], "stop"), state=state)

    assert after.changed == {1}
    assert after.parts[0] is state.parts[0]


def test_a_title_changes_no_part() -> None:
    state = folded(first(), {"object": "chat.title", "id": "c", "delta": "A"})

    assert state.changed == frozenset()


def test_folding_leaves_the_old_state_alone() -> None:
    state = folded(message([{"type": "text", "text": "a"}]))
    before = {field.name: repr(getattr(state, field.name)) for field in fields(state)}

    folded(first("b"), chunk({"_t": "a", "1": ["x"]}), state=state)
    with pytest.raises(DeltaError):
        folded(chunk({"_t": "a", "7": {"text": ["", ""]}}), state=state)

    assert {field.name: repr(getattr(state, field.name)) for field in fields(state)} == before


def test_half_a_pair_is_never_seen_and_joins_its_other_half() -> None:
    state = folded(first("go \ud83d"))
    assert state.parts[0]["text"] == "go \ufffd"

    state = folded(chunk([[0, "text", "\ude80"], 9, 9]), state=state)
    assert state.parts[0]["text"] == "go 🚀"

    state = folded(chunk({"_t": "a", "0": {"text": ["", "go 🚀!"]}}), state=state)
    assert state.parts[0]["text"] == "go 🚀!"


def test_half_a_pair_in_a_snapshot_waits_too() -> None:
    state = folded(
        message([{"type": "text", "text": "\ud83d"}]), chunk([[0, "text", "\ude80"], 9, 9])
    )

    assert state.parts[0]["text"] == "🚀"


def test_nul_and_lone_halves_leave_in_no_place() -> None:
    frame = message(
        [{"type": "a\0", "\0": ["\udc00", {"k\ud83d": 1}]}],
        "stop",
        content="\0\ud83d",
        id="m\0",
    )

    state = folded({"object": "chat", **CHAT, "title": "\ud83d"}, frame)

    text = json.dumps([state.parts, state.title, state.message_id], ensure_ascii=False)
    text.encode()
    assert "\0" not in text
    assert state.message is not None
    assert state.message.content == "\ufffd\ufffd"
    assert state.parts == ({"type": "a\ufffd", "\ufffd": ["\ufffd", {"k\ufffd": 1}]},)


@given(st.lists(st.text(st.sampled_from("a\0\ud83d\ude80é🚀")), max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_however_text_is_cut_it_adds_up_to_the_whole(pieces: list[str]) -> None:
    state = folded(first(""))
    for piece in pieces:
        state = folded(chunk([[0, "text", piece], 9, 9]), state=state)
        json.dumps(state.parts, ensure_ascii=False).encode()

    whole = folded(first("".join(pieces)))
    assert state.parts == whole.parts


texts = st.text(st.sampled_from("ab \ud83d\ude80\0é"), max_size=8)
part = st.fixed_dictionaries({"type": st.sampled_from(["text", "bash"]), "text": texts})


@given(st.lists(st.lists(part, max_size=4), max_size=6), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_history_folds_to_what_was_said_last(history: list[list[Any]], identity: bool) -> None:
    state, said = folded(message([])), list[Any]()
    for parts in history:
        before, said = said, parts
        previous = state
        state = folded(chunk(diff(before, said, identity=identity)), state=state)
        expected = tuple(wire.repaired(part) for part in json.loads(json.dumps(said)))
        assert state.parts == expected
        pairs = enumerate(zip(previous.parts, state.parts, strict=False))
        assert {at for at, (old, new) in pairs if old != new} <= state.changed
        assert state.total == sum(wire.size(part) for part in state.parts)


def test_too_many_parts_are_refused() -> None:
    parts = [{"type": "text"}] * (stream.PARTS + 1)

    with pytest.raises(StreamError, match="too-large"):
        folded(message(parts))


def test_parts_that_grow_too_large_are_refused_whichever_way_they_grow() -> None:
    quarter = "x" * (stream.SIZE // 4)
    state = folded(first(quarter))
    state = folded(*(chunk([[0, "text", quarter], 9, 9]) for _ in range(2)), state=state)

    with pytest.raises(StreamError) as caught:
        folded(*(chunk([[0, "text", quarter], 9, 9]) for _ in range(2)), state=state)
    assert caught.value.reason == "too-large"
    with pytest.raises(StreamError):
        folded(*(chunk({"_t": "a", "0": [quarter]}) for _ in range(2)), state=state)
    assert folded(chunk({"_t": "a", "_0": ["", 0, 0]}), state=state).total == 0
