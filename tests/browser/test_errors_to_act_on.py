"""Each error that people can act on: one sentence, one action, and what the action does.

The open page says it without a reload, and v0 gets exactly the messages that a person has sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import ANSWER, OWNER, PATIENCE, QUICK, has_state, is_live, mode, send
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADMIN = "admin@example.com"
# What a page that is left did not wait for.
LEFT = "htmx:(sendError|afterRequest)"

Spoil = Callable[[Sandbox, str, str], object]
Press = Callable[["Page"], None]


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {
        "V0_HEALTH_EVERY": "0.3",
        "V0_LOOK_EVERY": "0.2",
        "V0_CHECK_AFTER": "0.1,0.3",
        "V0_CHECK_FOR": "0.5",
        "V0_COMPARE_OPENED": "0",
    }


@pytest.fixture(autouse=True)
def no_faults_left(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.clear_faults()


def status(code: int, **more: object) -> Spoil:
    """v0 answers everything of this app with `code`, until the fault is cleared."""
    fault = {"path": "*", "kind": "status", "status": code, "times": None, **more}
    return lambda sandbox, chat, key: sandbox.fault(key=key, **fault)


def nothing(sandbox: Sandbox, chat: str, key: str) -> None:
    pass


def again(page: Page) -> None:
    button = page.get_by_role("button", name="Try again")
    expect(button).to_be_enabled(timeout=PATIENCE)
    button.click()
    expect(page.locator(ANSWER)).to_have_count(3, timeout=PATIENCE)
    has_state(page, "finished")


def edit(name: str) -> Press:
    """The text stands in the composer again, and other words go out."""

    def press(page: Page) -> None:
        asked = page.locator(".message[data-role=user] .message-text").last.inner_text()
        page.get_by_role("link", name=name).click()
        expect(page.locator("#message")).to_have_value(asked)
        is_live(page)
        mode(page, "ready")
        send(page, QUICK)
        expect(page.locator(ANSWER)).to_have_count(3, timeout=PATIENCE)
        has_state(page, "finished")
        assert "edit=" not in page.url

    return press


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".message[data-role=user] .message-text").last).to_have_text("Continue")
    expect(page.locator(ANSWER)).to_have_count(3, timeout=PATIENCE)
    has_state(page, "finished")


def elsewhere(page: Page) -> None:
    """The text goes into a new chat, where it can still be changed."""
    former = page.url
    page.get_by_role("link", name="Ask this in a new chat").click()
    expect(page.locator("#message")).to_have_value(QUICK)
    is_live(page)
    page.press("#message", "Enter")
    page.wait_for_url("**/chats/*/")
    assert page.url != former
    has_state(page, "finished")


def duplicate(page: Page) -> None:
    former = page.url
    page.locator("#standing").get_by_role("link", name="Duplicate").click()
    page.locator("dialog[open]").get_by_role("button", name="Duplicate").click()
    page.wait_for_url(lambda url: url != former)
    has_state(page, "finished")
    mode(page, "ready")


@dataclass(frozen=True)
class Row:
    """`sent` are the messages that v0 has at the end, the chat's first one included. `looks_new`: no
    other state looks like it, so that axe has a look."""

    name: str
    spoil: Spoil
    words: tuple[str, ...]
    press: Press
    text: str = QUICK
    ends: str = "failed"
    sent: int = 2
    looks_new: bool = False


ROWS = [
    Row(
        "wrong-key",
        status(401),
        (
            "v0 does not accept this installation's API key.",
            "Ask your administrator to check the key.",
        ),
        again,
        looks_new=True,
    ),
    Row(
        "credits",
        status(402),
        ("The v0 account is out of credits", "Ask your administrator to add credits."),
        again,
    ),
    Row(
        "rate-limit",
        status(429, retry_after=2),
        ("v0 receives too many requests just now. It can be sent again in",),
        again,
    ),
    Row("in-doubt", status(503), ("It could not be found out whether",), edit("Edit and send")),
    Row(
        "gone",
        lambda sandbox, chat, key: sandbox.delete(chat),
        ("v0 no longer has this chat.", "This chat was deleted at v0."),
        elsewhere,
        looks_new=True,
    ),
    Row(
        "older-api",
        lambda sandbox, chat, key: sandbox.edit(chat, older=True),
        ("made with an older version of its API.", "This chat was made with an older version"),
        elsewhere,
    ),
    Row(
        "no-writing",
        lambda sandbox, chat, key: sandbox.edit(chat, writePermission=False),
        ("v0 does not allow this chat to be written to", "the key of this installation may only"),
        duplicate,
        sent=1,
    ),
    Row(
        "content-filter",
        nothing,
        ("Ended by v0's content filter.",),
        edit("Edit and ask again"),
        text="scenario: content-filter\npace: 0",
        ends="finished",
        sent=3,
    ),
    Row(
        "length",
        nothing,
        ("Cut off because the answer reached its length limit.",),
        go_on,
        text="scenario: length\npace: 0",
        ends="finished",
        sent=3,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_error_says_what_it_is_and_its_action_works(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, world: World, row: Row
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=LEFT)
    is_live(page)
    mode(page, "ready")
    row.spoil(sandbox, world.chat(chat)["v0_id"], app.key)
    send(page, row.text)
    expect(page.locator(ANSWER)).to_have_count(2, timeout=PATIENCE)
    has_state(page, row.ends)
    for words in row.words:
        expect(page.locator("main")).to_contain_text(words, timeout=PATIENCE)
    expect(page.locator(".own-actions, #standing .button").last).to_be_visible(timeout=PATIENCE)
    if row.looks_new:
        assert not faults(page, f"error-{row.name}")
    # Nothing to type in is left where nothing can be sent.
    is_closed = page.locator("#standing").is_visible()
    expect(page.locator(".composer")).to_be_visible(visible=not is_closed)
    sandbox.clear_faults()
    row.press(page)
    assert world.ledger["user_messages"] == row.sent


def test_that_v0_fails_comes_and_goes_on_open_pages(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, world: World
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    owners = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=LEFT)
    admins = page_of(app, ADMIN, path="/", allowed=LEFT, viewport={"width": 390, "height": 844})
    for page in (owners, admins):
        is_live(page)
        expect(page.locator("#health")).to_be_hidden()
        page.evaluate("window.stayed = true")
    owners.fill("#message", "Not sent yet")
    status(503)(sandbox, "", app.key)
    world.ask(QUICK)
    for page in (owners, admins):
        told = page.locator("#health")
        expect(told).to_contain_text(
            re.compile(r"v0 has answered with errors of its own since .*\d.*\."), timeout=PATIENCE
        )
        expect(told.locator("time")).to_have_attribute("datetime", re.compile(r"^2.*Z$"))
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not faults(admins, "health")
    expect(admins.locator("#health")).to_contain_text("Last error: ServerError 503")
    expect(owners.locator("#health")).not_to_contain_text("ServerError")
    plain = page_of(app, OWNER, path="/", java_script_enabled=False)
    expect(plain.locator("#health")).to_contain_text("UTC")
    sandbox.clear_faults()
    for page in (owners, admins):
        expect(page.locator("#health")).to_be_hidden(timeout=PATIENCE)
    assert owners.evaluate("window.stayed")
    expect(owners.locator("#message")).to_have_value("Not sent yet")
    plain.reload()
    expect(plain.locator("#health")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_what_was_typed_when_a_chat_closed_goes_along(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, world: World, *, scripts: bool
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    page = page_of(
        app, OWNER, path=f"/chats/{chat}/", allowed=f"{LEFT}|403", java_script_enabled=scripts
    )
    page.fill("#message", QUICK)
    sandbox.edit(world.chat(chat)["v0_id"], older=True)
    # Somebody opens it, and so it is noticed.
    world.client.get(f"/chats/{chat}/")
    if scripts:
        start = page.get_by_role("link", name="Start a new chat")
        expect(start).to_be_visible(timeout=PATIENCE)
        start.click()
        page.wait_for_url(f"{app.url}/")
    else:
        wait_until(lambda: world.chat(chat)["at_v0"] == "old", what="that it is closed")
        page.click("#action")
        expect(page.locator("#refusal")).to_contain_text("Send this to start a new chat with it.")
    expect(page.locator("#message")).to_have_value(QUICK)
    page.click("#action")
    page.wait_for_url(lambda url: "/chats/" in url and chat not in url)
    expect(page.locator(ANSWER)).to_have_attribute("data-state", "finished", timeout=PATIENCE)
    assert world.ledger["user_messages"] == 2
