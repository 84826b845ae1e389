"""The pages in Chromium, before the app and the sandbox as they run: what a person does and sees."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.seen import (
    ANSWER,
    OWNER,
    PATIENCE,
    QUICK,
    RUNNING,
    answer_text,
    ask,
    chat_of,
    has_state,
    is_live,
    mode,
    send,
)
from tests.conftest import PageOf
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route, ViewportSize

QUESTION = ".message[data-role=user]"
PHONE: ViewportSize = {"width": 390, "height": 844}
LONG = "scenario: long size=12000 chunk=60\npace: 0.4"
# What htmx says of a request that a page did not wait for when it was left.
LEFT = "htmx:(sendError|afterRequest)"


@pytest.fixture
def page(app: AppServer, page_of: PageOf) -> Page:
    """The owner's home page, ready to be used."""
    page = page_of(app, OWNER, path="/", allowed=LEFT)
    is_live(page)
    return page


@pytest.fixture
def chat(app: AppServer, world: World, page_of: PageOf) -> Page:
    """A chat with one finished answer."""
    id = world.ask(QUICK)
    world.finished(id)
    page = page_of(app, OWNER, path=f"/chats/{id}/", allowed=LEFT)
    is_live(page)
    mode(page, "ready")
    return page


@pytest.fixture
def running(app: AppServer, world: World, page_of: PageOf) -> Page:
    """A chat whose answer has said something and goes on."""
    page = page_of(app, OWNER, path=f"/chats/{world.ask(RUNNING)}/", allowed=LEFT)
    is_live(page)
    mode(page, "running")
    expect(page.locator(f"{ANSWER} [data-part=text]")).to_be_visible()
    return page


# From a question to an answer


def test_a_question_becomes_a_chat_that_answers(page: Page) -> None:
    expect(page.locator("h1")).to_have_text("What do you want to create?")
    page.locator(".example").first.click()
    expect(page.locator("#message")).to_have_value(re.compile("coffee roastery"))
    expect(page.locator("#message")).to_be_focused()
    ask(page, "A page about tea")
    has_state(page, "finished")
    mode(page, "ready")
    assert "tea" in answer_text(page).lower()
    expect(page.locator(".cost summary").last).to_have_text(re.compile(r"^\d+\.\d{4} credits · "))
    title = page.locator("#title").inner_text()
    expect(page).to_have_title(f"{title} – v0web")  # noqa: RUF001
    expect(page.locator("#announcer")).to_have_text("Finished")
    expect(page.locator("#chats .chat-link[aria-current]")).to_have_text(title)


def test_the_tab_the_list_and_a_second_tab_follow_a_run(
    app: AppServer, page: Page, page_of: PageOf
) -> None:
    other = page_of(app, OWNER, path="/", allowed=LEFT)
    is_live(other)
    ask(page, RUNNING)
    mode(page, "running")
    expect(page).to_have_title(re.compile("^● "))
    link = other.locator(f"#chats .chat-link[href*='{chat_of(page)}']")
    expect(link.locator(".dot")).to_have_count(1)
    link.click()
    mode(other, "running")
    page.click("#action")
    has_state(other, "stopped")
    mode(other, "ready")
    expect(page).to_have_title(re.compile("^(?!● )"))
    expect(other.locator("#chats .dot")).to_have_count(0)


def test_shift_enter_and_an_input_method_do_not_send(page: Page) -> None:
    def press(**given: object) -> None:
        key = {"key": "Enter", "bubbles": True, "cancelable": True, **given}
        page.locator("#message").dispatch_event("keydown", key)

    page.fill("#message", "one")
    page.press("#message", "Shift+Enter")
    page.keyboard.insert_text(QUICK)
    press(isComposing=True)
    press(keyCode=229)
    expect(page.locator("#message")).to_have_value(f"one\n{QUICK}")
    assert "/chats/" not in page.url
    press()
    page.wait_for_url("**/chats/*/")


