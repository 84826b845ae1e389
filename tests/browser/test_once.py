"""One human action is one POST to v0, whatever the hand, the browser or the page does with it.

Real clicks and keys, with scripts and without, before the app and the sandbox as processes; what has
reached v0 is what its ledger says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
    ends_as_stored,
    has_ended,
    has_state,
    is_live,
    mode,
    send,
    shows_what_is_stored,
    standing_still,
)
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

QUESTION = ".message[data-role=user]"
SLOWLY = "scenario: all-parts\npace: 0.3"


@pytest.fixture
def home(app: AppServer, page_of: PageOf) -> Page:
    return page_of(app, OWNER, path="/")


@pytest.fixture
def chat(app: AppServer, world: World, page_of: PageOf) -> Page:
    """A chat with one finished answer, before the first of the test's own POSTs."""
    id = world.ask(QUICK)
    world.finished(id)
    begin_ledger(world)
    page = page_of(app, OWNER, path=f"/chats/{id}/")
    is_live(page)
    return page


def begin_ledger(world: World) -> None:
    """What has reached v0 so far is not the test's own."""
    world.before = world.sandbox.ledger(world.app.key)


def chats(world: World) -> int:
    return int(world.rows("SELECT count(*) AS n FROM chats_chat")[0]["n"])


def is_one_post(page: Page, world: World, *, answers: int = 1) -> None:
    """The page has come to rest with so many answers, the last of which cost the test's one POST."""
    page.wait_for_url("**/chats/*/")
    expect(page.locator(ANSWER)).to_have_count(answers, timeout=PATIENCE)
    ends_as_stored(page, world, chat_of(page))
    assert world.ledger == {"posts": 1, "user_messages": 1, "stops": 0}
    assert len(world.messages(chat_of(page), role="user")) == answers


# --- A hand that does it twice ---


def double_click(page: Page) -> None:
    page.dblclick("#action")


def enter_twice(page: Page) -> None:
    page.focus("#message")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")


def enter_and_click(page: Page) -> None:
    """Before the page can hear what came of the first."""
    page.evaluate(
        """() => {
          const key = { key: "Enter", bubbles: true, cancelable: true };
          document.getElementById("message").dispatchEvent(new KeyboardEvent("keydown", key));
          document.getElementById("action").click();
          document.getElementById("message").dispatchEvent(new KeyboardEvent("keydown", key));
        }"""
    )


Twice = Callable[["Page"], None]

TWICE = [double_click, enter_twice, enter_and_click]


@pytest.mark.parametrize("twice", TWICE)
def test_a_new_chat_begun_twice_is_one(home: Page, world: World, twice: Twice) -> None:
    before = chats(world)
    home.fill("#message", QUICK)
    twice(home)
    is_one_post(home, world)
    assert chats(world) == before + 1


@pytest.mark.parametrize("twice", TWICE)
def test_a_message_sent_twice_is_one(chat: Page, world: World, twice: Twice) -> None:
    chat.fill("#message", QUICK)
    twice(chat)
    is_one_post(chat, world, answers=2)


def test_a_double_click_without_scripts_is_one(
    app: AppServer, world: World, page_of: PageOf
) -> None:
    page = page_of(app, OWNER, path="/", java_script_enabled=False)
    before = chats(world)
    page.fill("#message", QUICK)
    page.dblclick("#action")
    page.wait_for_url("**/chats/*/")
    world.finished(chat_of(page))
    assert world.ledger["posts"] == 1
    assert chats(world) == before + 1


def test_the_second_of_two_clicks_does_not_stop_what_the_first_began(
    chat: Page, world: World
) -> None:
    """Stop comes to stand where Send stood, between the two clicks of a hand that is slow."""
    chat.fill("#message", SLOWLY)
    mode(chat, "ready")
    # Waits until the button has come to rest.
    chat.locator("#action").hover()
    chat.mouse.down()
    chat.mouse.up()
    mode(chat, "running")
    chat.mouse.down(click_count=2)
    chat.mouse.up(click_count=2)
    is_one_post(chat, world, answers=2)


# --- A browser that does it again ---


