"""The stand-in as a process: its socket, its start and its end.

Owns the life of the server. Relies on uvicorn. Within a second of SIGTERM or SIGINT every
connection is dropped, what runs have reached is in the database, and the process exits with 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Generator

import uvicorn

from chats.sandbox import connections
from chats.sandbox.app import application
from chats.sandbox.world import Sandbox


class Server(uvicorn.Server):
    """Says where it listens once it does, and leaves signals to `serve`."""

    def __init__(self, sandbox: Sandbox, address: str) -> None:
        super().__init__(
            uvicorn.Config(
                application(sandbox),
                http=connections.Protocol,
                ws="none",
                loop="asyncio",
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=1,
            )
        )
        self.sandbox, self.address = sandbox, address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"sandbox: {self.address}", flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def leave(self) -> None:
        self.should_exit = True
        await self.sandbox.runs.stop_all()
        connections.drop_all()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises `OSError` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=512)
    # asyncio does so only for sockets whose protocol is named, which these are not: without it each
    # answer, sent in two pieces, waits 40 ms for the peer's acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def serve(sandbox: Sandbox, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    server = Server(sandbox, f"http://{shown}:{port}/v2")
    loop = asyncio.get_running_loop()
    leaving: list[asyncio.Task[None]] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: leaving.append(asyncio.create_task(server.leave())))
    await server.serve([listener])
    await asyncio.gather(*leaving)
