"""What breaks between us and v0: which error it is, and that no charged POST goes out twice."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chats.v0api.calls import TRIES
from chats.v0api.client import Client
from chats.v0api.errors import InDoubt, NotSent, ServerError, V0Error
from chats.v0api.requests import CreateChat, SendMessage
from chats.v0api.stream import Event
from chats.v0api.transport import Pool, Timeouts
from tests.v0api.wire_server import (
    END,
    Handler,
    Request,
    answer,
    chunk,
    closes,
    frame,
    hangs,
    listening,
    pace,
    replies,
    reset,
    resets,
    serving,
    stream_head,
)

pytestmark = pytest.mark.anyio

KEY = "v1:team_1:canary-key"
CREATE = CreateChat(message="Make a page", privacy="private", metadata={})
SEND = SendMessage(message="More")
QUICK = Timeouts(
    pool=0.1,
    connect=0.2,
    write=0.2,
    headers=0.2,
    model=0.2,
    files=0.2,
    between_bytes=0.2,
    call=1,
    download=1,
)

Operation = Callable[[Client], Awaitable[Any]]


async def read(stream: Any) -> list[Event]:
    return [event async for batch in stream for event in batch]


async def create(v0: Client) -> list[Event]:
    async with v0.create_stream(CREATE) as stream:
        return await read(stream)


async def send(v0: Client) -> list[Event]:
    async with v0.send_stream("c1", SEND) as stream:
        return await read(stream)


async def resume(v0: Client) -> list[Event]:
    async with v0.resume("c1") as stream:
        return await read(stream)


async def stop(v0: Client) -> None:
    await v0.stop("c1", "m1")


async def get(v0: Client) -> Any:
    return await v0.get_message("c1", "m1")


async def patch(v0: Client) -> Any:
    return await v0.update_chat("c1", title="A")


async def delete(v0: Client) -> None:
    await v0.delete_chat("c1")


CHARGED = {"create": create, "send": send}
REPEATED = {"resume": resume, "stop": stop, "get": get}
ONCE = {**CHARGED, "patch": patch, "delete": delete}


def client(url: str, **options: Any) -> Client:
    return Client(url, KEY, **{"revision": "ga", "timeouts": QUICK, **options})


async def closes_in_the_head(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await writer.drain()
    writer.close()


async def talks_nonsense(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 smtp.example.com ESMTP\r\n\r\n")
    await writer.drain()


async def trickles(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await pace(QUICK.headers / 4)


BROKEN: dict[str, Handler] = {
    "reset": resets,
    "closed": closes,
    "closed in the head": closes_in_the_head,
    "nonsense": talks_nonsense,
}
SLOW: dict[str, Handler] = {"hangs": hangs, "trickles": trickles}
FAULTS: dict[str, Handler] = BROKEN | SLOW


@pytest.mark.parametrize("operation", ONCE.values(), ids=ONCE)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_what_changes_something_is_sent_once_and_then_in_doubt(
    fault: Handler, operation: Operation
) -> None:
    async with serving(fault) as server, client(server.url) as v0:
        with pytest.raises(InDoubt):
            await operation(v0)

        assert len(server.requests) == server.connections == 1


@pytest.mark.parametrize("operation", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
async def test_what_changes_nothing_is_repeated_twice_when_the_connection_fails(
    fault: Handler, operation: Operation
) -> None:
    async with serving(fault) as server, client(server.url) as v0:
        with pytest.raises(InDoubt):
            await operation(v0)

        assert len(server.requests) == TRIES == 3


@pytest.mark.parametrize("operation", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)
async def test_nothing_is_repeated_because_it_is_slow(fault: Handler, operation: Operation) -> None:
    async with serving(fault) as server, client(server.url) as v0:
        with pytest.raises(InDoubt):
            await operation(v0)

        assert len(server.requests) == 1


@pytest.mark.parametrize("operation", REPEATED.values(), ids=REPEATED)
async def test_a_repeated_request_succeeds_when_the_connection_does(operation: Operation) -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) < TRIES:
            reset(writer)
        elif request.path.endswith("resume"):
            writer.write(stream_head() + chunk(frame({"object": "chat", "id": "c1"})) + END)
        else:
            writer.write(answer(body={"id": "m1", "messageId": "m1"}))

    async with serving(handler) as server, client(server.url) as v0:
        await operation(v0)

        assert len(server.requests) == TRIES


async def test_an_answer_that_breaks_off_is_read_again() -> None:
    whole = answer(body={"id": "m1"})

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(whole[:-3] if len(server.requests) == 1 else whole)
        await writer.drain()
        writer.close()

    async with serving(handler) as server, client(server.url) as v0:
        await get(v0)

        assert len(server.requests) == 2


@pytest.mark.parametrize("operation", CHARGED.values(), ids=CHARGED)
@pytest.mark.parametrize("status", [401, 402, 403, 404, 409, 413, 422, 429, 500, 503])
async def test_a_refused_charged_post_is_not_repeated(status: int, operation: Operation) -> None:
    async with serving(replies(answer(status, {"message": "no"}))) as server:
        async with client(server.url) as v0:
            with pytest.raises(V0Error) as caught:
                await operation(v0)

        assert caught.value.in_doubt is (status >= 500)
        assert len(server.requests) == 1


async def test_a_server_error_before_the_stream_is_in_doubt() -> None:
    async with serving(replies(answer(500, b"boom"))) as server, client(server.url) as v0:
        with pytest.raises(ServerError) as caught:
            await create(v0)

    assert caught.value.in_doubt


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.parametrize("operation", [create, send, resume, get])
async def test_a_connection_that_is_refused_proves_that_nothing_was_sent(
    operation: Operation,
) -> None:
    async with client(f"http://127.0.0.1:{closed_port()}/v2") as v0:
        with pytest.raises(NotSent):
            await operation(v0)


async def test_a_name_that_does_not_resolve_proves_that_nothing_was_sent() -> None:
    async with client("http://v0.invalid/v2") as v0:
        with pytest.raises(NotSent):
            await create(v0)


@asynccontextmanager
async def deaf_port() -> AsyncIterator[int]:
    """A port whose queue of connections is full: the kernel lets a new one wait."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(address)
        try:
            yield address[1]
        finally:
            for caller in callers:
                caller.close()


