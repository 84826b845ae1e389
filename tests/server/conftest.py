"""A server with the small application, started as a process; a client that speaks raw frames."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import httpx
import pytest

from tests.app_server import ROOT, free_port, wait_until
from tests.nursery import nursery


class Served:
    """A running server; `url` and `port` say where, `log` what it wrote."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.port = free_port()
        self.log_file = folder / f"server-{self.port}.log"
        given = [f"{name}={json.dumps(value)}" for name, value in options.items()]
        with self.log_file.open("wb") as log:
            self.process = nursery().start(
                *("tests.server.application", str(self.port), *given),
                cwd=ROOT,
                env=os.environ,
                output=log.fileno(),
                errors=log.fileno(),
            )
        wait_until(lambda: "listening on" in self.log or self.process.poll() is not None)
        assert self.process.poll() is None, self.log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def get(self, path: str = "/") -> Any:
        return httpx.get(self.url + path, trust_env=False, timeout=10).json()

    def resident(self) -> int:
        """Bytes of memory of its own that the process has in use: a library that it shares comes in as
        it is touched."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.partition("RssAnon:")[2].split()[0])

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    with ExitStack() as stack:

        def serve(**options: object) -> Served:
            served = Served(tmp_path, **options)
            stack.callback(served.close)
            return served

        yield serve


@dataclass
class Frame:
    fin: bool
    compressed: bool
    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """Of a close frame."""
        assert self.opcode == 8
        found: int = struct.unpack("!H", self.payload[:2])[0]
        return found


class RawSocket:
    """A WebSocket client that reads when it is told to, and shows frames as they are on the wire."""

    def __init__(
        self,
        port: int,
        path: str,
        *,
        deflate: bool = False,
        receive_buffer: int | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if deflate:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            self.head += self.socket.recv(1)
        assert self.head.startswith(b"HTTP/1.1 101"), self.head

    def frame(self) -> Frame:
        first, second = self._read(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._read(8))
        return Frame(bool(first & 0x80), bool(first & 0x40), first & 0x0F, self._read(length))

    def message(self) -> list[Frame]:
        """The frames of the next message; pings are left out."""
        frames: list[Frame] = []
        while not frames or not frames[-1].fin:
            frame = self.frame()
            if frame.opcode not in (9, 10):
                frames.append(frame)
        return frames

    def send(self, payload: bytes, opcode: int = 1, *, fin: bool = True) -> None:
        size = len(payload)
        head = bytes([opcode | (0x80 if fin else 0)])
        head += (
            bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack("!H", size)
        )
        self.socket.sendall(head + b"\0\0\0\0" + payload)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()
