"""Finding one's way in a chat: links, copies and details of a message; search from place to place."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.app_server import AppServer
from tests.browser.faultless import faultless
from tests.browser.seen import ANSWER, OWNER, different, is_live, rendered, seen
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World
from tests.world import world as worlds

MANY = 160
LEFT = "htmx:(sendError|afterRequest)"
FOUND = "name => [...(CSS.highlights.get(name) ?? [])].map(String)"
IS_SEEN = """id => {
  const { top, bottom } = document.getElementById(id).getBoundingClientRect();
  return top >= 0 && top < innerHeight - 200 && bottom > 0;
}"""


@pytest.fixture(scope="module")
def chat(app: AppServer, sandbox: Sandbox) -> str:
    """One with every kind of part at its beginning, further back than a page shows at once."""
    with worlds(app, sandbox) as world:
        chat = world.ask("Look at the lighthouse\nscenario: all-parts")
        world.finished(chat)
        asked = world.messages(chat, role="user")[0]
    app.stop()
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        for number in range(MANY):
            row = asked | {
                "id": uuid.uuid4().hex,
                "v0_id": "",
                "text": f"turn {number}",
                "position": number + 10,
                "parts": "[]",
            }
            marks = ", ".join("?" * len(row))
            connection.execute(
                f"INSERT INTO chats_message ({', '.join(row)}) VALUES ({marks})", list(row.values())
            )
        # Long ago, and v0, which knows nothing of most of it, is not asked meanwhile.
        connection.execute("UPDATE chats_chat SET compared_at = '2100-01-01 00:00:00'")
        connection.execute("UPDATE chats_message SET ended_at = '2020-01-01 00:00:00'")
    app.start()
    return chat


def clipboard(page: Page) -> str:
    """What was copied, pasted elsewhere: no page of ours may read it."""
    other = page.context.new_page()
    other.set_content("<textarea></textarea>")
    other.focus("textarea")
    other.keyboard.press("ControlOrMeta+V")
    found = other.input_value("textarea")
    other.close()
    page.bring_to_front()
    return found


def test_a_message_is_linked_copied_and_looked_into(
    app: AppServer, page_of: PageOf, world: World, chat: str
) -> None:
    answer = str(uuid.UUID(world.answer(chat)["id"]))
    place = f"/chats/{chat}/?at={answer}#m{answer}"
    page = page_of(app, OWNER, path=place, allowed=LEFT)
    assert page.evaluate(IS_SEEN, f"m{answer}")
    page.context.grant_permissions(["clipboard-write"])
    act = page.locator(f"{ANSWER} .message-act:not([data-act=note])")
    act.nth(0).focus()
    page.keyboard.press("Enter")
    expect(act.nth(0)).to_have_attribute("data-done", "")
    assert "**Renamed** `lib/a.ts` → `lib/b.ts`" in clipboard(page)
    act.nth(1).click()
    expect(act.nth(1)).to_have_attribute("data-done", "")
    assert clipboard(page) == f"{app.url}{place}"
    act.nth(2).click()
    expect(page.locator("#dialog")).to_contain_text("What it cost")
    faultless(page, "message-details")
    page.locator(".details-parts > summary").click()
    page.locator(".details-parts a:not([data-dialog])").nth(13).click()
    expect(page.locator("#dialog")).to_be_hidden()
    assert page.url == f"{app.url}{place}-p13"
    expect(page.locator(f"#m{answer}-p13:target")).to_have_attribute("open", "")
    assert page.evaluate(IS_SEEN, f"m{answer}-p13")
    page.locator(f"#m{answer} .message-link").click()
    assert page.url == f"{app.url}{place}"
    # The part that an address names is unfolded on a page that is opened by it, too.
    page.goto(f"{place}-p13")
    expect(page.locator(f"#m{answer}-p13")).to_have_attribute("open", "")


def test_a_search_leads_from_place_to_place_however_far_back(
    app: AppServer, page_of: PageOf, world: World, chat: str
) -> None:
    answer = str(uuid.UUID(world.answer(chat)["id"]))
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=LEFT)
    is_live(page)
    keys, count, hits = page.keyboard, page.locator("#search-count"), page.locator("[data-hit]")
    keys.press("f")
    expect(page.locator("#search-field")).to_be_focused()
    keys.type("TURN 15")
    expect(count).to_have_text("11 found")
    faultless(page, "search")
    assert page.evaluate(FOUND, "found") == ["turn 15"] * 10, "one is not among the latest"
    keys.press("Enter")
    keys.press("Enter")
    expect(count).to_have_text("2 of 11")
    assert page.evaluate(FOUND, "found-here") == ["turn 15"]
    assert page.evaluate(IS_SEEN, str(hits.nth(1).get_attribute("data-hit")))
    expect(page.locator("#hits")).to_be_hidden()
    keys.press("Shift+Enter")
    expect(count).to_have_text("1 of 11")
    # What is marked is not in the document.
    assert not different(rendered(page, world.client.get(f"/chats/{chat}/").text), seen(page))
    page.fill("#search-field", "line of a long")
    expect(count).to_have_text("1 found")
    keys.press("Enter")
    page.wait_for_url(f"**/?at={answer}&find=line+of+a+long#m{answer}-p13")
    expect(count).to_have_text("1 of 1")
    expect(page.locator(f"#m{answer}-p13")).to_have_attribute("open", "")
    assert len(page.evaluate(FOUND, "found-here")) == 200
    expect(page.locator("#message")).to_have_count(0)
    page.locator("[data-search-close]").click()
    expect(page.locator("#search")).to_have_count(0)
    assert page.evaluate(FOUND, "found-here") == []
    assert "find" not in page.url

    plain = page_of(app, OWNER, path=f"/chats/{chat}/", java_script_enabled=False)
    plain.locator("[data-search-open]").click()
    plain.fill("#search-field", "lighthouse")
    plain.keyboard.press("Enter")
    expect(plain.locator(".hit mark").last).to_have_text("lighthouse")
    plain.locator(".hit").last.click()
    expect(plain.locator(".message:target .message-text")).to_contain_text("Look at the lighthouse")
    plain.get_by_role("link", name="Back to what was found").click()
    expect(plain.locator(".hit")).not_to_have_count(0)