def test_going_back_and_sending_the_same_form_again_leads_to_the_same_chat(
    home: Page, world: World
) -> None:
    token = home.input_value("#token")
    first = ask(home, QUICK)
    before = chats(world)
    home.go_back()
    home.wait_for_selector(".home-question")
    # As a browser restores a form that it goes back to.
    home.evaluate(
        """([text, token]) => {
          document.getElementById("message").value = text;
          document.getElementById("token").value = token;
        }""",
        [QUICK, token],
    )
    home.click("#action")
    home.wait_for_url(f"**/{first}/")
    is_one_post(home, world)
    assert chats(world) == before


def test_one_form_in_two_tabs_is_one(
    app: AppServer, home: Page, world: World, page_of: PageOf
) -> None:
    before = chats(world)
    other = page_of(app, OWNER, path="/")
    other.evaluate(
        "token => { document.getElementById('token').value = token }",
        home.input_value("#token"),
    )
    for page in (home, other):
        page.locator("#message").evaluate("(field, text) => { field.value = text }", QUICK)
    for page in (home, other):
        page.click("#action", no_wait_after=True)
    for page in (home, other):
        is_one_post(page, world)
    assert chat_of(home) == chat_of(other)
    assert chats(world) == before + 1


def test_a_page_that_is_reloaded_before_it_hears_of_its_chat_has_begun_one(
    home: Page, world: World
) -> None:
    before = chats(world)
    with unheard(home, world, "**/chats/"):
        # The address again: `reload` would take the navigation that it ends for its own.
        home.goto("/")
    expect(home.locator("#message")).to_have_value("")
    home.click("#chats .chat-link >> nth=0")
    is_one_post(home, world)
    assert chats(world) == before + 1


def test_a_page_that_is_reloaded_before_it_hears_of_its_message_shows_it_once(
    chat: Page, world: World
) -> None:
    with unheard(chat, world, "**/messages/"):
        chat.reload()
    is_one_post(chat, world, answers=2)
    expect(chat.locator("#message")).to_have_value("")


def test_a_message_that_went_out_before_a_reload_may_be_sent_again_and_is_one(
    chat: Page, world: World
) -> None:
    """The page cannot tell, when others have written since: it gives the text back, as it was sent."""
    with unheard(chat, world, "**/messages/"):
        world.finished(chat_of(chat))
        assert world.send(chat_of(chat), "scenario: empty").status_code == 303
        world.finished(chat_of(chat))
        begin_ledger(world)
        chat.reload()
    expect(chat.locator("#message")).to_have_value(QUICK)
    chat.press("#message", "Enter")
    expect(chat.locator("#message")).to_have_value("")
    mode(chat, "ready")
    expect(chat.locator(QUESTION)).to_have_count(3)
    assert world.ledger["posts"] == 0


@contextmanager
def unheard(page: Page, world: World, path: str) -> Iterator[None]:
    """Sends a message that arrives, and whose answer has not come inside the block."""
    held: list[Route] = []

    def on_route(route: Route) -> None:
        held.append(route)
        route.fetch(max_redirects=0)

    page.route(path, on_route)
    page.fill("#message", QUICK)
    page.keyboard.press("Enter")
    while not world.ledger["posts"]:
        # Lets the route above do its work.
        page.wait_for_timeout(20)
    yield
    for route in held:
        route.abort()
    page.unroute(path)


def test_a_page_reloaded_at_once_has_sent_its_message_once(home: Page, world: World) -> None:
    ask(home, SLOWLY)
    for _ in range(3):
        home.reload()
    is_one_post(home, world)


# --- Stopping ---


@pytest.mark.parametrize("how", ["button", "Escape"])
def test_stop_is_one_stop_and_what_was_written_stays(
    sandbox: Sandbox, home: Page, world: World, how: str
) -> None:
    id = ask(home, RUNNING)
    mode(home, "running")
    expect(home.locator(f"{ANSWER} [data-part=text]")).to_be_visible(timeout=PATIENCE)
    with standing_still(sandbox):
        before = answer_text(home)
        for _ in range(2):
            if how == "Escape":
                home.keyboard.press("Escape")
            else:
                home.locator("#action").dispatch_event("click")
        mode(home, "stopping")
        expect(home.locator("#actions")).to_contain_text("Stopping…")
        expect(home.locator("#action")).to_be_disabled()
        has_state(home, "streaming")
        assert before
        # What was on its way when v0 fell silent may still have come.
        assert answer_text(home).startswith(before)
    ends_as_stored(home, world, id, state="stopped")
    assert answer_text(home).startswith(before)
    mode(home, "ready")
    assert world.ledger == {"posts": 1, "user_messages": 1, "stops": 1}


