"""Event streams: the order of events in each family, as frames of `text/event-stream`.

Owns what opens and closes a stream. Relies on a run for what comes between. One body message of
the server is one frame. A client that leaves ends its stream and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from chats.sandbox import wire
from chats.sandbox.runs import Reader, Run
from chats.sandbox.store import Store

Json = Any
Wire = dict[str, Json]

HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def _stream(events: AsyncIterator[Wire]) -> Response:
    return StreamingResponse(_frames(events), media_type="text/event-stream", headers=HEADERS)


async def _frames(events: AsyncIterator[Wire]) -> AsyncIterator[bytes]:
    async for event in events:
        yield wire.frame(event)


async def chat_stream(store: Store, run: Run, chat: Wire) -> Response:
    """`chat`, titles and chunks, usage, `chat`."""
    reader = run.reader()
    await asyncio.sleep(run.first_byte_after)
    return _stream(_chat_events(store, run, reader, chat))


def resumed_stream(store: Store, run: Run, chat: Wire, *, replay: bool) -> Response:
    """The same, with what there is already in one chunk, or with `replay` chunk by chunk."""
    return _stream(_chat_events(store, run, run.reader(), chat, replay=replay))


async def message_stream(run: Run) -> Response:
    """`message` with no parts, chunks, usage, `message` in full."""
    opening, reader = run.message, run.reader()
    await asyncio.sleep(run.first_byte_after)
    return _stream(_message_events(run, reader, opening))


async def _chat_events(
    store: Store, run: Run, reader: Reader, chat: Wire, *, replay: bool = False
) -> AsyncIterator[Wire]:
    yield {"object": "chat", **chat}
    async for event in _run_events(run, reader, replay=replay):
        yield event
    closing = store.chat(run.world, chat["id"]) or chat
    yield {"object": "chat", **closing}


async def _message_events(run: Run, reader: Reader, opening: Wire) -> AsyncIterator[Wire]:
    yield {"object": "message", **opening}
    async for event in _run_events(run, reader):
        if event["object"] != "chat.title":
            yield event
    yield {"object": "message", **run.message}


async def _run_events(run: Run, reader: Reader, *, replay: bool = False) -> AsyncIterator[Wire]:
    async for event in run.follow(reader, replay=replay):
        yield event
    if run.error is not None:
        yield {"object": "error", "id": run.message["id"], **run.error}
    yield {"object": "message.usage", "id": run.message["id"], "usage": run.message["usage"]}


def closing_chat(chat: Wire) -> Response:
    """What resuming gives when nothing runs."""
    return Response(
        wire.frame({"object": "chat", **chat}), media_type="text/event-stream", headers=HEADERS
    )
