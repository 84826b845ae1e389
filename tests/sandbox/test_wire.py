"""The spelling of the wire: exact decimals, surrogates, frames, times, ids, and what is charged."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.sandbox import rates, wire
from chats.sandbox.database import packed
from chats.v0api.types import Usage


@pytest.mark.parametrize("digits", ["0.000000123", "14.2060", "0.1", "100", "0"])
def test_a_decimal_is_written_digit_for_digit(digits: str) -> None:
    assert wire.dumps({"cost": [Decimal(digits)]}) == f'{{"cost":[{digits}]}}'


def test_a_lone_surrogate_is_escaped_and_a_whole_character_is_not() -> None:
    assert wire.dumps("a\ud83d") == '"a\\ud83d"'
    assert wire.dumps("a😀\u2028") == '"a😀\u2028"'
    assert wire.frame({"text": "\ud83d\u0000"}) == b'data: {"text":"\\ud83d\\u0000"}\n\n'


@given(st.text())
def test_stored_text_is_ascii_and_comes_back(text: str) -> None:
    stored = packed({text: [text, None, True]})
    assert stored.isascii()
    assert wire.loads(stored) == {text: [text, None, True]}


def test_a_frame_is_one_line_whatever_the_text() -> None:
    frame = wire.frame({"text": "a\nb\r\nc"})
    assert frame.endswith(b"\n\n")
    assert frame.count(b"\n") == 2
    assert b"\r" not in frame


def test_times_end_with_z_and_have_milliseconds() -> None:
    now = wire.now()
    assert wire.timestamp(wire.moment(now)) == now
    assert len(now) == len("2026-08-21T10:00:00.000Z")
    assert now.endswith("Z")


def test_ids_are_as_long_as_asked_and_differ() -> None:
    ids = {wire.new_id(11) for _ in range(100)}
    assert len(ids) == 100
    assert all(len(id) == 11 and id.isalnum() and id.isascii() for id in ids)


def test_credits_follow_the_table_of_rates_exactly() -> None:
    tokens = rates.Tokens(input=13, output=568, cache_read=7, cache_write=3_400)
    usage = rates.usage("v0-mini", tokens)["creditsCost"]
    assert usage == {
        "input": Decimal("0.0000026"),
        "output": Decimal("0.0006816"),
        "cacheRead": Decimal("0.00000014"),
        "cacheWrite": Decimal("0.00085"),
        "total": Decimal("0.00153434"),
    }


@pytest.mark.parametrize("model", rates.RATES)
def test_the_client_reads_the_credits_that_were_written(model: str) -> None:
    usage = rates.usage(model, rates.Tokens(1, 2, 3, 4))
    text = wire.dumps(usage)
    assert "e" not in text.partition("creditsCost")[2].replace("cacheRead", "").replace(
        "cacheWrite", ""
    )
    read = Usage.from_wire(json.loads(text, parse_float=Decimal))
    assert read.credits.total == usage["creditsCost"]["total"]
    assert read.credits.total == (
        read.credits.input
        + read.credits.output
        + read.credits.cache_read
        + read.credits.cache_write
    )
    assert read.tokens.total == 10


def test_a_later_turn_reads_from_the_cache_what_an_earlier_one_wrote() -> None:
    first = rates.counted("question", [], [])
    later = rates.counted("again", ["a" * 40, "b" * 80, "c" * 40, "d" * 80], [])
    assert (first.cache_read, first.cache_write) == (0, rates.PREAMBLE_TOKENS)
    assert (later.cache_read, later.cache_write) == (rates.PREAMBLE_TOKENS + 30, 30)
