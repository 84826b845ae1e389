"""The events of one open stream, in batches: what arrived together is given together.

Owns reading and decoding the body of an answer that was accepted. Relies on `sse` and `stream`, and
on httpx for the bytes. A task of its own reads ahead by about AHEAD bytes, so that everything that
one read of the socket brought is handed out at once, however v0 cut it into HTTP chunks. Nothing is
sent from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self, cast

import httpcore
import httpx

from chats.v0api.errors import InDoubt, StreamError, V0Error
from chats.v0api.sse import LIMIT, Decoder
from chats.v0api.stream import Event, parse

AHEAD = 256 * 1024
BROKEN = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)


class EventStream:
    """`async for batch in stream` gives lists of events, never empty ones.

    The loop ends where the body ends. It raises InDoubt when there was no event at all, and
    StreamError; events before an error are given first. After StreamError("malformed") iterating
    again goes on with the next frame. `events` counts what was given; `incomplete`, known at the
    end, says that the last event was cut off and is lost.
    """

    def __init__(self, response: httpx.Response, *, line_limit: int = LIMIT) -> None:
        self.events = 0
        self.incomplete = False
        self._response = response
        self._decoder = Decoder(line_limit)
        self._frames: list[str] = []
        self._chunks: list[bytes] = []
        self._waiting = 0
        self._failure: V0Error | None = None
        self._ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def aclose(self) -> None:
        """Drops the connection; v0 goes on generating."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._response.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Event]:
        while not self._frames:
            await self._fetch()
        batch: list[Event] = []
        for at, frame in enumerate(self._frames):
            try:
                batch.append(parse(frame))
            except StreamError:
                self._frames = self._frames[at if batch else 1 :]
                if not batch:
                    raise
                break
        else:
            self._frames = []
        self.events += len(batch)
        return batch

    async def _fetch(self) -> None:
        """One step towards more frames. Raises what ended the stream when there are none left."""
        if self._decoder.failure:
            raise self._decoder.failure
        if not self._chunks and not self._ended:
            await self._news.wait()
        if self._chunks:
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._waiting = 0
            self._news.clear()
            self._room.set()
            self._frames = [event.data for event in self._decoder.feed(data) if event.data]
            return
        await self._reading
        if self._failure:
            raise self._failure
        self.incomplete = self._decoder.close()
        if not self.events:
            raise InDoubt("the stream ended before its first event", status=200)
        raise StopAsyncIteration

    async def _read(self) -> None:
        try:
            chunks = cast("AsyncGenerator[bytes]", self._response.aiter_raw())
            async with aclosing(chunks):
                async for chunk in chunks:
                    self._chunks.append(chunk)
                    self._waiting += len(chunk)
                    self._news.set()
                    if self._waiting >= AHEAD:
                        self._room.clear()
                        await self._room.wait()
        except httpcore.ReadTimeout:
            self._failure = StreamError("silence", "nothing came for too long")
        except BROKEN as error:
            self._failure = StreamError("cut", type(error).__name__)
        finally:
            self._ended = True
            self._news.set()
