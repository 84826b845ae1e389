"""The server's process: how it starts, and how it ends."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import pytest

from tests.app_server import ROOT, wait_until
from tests.server.conftest import RawSocket, Served


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_closes_sockets_with_1012_and_exits_with_0(
    serve: Callable[..., Served], signum: int
) -> None:
    served = serve()
    with RawSocket(served.port, "/wait") as one, RawSocket(served.port, "/wait") as other:
        began = time.monotonic()
        served.process.send_signal(signum)
        for peer in (one, other):
            frame = peer.frame()
            assert frame.code == 1012
            peer.send(frame.payload, 8)
        assert served.process.wait(10) == 0
        assert time.monotonic() - began < 3
    assert "stop was called" in served.log


def test_a_stop_with_nobody_there_takes_no_time(serve: Callable[..., Served]) -> None:
    served = serve()
    began = time.monotonic()
    served.terminate()
    assert served.process.wait(10) == 0
    assert time.monotonic() - began < 1


def test_many_sockets_are_closed_over_a_while(serve: Callable[..., Served]) -> None:
    served = serve(drain=1.0)
    peers = [RawSocket(served.port, "/wait") for _ in range(120)]
    with selectors.DefaultSelector() as ready, ExitStack() as stack:
        for peer in peers:
            ready.register(stack.enter_context(peer).socket, selectors.EVENT_READ, peer)
        served.terminate()
        moments: list[float] = []
        while len(moments) < len(peers):
            for key, _ in ready.select(timeout=10):
                frame = key.data.frame()
                assert frame.code == 1012
                key.data.send(frame.payload, 8)
                ready.unregister(key.fileobj)
                moments.append(time.monotonic())
    assert served.process.wait(10) == 0
    assert 0.5 < moments[-1] - moments[0] < 3


def test_peers_that_do_not_answer_do_not_hold_up_a_stop(serve: Callable[..., Served]) -> None:
    served = serve()
    with RawSocket(served.port, "/flood"), RawSocket(served.port, "/wait"):
        wait_until(lambda: served.get()["sent"] > 0)
        began = time.monotonic()
        served.terminate()
        assert served.process.wait(12) == 0
        assert time.monotonic() - began < 10


def test_a_request_under_way_is_answered_before_the_end(serve: Callable[..., Served]) -> None:
    served = serve()
    answers: list[int] = []

    def ask() -> None:
        answers.append(httpx.get(f"{served.url}/slow", trust_env=False, timeout=20).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: "slow" in served.get("/seen")["seen"])
    served.terminate()
    asking.join()
    assert answers == [200]
    assert served.process.wait(10) == 0


def test_nobody_new_is_served_once_a_stop_began(serve: Callable[..., Served]) -> None:
    served = serve()
    with RawSocket(served.port, "/wait") as peer:
        served.terminate()
        assert peer.frame().code == 1012
        with pytest.raises(httpx.ConnectError):
            httpx.get(served.url, trust_env=False)


def test_a_second_signal_ends_the_process_at_once(serve: Callable[..., Served]) -> None:
    served = serve()
    with RawSocket(served.port, "/flood"):
        wait_until(lambda: served.get()["sent"] > 0)
        served.terminate()
        wait_until(lambda: "stopping" in served.log)
        served.terminate()
        began = time.monotonic()
        assert served.process.wait(10) == 1
        assert time.monotonic() - began < 1


def test_the_start_is_over_before_anything_is_served(serve: Callable[..., Served]) -> None:
    assert serve().get()["events"][0] == "start"


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "tests.server.application", port]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"Port {port} ")
    assert len(ended.stderr.splitlines()) == 1


def test_a_server_without_a_secret_does_not_start() -> None:
    kept = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "v0web.settings"}
    command = [sys.executable, "-m", "v0web.server"]
    ended = subprocess.run(
        command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr == "Not configured: The SECRET_KEY setting must not be empty.\n"
