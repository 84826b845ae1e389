"""Sockets under httpcore: pace, limits, TLS, and what is left when a connection ends."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chats.v0api.client import Client
from chats.v0api.errors import NotSent
from chats.v0api.network import LIMIT, Backend
from chats.v0api.requests import SendMessage
from chats.v0api.transport import Timeouts
from tests.v0api.wire_server import (
    END,
    Handler,
    answer,
    chunk,
    frame,
    listening,
    replies,
    reset,
    serving,
    stream_head,
    until,
    until_it_stands_still,
)

pytestmark = pytest.mark.anyio

# Long, since the upper bounds below must hold on a machine that is busy with other things.
WINDOW = 0.5

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_all(stream: httpcore.AsyncNetworkStream) -> list[bytes]:
    reads = []
    while data := await stream.read(64 * 1024, timeout=5):
        reads.append(data)
    return reads


def counting(times: int, sent: asyncio.Event) -> Conversation:
    """Says a number, and each next one once the one before must have been read."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(times):
            writer.write(b"%d " % number)
            await writer.drain()
            await reader.read(1)
        sent.set()
        writer.close()

    return conversation


async def test_without_a_window_each_arrival_is_handed_out_at_once() -> None:
    sent = asyncio.Event()
    async with listening(counting(20, sent)) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port, timeout=5)
        for number in range(20):
            assert await stream.read(1000, timeout=5) == b"%d " % number
            await stream.write(b".", timeout=5)
        assert await stream.read(1000, timeout=5) == b""
        await stream.aclose()


async def test_with_a_window_the_first_bytes_come_at_once_and_the_rest_together() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"0")
        await reader.read(1)
        for number in b"123456789":
            writer.write(bytes([number]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read(1)
        writer.write(b"A")
        writer.close()

    async with listening(conversation) as port:
        stream = await Backend(lambda: WINDOW).connect_tcp("127.0.0.1", port, timeout=5)
        started = time.monotonic()
        first = await stream.read(1000, timeout=5)
        waited = time.monotonic() - started
        await stream.write(b".", timeout=5)
        rest = await stream.read(1000, timeout=5)
        gathered = time.monotonic() - started
        await stream.write(b".", timeout=5)
        last = await stream.read(1000, timeout=5)
        end = await stream.read(1000, timeout=5)
        await stream.aclose()

    assert (first, rest, last, end) == (b"0", b"123456789", b"A", b"")
    assert waited < WINDOW < gathered


async def test_the_window_may_change_while_reading() -> None:
    window = 0.0
    sent = asyncio.Event()
    async with listening(counting(3, sent)) as port:
        stream = await Backend(lambda: window).connect_tcp("127.0.0.1", port, timeout=5)
        times = []
        for window in (0.0, 0.0, WINDOW):  # noqa: B007 (the backend looks it up)
            await stream.read(1000, timeout=5)
            await stream.write(b".", timeout=5)
            times.append(time.monotonic())
        await stream.aclose()

    assert times[1] - times[0] < WINDOW <= times[2] - times[1] + 0.01


async def test_more_than_one_read_can_hold_is_not_held_back_by_the_window() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * LIMIT)
        writer.close()

    async with listening(conversation) as port:
        stream = await Backend(lambda: WINDOW).connect_tcp("127.0.0.1", port, timeout=5)
        reads = [await stream.read(1, timeout=5) for _ in range(1000)]
        await stream.aclose()

    assert b"".join(reads) == b"x" * 1000


async def test_a_stream_that_brings_much_is_not_held_back_by_the_window() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 64 * LIMIT)
        await writer.drain()
        writer.close()

    async with listening(conversation) as port:
        stream = await Backend(lambda: WINDOW).connect_tcp("127.0.0.1", port, timeout=5)
        started = time.monotonic()
        reads = await read_all(stream)
        took = time.monotonic() - started
        await stream.aclose()

    assert sum(map(len, reads)) == 64 * LIMIT
    assert took < 64 * WINDOW / 4


@pytest.mark.parametrize("window", [None, lambda: 0.001], ids=["no window", "a window"])
async def test_what_is_not_read_stays_with_the_sender(window: Any) -> None:
    taken = 0

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        for _ in range(1000):
            writer.write(b"x" * 65536)
            await writer.drain()
            taken += 65536
        writer.close()

    async with listening(conversation) as port:
        stream = await Backend(window).connect_tcp("127.0.0.1", port, timeout=5)
        first = await stream.read(1, timeout=5)
        await until_it_stands_still(lambda: taken)
        assert taken < 32 * 1024 * 1024
        reads = await read_all(stream)
        await stream.aclose()

    assert len(first) + sum(map(len, reads)) == 65_536_000


