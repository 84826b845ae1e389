"""From a private chat to the gallery, as people see it: who makes it public, who passes by, who signs in."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import OWNER, PATIENCE, QUICK, is_live
from tests.conftest import PageOf
from tests.world import World

STRANGER = "stranger@example.com"
NARROW = {"width": 390, "height": 844}
SECRET = "ghp_Zx9Kq2Lm7Rt4Vb8Nc3Wd6Yf1Hg5Jp0Saabcd"


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_GALLERY": "1", "V0_ANONYMOUS_READING": "1", "V0_LOOK_EVERY": "0.3"}


def is_faultless_and_fits(page: Page, name: str) -> None:
    """At 390 px, in light and in dark."""
    wide = page.viewport_size
    assert wide
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    found = faults(page, name)
    assert not found, "\n".join(found)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    page.set_viewport_size(wide)


def test_a_chat_is_looked_through_made_public_found_and_read(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    asked = f"{QUICK}\nUse {SECRET} for the deploy."
    place = {"message": asked, "token": str(uuid4()), "place": "private"}
    chat = world.post("/chats/", **place).headers["location"].strip("/").rpartition("/")[2]
    world.finished(chat)
    title = str(world.chat(chat)["title"])

    # Its owner is told what everybody would see, and has to have looked.
    owners = page_of(app, OWNER, path=f"/chats/{chat}/share/?privacy=public")
    found = owners.locator(".exposed-place")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("A token of GitHub")
    expect(found.locator("code")).to_have_text("Use ghp_… (40 characters)")
    assert SECRET not in owners.content()
    is_faultless_and_fits(owners, "exposed")
    owners.get_by_role("button", name="Make it public").click()
    expect(owners.get_by_label("I have looked at these")).to_be_focused()
    owners.keyboard.press("Space")
    with owners.expect_response(lambda answer: answer.request.method == "POST"):
        owners.get_by_role("button", name="Make it public").click()
    owners.goto(f"/chats/{chat}/")
    is_live(owners)
    expect(owners.locator(".share-level")).to_have_text("Public", timeout=PATIENCE)

    # Whoever passes by finds it, reads it, and is told what it is.
    visitors = page_of(app, None, path="/gallery/")
    expect(visitors.locator(".gallery-link")).to_have_text([title])
    is_faultless_and_fits(visitors, "gallery-of-a-visitor")
    visitors.locator(".gallery-link").click()
    visitors.wait_for_url(f"**/chats/{chat}/")
    reader = visitors.get_by_role("region", name="You can read this chat")
    expect(reader.get_by_role("link", name="Sign in")).to_be_visible()
    expect(visitors.locator("textarea, #sidebar, .where-name")).to_have_count(0)
    expect(visitors.locator('meta[property="og:title"]')).to_have_attribute("content", title)
    is_faultless_and_fits(visitors, "public-chat-of-a-visitor")
    # Keys lead to places that a visitor does not have; one that did anything would be an error here.
    for key in ("?", "j", "n"):
        visitors.keyboard.press(key)
    expect(visitors).to_have_url(f"{app.url}/chats/{chat}/")

    # Who signs in may make a copy.
    strangers = page_of(app, STRANGER, path="/gallery/")
    is_live(strangers)
    expect(strangers.locator(".gallery-way")).to_have_attribute("aria-current", "page")
    strangers.locator(".gallery-link").focus()
    strangers.keyboard.press("Enter")
    strangers.wait_for_url(f"**/chats/{chat}/")
    is_live(strangers)
    reader = strangers.get_by_role("region", name="You can read this chat")
    reader.get_by_role("link", name="Duplicate").click()
    expect(strangers.locator("#dialog").get_by_label("Title")).to_be_visible()
    strangers.keyboard.press("Escape")

    # Whose chats are listed is chosen by mouse and by keys, and stays so.
    lists = owners.get_by_role("form", name="Whose chats")
    listed = owners.locator("#chats .chat-link")
    lists.get_by_role("button", name="Shared").click()
    expect(owners.locator(".chat-list-empty")).to_contain_text("Nothing is shared with you here")
    expect(listed).to_have_count(0)
    lists.get_by_role("button", name="All").focus()
    owners.keyboard.press("Tab")
    owners.keyboard.press("Enter")
    expect(lists.get_by_role("button", name="Mine")).to_have_attribute("aria-current", "true")
    expect(listed).to_have_count(1)
