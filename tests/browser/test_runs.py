"""Every scenario in a browser: what the page shows at the end is what the stored message renders to.

The page is never reloaded: it is open before v0 hears of the question, so that each word of the answer
comes over its socket. A second one that is opened in the middle shows the same.
"""

from __future__ import annotations

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
    from playwright.sync_api import Page

OPTIONS = {
    "long": "size=6000 chunk=40",
    "many-parts": "n=60",
    "silence": "seconds=1",
    "slow-first-byte": "seconds=1",
}
ENDS = {"error": "failed"}
# What these say fits into one step: sent, streaming and ended are all that there is to see.
SHORT = frozenset({"empty", "error", "refusal"})
SECONDS = 0.7  # that a scenario takes, waits that it insists on apart


def prompt(name: str, seconds: float = SECONDS) -> str:
    """A message that plays the scenario at a pace at which it takes about so long."""
    text = f"Play this.\nscenario: {name} {OPTIONS.get(name, '')}".rstrip()
    order = Order(text, model="", pace=1, place=0, title="", can_retitle=True)
    steps = script(order, Draft(datetime.now(UTC)))
    whole = sum(step.wait for step in steps if not step.exact)
    return f"{text}\npace: {min(1, seconds / whole if whole else 1):.3f}"


def begin(app: AppServer, world: World, page_of: PageOf, text: str) -> tuple[Page, str, list[str]]:
    """A page that is live before it sends `text`, its chat, and the frames that it gets after that."""
    chat = world.ask("scenario: empty")
    world.finished(chat)
    page = page_of(app, OWNER)
    frames: list[str] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda data: frames.append(str(data))),
    )
    page.goto(f"/chats/{chat}/")
    is_live(page)
    frames.clear()
    send(page, text)
    expect(page.locator(ANSWER)).to_have_count(2, timeout=PATIENCE)
    return page, chat, frames


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_ends_as_the_stored_message_renders(
    app: AppServer, world: World, page_of: PageOf, name: str
) -> None:
    page, chat, frames = begin(app, world, page_of, prompt(name))
    ends_as_stored(page, world, chat, state=ENDS.get(name, "finished"))
    changes = [frame for frame in frames if frame.count("hx-swap-oob") > 1]
    assert len(changes) > (2 if name in SHORT else 4)
    assert world.ledger["posts"] == 2


@pytest.mark.parametrize("name", ["all-parts", "rewrite", "long"])
def test_a_second_page_comes_upon_a_run_in_its_middle(
    app: AppServer, sandbox: Sandbox, world: World, page_of: PageOf, name: str
) -> None:
    page, chat, _ = begin(app, world, page_of, prompt(name, seconds=4))
    page.wait_for_selector(f"{ANSWER} [data-part] >> nth=1")
    with standing_still(sandbox):
        second = page_of(app, OWNER, path=page.url)
        is_live(second)
        shows(second, lambda: seen(page))
        has_state(second, "streaming")
    for each in (page, second):
        ends_as_stored(each, world, chat)
