"""A browser without scripts: everything is a page or a form, and what is typed is never lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import picture
from tests.browser.seen import ANSWER, OWNER, PATIENCE, QUICK, RUNNING, chat_of
from tests.conftest import PageOf
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE = {"width": 390, "height": 844}
RENEWS = "meta[http-equiv=refresh]"


def act(page: Page, name: str) -> None:
    page.locator("header .more").click()
    page.locator("main").get_by_text(f"{name}…").click()


def test_without_scripts_everything_is_a_page(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    page = page_of(app, None, java_script_enabled=False, viewport=PHONE, color_scheme="dark")
    page.goto("/")
    page.fill("[name=login]", OWNER)
    page.fill("[name=password]", "demo")
    page.keyboard.press("Enter")
    page.locator(".example").first.click()
    expect(page.locator("#message")).to_have_value(re.compile("coffee roastery"))
    page.fill("#message", QUICK)
    page.click("#action")
    page.wait_for_url("**/chats/*/")
    # It renews itself until the answer has ended, and no longer.
    expect(page.locator(ANSWER)).to_have_attribute("data-state", "finished", timeout=PATIENCE)
    expect(page.locator(RENEWS)).to_have_count(0)
    expect(page.locator(".needs-scripts:visible")).to_have_count(0)
    expect(page.locator(".message-time").first).to_have_text(re.compile("UTC$"))
    picture(page, "no-script-chat")
    page.reload()
    expect(page.locator(ANSWER)).to_have_count(1)

    act(page, "Rename")
    picture(page, "no-script-rename")
    page.fill("#new-title", "Without scripts")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("#title")).to_have_text("Without scripts")
    chat = chat_of(page)
    act(page, "Delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".undo")).to_contain_text("Deleted “Without scripts”.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#title")).to_have_text("Without scripts")
    wait_until(lambda: not world.chat(chat)["title_unsaid"], what="v0 to hear of the title")
    page.click(".bar-menu")
    expect(page.locator("#chats .chat-link").first).to_be_visible()


def test_a_page_that_renews_itself_has_no_field_and_one_with_a_field_does_not(
    app: AppServer, page_of: PageOf
) -> None:
    page = page_of(app, OWNER, path="/", java_script_enabled=False, viewport=PHONE)
    page.fill("#message", RUNNING)
    page.click("#action")
    page.wait_for_url("**/chats/*/")
    expect(page.locator(f"{ANSWER} [data-part=text]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(RENEWS)).to_have_count(1)
    expect(page.locator("#message")).to_be_hidden()
    expect(page.locator("#action[data-look=stop]")).to_be_visible()
    picture(page, "no-script-running")

    page.click("noscript a[href*=write]")
    expect(page.locator(RENEWS)).to_have_count(0)
    page.fill("#message", "half a thought")
    page.click("noscript button[name=look]")
    expect(page.locator("#message")).to_have_value("half a thought")
    expect(page.locator("#refusal")).to_be_hidden()
    expect(page.locator(RENEWS)).to_have_count(0)
    picture(page, "no-script-writing")

    page.click("#action")
    expect(page.locator(ANSWER).last).to_have_attribute("data-state", "stopped", timeout=PATIENCE)
    expect(page.locator(RENEWS)).to_have_count(0)
    page.fill("#message", QUICK)
    page.click("#action")
    expect(page.locator(ANSWER)).to_have_count(2)
    expect(page.locator(ANSWER).last).to_have_attribute("data-state", "finished", timeout=PATIENCE)
