"""The harness itself: an app that others start in their tests answers and knows its people."""

from __future__ import annotations

from collections.abc import Callable

from tests.app_server import AppServer
from tests.conftest import PageOf


def test_an_app_runs_restarts_and_keeps_its_people(run_app: Callable[..., AppServer]) -> None:
    app = run_app(None)
    with app.client_of("owner@example.com") as client:
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/readyz").text == "ready\n"
    app.restart()
    assert app.session_of("mate@example.com")


def test_a_page_is_signed_in(run_app: Callable[..., AppServer], page_of: PageOf) -> None:
    app = run_app(None)
    page = page_of(app, "owner@example.com", path="/healthz")
    assert "ok" in page.inner_text("body")
