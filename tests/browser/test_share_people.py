"""The share dialog below the levels: a link that is copied, replaced and ends, and people who are invited,
by mouse and by keys. Whoever loses access by any of it has the chat open meanwhile."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import is_live
from tests.conftest import PageOf
from tests.crowd import write
from tests.world import World

OWNER, STRANGER = "owner@example.com", "stranger@example.com"
SECRET = "quetzalcoatlus"
SLUG = "a-link-to-copy"
FOLLOWS = 5000
ALLOWED = r"htmx:(sendError|afterRequest)|status of (403|404|422)|Status Error Code (40[34]|422)"


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_RIGHTS_CHECK": "0.5"}


def lost(page: Page) -> None:
    """The page says so in time, and keeps no text of the chat."""
    expect(page.locator("main .gone")).to_have_count(1, timeout=FOLLOWS)
    expect(page.locator("body")).not_to_contain_text(SECRET)


def look(page: Page, name: str) -> None:
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{name} is wider than {width}"
    found = faults(page, f"axe-{name}")
    assert not found, "\n".join(found)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_people_are_invited_and_links_passed_on_and_taken_back(
    app: AppServer, world: World, page_of: PageOf
) -> None:
    chat = world.ask(f"scenario: refusal\npace: 0\n{SECRET}")
    world.finished(chat)
    write(
        world,
        "UPDATE chats_chat SET privacy = 'unlisted', link_slug = ? WHERE id = ?",
        SLUG,
        uuid.UUID(chat).hex,
    )
    place = f"/chats/{chat}/"
    page = page_of(app, OWNER, path=place, allowed=ALLOWED, permissions=["clipboard-write"])
    dialog, keys = page.locator("#dialog"), page.keyboard
    page.click(".share-button")
    # Copied, as it is shown.
    link = f"{app.url}/shared/{SLUG}/"
    expect(dialog.get_by_label("Link to the chat")).to_have_value(link)
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    field = dialog.get_by_label("E-mail address")
    field.focus()
    keys.press("Control+v")
    expect(field).to_have_value(link)
    keys.press("Control+a")
    # Invited by keys alone; what was typed wrong stays.
    keys.type(OWNER)
    keys.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("owns the chat")
    expect(field).to_have_value(OWNER)
    field.focus()
    keys.press("Control+a")
    keys.type(STRANGER)
    keys.press("Enter")
    row = dialog.locator(".share-guest")
    expect(row).to_contain_text(re.compile(rf"{re.escape(STRANGER)}\s+Can read;"))
    theirs = page_of(app, STRANGER, allowed=ALLOWED, path=place)
    expect(theirs.locator("#messages")).to_contain_text(SECRET)
    expect(theirs.locator("#composer, textarea#message")).to_have_count(0)
    is_live(theirs)
    row.get_by_role("button", name=re.compile("Let write")).press("Enter")
    expect(row).to_contain_text("Can read and write;")
    expect(theirs.locator("#rights-changed")).to_contain_text("You can write here now")
    look(page, "share-people")
    # Withdrawn by keys, back once before.
    withdraw = dialog.get_by_role("link", name=re.compile("Withdraw"))
    withdraw.press("Enter")
    dialog.get_by_role("link", name="Back").press("Enter")
    withdraw.press("Enter")
    dialog.get_by_role("button", name="Withdraw").press("Enter")
    expect(dialog).to_contain_text("does not see it any more")
    lost(theirs)
    # A new link, by mouse: the old one is none, and whoever came by it has lost the chat.
    theirs.goto(link)
    expect(theirs.locator("#messages")).to_contain_text(SECRET)
    is_live(theirs)
    dialog.get_by_role("link", name="New link…").click()
    expect(dialog).to_contain_text("loses access at once")
    dialog.get_by_role("button", name="Make a new link").click()
    expect(dialog).to_contain_text("Nobody can open the chat by the old one")
    new = dialog.get_by_label("Link to the chat").input_value()
    assert new != link
    lost(theirs)
    answer = theirs.goto(link)
    assert answer
    assert answer.status == 404
    # An end that is chosen, and the end when it comes.
    theirs.goto(new)
    is_live(theirs)
    dialog.get_by_role("link", name="When it ends…").click()
    dialog.get_by_label("In 7 days").check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("It works until")
    past = "UPDATE chats_chat SET link_expires_at = '2026-01-01 00:00:00' WHERE id = ?"
    write(world, past, uuid.UUID(chat).hex)
    lost(theirs)


def test_a_chat_is_seen_as_others_would_and_its_shares_are_listed(
    app: AppServer, world: World, page_of: PageOf
) -> None:
    chat = world.ask(f"scenario: refusal\npace: 0\n{SECRET}")
    world.finished(chat)
    write(
        world,
        "UPDATE chats_chat SET privacy = 'public' WHERE id = ?",
        uuid.UUID(chat).hex,
    )
    page = page_of(app, OWNER, path=f"/chats/{chat}/view-as/stranger/")
    expect(page.locator("#messages")).to_contain_text(SECRET)
    look(page, "view-as")
    page.get_by_role("link", name="A visitor").click()
    expect(page.locator("main")).to_contain_text("would see nothing here")
    page.goto("/settings/shared/")
    look(page, "what-you-share")
    item = page.locator(f"[data-chat='{chat}']")
    item.get_by_role("link", name=re.compile("Stop sharing")).click()
    page.get_by_role("button", name="Stop sharing").click()
    expect(page.locator("main")).to_contain_text("yours alone again")
    expect(item).to_have_count(0)
