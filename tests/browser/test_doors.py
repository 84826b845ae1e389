"""The ways in, one after another, on a server that begins without anybody: the first visit, signing up, and
a provider beside it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.accounts.provider import Provider, running_provider
from tests.app_server import AppServer, prepared_database, running_app, wait_until
from tests.browser.faultless import faults
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Page

FIRST, SECOND = "first@team.example", "second@team.example"
PASSWORD = "a-long-and-odd-one-7"
# Statuses that are looked at here, and the provider's style sheet, which is elsewhere.
ALLOWED = r"status of (403|404|422)|ERR_FAILED|htmx:(sendError|afterRequest)"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def app_settings(provider: Provider) -> Mapping[str, str]:
    return {
        "V0_SIGN_UP": "open",
        "V0_SIGN_UP_DOMAIN": "team.example",
        "V0_OIDC_ISSUER": provider.url,
        "V0_OIDC_CLIENT_ID": "v0web",
        "V0_OIDC_CLIENT_SECRET": "secret",
        "V0_OIDC_NAME": "Staff accounts",
        "V0_OIDC_DOMAIN": "team.example",
        "V0_OIDC_SIGN_UP": "1",
    }


@pytest.fixture(scope="module")
def app(
    sandbox: Sandbox,
    app_settings: Mapping[str, str],
    shared_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("app")
    empty = folder / "empty.sqlite3"
    shutil.copy(prepared_database(shared_folder), empty)
    with closing(sqlite3.connect(empty)) as connection, connection:
        for table in ("membership", "teamrules", "team", "person"):
            connection.execute(f"DELETE FROM chats_{table}")
    with running_app(folder, sandbox, template=empty, database=None, **app_settings) as app:
        yield app


def look(page: Page, name: str) -> None:
    """In light and in dark on a phone; at a desk the card is the same, and only must not be wider."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{name} is wider than {width}"
    found = faults(page, f"axe-{name}")
    assert not found, "\n".join(found)


def opened(page: Page) -> Page:
    """The provider's page asks for a style sheet that is not here."""
    page.route("**/cdn.jsdelivr.net/**", lambda route: route.abort())
    return page


def signs_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")


def by_provider(page: Page, sub: str) -> None:
    page.get_by_role("button", name="Sign in with Staff accounts").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.fill("[name=sub]", sub)
    page.get_by_role("button", name="Authorize").click()


def test_the_first_visit_makes_the_owner(app: AppServer, page_of: PageOf) -> None:
    printed = re.search(rf"Nobody has an account yet\..*({app.url}/setup/(\S+)/)", app.log)
    assert printed, app.log
    page = page_of(app, None, allowed=ALLOWED, path="/")
    assert page.url == f"{app.url}/setup/"
    look(page, "first-visit")
    page.fill("#id_token", "not it")
    page.get_by_role("button", name="Make the first account").click()
    expect(page.locator("#id_token_error")).to_contain_text("not the token")
    expect(page.locator("#id_token")).to_have_value("not it")
    look(page, "first-visit-refused")
    page.fill("#id_token", printed[1])
    page.get_by_role("button", name="Make the first account").click()
    page.wait_for_url(f"**/setup/{printed[2]}/")
    page.fill("[name=email]", FIRST)
    page.fill("[name=name]", "First Person")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=repeated]", PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    page.wait_for_url(f"{app.url}/")
    expect(page.locator("#message")).to_be_visible()
    for path in ("/setup/", f"/setup/{printed[2]}/"):
        answer = page.goto(path)
        assert answer
        assert answer.status == 404


def test_somebody_signs_up_by_keys_alone(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, None, allowed=ALLOWED, path="/accounts/login/")
    look(page, "sign-in-all-ways")
    keys = page.keyboard
    page.focus("[name=password]")
    while page.evaluate("document.activeElement.textContent.trim()") != "Make an account":
        keys.press("Tab")
    keys.press("Enter")
    page.wait_for_url("**/accounts/signup/")
    look(page, "sign-up")
    keys.press("Tab")
    page.focus("[name=email]")
    keys.type("second@elsewhere.example")
    keys.press("Enter")
    expect(page.locator("#id_email_error")).to_contain_text("@team.example")
    page.focus("[name=email]")
    keys.press("Control+a")
    keys.type(SECOND)
    keys.press("Enter")
    page.wait_for_url("**/accounts/signup/sent/")
    look(page, "sign-up-sent")
    link = rf"{app.url}(/accounts/signup/\S+:\S+/)"
    wait_until(lambda: bool(re.search(link, app.log)), what="the mail")
    sent = re.search(link, app.log)
    assert sent
    page.goto(sent[1])
    look(page, "sign-up-link")
    page.focus("[name=name]")
    for typed in ("Second Person", PASSWORD, PASSWORD):
        keys.type(typed)
        keys.press("Tab")
    keys.press("Enter")
    page.wait_for_url(f"{app.url}/")
    expect(page.locator("#message")).to_be_visible()
    signs_out(page)
    page.goto(sent[1])
    expect(page.locator("h1")).to_have_text("This link no longer works")
    look(page, "sign-up-over")


def test_a_provider_leads_in(app: AppServer, page_of: PageOf, provider: Provider) -> None:
    provider.knows("2", email=SECOND, email_verified=True)
    provider.knows("3", email="third@team.example", email_verified=True, name="Third Person")
    provider.knows("4", email="fourth@elsewhere.example", email_verified=True)
    page = opened(page_of(app, None, allowed=ALLOWED, path="/settings/notices/"))
    by_provider(page, "4")
    expect(page.locator("h1")).to_have_text("You are not signed in")
    look(page, "provider-refused")
    page.get_by_role("link", name="Back to sign in").click()
    page.get_by_role("button", name="Sign in with Staff accounts").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.get_by_role("button", name="Deny").click()
    expect(page.locator("main")).to_contain_text("You did not go on there")
    # Whoever has an account proves it once.
    page.goto("/accounts/login/")
    by_provider(page, "2")
    expect(page.locator("h1")).to_have_text("Sign in once more")
    look(page, "provider-proof")
    page.get_by_role("link", name="Sign in with the password").click()
    page.fill("[name=login]", SECOND)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{app.url}/")
    signs_out(page)
    page.goto("/accounts/login/?next=/settings/notices/")
    by_provider(page, "2")
    page.wait_for_url("**/settings/notices/")


def test_a_provider_leads_in_without_scripts(app: AppServer, page_of: PageOf) -> None:
    page = opened(
        page_of(app, None, allowed=ALLOWED, path="/accounts/login/", java_script_enabled=False)
    )
    by_provider(page, "3")
    page.wait_for_url(f"{app.url}/")
    expect(page.locator("body")).to_contain_text("Third Person")
