"""One request of the server: how much it may carry, who reads it, and how its answer goes out."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

from tests.app_server import wait_until
from tests.server.conftest import Served

MIB = 1024 * 1024


def post(served: Served, path: str, content: bytes | Iterator[bytes], **headers: str) -> object:
    url = served.url + path
    return httpx.post(url, content=content, headers=headers, trust_env=False, timeout=20)


def raw(served: Served, head: str) -> socket.socket:
    peer = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    peer.sendall(head.replace("\n", "\r\n").encode())
    return peer


def everything(peer: socket.socket) -> bytes:
    data = b""
    while more := peer.recv(65536):
        data += more
    return data


def test_a_body_that_announces_too_much_is_refused_before_it_comes(
    serve: Callable[..., Served],
) -> None:
    served = serve(body_limit=MIB)
    head = f"POST / HTTP/1.1\nHost: x\nContent-Length: {MIB + 1}\n\n"
    with closing(raw(served, head)) as peer:
        answer = everything(peer)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_peer_that_waits_for_a_go_ahead_gets_a_no(serve: Callable[..., Served]) -> None:
    served = serve(body_limit=MIB)
    head = f"POST / HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: {MIB + 1}\n\n"
    with closing(raw(served, head)) as peer:
        answer = everything(peer)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


def test_a_chunked_body_is_refused_where_it_becomes_too_much(
    serve: Callable[..., Served],
) -> None:
    served = serve(body_limit=MIB)
    served.get()
    before = served.resident()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with closing(raw(served, "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n")) as peer:
        for _ in range(17):
            peer.sendall(chunk)
        answer = everything(peer)
        assert answer.startswith(b"HTTP/1.1 413 ")
        # What comes after the no is read and dropped, so that the peer can see it.
        peer.sendall(chunk * 100)
        assert served.resident() - before <= 4 * MIB
    wait_until(lambda: served.get()["length"] == 0)


def test_a_refused_peer_that_goes_on_is_cut(serve: Callable[..., Served]) -> None:
    served = serve(body_limit=1024)
    head = "POST / HTTP/1.1\nHost: x\nContent-Length: 2000000000\n\n"

    def sent_for_ever(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"x" * 65536)

    before = served.resident()
    with closing(raw(served, head)) as peer, pytest.raises((ConnectionResetError, BrokenPipeError)):
        sent_for_ever(peer)
    assert served.resident() - before <= 4 * MIB


@pytest.mark.parametrize("announced", [True, False], ids=["length", "chunked"])
def test_a_body_of_the_most_bytes_arrives(serve: Callable[..., Served], announced: bool) -> None:
    served = serve(body_limit=MIB)
    content = b"y" * MIB
    body: bytes | Iterator[bytes] = content if announced else iter([content])
    answer = post(served, "/", body)
    assert isinstance(answer, httpx.Response)
    assert answer.json()["length"] == MIB


def test_a_named_route_takes_more(serve: Callable[..., Served]) -> None:
    served = serve(body_limit=1024, routes={"/uploads/[^/]+": MIB})
    more = b"y" * 2048
    for path, status in (
        ("/uploads/7", 200),
        ("/uploads/7/x", 413),
        ("/", 413),
        ("/?/uploads/7", 413),
    ):
        answer = post(served, path, more)
        assert isinstance(answer, httpx.Response)
        assert answer.status_code == status, path


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"]
)
def test_a_form_reaches_the_application_as_it_was_sent(
    serve: Callable[..., Served], kind: str
) -> None:
    # Twisted would answer a malformed one with 400, and parse it on the event loop before that.
    content = b"--b\r\nmalformed %zz"
    answer = post(serve(), "/", content, **{"Content-Type": kind})
    assert isinstance(answer, httpx.Response)
    assert answer.json()["begins"] == content.decode()
    assert answer.json()["headers"]["content-type"] == kind


def test_a_browser_cannot_name_a_prefix(serve: Callable[..., Served]) -> None:
    answer = post(serve(), "/", b"", **{"Daphne-Root-Path": "/evil"})
    assert isinstance(answer, httpx.Response)
    assert answer.json()["root_path"] == ""


def test_no_answer_names_the_server(serve: Callable[..., Served]) -> None:
    answer = httpx.get(serve().url, trust_env=False)
    assert "server" not in answer.headers


def test_an_answer_that_nobody_reads_costs_little_and_is_given_up(
    serve: Callable[..., Served],
) -> None:
    served = serve(stall=0.3)
    served.get()
    before = served.resident()
    with closing(raw(served, "GET /pieces/whole HTTP/1.1\nHost: x\n\n")):
        sent = []
        while "was given up" not in served.log:
            sent.append(served.get()["sent"])
            assert served.resident() - before <= 2 * MIB
        # The last one may already count what went nowhere.
        assert sent[-2] < 4 * MIB
    assert "nothing was taken for 1.2 s" in served.log


def test_an_answer_in_pieces_arrives_whole(serve: Callable[..., Served]) -> None:
    served = serve()
    answer = httpx.get(f"{served.url}/pieces/whole", trust_env=False, timeout=30)
    assert len(answer.content) == 800 * 64 * 1024
    # The same connection takes the next one.
    with httpx.Client(trust_env=False, timeout=30) as client:
        for _ in range(2):
            assert client.get(f"{served.url}/pieces/whole").is_success


def test_an_answer_that_breaks_off_does_not_look_whole(serve: Callable[..., Served]) -> None:
    served = serve()
    for _ in range(2):
        # Twice: what looks after the others must have outlived the first.
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            httpx.get(f"{served.url}/pieces/broken", trust_env=False, timeout=10)
    head = "GET /pieces/broken HTTP/1.0\nHost: x\n\n"
    with closing(raw(served, head)) as peer, pytest.raises(ConnectionResetError):
        everything(peer)
