"""What is new to somebody since they looked last: on a page they left open, in their list, on a page they open.

Owns whether a page is in the background, which a browser without a window does not know. Everything else is
the app's.
"""

from __future__ import annotations

import re
import sqlite3
import uuid
from contextlib import closing
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.app_server import wait_until
from tests.browser.faultless import faults
from tests.browser.seen import PATIENCE, QUICK, is_live
from tests.conftest import PageOf
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Page, Route

MATE = "mate@example.com"
BACKGROUND = """
  window.background = false;
  Object.defineProperty(document, "hidden", { get: () => window.background });
"""


def shared_chat(world: World) -> str:
    """A finished chat of the owner's that the mate may write in."""
    chat = world.ask(QUICK)
    world.finished(chat)
    team = "team_id = (SELECT id FROM chats_team), privacy = 'team-edit'"
    with closing(sqlite3.connect(world.app.database, timeout=20)) as connection, connection:
        connection.execute(f"UPDATE chats_chat SET {team} WHERE id = ?", (uuid.UUID(chat).hex,))
    return chat


def has_seen(world: World, chat: str, position: int) -> None:
    """The mate's mark stands there."""
    query = (
        "SELECT position FROM chats_seen JOIN chats_person ON person_id = chats_person.id "
        "WHERE email = ? AND chat_id = ?"
    )

    def is_there() -> bool:
        found = world.rows(query, MATE, uuid.UUID(chat).hex)
        return bool(found) and found[0]["position"] == position

    wait_until(is_there, within=30, what=f"a mark at {position}")


def leave(page: Page, *, away: bool = True) -> None:
    page.evaluate(
        """away => {
          window.background = away;
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        away,
    )


def say(world: World, chat: str, text: str) -> str:
    """One more message of the owner's, whose id is given, and its ended answer."""
    assert world.send(chat, text).status_code == 303
    world.finished(chat)
    return str(uuid.UUID(world.messages(chat, role="user")[-1]["id"]))


def test_what_is_new_is_told_where_somebody_looks_and_read_once_it_was_on_their_screen(
    world: World, page_of: PageOf
) -> None:
    chat = shared_chat(world)
    page = page_of(world.app, MATE, fresh=True)
    page.context.add_init_script(BACKGROUND)
    page.goto(f"/chats/{chat}/")
    is_live(page)
    has_seen(world, chat, 2)
    expect(page.locator("#new-since")).to_have_count(0)

    # In the background nothing is read, however much arrives; the list elsewhere says so.
    leave(page)
    elsewhere = page.context.new_page()
    elsewhere.goto("/")
    is_live(elsewhere)
    row = elsewhere.locator(f'#chats a[href="/chats/{chat}/"].chat-link')
    expect(row.locator(".unread")).to_have_count(0)
    all_read = elsewhere.get_by_role("button", name="Mark all as read")
    expect(all_read).to_be_hidden()
    first = say(world, chat, "scenario: all-parts\npace: 0")
    expect(row.locator(".unread")).to_have_text(", new", timeout=PATIENCE)
    expect(row).to_have_accessible_name("Declined , new")
    expect(all_read).to_be_visible()
    has_seen(world, chat, 2)

    # Whoever comes back stands where the new part begins.
    expect(page.locator(f"#m{first}")).to_be_attached(timeout=PATIENCE)
    leave(page, away=False)
    line = page.locator("#messages > #new-since")
    expect(line).to_contain_text("Since you last looked: 1 run, ", timeout=PATIENCE)
    expect(page.locator(f"#new-since + #m{first}")).to_be_attached()
    expect(line).to_be_in_viewport()
    found = faults(page, "new-since")
    page.locator(".message").last.evaluate("it => it.scrollIntoView({ block: 'end' })")
    page.locator(".jump").evaluate("it => it.click()")
    has_seen(world, chat, 4)
    expect(row.locator(".unread")).to_have_count(0, timeout=PATIENCE)
    expect(all_read).to_be_hidden()
    # It stays where it is, also where the server, which knows it read, is asked for everything.
    page.locator("#at").evaluate(
        "it => { it.dataset.stale = ''; dispatchEvent(new Event('online')); }"
    )
    expect(page.locator("#at[data-stale]")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(f"#new-since + #m{first}")).to_be_attached()

    # What is opened later begins there too, and with the last of it read nothing is new.
    leave(page)
    second = say(world, chat, QUICK)
    expect(row.locator(".unread")).to_be_visible(timeout=PATIENCE)
    all_read.click()
    expect(row.locator(".unread")).to_have_count(0, timeout=PATIENCE)
    has_seen(world, chat, 6)
    third = say(world, chat, QUICK)
    page.goto(f"/chats/{chat}/")
    expect(page.locator(f"#new-since + #m{third}")).to_be_attached()
    expect(page.locator("#new-since")).to_be_in_viewport()
    assert second != third
    assert not found, "\n".join(found)


def test_a_list_that_is_on_its_way_does_not_bring_back_what_was_read_meanwhile(
    world: World, page_of: PageOf
) -> None:
    chat = shared_chat(world)
    page = page_of(world.app, MATE)
    page.goto(f"/chats/{chat}/")
    is_live(page)
    has_seen(world, chat, 2)
    page.goto("/")
    is_live(page)
    say(world, chat, QUICK)
    row = page.locator(f'#chats a[href="/chats/{chat}/"].chat-link')
    expect(row.locator(".unread")).to_be_visible(timeout=PATIENCE)
    page.wait_for_function("() => !document.querySelector('#chats.htmx-request')")
    held: list[tuple[Route, APIResponse]] = []
    page.route(re.compile("/sidebar/"), lambda route: held.append((route, route.fetch())), times=1)
    with page.expect_request(re.compile("/sidebar/")):
        page.evaluate("htmx.trigger(document.body, 'mark:sidebar')")
    with page.expect_response(re.compile("/seen/")):
        page.get_by_role("button", name="Mark all as read").click()
    route, old = held.pop()
    route.fulfill(response=old)
    expect(row.locator(".unread")).to_have_count(0)
