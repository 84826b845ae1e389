"""TCP and TLS for httpcore, straight on asyncio.

Owns sockets and the pace at which they are read. Relies on httpcore's public network interface and
knows nothing of HTTP. httpx's own backend is over half of what reading a small event costs; this one
has one layer, buffers at most LIMIT and leaves the rest to the kernel.

With a read window a socket is read once per window: what was read is handed out at once, and the
next read waits, with the socket left alone, until the window since the last one is over. The kernel
gathers what comes meanwhile, so a busy stream costs a few reads a second instead of one per event,
while the first bytes after a quiet time are not held back. Nor is a stream that brings so much in
one window that waiting would fall behind.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, cast

import httpcore

LIMIT = 256 * 1024

Window = Callable[[], float]
SocketOption = Any
Opened: TypeAlias = "tuple[asyncio.Transport, Connection]"


class Backend(httpcore.AsyncNetworkBackend):
    """Opens connections. `window` gives the seconds between two reads, None reads at once."""

    def __init__(self, window: Window | None = None) -> None:
        self._window = window

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        opening = asyncio.ensure_future(_open(host, port, timeout, local_address))
        try:
            transport, connection = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # asyncio loses the socket of a connection that is made while it is being cancelled.
            opening.add_done_callback(_drop)
            raise
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        try:
            for option in socket_options or ():
                transport.get_extra_info("socket").setsockopt(*option)
        except OSError as error:
            # The peer may have reset it already: nothing was sent.
            transport.abort()
            raise httpcore.ConnectError(str(error)) from error
        return Stream(transport, connection, self._window)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _open(host: str, port: int, timeout: float | None, local_address: str | None) -> Opened:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout):
        return await loop.create_connection(
            lambda: Connection(loop),
            host,
            port,
            local_addr=(local_address, 0) if local_address else None,
            happy_eyeballs_delay=0.25,
        )


def _drop(opening: asyncio.Future[Opened]) -> None:
    """Close a connection that nobody waits for any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].abort()


class Connection(asyncio.Protocol):
    """What has come and not been read yet, and who waits for more."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.transport: asyncio.Transport | None = None
        self.received = bytearray()
        self.ended = False
        self.is_behind = False
        self.error: Exception | None = None
        self.closed: asyncio.Future[None] = loop.create_future()
        self._paused = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.use(cast("asyncio.Transport", transport))

    def use(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        # So that a write is over when the kernel has taken it, and its timeout means something.
        transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) >= LIMIT // 2:
            self.is_behind = True
        if len(self.received) >= LIMIT:
            self.pause()
        self._wake_reader()

    def eof_received(self) -> None:
        self.ended = True
        self._wake_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.error = exc
        self._wake_reader()
        self.resume_writing()
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._writer and not self._writer.done():
            self._writer.set_result(None)

    def pause(self) -> None:
        if self.transport and not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.transport and self._paused:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    @property
    def is_paused(self) -> bool:
        return self._paused

    async def arrival(self, timeout: float | None) -> None:
        """Returns when there is something to read or nothing will come; TimeoutError."""
        if self.received or self.ended:
            return
        self._reader = self._loop.create_future()
        await self._done(self._reader, timeout)

    async def written(self, timeout: float | None) -> None:
        """Returns when the kernel has taken everything or the connection is lost; TimeoutError."""
        if not self._full or self.closed.done():
            return
        self._writer = self._loop.create_future()
        await self._done(self._writer, timeout)

    async def _done(self, future: asyncio.Future[None], timeout: float | None) -> None:
        # A third of what asyncio.timeout() costs, and this runs once per read.
        timer = None if timeout is None else self._loop.call_later(timeout, _expire, future)
        try:
            await future
        finally:
            if timer:
                timer.cancel()

    def _wake_reader(self) -> None:
        if self._reader and not self._reader.done():
            self._reader.set_result(None)


def _expire(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


class Stream(httpcore.AsyncNetworkStream):
    """One connection as httpcore wants it."""

    def __init__(
        self, transport: asyncio.Transport, connection: Connection, window: Window | None
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._window = window
        self._last_read = 0.0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        connection = self._connection
        if not connection.received:
            if self._window:
                await self._rest_of_window(self._window())
            connection.resume()
            try:
                await connection.arrival(timeout)
            except TimeoutError as error:
                raise httpcore.ReadTimeout("nothing came") from error
        if not connection.received:
            if connection.error:
                raise httpcore.ReadError(str(connection.error)) from connection.error
            return b""
        return self._take(max_bytes)

    async def _rest_of_window(self, window: float) -> None:
        rest = self._last_read + window - asyncio.get_running_loop().time()
        if rest > 0:
            await asyncio.sleep(rest)

    def _take(self, max_bytes: int) -> bytes:
        connection, received = self._connection, self._connection.received
        data = bytes(received[:max_bytes])
        del received[:max_bytes]
        if self._window is None or connection.is_behind:
            connection.is_behind = connection.is_behind and bool(received)
            if len(received) < LIMIT:
                connection.resume()
        elif not received:
            connection.pause()
            self._last_read = asyncio.get_running_loop().time()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        if self._connection.closed.done() or self._transport.is_closing():
            raise httpcore.WriteError("the connection is closed")
        self._transport.write(buffer)
        try:
            await self._connection.written(timeout)
        except TimeoutError as error:
            raise httpcore.WriteTimeout("the peer takes nothing") from error
        if self._connection.closed.done():
            raise httpcore.WriteError(str(self._connection.error or "the connection is closed"))

    async def aclose(self) -> None:
        # abort() and not close(): all that was to be sent has been taken by the kernel, and TLS
        # would wait half a minute for a peer that does not say goodbye.
        self._transport.abort()
        await asyncio.wait([self._connection.closed])

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(
                    self._transport,
                    self._connection,
                    ssl_context,
                    server_hostname=server_hostname,
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the TLS handshake took too long") from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        if transport is None:
            raise httpcore.ConnectError("the connection was lost during the TLS handshake")
        self._connection.use(transport)
        return Stream(transport, self._connection, self._window)

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "is_readable":
                return self._is_readable()
            case "client_addr":
                return self._transport.get_extra_info("sockname")
            case "server_addr":
                return self._transport.get_extra_info("peername")
            case _:
                return self._transport.get_extra_info(info)

    def _is_readable(self) -> bool:
        """Whether an idle connection has something to say, which then is goodbye.

        One that is paused cannot know, and counts as over.
        """
        connection = self._connection
        return bool(connection.received) or connection.ended or connection.is_paused
