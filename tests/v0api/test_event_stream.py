"""How the events of an accepted stream arrive, and how such a stream can end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from chats.v0api.client import Client
from chats.v0api.errors import StreamError, V0Error
from chats.v0api.requests import SendMessage
from chats.v0api.stream import Event, UnknownEvent
from chats.v0api.transport import Timeouts
from tests.v0api.wire_server import (
    END,
    Handler,
    Request,
    chunk,
    closes,
    frame,
    hangs,
    listening,
    pace,
    reset,
    serving,
    stream_head,
    until_it_stands_still,
)

pytestmark = pytest.mark.anyio

SEND = SendMessage(message="More")
QUICK = Timeouts(headers=0.2, between_bytes=0.2)


def client(url: str, **options: Any) -> Client:
    return Client(url, "some-key", **{"revision": "ga", "timeouts": QUICK, **options})


async def read(stream: Any) -> list[Event]:
    return [event async for batch in stream for event in batch]


async def send(v0: Client) -> list[Event]:
    async with v0.send_stream("c1", SEND) as stream:
        return await read(stream)


ONE = frame({"object": "one"})
TWO = frame({"object": "two"})


def serving_stream(*pieces: bytes, then: Handler) -> Handler:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head())
        for piece in pieces:
            writer.write(chunk(piece))
        await writer.drain()
        await then(request, writer)

    return handler


async def ends(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(END)
    await writer.drain()


async def resets_once_read(request: Request, writer: asyncio.StreamWriter) -> None:
    """RST throws away what the peer has not read yet, so it waits for what comes before it."""
    await request_read.wait()
    reset(writer)


request_read: asyncio.Event


async def consumed(v0: Client) -> tuple[list[str], V0Error | None, bool]:
    """Names of the events, the error that ended them, and whether the end was incomplete."""
    names: list[str] = []
    async with v0.send_stream("c1", SEND) as stream:
        try:
            async for batch in stream:
                names += [event.object for event in batch if isinstance(event, UnknownEvent)]
                request_read.set()
        except V0Error as error:
            return names, error, stream.incomplete
        return names, None, stream.incomplete


@pytest.mark.parametrize(
    ("pieces", "then", "names", "reason", "incomplete"),
    [
        pytest.param([ONE, TWO], ends, ["one", "two"], None, False, id="a clean end"),
        pytest.param([ONE, TWO[:9]], ends, ["one"], None, True, id="an end inside of an event"),
        pytest.param([ONE, b": pi"], ends, ["one"], None, False, id="an end inside of a comment"),
        pytest.param([ONE, TWO[:-1]], ends, ["one"], None, True, id="no blank line"),
        pytest.param([ONE], closes, ["one"], "cut", False, id="closed without the last chunk"),
        pytest.param([ONE, TWO[:9]], closes, ["one"], "cut", False, id="closed inside of an event"),
        pytest.param([ONE], resets_once_read, ["one"], "cut", False, id="reset"),
        pytest.param([ONE], hangs, ["one"], "silence", False, id="silence"),
        pytest.param([], hangs, [], "silence", False, id="silence from the start"),
        pytest.param([], closes, [], "cut", False, id="closed before an event"),
        pytest.param([ONE, b"x" * 200], hangs, ["one"], "too-long", False, id="a line too long"),
        pytest.param([ONE, b"data: {\n\n", TWO], ends, ["one"], "malformed", False, id="malformed"),
    ],
)
async def test_how_a_stream_ends(
    pieces: list[bytes], then: Handler, names: list[str], reason: str | None, incomplete: bool
) -> None:
    global request_read
    request_read = asyncio.Event()
    handler = serving_stream(*pieces, then=then)
    async with serving(handler) as server, client(server.url, line_limit=100) as v0:
        seen, error, cut_off = await consumed(v0)

        assert len(server.requests) == 1
    assert (seen, cut_off) == (names, incomplete)
    assert (error.reason if isinstance(error, StreamError) else error) == reason


async def test_reading_goes_on_after_a_malformed_frame() -> None:
    handler = serving_stream(ONE, b"data: {\n\n" + TWO + b"data: }\n\n" + ONE, then=ends)
    async with serving(handler) as server, client(server.url) as v0, v0.resume("c1") as stream:
        names, errors = [], 0
        while True:
            try:
                async for batch in stream:
                    names += [event.object for event in batch if isinstance(event, UnknownEvent)]
                break
            except StreamError:
                errors += 1

    assert (names, errors) == (["one", "two", "one"], 2)


async def test_pings_are_a_sign_of_life() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head())
        for _ in range(8):
            writer.write(chunk(b": ping\n\n"))
            await writer.drain()
            await pace(QUICK.between_bytes / 4)
        writer.write(chunk(ONE) + END)

    async with serving(handler) as server, client(server.url) as v0:
        assert len(await send(v0)) == 1


async def test_headers_and_silence_have_their_own_patience() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head())
        await writer.drain()
        await pace(0.4)
        writer.write(chunk(ONE) + END)

    patient = Timeouts(headers=0.2, between_bytes=5)
    async with serving(handler) as server, client(server.url, timeouts=patient) as v0:
        assert len(await send(v0)) == 1


async def test_a_reader_that_is_behind_holds_v0_back_and_loses_nothing() -> None:
    total = 3000
    sent = 0

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(stream_head())
        for number in range(total):
            writer.write(chunk(frame({"object": "x", "n": number, "pad": "x" * 10_000})))
            await writer.drain()
            sent = number
        writer.write(END)

    calm = Timeouts(between_bytes=20)
    async with (
        serving(handler) as server,
        client(server.url, timeouts=calm) as v0,
        v0.send_stream("c1", SEND) as stream,
    ):
        await until_it_stands_still(lambda: sent)
        assert sent < total - 1000
        events = await read(stream)

    numbers = [event.wire["n"] for event in events if isinstance(event, UnknownEvent)]
    assert numbers == list(range(total))


async def test_leaving_a_stream_closes_its_connection() -> None:
    closed = asyncio.Event()

    async def one_event(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(stream_head() + chunk(ONE))
        with suppress(ConnectionError):
            await reader.read()
        closed.set()
        writer.close()

    async with listening(one_event) as port, client(f"http://127.0.0.1:{port}/v2") as v0:
        async with v0.resume("c1") as stream:
            await anext(stream)
        await asyncio.wait_for(closed.wait(), 5)
