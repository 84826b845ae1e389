"""Spaces and team settings as people use them: with the mouse, with the keyboard only, without scripts."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import ANSWER, OWNER, QUICK, has_state, is_live
from tests.conftest import PageOf
from tests.world import World

MATE = "mate@example.com"
# What was asked for when access ended is given up, or finds nothing.
LEFT = "htmx:(sendError|sendAbort|afterRequest)|status of 404"
PROMPT = "Use our own widgets."
SAYS = "instructions go along"


def team_of(world: World) -> str:
    return str(world.rows("SELECT id FROM chats_team")[0]["id"])


def faultless_at_both_widths(page: Page, name: str) -> None:
    wide = page.viewport_size
    assert wide
    found = faults(page, name)
    page.set_viewport_size({"width": 390, "height": 844})
    found += faults(page, f"{name}-narrow")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    page.set_viewport_size(wide)
    assert not found, "\n".join(found)


def switch_to(page: Page, name: str) -> None:
    page.locator(".switcher > summary").click()
    page.locator(".switcher-list").get_by_role("button", name=name, exact=True).click()
    expect(page.locator(".switcher-name")).to_have_text(name)


def test_a_team_is_set_up_its_chat_made_seen_and_moved_away(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    team = team_of(world)
    page = page_of(app, OWNER, path=f"/teams/{team}/", allowed=LEFT)
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_label("Instructions for every chat").fill(PROMPT)
    page.get_by_label("Who sees a new chat").select_option("team-edit")
    for model in ("v0-max", "v0-max-fast"):
        page.get_by_role("group", name="Members").get_by_label(model, exact=True).uncheck()
    faultless_at_both_widths(page, "team-settings")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()

    mates = page_of(app, MATE, path="/", allowed=LEFT)
    is_live(mates)
    page.goto("/")
    is_live(page)
    switch_to(page, "Example")
    expect(page.get_by_label("Goes to")).to_have_value(f"{team}:team-edit")
    expect(page.get_by_text(SAYS)).to_be_visible()
    page.get_by_label("Goes to").select_option("private")
    expect(page.get_by_text(SAYS)).to_have_count(0)
    page.get_by_label("Goes to").select_option(f"{team}:team-edit")
    page.get_by_text(SAYS).click()
    expect(page.locator(".team-system-text")).to_have_text(PROMPT)
    page.locator(".switcher > summary").click()
    faultless_at_both_widths(page, "home-in-a-team")
    page.fill("#message", QUICK)
    page.locator("#action").click()
    page.wait_for_url("**/chats/*/")
    chat = page.url
    expect(page.locator("#where")).to_have_text("Example" + "The team can read and write")
    has_state(page, "finished")

    # It comes to the mate by itself, who may use fewer models in it.
    mates.locator("#chats .chat-link").click()
    mates.wait_for_url(chat)
    assert mates.locator("#model option").all_inner_texts() == ["v0-auto", "v0-mini", "v0-pro"]

    page.goto(f"{chat}move/")
    expect(page.get_by_text("Lose access at once: Mateo Mate")).to_be_visible()
    page.get_by_label("Your personal space").check()
    page.get_by_role("button", name="Move").click()
    page.wait_for_url(chat)
    expect(page.locator("#where")).to_have_text("Personal" + "Private: only you")
    expect(mates.get_by_text("not shared with your team any more")).to_be_visible()
    # It left the space that is looked at.
    expect(page.locator("#chats .chat-link")).to_have_count(0)
    switch_to(page, "All chats")
    expect(page.locator("#chats .chat-link")).to_have_count(1)


def test_spaces_are_switched_and_settings_saved_by_keys(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    page = page_of(app, OWNER, path="/", allowed=LEFT)
    is_live(page)
    keys = page.keyboard
    page.locator(".switcher > summary").focus()
    keys.press("Enter")
    for _ in range(2):
        keys.press("Tab")
    keys.press("Enter")
    expect(page.locator(".switcher-name")).to_have_text("Personal")
    page.goto(f"/teams/{team_of(world)}/settings/")
    page.get_by_label("Name", exact=True).focus()
    keys.press("ControlOrMeta+a")
    keys.type("Widgets")
    keys.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(page.locator(".bar-back")).to_have_text("Widgets")


def test_without_scripts_spaces_switch_and_a_chat_goes_where_it_says(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    team = team_of(world)
    name = str(world.rows("SELECT name FROM chats_team")[0]["name"])
    page = page_of(app, OWNER, path="/", java_script_enabled=False)
    switch_to(page, name)
    page.get_by_label("Goes to").select_option(f"{team}:private")
    page.fill("#message", QUICK)
    page.locator("#action").click()
    page.wait_for_url("**/chats/*/")
    expect(page.locator("#where")).to_contain_text(name)
    expect(page.locator(ANSWER)).to_have_count(1)
    here = page.locator(f'#chats [href="{urlsplit(page.url).path}"]')
    expect(here).to_have_count(1)
    switch_to(page, "Personal")
    expect(here).to_have_count(0)