def test_the_field_grows_and_then_scrolls(page: Page) -> None:
    def height() -> float:
        box = page.locator("#message").bounding_box()
        assert box
        return box["height"]

    low = height()
    page.fill("#message", "\n".join(["line"] * 6))
    higher = height()
    page.fill("#message", "\n".join(["line"] * 60))
    assert low < higher < height() <= 200


def test_escape_stops_the_run_and_what_was_written_stays(running: Page) -> None:
    run = running.locator(ANSWER).last.get_attribute("data-message")
    with running.expect_request("**/stop/") as stopped:
        running.keyboard.press("Escape")
    assert f"run={run}" in (stopped.value.post_data or "")
    has_state(running, "stopped")
    mode(running, "ready")
    assert answer_text(running)
    expect(running.locator("#announcer")).to_have_text("Stopped")


def test_stop_stands_inside_the_composer_of_a_phone(running: Page) -> None:
    running.set_viewport_size(PHONE)
    ends = """() => [".composer", "#action"].map(
        at => document.querySelector(at).getBoundingClientRect().right)"""
    composer, button = running.evaluate(ends)
    assert button <= composer - 4
    running.click("#action")
    has_state(running, "stopped")


def test_escape_closes_a_drawer_before_it_stops_anything(running: Page) -> None:
    running.set_viewport_size(PHONE)
    running.click(".bar-menu")
    expect(running.locator("#sidebar")).to_be_visible()
    running.keyboard.press("Escape")
    expect(running.locator("#sidebar")).to_be_hidden()
    mode(running, "running")
    running.keyboard.press("Escape")
    has_state(running, "stopped")


# What is typed is never lost


def test_a_draft_survives_a_reload_and_belongs_to_its_chat(chat: Page) -> None:
    path = chat.url
    chat.fill("#message", "a draft of this chat")
    chat.reload()
    expect(chat.locator("#message")).to_have_value("a draft of this chat")
    chat.goto("/")
    expect(chat.locator("#message")).to_have_value("")
    chat.goto(path)
    expect(chat.locator("#message")).to_have_value("a draft of this chat")


def test_signing_out_forgets_every_draft(page: Page) -> None:
    page.fill("#message", "a secret draft")
    page.reload()
    expect(page.locator("#message")).to_have_value("a secret draft")
    page.click(".account summary")
    page.click("text=Sign out")
    page.wait_for_url("**/accounts/login/**")
    assert "secret" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")


def test_a_server_that_does_not_answer_gives_the_text_back_and_once_is_once(
    app: AppServer, world: World, page_of: PageOf
) -> None:
    page = page_of(app, OWNER, path="/", allowed=f"ERR_FAILED|{LEFT}")
    ask(page, QUICK)
    mode(page, "ready")

    # The server takes it, and its answer is lost on the way.
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/messages/", lose)
    send(page, QUICK)
    expect(page.locator("#refusal")).to_contain_text("did not answer")
    expect(page.locator("#message")).to_have_value(QUICK)
    page.unroute("**/messages/")
    expect(page.locator(QUESTION)).to_have_count(2)
    has_state(page, "finished")
    mode(page, "ready")
    page.press("#message", "Enter")
    expect(page.locator("#message")).to_have_value("")
    expect(page.locator(QUESTION)).to_have_count(2)
    assert len(world.messages(chat_of(page))) == 4


def test_refused_text_never_overwrites_what_is_being_typed(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, OWNER, path="/", allowed=f"ERR_FAILED|{LEFT}")
    ask(page, QUICK)
    mode(page, "ready")
    held: list[Route] = []
    page.route("**/messages/", lambda route: held.append(route))
    send(page, "the first")
    expect(page.locator("#message")).to_have_value("")
    page.fill("#message", "the second")
    held[0].abort()
    expect(page.locator("#refusal")).to_be_visible()
    expect(page.locator("#message")).to_have_value("the second")
    page.click("text=Put my text back")
    expect(page.locator("#message")).to_have_value("the first\n\nthe second")
    expect(page.locator("#refusal")).to_be_hidden()


# Reading


def top_of(page: Page, selector: str) -> float:
    box = page.locator(selector).last.bounding_box()
    assert box
    return box["y"]


