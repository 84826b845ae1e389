"""What somebody does at v0 itself, past the app, on a page that is open and being used."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.app_server import AppServer, wait_until
from tests.browser.seen import OWNER, PATIENCE, QUICK, is_live, shows_what_is_stored
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World

LONG = "scenario: long size=1500\npace: 0"
DRAFT = "Half a sentence about"
# Each new list may round to a whole pixel.
A_LITTLE = 4

# Where a message stands on the screen, and what is typed and selected, as the reader left it.
PLACE = "(id) => document.getElementById(id).getBoundingClientRect().top"
TYPED = """() => {
  const { value, selectionStart, selectionEnd } = document.getElementById("message");
  return [value, selectionStart, selectionEnd, document.activeElement.id];
}"""


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_COMPARE_OPENED": "0.2", "V0_SWEEP_EVERY": "0.5", "V0_LOOK_EVERY": "0.2"}


def a_long_chat(world: World, sandbox: Sandbox) -> str:
    """Ten questions and long answers, all of them here."""
    chat = world.ask(QUICK)
    world.finished(chat)
    for number in range(9):
        sandbox.write(world.chat(chat)["v0_id"], f"Question {number}\n{LONG}", run=False)
    wait_until(lambda: len(world.messages(chat)) == 20, what="all messages")
    return chat


def is_read_in_the_middle(page: Page, id: str) -> float:
    """The reader stands on a message, with a draft begun; where that message is then."""
    page.fill("#message", DRAFT)
    page.evaluate("document.getElementById('message').setSelectionRange(4, 6)")
    page.evaluate("(id) => document.getElementById(id).scrollIntoView({ block: 'start' })", id)
    place: float = page.evaluate(PLACE, id)
    return place


def test_an_open_page_follows_what_changes_before_what_is_being_read(
    app: AppServer, page_of: PageOf, world: World, sandbox: Sandbox
) -> None:
    chat = a_long_chat(world, sandbox)
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(page)
    rows, v0_chat = world.messages(chat), world.chat(chat)["v0_id"]
    ids = [row["v0_id"] for row in rows]
    read = page.locator("[data-message]").nth(11).get_attribute("id") or ""
    place = is_read_in_the_middle(page, read)

    sandbox.write(v0_chat, f"Put in elsewhere\n{QUICK}", run=False, before=ids[4])
    expect(page.get_by_text("Put in elsewhere")).to_have_count(1, timeout=PATIENCE)
    assert abs(page.evaluate(PLACE, read) - place) < A_LITTLE

    gone = [page.locator("[data-message]").nth(number).get_attribute("id") for number in (0, 3)]
    for number in (0, 3):
        sandbox.remove(v0_chat, ids[number])
    for id in gone:
        expect(page.locator(f"#{id}")).to_have_count(0, timeout=PATIENCE)
    sandbox.rewrite(v0_chat, ids[9], "Rewritten elsewhere")
    expect(page.get_by_text("Rewritten elsewhere")).to_have_count(1, timeout=PATIENCE)
    sandbox.edit(v0_chat, title="Called so elsewhere")
    expect(page.locator("#title")).to_have_text("Called so elsewhere", timeout=PATIENCE)

    assert abs(page.evaluate(PLACE, read) - place) < A_LITTLE
    assert page.evaluate(TYPED) == [DRAFT, 4, 6, "message"]
    is_live(page)
    shows_what_is_stored(page, world, chat)
    assert len(world.messages(chat)) == 20 + 2 - 2


def test_an_open_page_of_a_chat_deleted_at_v0_says_so_and_keeps_the_draft(
    app: AppServer, page_of: PageOf, world: World, sandbox: Sandbox
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(page)
    page.fill("#message", DRAFT)
    sandbox.delete(world.chat(chat)["v0_id"])
    expect(page.locator("#standing")).to_contain_text("deleted at v0", timeout=PATIENCE)
    expect(page.locator("#message")).to_have_value(DRAFT)
    expect(page.locator("[data-message]")).to_have_count(2)
