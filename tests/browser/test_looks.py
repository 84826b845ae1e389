"""What a page is beside its screen: on paper, in a tab, in the history, in a card, in a clock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.faultless import picture
from tests.browser.seen import ANSWER, OWNER, QUICK, has_state, is_live
from tests.conftest import PageOf
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

DASH = "–"  # noqa: RUF001
LEFT = "htmx:(sendError|afterRequest)"
SHOWN = """selectors => selectors.filter(at =>
  [...document.querySelectorAll(at)].some(element => element.checkVisibility()))"""


@pytest.fixture
def chat(world: World) -> str:
    id = world.ask("scenario: all-parts\npace: 0")
    world.finished(id)
    world.post(f"/chats/{id}/rename/", title="Tea shop")
    return id


def meta(page: Page, name: str) -> str:
    found = page.locator(f"meta[name='{name}'], meta[property='{name}']").first
    return found.get_attribute("content") or ""


def test_on_paper_a_chat_is_its_transcript(app: AppServer, page_of: PageOf, chat: str) -> None:
    page = page_of(app, OWNER, path=f"/chats/{chat}/", color_scheme="dark")
    is_live(page)
    beside = [
        "#sidebar",
        ".dock",
        ".composer",
        ".bar button",
        ".bar .more",
        ".message-own",
        ".jump",
    ]
    assert page.evaluate(SHOWN, beside)
    page.emulate_media(media="print")
    assert page.evaluate(SHOWN, beside) == []
    kept = ["#title", ".message-who", ".message-text", f"{ANSWER} [data-part=text]"]
    assert page.evaluate(SHOWN, kept) == kept
    # White paper and dark words, whatever the screen has; nothing wider than the sheet or cut off.
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    cut = """() => [...document.querySelectorAll(".message pre, .message-text")]
        .filter(element => element.checkVisibility() && element.scrollHeight > element.clientHeight + 1)
        .length"""
    assert page.evaluate(cut) == 0
    links = page.locator(f"{ANSWER} .prose a").evaluate_all(
        "links => links.map(link => getComputedStyle(link).textDecorationLine)"
    )
    assert all(line == "underline" for line in links)
    picture(page, "print")


def test_times_are_in_the_readers_zone_and_exact_on_hover(
    app: AppServer, page_of: PageOf, chat: str
) -> None:
    told = {}
    for zone in ("Asia/Tokyo", "America/New_York"):
        page = page_of(app, OWNER, path=f"/chats/{chat}/", timezone_id=zone, locale="en-GB")
        time = page.locator(".message-time").first
        expect(time).to_have_attribute("title", re.compile(r"\d{2}:\d{2}:\d{2}$"))
        moment = time.get_attribute("datetime")
        exact = page.evaluate(
            "moment => new Intl.DateTimeFormat(undefined, {dateStyle: 'full', timeStyle: 'medium'})"
            ".format(new Date(moment))",
            moment,
        )
        assert time.get_attribute("title") == exact
        told[zone] = exact
    assert len(set(told.values())) == 2


def test_tabs_and_history_say_where_one_is(
    app: AppServer, page_of: PageOf, world: World, chat: str
) -> None:
    other = world.ask(QUICK)
    world.finished(other)
    world.post(f"/chats/{other}/rename/", title="Bakery")
    page = page_of(app, OWNER, path="/", allowed=LEFT)
    expect(page).to_have_title("v0web")
    for id, title in ((chat, "Tea shop"), (other, "Bakery")):
        page.locator(f"#chats a.chat-link[href='/chats/{id}/']").click()
        expect(page).to_have_title(f"{title} {DASH} v0web")
    # A title, a menu, a dialog and an answer that runs are no steps of their own.
    before = page.evaluate("history.length")
    is_live(page)
    page.keyboard.press("F2")
    page.keyboard.press("Escape")
    page.fill("#message", QUICK)
    page.press("#message", "Enter")
    expect(page.locator(ANSWER)).to_have_count(2)
    has_state(page, "finished")
    assert page.evaluate("history.length") == before
    page.go_back()
    expect(page).to_have_title(f"Tea shop {DASH} v0web")
    page.go_back()
    expect(page).to_have_title("v0web")
    page.go_forward()
    expect(page).to_have_title(f"Tea shop {DASH} v0web")
    page.goto(f"/chats/{chat}/rename/")
    expect(page).to_have_title(f"Rename “Tea shop” {DASH} v0web")


def test_a_link_that_is_passed_on_has_a_card_without_words_of_the_chat(
    app: AppServer, page_of: PageOf, chat: str
) -> None:
    for email, path in ((None, "/accounts/login/"), (OWNER, f"/chats/{chat}/")):
        page = page_of(app, email, path=path)
        assert meta(page, "og:title") == "v0web"
        assert meta(page, "og:description") == meta(page, "description")
        assert meta(page, "twitter:card") == "summary_large_image"
        image = page.request.get(meta(page, "og:image"))
        assert (image.status, image.headers["content-type"]) == (200, "image/png")
        icon = page.locator("link[rel=icon]").get_attribute("href")
        assert icon
        for address in (icon, "/favicon.ico"):
            found = page.request.get(address)
            assert (found.status, found.headers["content-type"]) == (200, "image/svg+xml")
        metas = page.locator("meta").evaluate_all("all => all.map(it => it.content).join()")
        assert "Tea shop" not in metas
