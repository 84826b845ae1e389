"""One request and its answer at the wire: a client, and a server that answers what it is told."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chats.v0api.client import Client
from tests.v0api.operations import ZIP, Call
from tests.v0api.spec import Operation, Sampler
from tests.v0api.wire_server import (
    END,
    Request,
    Server,
    answer,
    chunk,
    frame,
    serving,
    stream_head,
)

KEY = "v1:team_1:canary-key"

# Reading the system's certificates takes longer than an exchange, and none of them is used.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Exchange:
    """`requests` are those of the last call."""

    def __init__(self, server: Server, v0: Client) -> None:
        self.v0 = v0
        self._server = server
        self.reply = b""

    async def call(self, call: Call, reply: bytes) -> Any:
        """What the call gives when each of its requests gets `reply`."""
        self.reply = reply
        self._server.requests.clear()
        return await call(self.v0)

    @property
    def requests(self) -> list[Request]:
        return self._server.requests


@asynccontextmanager
async def exchanging(**options: Any) -> AsyncIterator[Exchange]:
    async def handler(request: Request, writer: Any) -> None:
        writer.write(exchange.reply)
        await writer.drain()

    given = {"revision": "ga", "ssl_context": NO_TLS, **options}
    async with serving(handler) as server, Client(server.url, KEY, **given) as v0:
        exchange = Exchange(server, v0)
        yield exchange


def accepts(operation: Operation, value: Any) -> bytes:
    """The success of an operation, with `value` in it."""
    if operation.id == "chats.downloadFiles":
        return answer(200, ZIP, content_type="application/zip")
    if operation.is_stream:
        return stream_head() + chunk(frame(value)) + END
    return answer(operation.success, value)


def accepted(operation: Operation) -> bytes:
    return accepts(operation, Sampler().samples(operation.answers[operation.success])[0])
