"""A person's own settings in a browser: the profile that follows them, their data, the end of an account."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import OWNER, QUICK, RUNNING, is_live
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World
from tests.world import world as world_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

MATE, STRANGER = "mate@example.com", "stranger@example.com"
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 720}
ALLOWED = "htmx:(sendError|afterRequest)|status of (404|422)"
HELD = """SELECT 1 FROM chats_chat AS chat JOIN chats_person AS person ON person.id = chat.owner_id
          WHERE person.deleted_at IS NOT NULL"""
LATE = """INSERT INTO chats_prompt (id, person_id, name, text, created_at)
          SELECT ?, id, 'Late', 'It was on its way', date() FROM chats_person WHERE deleted_at IS NOT NULL"""
GROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_UNDO": "0.5", "V0_SWEEP_EVERY": "1"}


def sign_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", "demo")
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_be_visible()


def test_a_profile_follows_its_person_to_another_device(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask(QUICK)
    page = page_of(app, OWNER, path="/", allowed=ALLOWED, timezone_id="Asia/Tokyo", fresh=True)
    elsewhere = page_of(app, OWNER, allowed=ALLOWED, timezone_id="Europe/Berlin", fresh=True)
    page.click(".account summary")
    page.click("text=Settings")
    page.fill("#name", "Zoë Öst")
    expect(page.locator("#time-zone-proposed")).to_contain_text("This browser is in Asia/Tokyo.")
    page.click("text=Use it")
    expect(page.locator("#time-zone-proposed")).to_be_hidden()
    page.locator("main").get_by_label("Dark").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[role=status]", has_text="Saved.")).to_be_visible()
    # The colours are those of the other device from its first paint on, and its times.
    elsewhere.goto("/settings/prompts/")
    dark = page.evaluate(GROUND)
    assert elsewhere.evaluate(GROUND) == dark
    expect(elsewhere.locator(".account-name")).to_contain_text("Zoë Öst")
    expect(elsewhere.locator(".account .face")).to_have_text("ZÖ")
    elsewhere.goto(f"/chats/{chat}/")
    asked = datetime.fromisoformat(world.messages(chat)[0]["created_at"]).replace(tzinfo=UTC)
    told = asked.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%I:%M %p")
    expect(elsewhere.locator(".message-time").first).to_contain_text(told)
    # The switch in the menu is the same one.
    elsewhere.click(".account summary")
    with elsewhere.expect_response("**/settings/theme/"):
        elsewhere.locator(".account").get_by_text("Light").click()
    page.reload()
    light = page.evaluate(GROUND)
    assert light != dark
    assert elsewhere.evaluate(GROUND) == light
    expect(page.locator("main").get_by_label("Light")).to_be_checked()
    # Whoever has signed out keeps what this device showed last.
    page.context.clear_cookies()
    page.emulate_media(color_scheme="dark")
    page.goto("/accounts/login/")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_ones_data_and_the_end_of_an_account_by_keys(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, tmp_path: Path
) -> None:
    with world_of(app, sandbox, MATE) as mate:
        finished, running = mate.ask(QUICK), mate.ask(RUNNING)
        mate.finished(finished)
        mate.until(running, "streaming")
        theirs = {mate.chat(id)["v0_id"] for id in (finished, running)}
        watched = page_of(app, MATE, path=f"/chats/{running}/", allowed=ALLOWED)
        is_live(watched)
        page = page_of(app, None, allowed=ALLOWED)
        sign_in(page, MATE)
        page.goto("/settings/")
        keys = page.keyboard
        page.get_by_role("link", name="Your data").focus()
        keys.press("Enter")
        expect(page.locator("h1")).to_have_text("Your data")
        page.get_by_role("button", name="Download my data").focus()
        with page.expect_download() as download:
            keys.press("Enter")
        kept = tmp_path / "data.zip"
        download.value.save_as(kept)
        with zipfile.ZipFile(kept) as archive:
            assert archive.testzip() is None
            assert len([name for name in archive.namelist() if name.endswith("chat.md")]) == 2
        keys.press("Tab")
        keys.press("Enter")
        expect(page.locator("h1")).to_have_text("Delete your account?")
        what = page.locator(".settings-what")
        expect(what).to_contain_text("Your 2 personal chats are deleted, here and at v0")
        expect(what).to_contain_text("1 answer of yours that still runs is stopped.")
        page.focus("#typed")
        keys.type("mine")
        keys.press("Enter")
        expect(page.locator("#typed-error")).to_have_text(
            "This is not the address of your account."
        )
        page.focus("#typed")
        keys.press("ControlOrMeta+a")
        keys.type(MATE)
        keys.press("Enter")
        expect(page.locator("h1")).to_have_text("Your account is deleted")
        assert not faults(page, "account-deleted")
        # What was open elsewhere says so at once, and v0 hears of all of it.
        expect(watched.locator(".gone")).to_contain_text("You are signed out.", timeout=5000)
        wait_until(lambda: not mate.rows(HELD), what="the chats' end")
        assert mate.ledger["stops"] == 1
        assert not {one["id"] for one in mate.at_v0("/chats")["chats"]} & theirs
        # What a request of theirs still writes after that goes, too.
        with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
            assert connection.execute(LATE, [uuid4().hex]).rowcount == 1
        wait_until(
            lambda: not mate.rows("SELECT 1 FROM chats_prompt"), what="the late prompt's end"
        )
    page.goto("/accounts/login/")
    page.fill("[name=login]", MATE)
    page.fill("[name=password]", "demo")
    keys.press("Enter")
    expect(page.locator("#form-errors")).to_be_visible()


def test_without_scripts_it_is_forms(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, None, java_script_enabled=False, viewport=PHONE)
    sign_in(page, STRANGER)
    page.goto("/settings/")
    page.select_option("#time-zone", "America/New_York")
    page.locator("main").get_by_label("Dark").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    expect(page.locator("#time-zone")).to_have_value("America/New_York")
    expect(page.locator(".needs-scripts:visible")).to_have_count(0)
    page.goto("/settings/delete/")
    page.fill("#typed", STRANGER)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.locator("h1")).to_have_text("Your account is deleted")
    page.goto("/")
    expect(page.locator("h1")).to_have_text("Sign in")


def test_every_page_is_without_fault(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, None, allowed=ALLOWED)
    sign_in(page, "admin@example.com")
    found = []
    for name in ("", "data/", "delete/"):
        page.goto(f"/settings/{name}")
        if name == "delete/":
            page.fill("#typed", "nobody")
            page.keyboard.press("Enter")
            expect(page.locator("#typed-error")).to_be_visible()
        for size in (PHONE, DESK):
            page.set_viewport_size(size)
            found += faults(page, f"settings/{name} {size['width']}")
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert not found, "\n".join(found)
