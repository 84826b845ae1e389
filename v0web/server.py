"""Our entry point around Daphne: `python -m v0web.server`.

Owns the process: it takes the port, starts the relay, serves, and on SIGTERM or SIGINT lets go of
everything within ten seconds. Relies on `v0web.sockets` and `v0web.bodies` for the limits of one
connection. Never decides who may see what.

    port ─► relay.start ─► serving ─► SIGTERM ─► not ready ─► relay.stop ─► sockets 1012 ─► exit 0
"""

from __future__ import annotations

# Daphne chooses Twisted's reactor while it is imported, so that nothing of Twisted may come before.
from daphne.server import Server as DaphneServer  # isort:skip

import argparse
import asyncio
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from twisted.internet import reactor
from twisted.logger import globalLogBeginner

from v0web.bodies import RequestFactory, limit_of
from v0web.sockets import RESTART, Socket, SocketFactory

logger = logging.getLogger("v0web.server")

# The kernel's share of what waits for one peer; it would otherwise grow to megabytes.
KERNEL_BUFFER = 128 * 1024
# Seconds after the first signal at which the process ends whatever still runs.
END_WITHIN = 9.5
# Seconds that the sockets' closing is spread over for each of them, so that a few go at once.
SPREAD = 0.01


async def nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Options:
    """What the server is told. Times in seconds, sizes in bytes; `routes` are patterns of
    whole paths with limits of their own. `start` is awaited before anything is served, `stop` when the
    process begins to end."""

    host: str
    port: int
    body_limit: int = 1024 * 1024
    routes: Mapping[str, int] = field(default_factory=dict)
    compress: bool = True
    stall: float = 15.0
    drain: float = 5.0
    proxied: bool = False
    start: Callable[[], Awaitable[object]] = nothing
    stop: Callable[[], Awaitable[object]] = nothing

    def limit_of(self, path: bytes) -> int:
        return limit_of(path, common=self.body_limit, routes=self.routes)


class Server(DaphneServer):  # type: ignore[misc]
    """Daphne with our requests and sockets, a start and a drain."""

    def __init__(self, application: Any, options: Options) -> None:
        super().__init__(
            application,
            endpoints=["ours"],
            signal_handlers=False,
            websocket_timeout=-1,
            server_name="",
            proxy_forwarded_address_header="X-Forwarded-For" if options.proxied else None,
            proxy_forwarded_proto_header="X-Forwarded-Proto" if options.proxied else None,
        )
        self.options = options
        self.status = 0
        self.stopping: asyncio.Task[None] | None = None
        self.beginning: asyncio.Task[None] | None = None

    def run(self) -> int:
        """Serve until told to stop; the exit status."""
        listener = listening(self.options.host, self.options.port)
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = RequestFactory(self)
        self.ws_factory = SocketFactory(self, compress=self.options.compress)
        globalLogBeginner.beginLoggingTo(
            [lambda _: None], redirectStandardIO=False, discardBuffer=True
        )
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self.on_signal)
        reactor.callWhenRunning(self.on_running, listener)
        reactor.run(installSignalHandlers=False)
        return self.status

    def on_running(self, listener: socket.socket) -> None:
        self.beginning = asyncio.ensure_future(self.begin(listener))

    async def begin(self, listener: socket.socket) -> None:
        try:
            await self.options.start()
        except Exception:
            logger.exception("did not start")
            self.status = 1
            reactor.stop()
            return
        self.port = reactor.adoptStreamPort(listener.fileno(), listener.family, self.http_factory)
        listener.close()
        self.application_checker()
        self.timeout_checker()
        logger.info("listening on %s:%s", self.options.host, self.options.port)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Hand `message` to the connection; what is sent over a socket, or as one piece of several, has
        been taken by TCP when this returns."""
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send" or message.get("more_body"):
            await protocol.taken()

    def on_signal(self) -> None:
        if self.stopping is not None:
            os._exit(1)
        end_anyway()
        self.stopping = asyncio.ensure_future(self.end())

    async def end(self) -> None:
        """The drain. Whatever goes wrong in it is logged, and the process ends all the same."""
        try:
            if self.beginning is not None:
                await self.beginning
            await self.drain()
        except Exception:
            logger.exception("did not stop as it should")
            self.status = 1
        finally:
            if reactor.running:
                reactor.stop()

    async def drain(self) -> None:
        logger.info("stopping")
        if self.status:
            return
        self.port.stopListening()
        async with asyncio.timeout(END_WITHIN / 2):
            await self.options.stop()
        sockets = [each for each in self.connections if isinstance(each, Socket)]
        spread = min(self.options.drain, SPREAD * len(sockets))
        for each in sockets:
            reactor.callLater(random.uniform(0, spread), each.serverClose, RESTART)  # noqa: S311
        await self.all_over(within=spread + 3)
        for task in self.running():
            task.cancel()
        await asyncio.gather(*self.running(), return_exceptions=True)

    async def all_over(self, *, within: float) -> None:
        """Waits until no connection's application runs, or the time is over."""
        end = time.monotonic() + within
        while self.running() and time.monotonic() < end:
            await asyncio.wait(self.running(), timeout=0.1)

    def running(self) -> list[asyncio.Future[Any]]:
        found = (details.get("application_instance") for details in self.connections.values())
        return [task for task in found if task is not None and not task.done()]


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; ends the process in one line when the port cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        listener.bind((host, port))
        listener.listen(1024)
        listener.setblocking(False)
    except OSError as error:
        fail(f"Port {port} of {host} cannot be had ({error.strerror}): give PORT another value.")
    return listener


def end_anyway() -> None:
    """A thread that outlasts the interpreter's wait for a view that never returns."""
    timer = threading.Timer(END_WITHIN, os._exit, [1])
    timer.daemon = True
    timer.start()


def fail(words: str) -> NoReturn:
    print(words, file=sys.stderr, flush=True)
    sys.exit(1)


def options_from_settings(host: str, port: int | None) -> Options:
    from channels.db import database_sync_to_async
    from django.conf import settings

    from chats import accounts, relay
    from v0web.health import readiness

    async def start() -> None:
        await relay.start()
        if said := await database_sync_to_async(accounts.invitation_to_begin)():
            print(said, flush=True)

    async def stop() -> None:
        readiness.draining = True
        await relay.stop()

    return Options(
        host=host,
        port=port or settings.PORT,
        body_limit=settings.V0_BODY_LIMIT,
        routes=settings.UPLOAD_ROUTES,
        compress=settings.V0_COMPRESS,
        stall=settings.V0_SOCKET_STALL,
        drain=settings.V0_DRAIN,
        proxied=settings.V0_PROXY,
        start=start,
        stop=stop,
    )


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "v0web.settings")
    # What this process writes (database, attachments) is its owner's alone.
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m v0web.server", description="Serves v0web.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on; by default PORT")
    arguments = parser.parse_args()

    from django.core.exceptions import ImproperlyConfigured

    try:
        from v0web.asgi import application

        options = options_from_settings(arguments.host, arguments.port)
    except ImproperlyConfigured as error:
        fail(f"Not configured: {error}")
    return Server(application, options).run()


if __name__ == "__main__":
    sys.exit(main())
