"""A site of one page, a tab, and both together: a page that follows what a test sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from chats.live.difference import Operation
from chats.live.html import render
from chats.live.state import Node
from chats.rendering.frames import frame
from tests.browser.live.following import Follow, Send, stand
from tests.browser.live.site import PATIENCE, Site, page, running_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """A tab; an exception in it fails the test. Its delays are as long as they can be."""
    tab = browser.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.add_init_script("Math.random = () => 1")
    tab.set_default_timeout(PATIENCE * 1000)
    yield tab
    tab.close()
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
