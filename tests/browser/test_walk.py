"""A newcomer's walk: each page and each step, as a person takes it, without a fault that axe can see.

Every step leaves a picture in `artefacts/` for whoever sets `PICTURES` and looks. axe runs in the open page,
in light and in dark, on what `test_axe.py` and `test_security.py` do not look at; what it says of a page is
the message of the failure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.faultless import faultless, picture
from tests.browser.seen import (
    ANSWER,
    OWNER,
    PATIENCE,
    QUICK,
    RUNNING,
    ask,
    has_state,
    is_live,
    mode,
    send,
)
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE = {"width": 390, "height": 844}
LEFT = "htmx:(sendError|afterRequest)"
PARTS = "scenario: all-parts\npace: 0"


def sign_in(page: Page) -> None:
    page.goto("/")
    page.fill("[name=login]", OWNER)
    page.fill("[name=password]", "demo")
    page.keyboard.press("Enter")
    page.wait_for_selector("#message")


def change_the_chat(page: Page) -> None:
    """Rename in place and by the dialog, duplicate, delete the copy, bring it back, and return."""
    first = page.url
    page.locator("#title").click()
    page.fill("#title-field", "Tea shop")
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text("Tea shop")
    choose(page, "Rename…")
    expect(page.locator("#new-title")).to_have_value("Tea shop")
    page.fill("#new-title", "Tea shop, second try")
    picture(page, "walk-rename")
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text("Tea shop, second try", timeout=PATIENCE)
    expect(page).to_have_title("Tea shop, second try – v0web")  # noqa: RUF001
    choose(page, "Duplicate…")
    picture(page, "walk-duplicate")
    page.get_by_role("button", name="Duplicate").click()
    page.wait_for_url(lambda url: url != first)
    expect(page.locator("#title")).to_have_text("Tea shop, second try (copy)")
    # The page is made anew when the copy is complete.
    expect(page.locator("#copying")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(ANSWER)).to_have_count(2)
    is_live(page)
    copy = page.url
    choose(page, "Delete…")
    picture(page, "walk-delete")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/?deleted=*")
    picture(page, "walk-undo")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(copy)
    expect(page.locator(ANSWER)).to_have_count(2)
    page.goto(first)


def choose(page: Page, name: str) -> None:
    page.click("header .more")
    page.locator("#bar-menu").get_by_text(name).click()
    expect(page.locator("#dialog")).to_be_visible()


def test_a_newcomer_walks_through_everything(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, None, path="/", allowed=LEFT)
    picture(page, "sign-in")
    sign_in(page)
    is_live(page)
    picture(page, "home")

    ask(page, PARTS)
    has_state(page, "finished")
    mode(page, "ready")
    expect(page.locator(".cost").last).to_be_visible()
    page.evaluate("document.querySelectorAll('#messages details').forEach(it => (it.open = true))")
    picture(page, "chat")

    other = page.context.new_page()
    other.goto(page.url)
    is_live(other)
    send(page, RUNNING)
    mode(page, "running")
    expect(page.locator(f"{ANSWER} [data-part=text]").last).to_be_visible(timeout=PATIENCE)
    mode(other, "running")
    picture(page, "running")
    page.click("#action")
    has_state(page, "stopped")
    has_state(other, "stopped")
    mode(page, "ready")
    page.reload()
    has_state(page, "stopped")
    expect(page.locator(ANSWER)).to_have_count(2)
    picture(page, "stopped")
    other.close()

    change_the_chat(page)
    page.click(".new-chat")
    expect(page.locator(".home-question")).to_be_visible()
    page.go_back()
    expect(page.locator("#title")).to_have_text("Tea shop, second try")
    expect(page.locator(ANSWER)).to_have_count(2)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    faultless(page, "phone-chat")
    page.click(".bar-menu")
    page.click(".account summary")
    faultless(page, "phone-list")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("path", ["accounts/login", "accounts/logout", "adopt", "sidebar"])
def test_pages_beside_the_chat_fit_a_phone(app: AppServer, page_of: PageOf, path: str) -> None:
    person = None if "login" in path else "admin@example.com"
    page = page_of(app, person, path=f"/{path}/", viewport=PHONE)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    picture(page, f"phone-{path.replace('/', '-')}")


def test_a_rate_limit_counts_down_and_then_goes_on_once(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, world: World
) -> None:
    page = page_of(app, OWNER, path="/", allowed=LEFT)
    sandbox.fault(
        path="/chats*", method="POST", kind="status", status=429, retry_after=6, key=app.key
    )
    ask(page, QUICK)
    has_state(page, "failed")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_disabled()
    expect(page.locator("time[data-until]")).to_have_text(re.compile(r"^in \d s$"))
    faultless(page, "rate-limit")
    expect(again).to_be_enabled(timeout=PATIENCE)
    expect(page.locator("time[data-until]")).to_have_text("now")
    again.click()
    has_state(page, "finished")
    assert world.ledger["user_messages"] == 1


def test_an_answer_that_was_cut_goes_on_by_a_button(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, OWNER, path="/", allowed=LEFT)
    ask(page, "scenario: length\npace: 0")
    has_state(page, "finished")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".message[data-role=user]").last).to_contain_text("Continue")
    has_state(page, "finished")
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)


def test_the_keyboard_alone_is_enough(app: AppServer, page_of: PageOf, world: World) -> None:
    for chat in [world.ask(QUICK), world.ask(QUICK)]:
        world.finished(chat)
    page = page_of(app, OWNER, path="/", allowed=LEFT)
    is_live(page)
    keys = page.keyboard
    keys.type(QUICK.replace("\n", " "))
    expect(page.locator("#message")).to_have_value(QUICK.replace("\n", " "))
    keys.press("Control+Shift+ArrowDown")
    page.wait_for_url("**/chats/*/")
    first = page.url
    keys.press("Escape")
    keys.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    picture(page, "shortcuts")
    keys.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    keys.press("/")
    expect(page.locator("#message")).to_be_focused()
    keys.type("n?j")
    expect(page.locator("#message")).to_have_value("n?j")
    assert page.url == first
    page.locator("#message").fill("")
    page.locator("#message").blur()
    keys.press("j")
    page.wait_for_url(lambda url: url != first)
    keys.press("k")
    page.wait_for_url(first)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keys.press("c")
    expect(page.locator("#shortcut-said")).to_have_text("The last answer was copied.")
    keys.press("n")
    expect(page.locator(".home-question")).to_be_visible()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what `selector` names has the focus, as somebody without a mouse does."""
    for _ in range(60):
        if page.evaluate("at => document.activeElement.matches(at)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {selector}.")


