"""A site of one page, a tab, and both together: a page that follows what a test sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from chats.live.difference import Operation
from chats.live.html import render
from chats.live.state import Node
from chats.rendering.frames import frame
from tests.browser.live.following import Early, Follow, Send, stand
from tests.browser.live.site import PATIENCE, Site, page, running_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Error
    from playwright.sync_api import Page as Tab


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture(scope="module")
def kept(browser: Browser) -> Iterator[Tab]:
    """The tab that all tests of a module use: each new one would start a process of Chromium's."""
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE * 1000)
    yield tab
    tab.close()


@pytest.fixture
def early(kept: Tab) -> Iterator[Early]:
    """`early(script)`: it runs before every page of this test."""
    session = kept.context.new_cdp_session(kept)
    session.send("Page.enable")

    def early(script: str) -> None:
        session.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    yield early
    session.detach()


@pytest.fixture
def tab(kept: Tab, early: Early) -> Iterator[Tab]:
    """A tab; an exception in it fails the test. Its delays are as long as they can be."""
    errors: list[str] = []

    def note(error: Error) -> None:
        errors.append(str(error))

    kept.on("pageerror", note)
    early("Math.random = () => 1")
    yield kept
    kept.remove_listener("pageerror", note)
    assert not errors


@pytest.fixture
def follow(site: Site, tab: Tab) -> Follow:
    """`follow(*nodes)` opens a page of these messages and gives a way to send it operations."""

    def follow(*messages: Node, **options: str) -> Send:
        site.pages["/"] = page("".join(map(render, messages)), **options)
        tab.goto(site.url)
        socket = site.socket()
        count = 1

        def send(*operations: Operation) -> None:
            nonlocal count
            count += 1
            socket.send(frame(operations, f"h.{count}"))
            stand(tab, f"h.{count}")

        return send

    return follow