async def test_a_connection_that_is_not_made_in_time_proves_that_nothing_was_sent() -> None:
    async with deaf_port() as port, client(f"http://127.0.0.1:{port}/v2") as v0:
        with pytest.raises(NotSent, match="ConnectTimeout"):
            await create(v0)


async def test_a_handshake_that_does_not_end_proves_that_nothing_was_sent() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(5))
        await reader.read()

    received: list[bytes] = []
    async with listening(silent) as port, client(f"https://127.0.0.1:{port}/v2") as v0:
        with pytest.raises(NotSent, match="ConnectTimeout"):
            await create(v0)

    assert received[0][:1] == b"\x16"


async def test_a_server_without_tls_proves_that_nothing_was_sent() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with listening(plain) as port, client(f"https://127.0.0.1:{port}/v2") as v0:
        with pytest.raises(NotSent, match="ConnectError"):
            await create(v0)


async def test_the_pool_is_bounded_and_waiting_for_it_proves_that_nothing_was_sent() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + chunk(frame({"object": "chat", "id": "c1"})))
        await asyncio.Event().wait()

    async with serving(handler) as server, client(server.url, pool=Pool(streams=1)) as v0:
        async with v0.create_stream(CREATE) as stream:
            await anext(stream)
            with pytest.raises(NotSent, match="PoolTimeout"):
                await create(v0)

        assert len(server.requests) == 1


async def test_streams_leave_connections_for_calls() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.method == "GET":
            writer.write(answer(body={"id": "m1"}))
            return
        writer.write(stream_head() + chunk(frame({"object": "chat", "id": "c1"})))
        await asyncio.Event().wait()

    pool = Pool(streams=1, calls=1)
    async with (
        serving(handler) as server,
        client(server.url, pool=pool) as v0,
        v0.resume("c1") as stream,
    ):
        await anext(stream)
        await get(v0)


async def test_a_body_that_is_not_taken_is_in_doubt() -> None:
    async def unread(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    async with listening(unread) as port, client(f"http://127.0.0.1:{port}/v2") as v0:
        with pytest.raises(InDoubt, match="Timeout"):
            async with v0.send_stream("c1", SendMessage(message="x" * 30_000_000)):
                pass
        gone.set()


async def test_an_answer_before_the_body_was_taken_is_read() -> None:
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(413, {"message": "too much"}, headers={"Connection": "close"}))
        await writer.drain()
        while await reader.read(1_000_000):
            pass
        writer.close()

    async with listening(refuses) as port, client(f"http://127.0.0.1:{port}/v2") as v0:
        with pytest.raises(V0Error) as caught:
            async with v0.send_stream("c1", SendMessage(message="x" * 5_000_000)):
                pass

    assert caught.value.problem == "too-large"


@pytest.mark.parametrize("operation", [create, resume, get])
async def test_a_cancelled_request_leaves_nothing_behind(operation: Operation) -> None:
    arrived = asyncio.Event()

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    calm = Timeouts(headers=20)
    pool = Pool(streams=1, calls=1)
    async with serving(handler) as server, client(server.url, timeouts=calm, pool=pool) as v0:
        for _ in range(3):
            task = asyncio.ensure_future(operation(v0))
            await arrived.wait()
            arrived.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        assert len(server.requests) == 3
