"""The app itself while it is told to stop: what pages, sockets and whoever sends people see."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.app_server import AppServer
from tests.server.conftest import RawSocket


def test_a_stop_is_told_to_sockets_and_to_whoever_sends_people(
    run_app: Callable[..., AppServer],
) -> None:
    app = run_app(None)
    with app.client_of("owner@example.com") as client:
        assert client.get("/readyz").text == "ready\n"
        with RawSocket(app.port, "/ws/me/", headers=app.headers_of("owner@example.com")) as peer:
            assert app.process is not None
            app.process.terminate()
            frames = iter(peer.frame, None)
            closing = next(frame for frame in frames if frame is not None and frame.opcode == 8)
            assert closing.code == 1012
            # The peer does not answer, so that the stop waits; the connection is still there.
            answer = client.get("/readyz")
            assert (answer.status_code, answer.text) == (503, "stopping\n")
            began = time.monotonic()
            assert app.process.wait(10) == 0
            assert time.monotonic() - began < 8
    assert "Traceback" not in app.log
