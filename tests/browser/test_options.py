"""The options of a message as a person meets them: with scripts, without, refused, and seen afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.seen import (
    ANSWER,
    OWNER,
    PATIENCE,
    QUICK,
    RUNNING,
    ask,
    chat_of,
    is_live,
    mode,
    send,
)
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

# What a browser says of an answer that is refused, and of none.
BROKEN = r"422|Failed to load|htmx:(sendError|afterRequest)"


@pytest.fixture(scope="module")
def server(app: AppServer, sandbox: Sandbox) -> str:
    """An MCP server at v0; its id."""
    auth = {"Authorization": f"Bearer {app.key}"}
    described: dict[str, Any] = {
        "name": "Linear",
        "url": "https://mcp.example.com",
        "scope": "user",
    }
    answer = httpx.post(
        f"{sandbox.base_url}/mcp-servers",
        json={**described, "enabled": True, "auth": {"type": "none"}},
        headers=auth,
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["id"])


def bodies(world: World) -> list[dict[str, Any]]:
    return [asked["body"] for asked in world.sandbox.requests(world.app.key)]


def open_options(page: Page) -> None:
    page.locator("#options > summary").click()
    expect(page.locator(".options-panel")).to_be_visible()


def test_what_is_chosen_goes_out_is_seen_and_is_there_the_next_time(
    page_of: PageOf, world: World, app: AppServer, server: str
) -> None:
    page = page_of(app, OWNER, path="/")
    is_live(page)
    page.select_option("#model", "v0-max")
    open_options(page)
    page.get_by_label("Only these").check()
    page.get_by_label("Linear").check()
    page.fill("#skills", "owner/skills/tables")
    page.press("#skills", "Enter")
    page.fill("#system", "Be brief.")
    page.press("#system", "Enter")
    page.type("#system", "Be kind.")
    page.keyboard.press("Escape")
    expect(page.locator(".options-panel")).to_be_hidden()
    expect(page.locator("#options > summary")).to_be_focused()
    assert bodies(world) == []

    chat = ask(page, QUICK)
    told = "Sent with v0-max · 1 skill · 1 MCP server · instructions"
    line = page.locator(".message[data-role=user] .sent-with > summary")
    expect(line).to_have_text(told, timeout=PATIENCE)
    line.click()
    expect(page.locator(".sent-with-words")).to_have_text("Be brief.\nBe kind.")
    world.finished(chat)
    sent = bodies(world)[-1]
    assert sent["modelConfiguration"]["modelId"] == "v0-max"
    assert sent["mcpServerIds"] == [server]
    assert [skill["id"] for skill in sent["skills"]] == ["owner/skills/tables"]
    assert sent["systemPrompt"] == "Be brief.\nBe kind."

    # In the chat everything is as it was; a change goes with the next message, without a reload.
    mode(page, "ready")
    expect(page.locator("#model")).to_have_value("v0-max")
    page.select_option("#model", "v0-mini")
    open_options(page)
    expect(page.get_by_label("Linear")).to_be_checked()
    page.get_by_label("owner/skills/tables").uncheck()
    page.locator("#message").click()
    expect(page.locator(".options-panel")).to_be_hidden()
    send(page, QUICK)
    expect(line.last).to_have_text(
        "Sent with v0-mini · 1 MCP server · instructions", timeout=PATIENCE
    )
    expect(page.locator(ANSWER)).to_have_count(2)
    world.finished(chat)
    assert "skills" not in bodies(world)[-1]


def test_escape_closes_the_options_before_it_stops_an_answer(
    page_of: PageOf, world: World, app: AppServer
) -> None:
    page = page_of(app, OWNER, path=f"/chats/{world.ask(RUNNING)}/")
    is_live(page)
    mode(page, "running")
    open_options(page)
    page.keyboard.press("Escape")
    expect(page.locator(".options-panel")).to_be_hidden()
    mode(page, "running")
    page.keyboard.press("Escape")
    mode(page, "ready")


def test_what_is_refused_is_all_still_there_and_a_change_makes_it_another_message(
    page_of: PageOf, world: World, app: AppServer
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=BROKEN)
    is_live(page)
    open_options(page)
    page.fill("#skills", "a/a b/b c/c d/d")
    send(page, QUICK)
    expect(page.locator("#refusal")).to_contain_text("at most 3 skills")
    expect(page.locator("#message")).to_have_value(QUICK)
    expect(page.locator("#skills")).to_have_value("a/a b/b c/c d/d")
    assert len(world.messages(chat)) == 2

    page.fill("#skills", "a/a")
    token = page.locator("#token").input_value()
    page.route("**/messages/", lambda route: route.abort())
    page.press("#message", "Enter")
    expect(page.locator("#refusal")).to_contain_text("The server did not answer")
    assert page.locator("#token").input_value() == token
    page.unroute("**/messages/")
    page.select_option("#model", "v0-max-fast")
    assert page.locator("#token").input_value() != token
    page.press("#message", "Enter")
    expect(page.locator(".sent-with").last).to_contain_text(
        "v0-max-fast · 1 skill", timeout=PATIENCE
    )
    assert len(world.messages(chat)) == 4


def test_without_scripts_the_options_are_a_part_of_the_form(
    page_of: PageOf, world: World, app: AppServer, server: str
) -> None:
    page = page_of(app, OWNER, path="/?options", allowed="422", java_script_enabled=False)
    expect(page.locator(".options-panel")).to_be_visible()
    page.get_by_label("Only these").check()
    page.get_by_label("Linear").check()
    page.fill("#skills", "a b c d")
    page.fill("#metadata", "project=website")
    page.fill("#new-chat-title", "Tea")
    page.fill("#message", QUICK)
    page.click("#action")
    expect(page.locator("#refusal")).to_contain_text("at most 3 skills")
    expect(page.locator(".options-panel")).to_be_visible()
    expect(page.get_by_label("Linear")).to_be_checked()
    expect(page.locator("#metadata")).to_have_value("project=website")
    page.fill("#skills", "a")
    page.click("#action")
    page.wait_for_url("**/chats/*/")
    expect(page.locator("#title")).to_have_text("Tea")
    world.finished(chat_of(page))
    sent = bodies(world)[-1]
    assert sent["mcpServerIds"] == [server]
    assert sent["metadata"]["project"] == "website"
    assert sent["title"] == "Tea"
