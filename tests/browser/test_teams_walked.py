"""Teams as people walk through them: with the mouse, with keys alone, without scripts; and what an open
page does when somebody's rights change under it. Mails are read where the server prints them."""

from __future__ import annotations

import re
import sqlite3
import uuid
from contextlib import closing

from playwright.sync_api import Page, expect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import QUICK, is_live
from tests.conftest import PageOf
from tests.world import World

OWNER, MATE, STRANGER = "owner@example.com", "mate@example.com", "stranger@example.com"
PASSWORD = "long-and-odd-enough-7"
SIZES = ({"width": 390, "height": 844}, {"width": 1280, "height": 860})
ALLOWED = "htmx:(sendError|afterRequest)|status of (403|404|422)"


def look(page: Page, name: str, found: list[str]) -> None:
    """What axe finds narrow and wide, light and dark; and whether the page is as wide as its window."""
    for size in SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        found += faults(page, f"{name}-{size['width']}", drawn=True)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name}: wider than {size['width']}")


def mailed(app: AppServer, email: str) -> str:
    """The path of the newest link to an invitation that was mailed to the address."""
    found: list[str] = []

    def came() -> bool:
        mails = re.findall(rf"To: {re.escape(email)}\n.*?(/invitations/\S+)", app.log, re.DOTALL)
        found[:] = mails[-1:]
        return bool(mails)

    wait_until(came, what="the mail")
    return found[0]