def test_what_was_sent_is_pinned_and_the_page_does_not_run_after_the_answer(
    app: AppServer, world: World, page_of: PageOf
) -> None:
    chat = world.ask("scenario: long size=12000 chunk=1200\npace: 0")
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=LEFT)
    is_live(page)
    mode(page, "ready")
    send(page, LONG)
    expect(page.locator(QUESTION)).to_have_count(2)
    has_state(page, "streaming")
    pinned = top_of(page, QUESTION)
    assert 52 < pinned < 80
    expect(page.locator("[data-jump]")).to_be_visible(timeout=PATIENCE)
    has_state(page, "finished")
    assert top_of(page, QUESTION) == pytest.approx(pinned, abs=2)
    page.click("[data-jump]")
    expect(page.locator("[data-jump]")).to_be_hidden()
    expect(page.locator(".cost").last).to_be_in_viewport()


def test_a_chat_opens_at_its_end(page: Page) -> None:
    ask(page, "scenario: long size=9000 chunk=900\npace: 0")
    expect(page.locator(".cost").last).to_be_attached(timeout=PATIENCE)
    # What has not been on the screen to its end is new: the page would open at its beginning.
    answer = page.locator(ANSWER).last.get_attribute("data-message")
    with page.expect_request(lambda asked: asked.post_data == f"message={answer}") as read:
        page.locator("[data-jump]").click()
    assert read.value.response()
    page.goto(page.url)
    expect(page.locator(".cost").last).to_be_in_viewport()
    expect(page.locator("[data-jump]")).to_be_hidden()
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("[data-jump]")).to_be_visible()


def lengthen(app: AppServer, chat: str, times: int) -> None:
    """Put the turn that a chat has `times` more times before it."""
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        table = connection.execute("PRAGMA table_info(chats_message)")
        columns = [row[1] for row in table if row[1] not in ("id", "position", "v0_id")]
        copied = ", ".join(columns)
        connection.execute(
            "UPDATE chats_message SET position = position + ? WHERE chat_id = ?", [2 * times, chat]
        )
        rows = list(connection.execute("SELECT id FROM chats_message WHERE chat_id = ?", [chat]))
        for turn in range(times):
            for place, (id,) in enumerate(rows):
                connection.execute(
                    f"INSERT INTO chats_message (id, position, v0_id, {copied}) "
                    f"SELECT ?, ?, '', {copied} FROM chats_message WHERE id = ?",
                    [uuid4().hex, 2 * turn + place + 1, id],
                )


def scrolled_up(chat: Page, first: str) -> float:
    """Down to the end and up to the very top; where the element `first` stands then."""
    chat.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    chat.wait_for_function("scrollY > 0")
    # The page hears of it with a frame: down and up again within one would be no way up.
    chat.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    place = "first => (scrollTo(0, 0), document.querySelector(first).getBoundingClientRect().top)"
    return float(chat.evaluate(place, first))


def come(page: Page, held: list[Route], count: int) -> None:
    """Waits, with the page at work meanwhile, until so many requests were held back."""
    for _ in range(200):
        if len(held) >= count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(held)} requests came, and not {count}.")


def test_earlier_messages_come_without_a_jump(app: AppServer, chat: Page) -> None:
    lengthen(app, chat_of(chat).replace("-", ""), 40)
    # A reload would restore where the short page stood: at its top.
    chat.goto(chat.url)
    articles = chat.locator("#messages > article")
    expect(articles).to_have_count(50)
    first, before = f"#{articles.first.get_attribute('id')}", 0.0
    # Scrolling up to them is all it takes; who sees nothing come does it once more.
    for _ in range(5):
        before = scrolled_up(chat, first)
        with suppress(AssertionError):
            expect(articles).to_have_count(82, timeout=2000)
            break
    expect(articles).to_have_count(82)
    expect(chat.locator("#earlier")).to_have_text("Beginning of the chat")
    assert top_of(chat, first) == pytest.approx(before, abs=2)


