"""One page of the app's scripts on a port of its own, and the server's end of its sockets.

Owns a tiny web server in a thread (pages, static files, sockets on one port, the strict policy on
every response). What is sent and when a connection ends is up to the test. It stands in for Django
and Channels, never for anything that runs in the browser: htmx, hx-ws and our modules are the
shipped ones, configured as in templates/base.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django_htmx
from django.conf import settings
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

HTMX = settings.BASE_DIR.__class__(django_htmx.__file__).parent / "static" / "django_htmx"
SCRIPTS = {
    "/htmx.js": HTMX / "htmx-2.min.js",
    "/hx-ws.js": HTMX / "ext" / "hx-ws-2.min.js",
    "/live.js": settings.BASE_DIR / "static" / "js" / "live.js",
    "/marks.js": settings.BASE_DIR / "static" / "js" / "marks.js",
    "/gone.js": settings.BASE_DIR / "static" / "js" / "gone.js",
}
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'"
PATIENCE = 10.0  # seconds, for what must happen soon

AT = '<i id="at" data-at="h.1" data-after="a1" data-version="7"></i>'
GONE = "".join(
    f'<template id="gone-{code}"><p role="alert">{words}</p></template>'
    for code, words in (
        (4401, "You are signed out."),
        (4403, "You cannot see this chat any more."),
        (4404, "This chat is gone."),
    )
)


def page(
    messages: str = "",
    *,
    at: str = AT,
    marks: str = "",
    beside: str = "",
    live: str = "{}",
    socket: str = "/ws/chats/c1/",
) -> str:
    """A whole page: what templates/chats/chat.html gives to the scripts, and nothing else."""
    base = (settings.BASE_DIR / "templates" / "base.html").read_text()
    config = re.search(r'<meta name="htmx-config".*?>', base)
    assert config
    return (
        "<!doctype html><html><head><title>A chat</title>"
        f"{config[0]}<meta name='live' content='{live}'>"
        '<script defer src="/htmx.js"></script><script defer src="/hx-ws.js"></script>'
        '<script type="module" src="/live.js"></script>'
        '<script type="module" src="/marks.js"></script>'
        '<script type="module" src="/gone.js"></script></head>'
        f'<body><div hx-ext="ws,live" ws-connect="{socket}"><h1 id="title">A chat</h1>'
        f'<main id="main"><div id="earlier"></div>'
        f'<div id="messages" hx-disable>{messages}</div>{beside}</main>'
        f'<div id="marks" hidden>{marks}{at}</div></div>{GONE}</body></html>'
    )


class Socket:
    """The server's end of one connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        assert connection.request
        self.path = connection.request.path
        self.heard: Queue[str] = Queue()
        self.ended = Event()

    @property
    def query(self) -> dict[str, str]:
        parsed = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in parsed.items()}

    def send(self, frame: str) -> None:
        self._connection.send(frame)

    def close(self, code: int) -> None:
        self._connection.close(code)

    def cut(self) -> None:
        """The connection ends without a word."""
        self._connection.socket.close()


class Site:
    def __init__(self) -> None:
        self.pages: dict[str, str | Callable[[], str]] = {"/": page()}
        self.asked: list[str] = []
        self.refuses = False
        self.refused: Queue[str] = Queue()
        self.answer: Callable[[Socket, str], None] = lambda socket, text: socket.heard.put(text)
        self.all: list[Socket] = []
        self._new: Queue[Socket] = Queue()
        self._server = serve(
            self._talk, "127.0.0.1", 0, process_request=self._respond, max_size=None
        )
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def socket(self) -> Socket:
        """The next connection that the page makes."""
        socket = self.socket_within(PATIENCE)
        assert socket, "The page made no connection."
        return socket

    def socket_within(self, seconds: float) -> Socket | None:
        try:
            return self._new.get(timeout=seconds)
        except Empty:
            return None

    def end(self) -> None:
        self._server.shutdown()
        for socket in self.all:
            socket.close(1001)
        self._thread.join()

    def _talk(self, connection: ServerConnection) -> None:
        socket = Socket(connection)
        self.all.append(socket)
        self._new.put(socket)
        try:
            for text in connection:
                self.answer(socket, str(text))
        except ConnectionClosed:
            pass
        finally:
            socket.ended.set()

    def _respond(self, _: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path.startswith("/ws/"):
            if not self.refuses:
                return None
            self.refused.put(path)
            return _response(503, "text/plain", b"")
        self.asked.append(request.path)
        if path in SCRIPTS:
            return _response(200, "text/javascript", SCRIPTS[path].read_bytes())
        if path in self.pages:
            made = self.pages[path]
            html = made if isinstance(made, str) else made()
            return _response(200, "text/html; charset=utf-8", html.encode())
        return _response(404, "text/plain", b"")


def _response(status: int, kind: str, body: bytes) -> Response:
    headers: dict[str, Any] = {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "Content-Security-Policy": POLICY,
        "Connection": "close",
    }
    return Response(status, "", Headers(headers), body)


@contextmanager
def running_site() -> Iterator[Site]:
    site = Site()
    try:
        yield site
    finally:
        site.end()
