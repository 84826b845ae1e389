"""How requests leave this process: connections, pools and the timeout of each phase.

Owns two pools: one keeps connections for short calls, the other opens a fresh one for each stream,
each download and each charged POST, so that none can be lost on a connection that v0 has just given
up. A request says by its extensions that it wants one (FRESH) and how many seconds its answer may
take to begin (WAIT). Relies on httpcore
and on `network`; repeats nothing, follows nothing, and reads no proxy from the environment.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import cast

import httpcore
import httpx

from chats.v0api.network import Backend, Window

FRESH = "chats.v0api.fresh"
WAIT = "chats.v0api.wait"
KEEPALIVE = 30.0
SOCKET_OPTIONS = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `pool` waits for a free connection; `headers` for an answer to begin, `model` for one
    that begins when the model has ended, `files` for one that begins when v0 has read many files; `between_bytes` is the longest silence inside of one; `call`
    bounds a whole call that is no stream, `download` one of files, and `spec` the reading of v0's
    own spec."""

    pool: float = 5
    connect: float = 5
    write: float = 30
    headers: float = 60
    model: float = 1800
    files: float = 300
    between_bytes: float = 90
    call: float = 120
    download: float = 600
    spec: float = 10

    @property
    def opening(self) -> float:
        """From the request to the last header, however slowly they trickle in."""
        return self.pool + self.connect + self.write + self.headers


@dataclass(frozen=True, slots=True)
class Pool:
    """How many connections may be open: for streams, which are long, and for calls."""

    streams: int = 200
    calls: int = 20


TIMEOUTS = Timeouts()
POOL = Pool()


class Transport(httpx.AsyncBaseTransport):
    """Raises httpcore's exceptions as they are: `client` is the one that translates them."""

    def __init__(
        self,
        timeouts: Timeouts,
        pool: Pool,
        window: Window | None,
        context: ssl.SSLContext,
    ) -> None:
        self._timeouts = timeouts
        self._streams = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=pool.streams,
            max_keepalive_connections=0,
            retries=0,
            network_backend=Backend(window),
            socket_options=SOCKET_OPTIONS,
        )
        self._calls = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=pool.calls,
            max_keepalive_connections=pool.calls,
            keepalive_expiry=KEEPALIVE,
            retries=0,
            network_backend=Backend(),
            socket_options=SOCKET_OPTIONS,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        times = self._timeouts
        timeout = {
            "pool": times.pool,
            "connect": times.connect,
            "write": times.write,
            "read": request.extensions.get(WAIT, times.headers),
        }
        pool = self._streams if request.extensions.get(FRESH) else self._calls
        response = await pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions={"timeout": timeout},
            )
        )
        # httpcore looks this up again when it begins to read the body.
        timeout["read"] = times.between_bytes
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._streams.aclose()
        await self._calls.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return cast("AsyncIterable[bytes]", self._response.stream).__aiter__()

    async def aclose(self) -> None:
        await self._response.aclose()