def test_earlier_messages_that_come_while_the_page_is_renewed_stay(
    app: AppServer, chat: Page
) -> None:
    lengthen(app, chat_of(chat).replace("-", ""), 40)
    held: list[Route] = []
    chat.route(re.compile(r"[?&]from="), lambda route: held.append(route))
    chat.goto(chat.url)
    is_live(chat)
    # As the server says it of a page, and the next word of its socket has it renewed.
    chat.locator("#at").evaluate(
        "it => { it.dataset.stale = ''; dispatchEvent(new Event('online')); }"
    )
    come(chat, held, 1)
    articles = chat.locator("#messages > article")
    scrolled_up(chat, f"#{articles.first.get_attribute('id')}")
    expect(articles).to_have_count(82)

    # What was asked for before they came knows nothing of them: it is asked for again.
    held[0].continue_()
    come(chat, held, 2)
    expect(articles).to_have_count(82)
    first = articles.first.get_attribute("data-message")
    assert f"from={first}" in held[1].request.url
    held[1].continue_()
    expect(chat.locator("#at[data-stale]")).to_have_count(0)
    expect(articles).to_have_count(82)
    expect(chat.locator("#earlier")).to_have_text("Beginning of the chat")


def test_a_cost_that_was_opened_stays_open(chat: Page) -> None:
    chat.locator(".cost summary").last.click()
    send(chat, QUICK)
    expect(chat.locator(".cost")).to_have_count(2, timeout=PATIENCE)
    expect(chat.locator(".cost[open]")).to_have_count(1)


SMALL = """() => [...document.querySelectorAll("button, a, summary, .theme label")]
  .filter(element => !element.matches("#messages *, .skip-link"))
  .map(element => [element.outerHTML, element.getBoundingClientRect(), getComputedStyle(element, "::after")])
  .filter(([, box, after]) => box.width && (
    box.width - 2 * Math.min(0, parseFloat(after.top) || 0) < 44 ||
    box.height - 2 * Math.min(0, parseFloat(after.top) || 0) < 44))
  .map(([html]) => html)"""


def test_the_pages_fit_a_phone_and_a_thumb(app: AppServer, page_of: PageOf) -> None:
    page = page_of(
        app, OWNER, path="/", allowed=LEFT, viewport=PHONE, is_mobile=True, has_touch=True
    )
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(wide)
    assert not page.evaluate(SMALL)
    ask(page, "scenario: all-parts")
    has_state(page, "finished")
    assert not page.evaluate(wide)
    page.click(".bar-menu")
    expect(page.locator("#chats .chat-link").first).to_be_visible()
    page.click(".account summary")
    assert not page.evaluate(SMALL)


# A theme and a keyboard


def test_a_theme_is_kept_and_the_system_decides_until_then(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, OWNER, path="/", allowed=LEFT, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.click(".account summary")
    with page.expect_response("**/settings/theme/"):
        page.click(".theme label:has-text('Light')")
    light = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == light
    page.click(".account summary")
    page.click(".theme label:has-text('System')")
    assert page.evaluate(background) == dark


def test_the_sidebar_folds_and_stays_folded(page: Page) -> None:
    page.click(".sidebar [data-sidebar-fold]")
    expect(page.locator("#sidebar")).to_be_hidden()
    expect(page.locator(".bar [data-sidebar-fold]")).to_be_focused()
    page.reload()
    expect(page.locator("#sidebar")).to_be_hidden()
    page.click(".bar [data-sidebar-fold]")
    expect(page.locator("#sidebar")).to_be_visible()


def test_the_first_tab_stop_leads_past_the_list(page: Page) -> None:
    page.goto("/sidebar/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_nothing_moves_for_those_who_asked_for_less(running: Page) -> None:
    moving = """document.getAnimations()
        .filter(animation => animation.effect.getComputedTiming().activeDuration > 2)
        .map(animation => animation.effect.target.className)"""
    expect(running.locator("#chats .dot").first).to_be_visible()
    running.emulate_media(reduced_motion="no-preference")
    assert running.evaluate(moving) != []
    running.emulate_media(reduced_motion="reduce")
    assert running.evaluate(moving) == []
    running.keyboard.press("Escape")
    has_state(running, "stopped")
