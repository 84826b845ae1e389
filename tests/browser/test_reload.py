"""A page that is reloaded, or whose server is, in the middle of a run: it never shows less than before,
and ends as the stored message renders.

What was shown is taken down by the page itself, at the moment it is left, when it is there again
before any script has run, and after each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer, wait_until
from tests.browser.seen import (
    ANSWER,
    OWNER,
    PATIENCE,
    ask,
    ends_as_stored,
    has_state,
    is_live,
    mode,
    send,
    standing_still,
)
from tests.conftest import PageOf
from tests.relay.conftest import QUICK
from tests.sandbox_server import Sandbox
from tests.world import World, world

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOMENTS = 30
# About 12 s on a machine that has nothing else to do.
RUN = "Go on.\nscenario: long size=9000 chunk=36\npace: 1"
SHORT = "Go on.\nscenario: long size=4000 chunk=24\npace: 0.5"

# Letters alone, and no addresses: markup is text until it is complete.
WATCH = """
window.losses = [];
window.letters = () => {
  let text = "";
  const answer = [...document.querySelectorAll(".message[data-role=assistant]")].pop();
  for (const body of answer?.querySelectorAll(".part-body") ?? []) {
    const copy = body.cloneNode(true);
    for (const button of copy.querySelectorAll("button")) button.remove();
    text += copy.textContent;
  }
  return text.replace(/\\]\\(\\S*/g, "").replace(/[^\\p{L}]/gu, "");
};
window.runs = () => [...document.querySelectorAll(".message[data-role=assistant]")]
  .pop()?.dataset.state === "streaming";
{
  let last = "";
  const look = () => {
    const now = letters();
    if (!now.startsWith(last)) losses.push([last.slice(now.length - 40), now.slice(-40)]);
    last = now;
  };
  document.addEventListener("readystatechange", () => {
    if (document.readyState === "interactive") window.first = last = letters();
  });
  document.addEventListener("htmx:wsAfterMessage", look);
  // Before the next page is asked for: this one goes on until that one is there.
  addEventListener("beforeunload", () => {
    sessionStorage.setItem("left", JSON.stringify({ letters: letters(), runs: runs() }));
  });
}
"""
HAS_GROWN = """([count, more]) => letters().length >= count + more || !runs()"""


@pytest.fixture
def page(app: AppServer, page_of: PageOf) -> Page:
    page = page_of(app, OWNER, fresh=True)
    page.add_init_script(WATCH)
    page.goto("/")
    return page


def left(page: Page) -> Any:
    """What the page before this one showed when it was left."""
    return page.evaluate("() => JSON.parse(sessionStorage.getItem('left'))")


def reload_until_it_ends(page: Page, random: Random, most: int) -> int:
    """Reloads at random moments while the answer runs, at most so often; how often it did."""
    count = 0
    while count < most:
        shown = page.evaluate("letters().length")
        more = random.choice((0, random.randrange(1, 40), random.randrange(40, 400)))
        page.wait_for_function(HAS_GROWN, arg=[shown, more], timeout=PATIENCE, polling=50)
        page.reload(wait_until="domcontentloaded")
        before = left(page)
        if not before["runs"]:
            break
        assert page.evaluate("first").startswith(before["letters"])
        count += 1
    return count


def test_a_page_reloaded_at_thirty_moments_never_shows_less(page: Page, world: World) -> None:
    """On a slow machine a run is over before it was reloaded so often: then there is another one."""
    random, count, runs = Random(30), 0, 1
    chat = ask(page, RUN)
    while True:
        has_state(page, "streaming")
        count += reload_until_it_ends(page, random, MOMENTS - count)
        ends_as_stored(page, world, chat)
        assert page.evaluate("losses") == []
        if count == MOMENTS:
            break
        runs += 1
        assert runs <= MOMENTS
        mode(page, "ready")
        send(page, RUN)
        expect(page.locator(ANSWER)).to_have_count(runs, timeout=PATIENCE)
    assert world.ledger["posts"] == runs


# --- A server that is started again ---

# What a page says in the console while nobody answers it.
AWAY = r"WebSocket|ERR_CONNECTION|\[object Event\]|htmx:(sendError|afterRequest)"
# v0 stands still while the server is away, for longer than the suite's own patience with it.
PATIENT = {**QUICK, "V0_HEADERS_TIMEOUT": "30", "V0_SILENCE_TIMEOUT": "30"}


@pytest.fixture
def here(
    sandbox: Sandbox, run_app: Callable[..., AppServer]
) -> Iterator[Callable[[Mapping[str, str]], World]]:
    """The owner's world in a server of the test's own."""
    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(world(run_app(sandbox, **settings), sandbox))


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_page_left_open_follows_a_server_that_is_started_again(
    sandbox: Sandbox, here: Callable[[Mapping[str, str]], World], page_of: PageOf, end: str
) -> None:
    own = here(PATIENT)
    page = page_of(own.app, OWNER, allowed=AWAY, fresh=True)
    page.add_init_script(WATCH)
    page.goto("/")
    chat = ask(page, SHORT)
    is_live(page)
    page.evaluate("() => { window.isTheSame = true }")
    page.wait_for_function("() => letters().length > 300", timeout=PATIENCE)
    if end == "kill":
        # What was not saved is gone until v0 tells it again.
        wait_until(
            lambda: len(str(own.answer(chat)["parts"])) > 300, within=30, what="a saved text"
        )
    with standing_still(sandbox):
        getattr(own.app, end)()
        expect(page.locator("html[data-connection=offline]")).to_have_count(1, timeout=PATIENCE)
        own.app.start()
        is_live(page)
        has_state(page, "streaming")
        shown = page.evaluate("letters().length")
        assert shown > 0
    page.wait_for_function("count => letters().length > count + 300", arg=shown, timeout=PATIENCE)
    has_state(page, "streaming")
    ends_as_stored(page, own, chat)
    assert page.evaluate("isTheSame")
    if end == "stop":
        # What readers had seen was saved; a server that is killed saves nothing more.
        assert page.evaluate("losses") == []
    assert own.ledger["posts"] == 1
