"""Access ends while pages are open: each says why, in a sentence, and keeps no text.

The check of rights finds what the database alone was told of. A page that shows earlier messages, a search
and a dialog are as open as a conversation.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import is_live
from tests.conftest import PageOf
from tests.crowd import into_team, new_person, write
from tests.world import World

OWNER, MATE, STRANGER = "owner@example.com", "mate@example.com", "stranger@example.com"
# The sandbox repeats what it was asked.
SECRET = "quetzalcoatlus"
FOLLOWS = 5000
ALLOWED = r"ERR_FAILED|htmx:(sendError|afterRequest)|status of (403|404)|Status Error Code 40[34]"
LINK = "a-link-to-pass-on"


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_RIGHTS_CHECK": "0.5", "V0_ANONYMOUS_READING": "1"}


@pytest.fixture
def chat(world: World) -> Iterator[str]:
    id = world.ask(f"scenario: refusal\npace: 0\n{SECRET}")
    world.finished(id)
    world.post(f"/chats/{id}/rename/", title=f"About {SECRET}")
    team = world.rows("SELECT id FROM chats_team WHERE name = 'Example'")[0]["id"]
    into_team(world, id, team, "team-edit")
    yield id
    # No page of the next test lists it.
    set_chat(world, id, deleted_at="2026-01-01 00:00:00")


def set_chat(world: World, chat: str, **fields: Any) -> None:
    columns = ", ".join(f"{name} = ?" for name in fields)
    id = uuid.UUID(chat).hex
    write(world, f"UPDATE chats_chat SET {columns} WHERE id = ?", *fields.values(), id)


def ended(page: Page, words: str) -> None:
    """It says so in time, and whatever one looks at has no text any more: the page, its title, its print."""
    said = page.locator("main .gone")
    expect(said).to_have_count(1, timeout=FOLLOWS)
    expect(said).to_contain_text(re.compile(words))
    expect(page).to_have_title(re.compile(words))
    assert SECRET not in page.evaluate("document.body.textContent + document.title")
    page.emulate_media(media="print")
    assert SECRET not in page.inner_text("body")
    page.emulate_media(media="screen")


def leave_no_row(page: Page) -> None:
    expect(page.locator("#chats")).not_to_contain_text(SECRET, timeout=FOLLOWS)


def test_a_level_takes_a_chat_from_pages_of_the_team_and_leaves_it_to_guests(
    world: World, app: AppServer, chat: str, page_of: PageOf
) -> None:
    guest, person = new_person(world)
    statement = "INSERT INTO chats_guest (chat_id, email, person_id, role, invited_at) VALUES (?, ?, ?, 'reader', '2026-01-01')"
    row = write(world, statement, uuid.UUID(chat).hex, guest, person)
    mates = page_of(app, MATE, path=f"/chats/{chat}/", allowed=ALLOWED)
    searching = page_of(app, MATE, path=f"/chats/{chat}/search/?q={SECRET}", allowed=ALLOWED)
    guests = page_of(app, guest, path=f"/chats/{chat}/", allowed=ALLOWED)
    for page in (mates, searching, guests):
        is_live(page)
    mates.fill("#message", "Half a sentence")
    # A dialog has text, too.
    mates.locator(".bar [data-menu]").click()
    mates.locator("#bar-menu a", has_text="Rename").click()
    expect(mates.locator("#dialog input[name=title]")).to_have_value(f"About {SECRET}")
    expect(searching.locator("#hits")).to_contain_text(SECRET)
    # What was asked for before, and answered, is on its way meanwhile.
    late: list[Route] = []
    mates.route("**/own/**", lambda route: late.append(route))
    with mates.expect_request("**/own/**"):
        mates.evaluate("document.body.dispatchEvent(new CustomEvent('mark:own'))")
    set_chat(world, chat, privacy="private")
    ended(mates, "This chat is not shared with your team any more.")
    ended(searching, "This chat is not shared with your team any more.")
    leave_no_row(mates)
    with mates.expect_event("requestfinished", lambda request: "/own/" in request.url):
        body = f"<div id='own'></div><div id='marks' hx-swap-oob='true'>{SECRET}</div>"
        late[0].fulfill(status=200, content_type="text/html", body=body)
    assert SECRET not in mates.evaluate("document.body.textContent")
    # What one has typed oneself may be copied.
    expect(mates.locator(".gone-typed textarea")).to_have_value("Half a sentence")
    assert mates.evaluate("document.querySelector('#dialog').open") is False
    assert not faults(mates, "access-ended")
    expect(guests.locator("#messages")).to_contain_text(SECRET)
    write(world, "DELETE FROM chats_guest WHERE id = ?", row)
    ended(guests, "You are not invited to this chat any more.")
    # And there is no way back to the text.
    answer = guests.reload()
    assert answer
    assert answer.status == 404


def test_a_link_and_a_public_chat_end_for_whoever_came_by_them(
    world: World, app: AppServer, chat: str, page_of: PageOf
) -> None:
    set_chat(world, chat, privacy="unlisted", link_slug=LINK)
    by_link = page_of(app, STRANGER, path=f"/shared/{LINK}/", allowed=ALLOWED)
    nameless = page_of(app, None, path=f"/shared/{LINK}/", allowed=ALLOWED)
    for page in (by_link, nameless):
        is_live(page)
        expect(page.locator("#messages")).to_contain_text(SECRET)
    set_chat(world, chat, link_slug="another")
    ended(by_link, "The link to this chat doesn.t work any more.")
    set_chat(world, chat, privacy="public")
    by_link.goto(f"/chats/{chat}/")
    is_live(by_link)
    ended(nameless, "The link to this chat doesn.t work any more.")
    set_chat(world, chat, privacy="team")
    ended(by_link, "This chat is not public any more.")


# Who reads at which level: for whom each of the pages stays.
READS = {
    "mate": {"team", "team-edit", "public"},
    "guest": {"private", "team", "team-edit", "unlisted", "public"},
    "with the link": {"unlisted", "public"},
    "with the link, nameless": {"unlisted", "public"},
    "stranger": {"public"},
}
# From each level to each other one, once.
WALK = (
    *("team", "private", "team-edit", "private", "unlisted", "private", "public", "team"),
    *("team-edit", "team", "unlisted", "team", "public", "team-edit", "unlisted"),
    *("team-edit", "public", "unlisted", "public", "private", "team"),
)


def test_through_all_changes_of_level_no_page_keeps_what_it_may_not_show(
    world: World, app: AppServer, chat: str, page_of: PageOf
) -> None:
    assert len(set(pairwise(WALK))) == 20
    guest, person = new_person(world)
    statement = "INSERT INTO chats_guest (chat_id, email, person_id, role, invited_at) VALUES (?, ?, ?, 'reader', '2026-01-01')"
    write(world, statement, uuid.UUID(chat).hex, guest, person)
    stranger, _ = new_person(world)
    emails = dict(zip(READS, (MATE, guest, STRANGER, None, stranger), strict=True))
    set_chat(world, chat, privacy="unlisted", link_slug=LINK)
    pages = {}
    for who, email in emails.items():
        path = f"/shared/{LINK}/" if "link" in who else "/robots.txt"
        pages[who] = page_of(app, email, path=path, allowed=ALLOWED)
    reading: set[str] = set()
    for level in WALK:
        set_chat(world, chat, privacy=level)
        for who, page in pages.items():
            if level not in READS[who]:
                if who in reading:
                    ended(page, "any more")
                reading.discard(who)
            elif who not in reading:
                page.goto(f"/chats/{chat}/")
                is_live(page)
                reading.add(who)
            else:
                expect(page.locator("#messages")).to_contain_text(SECRET)
                expect(page.locator("main .gone")).to_have_count(0)


def test_a_page_that_gets_no_socket_hears_of_it_when_it_asks(
    world: World, app: AppServer, chat: str, page_of: PageOf
) -> None:
    page = page_of(app, MATE, fresh=True, allowed=ALLOWED)
    page.route_web_socket("**/ws/**", lambda socket: socket.close(code=1006))
    page.clock.install()
    page.goto(f"/chats/{chat}/")
    expect(page.locator("#messages")).to_contain_text(SECRET)
    set_chat(world, chat, privacy="private")
    page.clock.run_for(16_000)
    ended(page, "This chat is gone, or not shared with you any more.")


def test_who_gives_a_chat_away_or_signs_out_sees_it_go(
    world: World, app: AppServer, chat: str, page_of: PageOf
) -> None:
    set_chat(world, chat, privacy="private")
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=f"{ALLOWED}|401")
    is_live(page)
    mate = world.rows("SELECT id FROM chats_person WHERE email = ?", MATE)[0]["id"]
    assert world.post(f"/chats/{chat}/hand-over/", person=str(mate)).status_code == 303
    expect(page.locator("#offer")).to_contain_text("You offer this chat to")
    takers = page_of(app, MATE, path="/needs-you/", allowed=ALLOWED)
    expect(takers.locator("#needs")).not_to_contain_text(SECRET)
    takers.get_by_role("link", name="offers you a chat").click()
    assert not faults(takers, "accept")
    takers.get_by_role("button", name="Accept the chat").press("Enter")
    expect(takers.locator("#messages")).to_contain_text(SECRET)
    ended(page, "This chat is not yours any more.")
    leave_no_row(page)
    is_live(takers)
    # Whatever is asked for without a session leads to where one signs in: here the socket alone tells.
    takers.route("**/*", lambda route: route.abort())
    write(world, "DELETE FROM django_session")
    ended(takers, "You are signed out.")
    expect(takers.locator("#sidebar > *")).to_have_count(1)
