"""Every scenario in a browser: what the page shows at the end is what the stored message renders to.

The page is never reloaded: it is open before v0 hears of the question, so that each word of the answer
comes over its socket. A second one that is opened in the middle shows the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from chats.sandbox.agent import Order, script
from chats.sandbox.agent.scenarios import SCENARIOS
from chats.sandbox.draft import Draft
from tests.app_server import AppServer
from tests.browser.seen import (
    ANSWER,
    OWNER,
    PATIENCE,
    chat_of,
    ends_as_stored,
    has_state,
    is_live,
    seen,
    send,
    shows,
    standing_still,
)
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocket

OPTIONS = {
    "long": "size=6000 chunk=40",
    "many-parts": "n=60",
    "silence": "seconds=1",
    "slow-first-byte": "seconds=1",
}
ENDS = {"error": "failed"}
# What these say fits into one step: sent, streaming and ended are all that there is to see.
SHORT = frozenset({"empty", "error", "refusal"})
TOGETHER = 5  # scenarios that one page plays, one after another
SECONDS = 0.5  # that a scenario takes, waits that it insists on apart


def batched(names: Sequence[str], size: int) -> list[Sequence[str]]:
    return [names[at : at + size] for at in range(0, len(names), size)]


def prompt(name: str, seconds: float = SECONDS) -> str:
    """A message that plays the scenario at a pace at which it takes about so long."""
    text = f"Play this.\nscenario: {name} {OPTIONS.get(name, '')}".rstrip()
    order = Order(text, model="", pace=1, place=0, title="", can_retitle=True)
    steps = script(order, Draft(datetime.now(UTC)))
    whole = sum(step.wait for step in steps if not step.exact)
    return f"{text}\npace: {min(1, seconds / whole if whole else 1):.3f}"


@pytest.fixture
def page(app: AppServer, world: World, page_of: PageOf) -> Page:
    """A chat in which something was said already, open and live."""
    chat = world.ask("scenario: empty")
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(page)
    return page


def begin(page: Page, text: str) -> None:
    answers = page.locator(ANSWER).count()
    send(page, text)
    expect(page.locator(ANSWER)).to_have_count(answers + 1, timeout=PATIENCE)


@contextmanager
def frames_of(page: Page) -> Iterator[list[str]]:
    """What comes over the sockets that are opened within the block."""
    frames: list[str] = []

    def on_socket(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: frames.append(str(data)))

    page.on("websocket", on_socket)
    try:
        yield frames
    finally:
        page.remove_listener("websocket", on_socket)


@pytest.mark.parametrize("names", batched(tuple(SCENARIOS), TOGETHER), ids=" ".join)
def test_every_scenario_ends_as_the_stored_message_renders(
    page: Page, world: World, names: Sequence[str]
) -> None:
    with frames_of(page) as frames:
        page.reload()
        is_live(page)
        for name in names:
            frames.clear()
            begin(page, prompt(name))
            ends_as_stored(page, world, chat_of(page), state=ENDS.get(name, "finished"))
            changes = [frame for frame in frames if frame.count("hx-swap-oob") > 1]
            assert len(changes) > (2 if name in SHORT else 4), name
    assert world.ledger["posts"] == 1 + len(names)


@pytest.mark.parametrize("name", ["all-parts", "rewrite", "long"])
def test_a_second_page_comes_upon_a_run_in_its_middle(
    app: AppServer, sandbox: Sandbox, world: World, page: Page, page_of: PageOf, name: str
) -> None:
    begin(page, prompt(name, seconds=2))
    page.wait_for_selector(f"{ANSWER} [data-part] >> nth=1")
    with standing_still(sandbox):
        second = page_of(app, OWNER, path=page.url)
        is_live(second)
        shows(second, lambda: seen(page))
        has_state(second, "streaming")
    for each in (page, second):
        ends_as_stored(each, world, chat_of(page))