def tab_to(page: Page, name: str) -> None:
    """Moves on with the Tab key until what has this name has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if (
            page.evaluate(
                "document.activeElement.textContent.trim() || document.activeElement.name"
            )
            == name
        ):
            return
    raise AssertionError(f"{name} was not reached")


def test_a_team_is_made_filled_and_given_away(app: AppServer, page_of: PageOf) -> None:
    found: list[str] = []
    page = page_of(app, OWNER, path="/", allowed=ALLOWED)
    page.click(".account summary")
    page.get_by_role("link", name="Teams").click()
    look(page, "teams", found)
    page.get_by_role("link", name="New team").click()
    look(page, "team-new", found)
    page.fill("[name=name]", "Web design")
    page.get_by_role("button", name="Make the team").click()
    expect(page.get_by_role("status").get_by_text("The team is made.")).to_be_visible()
    look(page, "team-alone", found)
    place = page.url.partition("?")[0]

    page.get_by_role("link", name="Invite", exact=True).click()
    page.fill("[name=email]", "nobody")
    page.evaluate("document.querySelectorAll('form').forEach(it => (it.noValidate = true))")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.locator("#email-error")).to_be_visible()
    look(page, "invitations-refused", found)
    page.fill("[name=email]", "new@team.example")
    page.select_option("[name=role]", "viewer")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("The invitation is on its way.")).to_be_visible()

    visitor = page_of(app, None, path=mailed(app, "new@team.example"), allowed=ALLOWED)
    look(visitor, "invitation-new", found)
    visitor.fill("[name=name]", "Newcomer")
    visitor.fill("[name=password]", PASSWORD)
    visitor.fill("[name=repeated]", PASSWORD)
    visitor.get_by_role("button", name="Make the account and join").click()
    expect(visitor.get_by_role("heading", name="Web design")).to_be_visible()
    expect(visitor.locator(".team-row")).to_have_count(2)
    look(visitor, "team-of-viewer", found)

    page.goto(place)
    row = page.locator(".team-row", has_text="Newcomer")
    row.get_by_label("Role of Newcomer").select_option("member")
    row.get_by_role("button", name="Change").click()
    expect(page.get_by_text("The role is changed.")).to_be_visible()
    look(page, "team", found)
    page.get_by_role("link", name="Hand the team over").click()
    look(page, "hand-over", found)
    page.select_option("[name=member]", label="Newcomer (new@team.example)")
    page.check("[name=sure]")
    page.get_by_role("button", name="Hand the team over").click()
    # Who they are is asked again, and what was chosen is done then.
    page.fill("[name=password]", "demo")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The team has a new owner")).to_be_visible()
    page.get_by_role("link", name="Leave the team").click()
    look(page, "leave", found)
    page.get_by_role("button", name="Leave the team").click()
    expect(page.get_by_text("You have left the team.")).to_be_visible()
    visitor.reload()
    expect(visitor.locator(".team-row")).to_have_count(1)
    visitor.get_by_role("link", name="Leave the team").click()
    expect(visitor.get_by_text("A team keeps an owner.")).to_be_visible()
    visitor.get_by_role("link", name="Delete the team").click()
    look(visitor, "team-delete", found)
    assert not found, "\n".join(found)


def test_somebody_is_invited_and_removed_by_keys_alone(app: AppServer, page_of: PageOf) -> None:
    found: list[str] = []
    page = page_of(app, OWNER, path="/teams/", allowed=ALLOWED)
    keys = page.keyboard
    tab_to(page, "Example")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Example")).to_be_visible()
    tab_to(page, "Invite")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Invite into")).to_be_visible()
    tab_to(page, "way")
    keys.press("ArrowDown")
    tab_to(page, "uses")
    keys.type("2")
    tab_to(page, "Invite")
    keys.press("Enter")
    expect(page.get_by_text("shown this once")).to_be_visible()
    look(page, "invitation-link", found)
    link = page.locator(".team-token").inner_text()

    stranger = page_of(app, STRANGER, path=link, allowed=ALLOWED)
    look(stranger, "invitation-join", found)
    tab_to(stranger, "Join")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_text("you belong to this team now")).to_be_visible()

    page.goto("/teams/")
    tab_to(page, "Example")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Example")).to_be_visible()
    tab_to(page, "Remove Stranger")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Remove Stranger from")).to_be_visible()
    tab_to(page, "Remove")
    keys.press("Enter")
    expect(page.get_by_text("They are removed")).to_be_visible()
    stranger.reload()
    expect(stranger.locator(".plain-code")).to_have_text("404")
    assert not found, "\n".join(found)


def test_a_link_leads_somebody_new_in_without_scripts(app: AppServer, page_of: PageOf) -> None:
    found: list[str] = []
    page = page_of(app, OWNER, path="/teams/", java_script_enabled=False)
    page.get_by_role("link", name="Example").click()
    page.get_by_role("link", name="Invite", exact=True).click()
    page.check("[name=way][value=link]")
    page.fill("[name=uses]", "1")
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.locator(".team-token").inner_text()

    visitor = page_of(app, None, path=link, java_script_enabled=False)
    visitor.fill("[name=email]", "scriptless@team.example")
    visitor.get_by_role("button", name="Send me the link").click()
    expect(visitor.get_by_role("heading", name="Look into your mail")).to_be_visible()
    visitor.goto(mailed(app, "scriptless@team.example"))
    visitor.fill("[name=name]", "Scriptless")
    visitor.fill("[name=password]", PASSWORD)
    visitor.fill("[name=repeated]", PASSWORD)
    visitor.get_by_role("button", name="Make the account and join").click()
    expect(visitor.get_by_role("heading", name="Example")).to_be_visible()
    visitor.get_by_role("link", name="Leave the team").click()
    visitor.get_by_role("button", name="Leave the team").click()
    expect(visitor.get_by_text("You have left the team.")).to_be_visible()

    nobody = page_of(app, None, path=link, allowed=ALLOWED)
    look(nobody, "invitation-over", found)
    assert not found, "\n".join(found)


def test_an_open_page_says_what_changed_and_keeps_no_text(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        statement = "UPDATE chats_chat SET team_id = (SELECT id FROM chats_team WHERE name = 'Example'), privacy = 'team-edit' WHERE id = ?"
        connection.execute(statement, [uuid.UUID(chat).hex])
    team = world.rows("SELECT id FROM chats_team WHERE name = 'Example'")[0]["id"]
    mate = "person_id = (SELECT id FROM chats_person WHERE email = ?) AND team_id = ?"
    row = world.rows(f"SELECT id FROM chats_membership WHERE {mate}", MATE, team)[0]["id"]
    page = page_of(app, MATE, path=f"/chats/{chat}/", allowed=ALLOWED)
    is_live(page)
    page.fill("#message", "Half a sentence")
    world.post(f"/teams/{team}/members/{row}/role/", role="viewer")
    expect(page.locator("#rights-changed")).to_contain_text("You can still read it")
    expect(page.locator("#message")).to_have_value("Half a sentence")
    world.post(f"/teams/{team}/members/{row}/role/", role="member")
    expect(page.locator("#rights-changed")).to_be_hidden()
    world.post(f"/teams/{team}/members/{row}/remove/")
    expect(page.get_by_text("This chat is not shared with you any more.")).to_be_visible()
    expect(page.locator("#messages article")).to_have_count(0)
    expect(page.locator(f"#chats a[href='/chats/{chat}/']")).to_have_count(0)
