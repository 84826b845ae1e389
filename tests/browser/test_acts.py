"""A chat's menu, its new title, its deletion and the undo: by keyboard and by touch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.seen import OWNER, PATIENCE, QUICK, is_live
from tests.conftest import PageOf
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

PHONE = {"width": 390, "height": 844}
# A request that a page did not wait for when it was left, and a chat that is gone.
LEFT = "htmx:(sendError|afterRequest)|404"


@pytest.fixture
def chat(world: World) -> str:
    id = world.ask(QUICK)
    world.finished(id)
    world.post(f"/chats/{id}/rename/", title="Tea shop")
    return id


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def open_menu(page: Page) -> None:
    page.locator("header .more").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#bar-menu a").first).to_be_focused()


def test_the_menu_is_walked_by_arrows_and_left_by_escape(
    app: AppServer, page_of: PageOf, chat: str
) -> None:
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    open_menu(page)
    walked = [focused(page)]
    for key in ("ArrowDown", "ArrowDown", "End", "ArrowDown", "ArrowUp", "Home"):
        page.keyboard.press(key)
        walked.append(focused(page))
    names = page.locator("#bar-menu").locator("a, button").all_inner_texts()
    assert names[0] == "Rename…"
    assert names[-1] == "Delete…"
    assert walked == [names[0], names[1], names[2], names[-1], names[0], names[-1], names[0]]
    page.keyboard.press("Escape")
    expect(page.locator("#bar-menu")).to_be_hidden()
    expect(page.locator("header .more")).to_be_focused()


def test_a_title_is_changed_in_place_and_everywhere(
    app: AppServer, page_of: PageOf, chat: str
) -> None:
    page, other = page_of(app, OWNER, path=f"/chats/{chat}/"), page_of(app, OWNER, path="/")
    for each in (page, other):
        is_live(each)
    page.keyboard.press("F2")
    expect(page.locator("#title-field")).to_have_value("Tea shop")
    page.keyboard.type("Never mind")
    page.keyboard.press("Escape")
    expect(page.locator("#title")).to_have_text("Tea shop")
    page.locator("#title").click()
    page.keyboard.type("Coffee <i>shop</i>")
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text("Coffee <i>shop</i>")
    expect(page.locator("#title-field")).to_be_hidden()
    for each in (page, other):
        row = each.locator(f'#chats a[href="/chats/{chat}/"]')
        expect(row).to_have_text("Coffee <i>shop</i>", timeout=PATIENCE)


def test_a_chat_is_renamed_from_the_list(app: AppServer, page_of: PageOf, chat: str) -> None:
    page, home = page_of(app, OWNER, path=f"/chats/{chat}/"), page_of(app, OWNER, path="/")
    for each in (page, home):
        is_live(each)
    row = home.locator("#chats li", has=home.locator(f'a[href="/chats/{chat}/"]'))
    row.hover()
    row.locator(".more").click()
    home.locator("#sidebar-menu").get_by_text("Rename…").click()
    expect(home.locator("#new-title")).to_be_focused()
    home.fill("#new-title", "From the list")
    home.keyboard.press("Enter")
    expect(home.locator("#dialog")).to_be_hidden()
    expect(row.locator(".chat-link")).to_have_text("From the list", timeout=PATIENCE)
    expect(page.locator("#title")).to_have_text("From the list", timeout=PATIENCE)


def test_a_chat_is_deleted_and_brought_back_by_keyboard(
    app: AppServer, page_of: PageOf, chat: str
) -> None:
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=LEFT)
    other = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=LEFT)
    is_live(other)
    open_menu(page)
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_visible()
    expect(page.locator("#dialog")).to_contain_text("Delete “Tea shop”?")
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    assert page.request.get(f"/chats/{chat}/").status == 200
    open_menu(page)
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_visible()
    page.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    notice = page.locator(".undo")
    expect(notice).to_contain_text("Deleted “Tea shop”.")
    expect(other.locator("main")).to_contain_text("This chat is gone", timeout=PATIENCE)
    expect(page.locator(f'#chats a[href="/chats/{chat}/"]')).to_have_count(0)
    notice.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/chats/{chat}/")
    expect(page.locator("#title")).to_have_text("Tea shop")


def test_a_copy_comes_by_itself(app: AppServer, page_of: PageOf, world: World, chat: str) -> None:
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=LEFT)
    open_menu(page)
    page.locator("#bar-menu").get_by_text("Duplicate…").click()
    expect(page.locator("#dialog")).to_be_visible()
    page.get_by_role("button", name="Duplicate").dblclick()
    page.wait_for_url(lambda url: chat not in url)
    expect(page.locator("#title")).to_have_text("Tea shop (copy)")
    expect(page.locator("[data-message]")).to_have_count(2, timeout=PATIENCE)
    expect(page.locator("#copying")).to_have_count(0)
    expect(page.locator("#message")).to_be_visible()
    assert world.ledger["posts"] == 2, "one for the chat and one for its copy"


def test_a_phone_has_room_for_a_finger(app: AppServer, page_of: PageOf, chat: str) -> None:
    page = page_of(app, OWNER, path=f"/chats/{chat}/", viewport=PHONE, has_touch=True)
    page.locator(".bar-menu").tap()
    more = page.locator("#sidebar .more").first
    box = more.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    more.tap()
    menu = page.locator("#sidebar-menu")
    expect(menu).to_be_visible()
    expect(page.locator("#sidebar")).to_be_visible()
    box = menu.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    for item in menu.locator("a").all():
        size = item.bounding_box()
        assert size
        assert size["height"] >= 44
    menu.get_by_text("Rename…").tap()
    expect(page.locator("#dialog")).to_be_visible()


def test_a_menu_opens_while_the_list_is_on_its_way(
    app: AppServer, page_of: PageOf, chat: str
) -> None:
    """What is pressed in a fragment does not wait for the fragment, nor go with it when it is replaced:
    not even while the button is down."""
    page = page_of(app, OWNER, path="/")
    is_live(page)
    held: list[Route] = []
    page.route(re.compile("/sidebar/"), lambda route: held.append(route))
    with page.expect_request(re.compile("/sidebar/")):
        page.evaluate("htmx.trigger(document.body, 'mark:sidebar')")
    row = page.locator("#chats li", has=page.locator(f'a[href="/chats/{chat}/"]'))
    row.hover()
    row.locator(".more").click()
    expect(page.locator("#sidebar-menu").get_by_text("Rename…")).to_be_visible()
    page.keyboard.press("Escape")
    row.locator(".chat-link").hover()
    page.mouse.down()
    with page.expect_response(re.compile("/sidebar/")) as came:
        held.pop().continue_()
    came.value.finished()
    page.wait_for_function("() => !document.querySelector('#chats.htmx-request')")
    page.mouse.up()
    page.wait_for_url(f"**/chats/{chat}/")
