"""A v0 that answers on the clock, and remembers when it said what.

Owns one answer of a given size in chunks at a given rate, each ending in a numbered word, so that a
reader can tell how old what it shows is. Relies on Starlette and uvicorn; knows just what one new
chat needs, and is no sandbox.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

NOW = "2026-01-01T00:00:00.000Z"
PARAGRAPH = 12
BLOCKS = ("", "- ", "## ", "", "1. ")


def chunks(size: int, length: int) -> list[str]:
    """Pieces of `length` characters that add up to `size`: paragraphs, headings and lists."""
    made = []
    for number in range(size // length):
        mark = f" w{number:06d}"
        end = "\n\n" if number % PARAGRAPH == PARAGRAPH - 1 else ""
        start = BLOCKS[number // PARAGRAPH % len(BLOCKS)] if number % PARAGRAPH == 0 else ""
        filling = "word " * length
        made.append(start + filling[: length - len(mark) - len(end) - len(start)] + mark + end)
    return made


class Upstream:
    """`said[n]` is the moment (monotonic) at which chunk n left; `rate` in chunks a second, 0 for
    as fast as it goes. Several events of one moment leave in one packet, as they do from v0."""

    def __init__(self, pieces: list[str], rate: float) -> None:
        self.pieces = pieces
        self.rate = rate
        self.said: dict[int, float] = {}
        self.text = ""
        self.go = asyncio.Event()

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v2/chats/stream", self.stream, methods=["POST"]),
                Route("/v2/chats/{chat}/messages", self.messages),
                Route("/v2/chats/{chat}/messages/{message}", self.message),
            ]
        )

    async def stream(self, request: Request) -> StreamingResponse:
        await request.body()
        return StreamingResponse(self.events(), media_type="text/event-stream")

    async def events(self) -> AsyncIterator[bytes]:
        yield event({"object": "chat", **self.chat()})
        await self.go.wait()
        yield self.delta([{"type": "text", "text": "", "startedAt": NOW}])
        start = time.monotonic()
        for number, piece in enumerate(self.pieces):
            if self.rate:
                await asyncio.sleep(max(0, start + number / self.rate - time.monotonic()))
            before, self.text = self.text, self.text + piece
            self.said[number] = time.monotonic()
            yield self.delta({"text": [before, self.text]})
        yield self.delta({"finishedAt": [NOW]})
        yield event({"object": "chat", **self.chat()})

    def delta(self, change: Any) -> bytes:
        delta = {"_t": "a", "0": change}
        return event({"object": "message.parts.chunk", "id": "message", "delta": delta})

    def chat(self) -> dict[str, Any]:
        return {
            "id": "chat", "title": "A long answer", "privacy": "private", "createdAt": NOW,
            "authorId": "user", "metadata": {}, "writePermission": True,
        }  # fmt: skip

    def answer(self) -> dict[str, Any]:
        kinds = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite", "total"), 0)
        part = {"type": "text", "text": self.text, "startedAt": NOW, "finishedAt": NOW}
        return {
            "id": "message", "chatId": "chat", "role": "assistant", "createdAt": NOW,
            "updatedAt": NOW, "content": "", "parts": [part], "finishReason": "stop",
            "restorable": False, "authorId": None,
            "usage": {"tokens": kinds, "creditsCost": kinds},
        }  # fmt: skip

    async def messages(self, request: Request) -> JSONResponse:
        return JSONResponse({"messages": [self.answer()], "cursor": None})

    async def message(self, request: Request) -> JSONResponse:
        return JSONResponse(self.answer())


def event(wire: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(wire).encode() + b"\n\n"


class Serving:
    """`async with Serving(app) as port`."""

    def __init__(self, app: Starlette) -> None:
        config = uvicorn.Config(app, port=0, log_level="warning", lifespan="off")
        self.server = uvicorn.Server(config)

    async def __aenter__(self) -> int:
        self.task = asyncio.create_task(self.server.serve())
        while not self.server.started:  # noqa: ASYNC110 (uvicorn tells by a flag alone)
            await asyncio.sleep(0.01)
        port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return port

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        await self.task