def test_a_whole_walk_without_a_mouse(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, None, path="/", allowed=LEFT)
    keys = page.keyboard
    tab_to(page, "[name=login]")
    keys.type(OWNER)
    keys.press("Tab")
    keys.type("demo")
    keys.press("Enter")
    page.wait_for_selector("#message")
    is_live(page)
    expect(page.locator("#message")).to_be_focused()
    keys.insert_text(RUNNING)
    keys.press("Enter")
    page.wait_for_url("**/chats/*/")
    mode(page, "running")
    expect(page.locator(f"{ANSWER} [data-part=text]")).to_be_visible(timeout=PATIENCE)
    keys.press("Escape")
    has_state(page, "stopped")
    mode(page, "ready")
    keys.press("F2")
    expect(page.locator("#title-field")).to_be_focused()
    keys.type("By keys alone")
    keys.press("Enter")
    expect(page.locator("#title")).to_have_text("By keys alone")
    tab_to(page, "header .more")
    keys.press("Enter")
    expect(page.locator("#bar-menu a").first).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#new-title")).to_be_focused()
    keys.press("Control+a")
    keys.type("By the menu")
    keys.press("Enter")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#title")).to_have_text("By the menu", timeout=PATIENCE)
    page.locator(":focus").blur()
    keys.press("/")
    expect(page.locator("#message")).to_be_focused()
    keys.insert_text(QUICK)
    keys.press("Enter")
    expect(page.locator(ANSWER)).to_have_count(2)
    has_state(page, "finished")
    picture(page, "walk-keyboard")
