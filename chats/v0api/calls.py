"""How a request gets to v0 and back, whatever it asks.

Owns the address, the key, what an answer means, and whether a request may be repeated. Relies on
httpx through `transport`; every failure leaves as one of `errors`. What costs credits goes out once,
on a connection of its own, whatever happens. Reads, `stop` and `resume` are repeated at most twice,
and only when the connection failed; other changes are not. Redirects are never followed, and no
exception or log line holds the key.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal, Self, TypeVar
from urllib.parse import quote

import httpcore
import httpx

from chats.v0api.answers import Writable, is_event_stream, json_value, refusal, zip_into
from chats.v0api.errors import InDoubt, InvalidRequest, NotSent, V0Error
from chats.v0api.event_stream import EventStream
from chats.v0api.network import Window
from chats.v0api.requests import Asked, Revision
from chats.v0api.revisions import revision_of
from chats.v0api.secrecy import BearerKey, KeyFilter, origin
from chats.v0api.sse import LIMIT
from chats.v0api.transport import FRESH, POOL, TIMEOUTS, WAIT, Pool, Timeouts, Transport
from chats.v0api.types import Json

Answer = TypeVar("Answer")
Query = Mapping[str, str | None]
# Hears the error of a call that is over, or None, and whether the call was one that costs credits.
OnOutcome = Callable[[V0Error | None, bool], None]

TRIES = 3
PAUSE = 0.2

UNSENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)
CONNECTION_FAILED = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.ReadError,
    httpcore.WriteError,
    httpcore.RemoteProtocolError,
)
FAILED = (
    TimeoutError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpx.DecodingError,
)


def _tls(base: httpx.URL) -> ssl.SSLContext:
    """Certificates are read (30 ms) where there will be TLS; the other context trusts nobody at all."""
    if base.scheme == "https":
        return httpx.create_ssl_context(trust_env=False)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Calls:
    """What every resource of the API sends and reads through; `client.Client` is all of them."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        revision: Revision | Literal["auto"] = "auto",
        timeouts: Timeouts = TIMEOUTS,
        read_window: Window | None = None,
        pool: Pool = POOL,
        line_limit: int = LIMIT,
        ssl_context: ssl.SSLContext | None = None,
        on_outcome: OnOutcome = lambda error, charged: None,
    ) -> None:
        self._base = httpx.URL(base_url.rstrip("/"))
        if self._base.scheme not in ("http", "https") or not self._base.host or self._base.userinfo:
            raise ValueError("the base URL must be http(s)://host[:port]/path")
        self._key = BearerKey(key, self._base)
        self._filter = KeyFilter(self._key)
        self._filter.install()
        self._timeouts = timeouts
        self._line_limit = line_limit
        self._on_outcome = on_outcome
        self._revision: Revision | None = None if revision == "auto" else revision
        self._asking = asyncio.Lock()
        self._http = httpx.AsyncClient(
            auth=self._key,
            transport=Transport(timeouts, pool, read_window, ssl_context or _tls(self._base)),
            headers={"User-Agent": "v0web"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        scheme, host, port = origin(self._base)
        return f"<{type(self).__name__} of {scheme}://{host}{f':{port}' if port else ''}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()
        self._filter.remove()

    @property
    def revision_found(self) -> Revision | None:
        """The revision that is known by now: as it was given, or as v0's own spec says."""
        return self._revision

    async def revision(self) -> Revision:
        """The revision that bodies are written in.

        A spec that cannot be read means `reference` for this once: it is asked for again.
        """
        if self._revision:
            return self._revision
        async with self._asking:
            self._revision = self._revision or await self._published_revision()
        return self._revision or "reference"

    async def _published_revision(self) -> Revision | None:
        try:
            async with asyncio.timeout(self._timeouts.spec):
                return revision_of(await self._get("/openapi/json"))
        except (V0Error, TimeoutError):
            return None

    async def _get(self, path: str, query: Query | None = None) -> Json:
        request = self._request("GET", path, query=query)
        return await self._call(request, json_value, tries=TRIES)

    async def _change(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        read: Callable[[httpx.Response], Awaitable[Answer]],
        tries: int = 1,
    ) -> Answer:
        """A request that costs nothing and is not meant to be repeated, unless `tries` says so."""
        return await self._call(self._request(method, path, body=body), read, tries=tries)

    async def _ask(self, path: str, asked: Asked, *, wait: float = 0) -> Json:
        """`_charge` for a request in words."""
        return await self._charge(path, asked.wire(await self.revision()), wait=wait)

    async def _charge(self, path: str, body: Json = None, *, wait: float = 0) -> Json:
        """The JSON of a POST that costs credits: once, on a fresh connection.

        `wait` are seconds that the answer may take longer than others to begin.
        """
        request = self._request("POST", path, body=body)
        request.extensions[FRESH] = True
        return await self._call(request, json_value, wait=wait, charged=True)

    @asynccontextmanager
    async def _stream(self, path: str, asked: Asked | None) -> AsyncIterator[EventStream]:
        """Once with a body, which costs credits; repeated without one."""
        body = None if asked is None else asked.wire(await self.revision())
        tries = TRIES if asked is None else 1
        stream = await self._attempt(
            tries, lambda: self._open_stream(path, body), charged=body is not None
        )
        try:
            yield stream
        finally:
            await stream.aclose()

    async def _open_stream(self, path: str, body: Json) -> EventStream:
        request = self._request("POST", path, body=body, accept="text/event-stream")
        request.headers["Accept-Encoding"] = "identity"
        request.extensions[FRESH] = True
        response = await self._send(request)
        if is_event_stream(response):
            return EventStream(response, line_limit=self._line_limit)
        try:
            raise await self._refusal(response)
        finally:
            await response.aclose()

    async def _download(self, path: str, file: Writable, limit: int) -> int:
        """Repeated until its first byte, never after: part of it may have been written by then."""
        request = self._request("GET", path, accept="application/zip, application/json;q=0.5")
        request.headers["Accept-Encoding"] = "identity"
        request.extensions[FRESH] = True
        response = await self._attempt(TRIES, lambda: self._send(request))
        try:
            if not response.is_success:
                raise await self._refusal(response)
            async with asyncio.timeout(self._timeouts.download):
                return await zip_into(response, file, limit)
        except FAILED as error:
            failure = translated(error)
        finally:
            await response.aclose()
        raise failure

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Json = None,
        accept: str = "application/json",
    ) -> httpx.Request:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        headers = {"Accept": accept}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        url = httpx.URL(f"{self._base}{path}", params=given) if given else f"{self._base}{path}"
        return self._http.build_request(method, url, content=content, headers=headers)

    async def _call(
        self,
        request: httpx.Request,
        read: Callable[[httpx.Response], Awaitable[Answer]],
        *,
        tries: int = 1,
        wait: float = 0,
        charged: bool = False,
    ) -> Answer:
        """What `read` makes of the success; `wait` are seconds that the answer may take longer."""

        async def call() -> Answer:
            async with asyncio.timeout(self._timeouts.call + wait):
                response = await self._send(request, wait)
                try:
                    if not response.is_success:
                        raise await self._refusal(response)
                    return await read(response)
                finally:
                    await response.aclose()

        return await self._attempt(tries, call, charged=charged)

    async def _send(self, request: httpx.Request, wait: float = 0) -> httpx.Response:
        request.extensions[WAIT] = self._timeouts.headers + wait
        async with asyncio.timeout(self._timeouts.opening + wait):
            return await self._http.send(request, stream=True)

    async def _refusal(self, response: httpx.Response) -> V0Error:
        return await refusal(response, self._key.redacted)

    async def _attempt(
        self, tries: int, attempt: Callable[[], Awaitable[Answer]], *, charged: bool = False
    ) -> Answer:
        """What `attempt` gives; tried again when its connection failed and `tries` allow it."""
        try:
            found = await self._attempts(tries, attempt)
        except V0Error as error:
            self._on_outcome(error, charged)
            raise
        self._on_outcome(None, charged)
        return found

    async def _attempts(self, tries: int, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        for left in reversed(range(tries)):
            try:
                return await attempt()
            except FAILED as error:
                failure = translated(error)
                again = left > 0 and isinstance(error, CONNECTION_FAILED)
            if not again:
                break
            await asyncio.sleep(PAUSE * (tries - left))
        # Out here, so that what was translated, and the request on it, is not its context.
        raise failure


def translated(error: Exception) -> V0Error:
    """What a failure of the HTTP stack proves. Nothing of the failure but its kind is kept."""
    kind = type(error).__name__
    return NotSent(kind) if isinstance(error, UNSENT) else InDoubt(kind)


def segment(id: str) -> str:
    """An opaque id as one segment of a path; InvalidRequest for one that could not be one."""
    if id in ("", ".", ".."):
        raise InvalidRequest("id", "is no path segment")
    return quote(id, safe="")