# --- A browser that goes away ---


def test_a_browser_that_is_closed_comes_back_to_the_finished_answer(
    app: AppServer, home: Page, world: World, page_of: PageOf
) -> None:
    id = ask(home, SLOWLY)
    has_state(home, "streaming")
    home.context.close()
    assert world.finished(id)["state"] == "finished"
    back = page_of(app, OWNER, path=f"/chats/{id}/")
    has_state(back, "finished")
    is_live(back)
    ends_as_stored(back, world, id)
    assert world.ledger["posts"] == 1


# --- What is typed ---


def test_typing_is_never_locked_or_lost_while_an_answer_runs(
    home: Page, world: World, sandbox: Sandbox
) -> None:
    id = ask(home, SLOWLY)
    mode(home, "running")
    home.focus("#message")
    typed = ""

    def type_a_word() -> None:
        nonlocal typed
        word = f"word{len(typed)} "
        home.keyboard.type(word)
        typed += word
        assert home.evaluate(
            """() => {
              const field = document.activeElement;
              return [field.id, field.disabled, field.readOnly, field.value, field.selectionStart];
            }"""
        ) == ["message", False, False, typed, len(typed)]

    # However fast this machine types, and whatever comes meanwhile.
    with standing_still(sandbox):
        for _ in range(8):
            type_a_word()
    while not has_ended(home):
        type_a_word()
    mode(home, "ready")
    home.keyboard.press("Enter")
    expect(home.locator(f"{QUESTION} .message-text").last).to_have_text(typed.strip())
    expect(home.locator("#message")).to_have_value("")
    expect(home.locator(ANSWER)).to_have_count(2)
    ends_as_stored(home, world, id)
    assert world.ledger["posts"] == 2


def test_text_that_comes_while_an_answer_runs_waits(
    app: AppServer, chat: Page, world: World, page_of: PageOf
) -> None:
    late = page_of(app, OWNER, allowed="ERR_FAILED|htmx:")
    # It does not hear of the run that the other tab begins.
    late.route("**/actions/", lambda route: route.abort())
    late.goto(chat.url)
    mode(late, "ready")
    send(chat, RUNNING)
    has_state(chat, "streaming")
    send(late, "And one thing more")
    expect(late.locator(".queue-text")).to_have_text("And one thing more")
    expect(late.locator("#message")).to_have_value("")
    mode(late, "running")
    assert world.ledger["posts"] == 1
    late.unroute("**/actions/")
    late.keyboard.press("Escape")
    has_state(late, "stopped")
    mode(late, "ready")
    expect(late.locator(".queue-text")).to_have_text("And one thing more")
    late.click("#queue-go")
    expect(late.locator(ANSWER)).to_have_count(3)
    ends_as_stored(late, world, chat_of(late))
    assert world.ledger == {"posts": 2, "user_messages": 2, "stops": 1}


# --- Without scripts ---


def test_without_scripts_one_signs_in_sends_reads_and_stops(
    app: AppServer, world: World, page_of: PageOf
) -> None:
    page = page_of(app, None, path="/", java_script_enabled=False)
    page.fill("[name=login]", OWNER)
    page.fill("[name=password]", "demo")
    page.click(".account-form button")
    page.fill("#message", QUICK)
    page.click("#action")
    page.wait_for_url("**/chats/*/")
    # The page reloads by itself for as long as something runs.
    has_state(page, "finished")
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    shows_what_is_stored(page, world, chat_of(page))
    page.fill("#message", RUNNING)
    page.click("#action")
    expect(page.locator(ANSWER)).to_have_count(2)
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(1)
    expect(page.locator(f"{ANSWER} [data-part=text]").last).to_contain_text(
        "Before", timeout=PATIENCE
    )
    page.click("#action")
    has_state(page, "stopped")
    expect(page.locator(f"{ANSWER} [data-part=text]").last).to_contain_text("Before")
    assert world.ledger == {"posts": 2, "user_messages": 2, "stops": 1}
