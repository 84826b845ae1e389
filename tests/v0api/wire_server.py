"""An HTTP server on loopback that does to a connection exactly what a test says.

Owns sockets and a record of every request that arrived. A handler gets the request and the writer
and may answer, hang, reset or close; nothing is written that it did not write.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """`connection` numbers the TCP connection it came on."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    handler: Handler
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        while request := await read_request(reader, number):
            self.requests.append(request)
            await self.handler(request, writer)
            if writer.is_closing():
                break

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]


async def read_request(reader: asyncio.StreamReader, number: int) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body, number)


@asynccontextmanager
async def listening(
    conversation: Conversation, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """The port of a server that holds `conversation` with everyone who connects."""
    tasks: set[asyncio.Task[None]] = set()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await conversation(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(hold(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await server.wait_closed()


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(handler)
    async with listening(server.serve, tls) as port:
        server.url = f"{'https://localhost' if tls else 'http://127.0.0.1'}:{port}/v2"
        yield server


def answer(
    status: int = 200,
    body: Any = None,
    *,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> bytes:
    """A whole answer; `body` is bytes, or a value that is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": content_type, "Content-Length": str(len(content)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} Status\r\n{lines}\r\n".encode() + content


def stream_head(headers: str = "") -> bytes:
    return (
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
        f"Transfer-Encoding: chunked\r\n{headers}\r\n"
    ).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def frame(event: Any) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def replies(*answers: bytes) -> Handler:
    """Each request gets the next answer; the last one stays."""
    left = list(answers)

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return handler


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection with RST, as a process that dies does."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def resets(request: Request, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def closes(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def hangs(request: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def pace(seconds: float) -> None:
    """The time that a slow server takes between two pieces."""
    await asyncio.sleep(seconds)


async def until(
    condition: Callable[[], object], *, every: float = 0.01, patience: float = 10
) -> None:
    """Returns once `condition()` is true; TimeoutError when that takes too long."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 (a socket sets no event)
            await asyncio.sleep(every)


async def until_it_stands_still(value: Callable[[], int]) -> None:
    """Returns once `value()` has been the same for a tenth of a second."""
    seen = [-1]

    def same_as_before() -> bool:
        seen.append(value())
        return seen[-1] == seen[-2]

    await until(same_as_before, every=0.1)
