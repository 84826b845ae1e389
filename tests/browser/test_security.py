"""The security of an account in Chromium: each way in set up and used, sessions that end, and a new address.

Passkeys are those of Chromium's virtual authenticator; codes of an app are computed here, and mail is read
where a developer reads it. Sockets are asked so seldom whether they may stay open that what closes is told so.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import OWNER, is_live
from tests.conftest import PageOf
from tests.proof import code

if TYPE_CHECKING:
    from playwright.sync_api import Page

MATE, STRANGER, ADMIN = "mate@example.com", "stranger@example.com", "admin@example.com"
SECURITY = "/settings/security/"
# What a page that is left did not wait for, statuses that are looked at, and sockets that are closed.
ALLOWED = r"htmx:(sendError|afterRequest|oobErrorNoTarget)|status of (403|404|422|429)"


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_RIGHTS_CHECK": "600", "V0_REQUIRE_MFA": "staff"}


def sign_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", "demo")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/login/" not in url)


def sign_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")


def virtual_authenticator(page: Page) -> None:
    """A device of this browser that holds passkeys and knows its person."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})


def mail_to(app: AppServer, email: str, link: str) -> str:
    """The newest link of that kind in the mail to an address, as the terminal shows it."""
    found: list[str] = []

    def has_come() -> bool:
        mails = app.log.split("Content-Type: text/plain")
        bodies = [mail for mail in mails if f"To: {email}\n" in mail]
        # Lines are broken as mail wants it.
        text = "".join(bodies).replace("=\n", "")
        found[:] = re.findall(rf"{app.url}(/accounts/email/{link}/\S+)", text)
        return bool(found)

    wait_until(has_come, what=f"the mail to {email}")
    return found[-1]


def change(app: AppServer, query: str, *values: str) -> None:
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        assert connection.execute(query, values).rowcount == 1


