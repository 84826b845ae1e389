"""The decoder against the WHATWG rules: every case, cut at every byte, with each line ending."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chats.v0api.errors import StreamError
from chats.v0api.sse import Decoder, ServerSentEvent


@dataclass(frozen=True)
class Case:
    """`text` has LF for line endings; the test puts others in their place."""

    text: bytes
    events: tuple[ServerSentEvent, ...]
    incomplete: bool = False


def event(
    data: str, event: str = "message", id: str = "", retry: int | None = None
) -> ServerSentEvent:
    return ServerSentEvent(data, event, id, retry)


CASES = {
    "one event": Case(b"data: a\n\n", (event("a"),)),
    "two events": Case(b"data: a\n\ndata: b\n\n", (event("a"), event("b"))),
    "data of several lines": Case(b"data: a\ndata: b\ndata:\n\n", (event("a\nb\n"),)),
    "no space after the colon": Case(b"data:a\n\n", (event("a"),)),
    "only one space is taken": Case(b"data:  a \n\n", (event(" a "),)),
    "a tab is no space": Case(b"data:\ta\n\n", (event("\ta"),)),
    "a field without a colon": Case(b"data\n\n", (event(""),)),
    "two empty lines of data": Case(b"data\ndata\n\n", (event("\n"),)),
    "a colon in the value": Case(b'data: {"a": "b:c"}\n\n', (event('{"a": "b:c"}'),)),
    "comments": Case(b": ping\n\n:\ndata: a\n: more\n\n", (event("a"),)),
    "a BOM at the start": Case(b"\xef\xbb\xbfdata: a\n\n", (event("a"),)),
    "a BOM alone on its line": Case(b"\xef\xbb\xbf\ndata: a\n\n", (event("a"),)),
    "a BOM later belongs to the name": Case(
        b"data: a\n\n\xef\xbb\xbfdata: b\n\n", (event("a"),), incomplete=False
    ),
    "two BOMs": Case(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", ()),
    "a BOM in the data": Case(b"data: \xef\xbb\xbfa\n\n", (event("\ufeffa"),)),
    "an event name": Case(b"event: add\ndata: a\n\ndata: b\n\n", (event("a", "add"), event("b"))),
    "an event name without data": Case(b"event: add\n\ndata: b\n\n", (event("b"),)),
    "an empty event name": Case(b"event: x\nevent:\ndata: a\n\n", (event("a"),)),
    "an id stays": Case(
        b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
        (event("a", id="1"), event("b", id="1"), event("c")),
    ),
    "an id with NUL is ignored": Case(b"id: 1\nid: a\x00b\ndata: a\n\n", (event("a", id="1"),)),
    "retry in digits": Case(b"retry: 3000\ndata: a\n\n", (event("a", retry=3000),)),
    "retry in other than digits": Case(b"retry: 3s\nretry: -1\ndata: a\n\n", (event("a"),)),
    "retry in foreign digits": Case("retry: ٣\ndata: a\n\n".encode(), (event("a"),)),
    "an unknown field": Case(b"color: red\ndata: a\n\n", (event("a"),)),
    "names are case-sensitive": Case(b"Data: a\n\n", ()),
    "a space before the name": Case(b" data: a\n\n", ()),
    "blank lines alone": Case(b"\n\n\n", ()),
    "NUL in the data": Case(b"data: a\x00b\n\n", (event("a\x00b"),)),
    "two, three and four bytes": Case("data: é€🚀\n\n".encode(), (event("é€🚀"),)),
    "U+2028, U+0085 and others end no line": Case(
        "data: a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\n\n".encode(),
        (event("a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg"),),
    ),
    "bytes that are no UTF-8": Case(
        b"data: a\xffb\xc3\ndata: \xe2\x82\n\n", (event("a\ufffdb\ufffd\n\ufffd"),)
    ),
    "a surrogate as bytes": Case(b"data: \xed\xa0\xbd\n\n", (event("\ufffd" * 3),)),
    "no blank line at the end": Case(b"data: a\n\ndata: b\n", (event("a"),), incomplete=True),
    "no line ending at the end": Case(b"data: a\n\ndata: b", (event("a"),), incomplete=True),
    "an unfinished comment at the end": Case(b"data: a\n\n: ping", (event("a"),)),
    "a finished comment at the end": Case(b"data: a\n\n: ping\n", (event("a"),)),
    "nothing": Case(b"", ()),
}
ENDINGS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}


def feed_all(decoder: Decoder, pieces: list[bytes]) -> None:
    for piece in pieces:
        decoder.feed(piece)


def decoded(*chunks: bytes) -> tuple[list[ServerSentEvent], bool]:
    decoder = Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events, decoder.close()


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_stream_means_the_same_wherever_it_is_cut(case: Case, ending: bytes) -> None:
    text = case.text.replace(b"\n", ending)
    expected = (list(case.events), case.incomplete)

    assert decoded(text) == expected
    assert decoded(*(bytes([byte]) for byte in text)) == expected
    for at in range(len(text) + 1):
        assert decoded(text[:at], b"", text[at:]) == expected


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_an_event_is_given_with_the_first_byte_of_its_last_line_ending(ending: bytes) -> None:
    decoder = Decoder()

    assert decoder.feed(b"data: a" + ending) == []
    assert decoder.feed(ending[:1]) == [event("a")]
    assert decoder.feed(ending[1:]) == []


@given(
    st.lists(st.sampled_from([b"data: x\n", b"\n", b"\r", b"\r\n", b": c\r", b"id: 7\n", b"da"])),
    st.lists(st.integers(0, 60)),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_cuts_never_change_mixed_line_endings(pieces: list[bytes], cuts: list[int]) -> None:
    text = b"".join(pieces)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [text[start:end] for start, end in pairwise(places)]

    assert decoded(*chunks) == decoded(text)


def test_a_line_at_the_limit_is_taken_and_one_above_it_is_not() -> None:
    assert Decoder(limit=10).feed(b"data: abcd\n\n") == [event("abcd")]
    with pytest.raises(StreamError, match="too-long"):
        Decoder(limit=10).feed(b"data: abcde\n\n")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"data: " + b"x" * 100, id="a line without an end"),
        pytest.param(b": " + b"x" * 100, id="a comment without an end"),
        pytest.param(b"data: x\n" * 100, id="an event without an end"),
        pytest.param(b"data\n" * 100, id="empty lines of data without an end"),
    ],
)
def test_nothing_grows_beyond_the_limit(text: bytes) -> None:
    for size in (1, 7, len(text)):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        with pytest.raises(StreamError) as caught:
            feed_all(Decoder(limit=64), pieces)
        assert caught.value.reason == "too-long"


def test_events_before_a_line_that_is_too_long_are_given_first() -> None:
    decoder = Decoder(limit=20)

    assert decoder.feed(b"data: a\n\ndata: " + b"x" * 50) == [event("a")]
    for _ in range(2):
        with pytest.raises(StreamError):
            decoder.feed(b"data: b\n\n")


def test_the_limit_is_sixteen_mebibytes() -> None:
    decoder = Decoder()
    piece = b"x" * 65536
    decoder.feed(b"data: ")
    for _ in range(255):
        decoder.feed(piece)

    [given] = decoder.feed(b"\n\n")

    assert len(given.data) == 255 * 65536
    with pytest.raises(StreamError):
        feed_all(decoder, [piece] * 257)


def test_a_huge_line_of_many_packets_costs_no_more_per_byte_than_a_small_one() -> None:
    def seconds(packets: int) -> float:
        decoder = Decoder()
        start = time.process_time()
        for _ in range(packets):
            decoder.feed(b"x" * 50)
        decoder.feed(b"\n\n")
        return time.process_time() - start

    small = min(seconds(10_000) for _ in range(3))
    large = min(seconds(100_000) for _ in range(3))

    assert large < 40 * small
