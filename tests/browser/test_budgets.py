"""Budgets as a person meets them in a browser: refused text, warnings that come by themselves, the usual cost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.faultless import faultless
from tests.browser.seen import OWNER, PATIENCE, QUICK, is_live, mode, send
from tests.conftest import PageOf
from tests.relay.test_queue import execute
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

TEXT = "Something that took an hour to write"
ALLOWED = r"status of 402|htmx:(sendError|afterRequest)|Status Error Code 402"
CREDIT = 10**12
PHONE = {"width": 390, "height": 844}


def limit(world: World, credits: int) -> None:
    """Of the owner alone, in place of the one before."""
    execute(world, "DELETE FROM chats_limit")
    execute(
        world,
        "INSERT INTO chats_limit (scope, key, period, credits, changed_at) "
        "SELECT 'person', id, 'day', ?, datetime('now') FROM chats_person WHERE email = ?",
        *(credits, OWNER),
    )


def spend(world: World, credits: int) -> None:
    today = datetime.now(UTC).date()
    execute(
        world,
        "UPDATE chats_counter SET day_spent = ?, day = ?, reserved = 0 WHERE name = "
        "'person ' || (SELECT id FROM chats_person WHERE email = ?)",
        *(credits, today.isoformat(), OWNER),
    )


@pytest.fixture
def chat(world: World) -> str:
    chat = world.ask(QUICK)
    world.finished(chat)
    return chat


def usual(page: Page, words: str) -> None:
    expect(page.locator("#usual")).to_contain_text(words)


def test_refused_text_is_still_there_and_goes_out_when_there_is_room(
    page_of: PageOf, world: World, app: AppServer, chat: str
) -> None:
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=ALLOWED, viewport=PHONE)
    is_live(page)
    mode(page, "ready")
    posts = world.ledger["posts"]
    limit(world, 0)
    page.fill("#message", TEXT)
    page.press("#message", "Enter")
    refusal = page.locator("#refusal")
    expect(refusal).to_contain_text("Your budget of today is used up")
    expect(page.locator("#message")).to_have_value(TEXT)
    # Said once: the refusal stands in place of the warning.
    expect(page.locator("#allowance")).to_be_hidden()
    faultless(page, "refused-by-a-budget")
    page.reload()
    expect(page.locator("#allowance")).to_contain_text("Nothing can be sent now.")
    expect(page.locator("#message")).to_have_value(TEXT)
    limit(world, 100 * CREDIT)
    is_live(page)
    page.fill("#message", f"{TEXT}\n{QUICK}")
    page.press("#message", "Enter")
    expect(page.locator(".message[data-role=user]")).to_have_count(2, timeout=PATIENCE)
    # The warning goes, and the total of the chat follows, when the answer has ended.
    expect(page.locator("#allowance")).to_be_hidden(timeout=PATIENCE)
    assert world.ledger["posts"] == posts + 1


def test_a_warning_comes_by_itself_and_the_usual_cost_follows_the_model(
    page_of: PageOf, world: World, app: AppServer, chat: str
) -> None:
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=ALLOWED)
    is_live(page)
    mode(page, "ready")
    expect(page.locator("#allowance")).to_be_hidden()
    expect(page.locator("#spent")).to_contain_text("credits")
    before = page.locator("#spent").text_content()
    limit(world, 100 * CREDIT)
    spend(world, 85 * CREDIT)
    send(page, QUICK)
    warning = page.locator("#allowance")
    expect(warning).to_contain_text("85 % of your budget of today is used", timeout=PATIENCE)
    expect(page.locator("#spent")).not_to_have_text(before or "", timeout=PATIENCE)
    usual(page, "v0-pro")
    page.select_option("#model", "v0-max")
    usual(page, "No data yet on what v0-max usually costs you.")
    page.select_option("#model", "v0-pro")
    usual(page, "runs on v0-pro.")
    faultless(page, "near-a-budget")
    page.goto("/usage/")
    expect(page.locator("#budgets .meter")).to_contain_text("85 %")
    faultless(page, "own-budgets")
