"""The audit log and break-glass reading in a browser: by mouse, by keys alone, without scripts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from chats import demo
from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import ANSWER, OWNER, QUICK, is_live
from tests.conftest import PageOf
from tests.world import World

ADMIN = "admin@example.com"
REASON = "Request 4711: the owner sees an empty page"
NARROW: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_SWEEP_EVERY": "1"}


@pytest.fixture
def superuser(app: AppServer) -> Iterator[None]:
    """The admin, for a while."""
    for value in (1, 0):
        with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
            query = "UPDATE chats_person SET is_superuser = ? WHERE email = ?"
            assert connection.execute(query, (value, ADMIN)).rowcount == 1
        if value:
            yield


def is_fine(page: Page, name: str) -> None:
    """Nothing for axe to find and nothing beyond the edge, wide and narrow, light and dark."""
    wide = page.viewport_size
    assert wide
    found = faults(page, f"{name}-wide")
    page.set_viewport_size(NARROW)
    found += faults(page, f"{name}-narrow")
    assert not found, "\n".join(found)
    beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert beyond <= 0, name
    page.set_viewport_size(wide)


def press(page: Page, *names: str) -> None:
    for name in names:
        page.keyboard.press(name)


def test_a_superuser_reads_a_chat_for_a_reason_and_its_owner_sees_it(
    app: AppServer, page_of: PageOf, world: World, superuser: None
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    allowed = r"status of (404|422)|Status Error Code 404|htmx:(sendError|afterRequest)"
    page = page_of(app, ADMIN, path=f"/admin/chats/chat/{chat}/change/", allowed=allowed)
    page.get_by_role("link", name="Open it for a reason").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Open a chat of Olivia Owner?")
    is_fine(page, "open-chat")
    # From here by keys alone.
    page.get_by_label("Your reason").focus()
    page.keyboard.type("short")
    press(page, "Tab", "Enter")
    expect(page.get_by_role("alert")).to_contain_text("10 characters or more")
    page.get_by_label("Your reason").focus()
    press(page, "ControlOrMeta+a")
    page.keyboard.type(REASON)
    press(page, "Tab", "Enter")
    page.wait_for_url("**/accounts/again/**")
    page.get_by_label("Password").focus()
    page.keyboard.type(demo.PASSWORD)
    press(page, "Enter")
    page.wait_for_url(f"**/chats/{chat}/")
    expect(page.locator(".opened")).to_contain_text("You read Olivia Owner")
    expect(page.locator("textarea#message")).to_have_count(0)
    is_live(page)
    assert not faults(page, "opened-chat")
    world.send(chat, QUICK)
    expect(page.locator(ANSWER)).to_have_count(2)
    other = page.context.new_page()
    other.goto(f"/chats/{chat}/")
    is_live(other)
    page.get_by_role("button", name="Stop reading").click()
    page.wait_for_url(f"{app.url}/")
    expect(other.locator(".gone")).to_contain_text(
        "The time for which you opened this chat is over", timeout=5000
    )
    answer = other.reload()
    assert answer
    assert answer.status == 404

    owners = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=allowed)
    owners.get_by_role("link", name="Menu of").last.click()
    owners.get_by_role("link", name="Audit log").click()
    entry = owners.locator(".audit-entry")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("Ada Admin opened a chat of Olivia Owner to read it")
    expect(entry).to_contain_text(f"Reason: {REASON}")
    is_fine(owners, "chat-audit")


def test_staff_look_through_the_log_and_take_it_along(
    app: AppServer, page_of: PageOf, world: World, tmp_path: Path
) -> None:
    with app.client_of(None) as nobody:
        nobody.post("/accounts/login/", data={"login": "x@example.com", "password": "wrong"})
    chat = world.ask(QUICK)
    world.finished(chat)
    world.post(f"/chats/{chat}/export.md")
    page = page_of(app, ADMIN, path="/", allowed="htmx:(sendError|afterRequest)|status of 422")
    page.locator(".account summary").click()
    page.get_by_role("link", name="Audit log").click()
    expect(page.locator(".audit-entry").first).to_contain_text("owner@example.com exported a chat")
    failed = "Somebody failed to sign in as x@example.com"
    expect(page.locator(".audit-list")).to_contain_text(failed)
    is_fine(page, "audit")
    page.get_by_label("About").focus()
    page.keyboard.type("Chats")
    press(page, "Tab")
    page.keyboard.type("owner")
    press(page, "Enter")
    page.wait_for_url("**area=chat**")
    sentences = page.locator(".audit-sentence").all_inner_texts()
    assert sentences
    assert all("a chat" in each for each in sentences)
    expect(page.get_by_label("Person")).to_have_value("owner")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    download.value.save_as(tmp_path / "log.csv")
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert len(lines) == 1 + len(sentences)
    page.get_by_label("Chat", exact=True).fill("no id")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#chat-error")).to_have_text("This is no id of a chat.")

    plain = page_of(app, ADMIN, path="/audit/?area=settings", java_script_enabled=False)
    expect(plain.locator(".audit-entry").first).to_contain_text("exported the audit log")
    plain.get_by_label("From").fill("2031-01-31")
    plain.get_by_role("button", name="Show", exact=True).click()
    expect(plain.get_by_text("Nothing like that was noted.")).to_be_visible()
    plain.get_by_role("link", name="Show everything").click()
    assert "area" not in plain.url


def test_a_running_app_forgets_what_is_over(app: AppServer, world: World) -> None:
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        for event, at, until in (
            ("over", "2020-01-01", "2021-01-01"),
            ("kept", "2020-01-01", "2999-01-01"),
        ):
            connection.execute(
                "INSERT INTO chats_auditentry (at, kept_until, event, actor_name, person_name,"
                " team_name, details) VALUES (?, ?, ?, '', '', '', '{}')",
                (f"{at} 00:00:00", f"{until} 00:00:00", event),
            )
    wait_until(lambda: not world.noted("over"), what="the entry to be forgotten")
    assert world.noted("kept")