class Looks:
    """Each page that is new here, looked at by axe in light and dark, wide and narrow."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    def look(self, name: str) -> None:
        size = self.page.viewport_size
        for width in (1280, 390):
            self.page.set_viewport_size({"width": width, "height": 800})
            self.found += faults(self.page, f"security-{name}-{width}")
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                self.found.append(f"{name} is {wide} wide at {width}")
        if size:
            self.page.set_viewport_size(size)

    def end(self) -> None:
        assert not self.found, "\n".join(self.found)


def secret_of(page: Page) -> str:
    return "".join(page.locator("#secret").inner_text().split())


def test_an_app_is_set_up_used_and_removed_with_the_mouse(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, None, allowed=ALLOWED, fresh=True)
    looks = Looks(page)
    sign_in(page, OWNER)
    page.goto(SECURITY)
    looks.look("empty")
    page.get_by_role("link", name="Set up an app").click()
    looks.look("app")
    secret = secret_of(page)
    page.fill("#code", "000000")
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("#code-error")).to_be_visible()
    assert secret_of(page) == secret
    page.fill("#code", code(secret, steps=-1))
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("h1")).to_have_text("Recovery codes")
    looks.look("codes")
    recovery = page.locator(".security-codes code").first.inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download them").click()
    assert recovery in download.value.path().read_text()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("10 left")).to_be_visible()
    looks.look("set-up")

    sign_out(page)
    sign_in(page, OWNER)
    expect(page.locator("h1")).to_have_text("One more step")
    looks.look("second-factor")
    page.fill("#code", code(secret))
    page.get_by_role("button", name="Sign in").click()
    is_live(page)
    sign_out(page)
    sign_in(page, OWNER)
    page.fill("#code", recovery)
    page.get_by_role("button", name="Sign in").click()
    is_live(page)
    page.goto(SECURITY)
    expect(page.get_by_text("9 left")).to_be_visible()

    page.get_by_role("link", name="Make new ones").click()
    looks.look("codes-new")
    page.get_by_role("button", name="Make new ones").click()
    expect(page.locator(".security-codes li")).to_have_count(10)
    page.goto(SECURITY)
    page.get_by_role("link", name="Remove the app").click()
    looks.look("app-remove")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The app is removed")).to_be_visible()
    looks.end()


def test_passkeys_are_added_used_in_each_way_and_removed(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, None, allowed=ALLOWED, fresh=True)
    virtual_authenticator(page)
    looks = Looks(page)
    sign_in(page, MATE)
    page.goto(f"{SECURITY}passkeys/add/")
    looks.look("passkey-add")
    page.fill("#name", "Laptop")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("h1")).to_have_text("Recovery codes")
    page.goto(SECURITY)
    expect(page.locator(".security-key")).to_have_text("Laptop")
    looks.look("passkeys")
    # A device has one passkey for an account.
    page.goto(f"{SECURITY}passkeys/add/")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("[data-passkey-problem]")).to_have_text(re.compile("has a passkey"))
    page.goto(SECURITY)
    page.get_by_role("link", name="Rename Laptop").click()
    looks.look("passkey-rename")
    page.fill("#name", "Old laptop")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".security-key")).to_have_text("Old laptop")

    # Alone, and back to where one wanted to be.
    sign_out(page)
    page.goto("/settings/notices/")
    looks.look("sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{app.url}/settings/notices/")
    # Not by whoever is deactivated.
    sign_out(page)
    change(app, "UPDATE chats_person SET is_active = 0 WHERE email = ?", MATE)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/accounts/inactive/")
    change(app, "UPDATE chats_person SET is_active = 1 WHERE email = ?", MATE)
    # As the second factor.
    sign_in(page, MATE)
    expect(page.locator("h1")).to_have_text("One more step")
    looks.look("second-factor-passkey")
    page.get_by_role("button", name="Use a passkey").click()
    is_live(page)
    # As a proof, when the last one is long ago: a proof is no more than a note in the session.
    page.context.clear_cookies()
    key = app.session_of(MATE)
    page.context.add_cookies([{"name": "sessionid", "value": key, "url": app.url}])
    page.goto(SECURITY)
    page.get_by_role("link", name="Remove Old laptop").click()
    expect(page.locator("h1")).to_have_text("Is it you?")
    looks.look("again")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("h1")).to_have_text("Remove Old laptop?")
    looks.look("passkey-remove")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The passkey is removed here")).to_be_visible()
    expect(page.locator(".security-key")).to_have_count(0)
    # What the device still holds opens nothing.
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey does not sign in here")).to_be_visible()
    looks.end()


def test_a_session_that_is_ended_ends_its_open_pages_at_once(
    app: AppServer, page_of: PageOf
) -> None:
    mine = page_of(app, STRANGER, allowed=ALLOWED, fresh=True)
    other = page_of(app, STRANGER, allowed=ALLOWED, fresh=True)
    for page in (mine, other):
        page.goto("/")
        is_live(page)
    watching = mine.context.new_page()
    watching.goto("/")
    is_live(watching)
    looks = Looks(mine)
    mine.goto(f"{SECURITY}sessions/")
    looks.look("sessions")
    expect(mine.locator("[data-session]").first).to_contain_text("This browser")
    mine.get_by_role("button", name="Sign out others").click()
    # What was pressed goes on after the proof.
    expect(mine.locator("h1")).to_have_text("Is it you?")
    looks.look("again-password")
    mine.fill("#password", "demo")
    mine.keyboard.press("Enter")
    expect(mine.get_by_text("Every other browser is signed out")).to_be_visible()
    expect(other.locator(".gone")).to_contain_text("You are signed out", timeout=3000)
    # The proof gave the session another key, and its own pages have stayed open.
    is_live(watching)
    expect(watching.locator(".gone")).to_have_count(0)
    looks.end()


def test_another_address_by_keyboard_and_without_scripts(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, None, allowed=ALLOWED, fresh=True, java_script_enabled=False)
    keys = page.keyboard
    page.goto("/accounts/login/")
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    page.focus("[name=login]")
    keys.type(STRANGER)
    keys.press("Tab")
    keys.type("demo")
    keys.press("Enter")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.goto(SECURITY)
    page.get_by_role("link", name="Change address").focus()
    keys.press("Enter")
    page.focus("#email")
    keys.type("no address")
    keys.press("Enter")
    page.fill("#email", "sasha@example.com")
    page.focus("#email")
    keys.press("Enter")
    expect(page.get_by_text("Look into the mail of the new address")).to_be_visible()
    expect(page.locator("[data-waiting]")).to_contain_text("sasha@example.com")
    # Whoever reads the old mail can stop it.
    page.goto(mail_to(app, STRANGER, "cancel"))
    page.get_by_role("button", name="Keep my address").focus()
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Your address stays")
    assert page.goto(mail_to(app, "sasha@example.com", "confirm")).status == 404  # type: ignore[union-attr]
    # And once more, to the end.
    page.goto(f"{SECURITY}email/")
    page.fill("#email", "sasha2@example.com")
    page.focus("#email")
    keys.press("Enter")
    expect(page.locator("[data-waiting]")).to_contain_text("sasha2@example.com")
    page.goto(mail_to(app, "sasha2@example.com", "confirm"))
    page.get_by_role("button", name="Yes, use this address").focus()
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("The address is yours now")
    page.goto(SECURITY)
    expect(page.get_by_text("Verified")).to_be_visible()
    expect(page.get_by_text("sasha2@example.com").last).to_be_visible()


def test_staff_who_must_are_led_to_set_up_a_factor_by_keyboard(
    app: AppServer, page_of: PageOf
) -> None:
    page = page_of(app, None, allowed=ALLOWED, fresh=True)
    keys = page.keyboard
    looks = Looks(page)
    page.goto("/accounts/login/")
    page.focus("[name=login]")
    keys.type(ADMIN)
    keys.press("Tab")
    keys.type("demo")
    keys.press("Enter")
    page.wait_for_url(f"**{SECURITY}?required")
    looks.look("required")
    expect(page.locator("#chats")).to_have_count(0)
    page.goto("/needs-you/")
    assert "required" in page.url
    # Sockets let them no further than pages.
    cookie = {each["name"]: each["value"] for each in page.context.cookies()}["sessionid"]
    headers = {"Cookie": f"sessionid={cookie}", "Origin": app.url}
    place = f"ws{app.url.removeprefix('http')}/ws/me/"
    with connect(place, additional_headers=headers, proxy=None) as socket:
        with pytest.raises(ConnectionClosed):
            socket.recv()
        assert socket.close_code == 4401
    page.get_by_role("link", name="Set up an app").focus()
    keys.press("Enter")
    expect(page.locator("#code")).to_be_visible()
    secret = secret_of(page)
    page.focus("#code")
    keys.type(code(secret))
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Recovery codes")
    page.goto("/")
    is_live(page)
    looks.end()
