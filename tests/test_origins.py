"""Which pages may open a socket: those of exactly our address, and no other."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.app_server import AppServer, prepared_database, running_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, shared_folder: Path) -> Iterator[AppServer]:
    template = prepared_database(shared_folder)
    with running_app(tmp_path_factory.mktemp("app"), None, template=template) as app:
        yield app


def handshake(app: AppServer, *origins: str, name: str = "Origin") -> str:
    """The status line's code for a signed-in person's handshake with these `Origin` headers."""
    lines = [
        "GET /ws/me/ HTTP/1.1",
        f"Host: localhost:{app.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        f"Cookie: {app.headers_of('owner@example.com')['Cookie']}",
        *(f"{name}: {origin}" for origin in origins),
    ]
    with closing(socket.create_connection(("127.0.0.1", app.port), timeout=20)) as peer:
        peer.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return peer.recv(100).decode().split(" ")[1]


def test_a_page_of_ours_is_let_in(app: AppServer) -> None:
    assert handshake(app, f"http://localhost:{app.port}") == "101"
    assert handshake(app, f"http://localhost:{app.port}", name="ORIGIN") == "101"


@pytest.mark.parametrize(
    "origins",
    [
        pytest.param((), id="none"),
        pytest.param(("null",), id="null"),
        pytest.param(("https://localhost:PORT",), id="other scheme"),
        pytest.param(("http://localhost:1",), id="other port"),
        pytest.param(("http://localhost",), id="no port"),
        pytest.param(("http://evil.example.com",), id="other host"),
        pytest.param(("http://evil@localhost:PORT",), id="user before host"),
        pytest.param(("http://localhost:PORT@evil.example.com",), id="host as user"),
        pytest.param(("http://localhost:PORT.evil.example.com",), id="prefix of a domain"),
        pytest.param(("http://evil-localhost:PORT",), id="suffix of a domain"),
        pytest.param(("http://sub.localhost:PORT",), id="domain below"),
        pytest.param(("http://LOCALHOST:PORT",), id="upper case"),
        pytest.param(("http://localhost.:PORT",), id="trailing dot"),
        pytest.param(("http://[::1]:PORT",), id="IPv6"),
        pytest.param(("http://localhost:PORT", "http://localhost:PORT"), id="twice"),
        pytest.param(("http://localhost:PORT", "http://evil.example.com"), id="ours and another"),
        pytest.param(("http://evil.example.com", "http://localhost:PORT"), id="another and ours"),
        pytest.param(("chrome-extension://abcdefghijklmnop",), id="extension"),
        pytest.param(("file://",), id="file"),
        pytest.param(("http://localhost:PORT/",), id="with a path"),
        pytest.param(("nonsense",), id="nonsense"),
        pytest.param(("http://local\xe9host:PORT",), id="not ASCII"),
    ],
)
def test_any_other_is_refused(app: AppServer, origins: tuple[str, ...]) -> None:
    named = [origin.replace("PORT", str(app.port)) for origin in origins]
    assert handshake(app, *named) == "403"


def test_another_header_does_not_stand_for_it(app: AppServer) -> None:
    ours = f"http://localhost:{app.port}"
    assert handshake(app, ours, name="Sec-WebSocket-Origin") == "403"
    assert handshake(app, ours, name="Referer") == "403"
