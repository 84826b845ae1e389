"""Saved prompts in the composer: `/` finds one, Enter puts it there, Tab leads through its blanks."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.app_server import AppServer
from tests.browser.faultless import faultless
from tests.browser.seen import ANSWER, OWNER, QUICK, is_live
from tests.conftest import PageOf
from tests.world import World

OPTION = "#prompts [role=option]:not([hidden])"


def typed(page: Page) -> str:
    return page.input_value("#message")


def selected(page: Page) -> str:
    return str(page.evaluate("getSelection().toString()"))


def test_a_prompt_is_found_put_in_and_filled_by_keys(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    for name, text in (
        ("Review", f"Review {{{{what}}}} for {{{{whom}}}}.\n{QUICK}"),
        ("Shorten", "Shorten it."),
    ):
        world.post("/settings/prompts/new/", name=name, text=text, place="own")
    page = page_of(app, OWNER, path="/", allowed="htmx:(sendError|afterRequest)")
    is_live(page)
    page.focus("#message")
    keys = page.keyboard
    keys.type("/")
    expect(page.locator(OPTION)).to_have_count(2)
    expect(page.locator("#prompts-said")).to_have_text("2 saved prompts")
    faultless(page, "prompts-box")
    keys.press("Escape")
    expect(page.locator("#prompts-box")).to_be_hidden()
    keys.type("rev")
    expect(page.locator(OPTION)).to_have_count(1)
    expect(page.locator("#message")).to_have_attribute(
        "aria-activedescendant", str(page.locator(OPTION).get_attribute("id"))
    )
    keys.press("Enter")
    expect(page.locator("#prompts-box")).to_be_hidden()
    assert selected(page) == "{{what}}"
    keys.type("the form")
    keys.press("Tab")
    assert selected(page) == "{{whom}}"
    keys.type("a child")
    assert typed(page) == f"Review the form for a child.\n{QUICK}"
    # No blank is left, and so Tab leaves the field.
    keys.press("Tab")
    expect(page.locator("#message")).not_to_be_focused()
    page.focus("#message")
    keys.press("Enter")
    page.wait_for_url("**/chats/*/")
    expect(page.locator(ANSWER)).to_have_count(1)
    is_live(page)
    # What begins with a stroke and is called by no prompt is a message like any other.
    page.fill("#message", "")
    page.focus("#message")
    keys.type("/etc/hosts is wrong")
    expect(page.locator("#prompts-box")).to_be_hidden()
    page.fill("#message", "")
    page.focus("#message")
    keys.type("/sho")
    page.locator(OPTION).click()
    assert typed(page) == "Shorten it."
    page.goto("/settings/prompts/")
    faultless(page, "prompts")
    page.get_by_role("link", name="Edit Review").click()
    faultless(page, "prompt")