async def test_what_came_before_a_reset_is_read_first() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"last words")
        await reader.read(1)
        reset(writer)

    async with listening(conversation) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port, timeout=5)
        assert await stream.read(4, timeout=5) == b"last"
        await stream.write(b".", timeout=5)
        assert await stream.read(1000, timeout=5) == b" words"
        with pytest.raises(httpcore.ReadError):
            await stream.read(1000, timeout=5)
        await stream.aclose()


async def test_a_read_that_waits_too_long_can_be_tried_again() -> None:
    speak = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await speak.wait()
        writer.write(b"here")
        writer.close()

    async with listening(conversation) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port, timeout=5)
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(1000, timeout=0.01)
        speak.set()
        assert await stream.read(1000, timeout=5) == b"here"
        await stream.aclose()


async def test_an_idle_connection_that_the_peer_has_closed_is_known_to_be_over() -> None:
    close = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await close.wait()
        writer.close()

    async with listening(conversation) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port, timeout=5)
        assert stream.get_extra_info("is_readable") is False
        close.set()
        await until(lambda: stream.get_extra_info("is_readable"))
        await stream.aclose()


async def test_writing_to_a_connection_that_is_over_fails() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with listening(conversation) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port, timeout=5)
        assert await stream.read(10, timeout=5) == b""
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x", timeout=5)
        await stream.aclose()


async def test_a_connection_that_cannot_be_set_up_proves_that_nothing_was_sent() -> None:
    """As one that the peer has reset before it was set up."""
    over = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            assert await reader.read() == b""
        over.set()

    no_option = (socket.IPPROTO_TCP, 9999, 1)
    async with listening(conversation) as port:
        with pytest.raises(httpcore.ConnectError):
            await Backend().connect_tcp("127.0.0.1", port, socket_options=[no_option])
        await asyncio.wait_for(over.wait(), 5)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("window", [None, lambda: 0.01], ids=["no window", "a window"])
async def test_streams_and_calls_work_over_tls(certificate: Path, window: Any) -> None:
    frames = [frame({"object": "x", "n": number, "pad": "é" * 1000}) for number in range(300)]

    async def handler(request: Any, writer: asyncio.StreamWriter) -> None:
        if request.method == "GET":
            writer.write(answer(body={"id": "c1"}))
        else:
            writer.write(stream_head())
            for one in frames:
                writer.write(chunk(one))
                await writer.drain()
            writer.write(END)
        await writer.drain()

    trusted = ssl.create_default_context(cafile=str(certificate))
    async with (
        serving(handler, server_side(certificate)) as server,
        Client(
            server.url, "some-key", revision="ga", ssl_context=trusted, read_window=window
        ) as v0,
    ):
        await v0.get_chat("c1")
        async with v0.send_stream("c1", SendMessage(message="x" * 1_000_000)) as stream:
            events = [event async for batch in stream for event in batch]
        await v0.get_chat("c1")

    assert len(events) == len(frames)
    assert [request.connection for request in server.requests] == [1, 2, 1]


async def test_a_certificate_that_is_not_trusted_proves_that_nothing_was_sent(
    certificate: Path,
) -> None:
    handler: Handler = replies(answer(body={}))
    async with serving(handler, server_side(certificate)) as server:
        async with Client(server.url, "some-key", timeouts=Timeouts(connect=5)) as v0:
            with pytest.raises(NotSent):
                async with v0.send_stream("c1", SendMessage(message="hi")):
                    pass

        assert server.requests == []


@pytest.mark.parametrize("turns", range(1, 10))
async def test_a_connection_that_nobody_waits_for_any_more_is_closed(turns: int) -> None:
    opened, closed = [], []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        await reader.read()
        closed.append(writer)
        writer.close()

    async with listening(conversation) as port:
        opening = asyncio.ensure_future(Backend().connect_tcp("127.0.0.1", port, timeout=5))
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        if not opening.cancelled():
            await opening.result().aclose()
        await until(lambda: len(opened) == len(closed) == 1)
