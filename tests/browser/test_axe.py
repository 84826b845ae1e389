"""Every page and every state of it, as axe-core sees it: nothing to find, and no rule left out.

Pages that only an accident shows are made by their templates and put in the place of an answer, so
that they stand in the browser with the styles that the app serves. What is found is told together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import pytest
from django.template.loader import render_to_string
from playwright.sync_api import expect

from chats.forms.setup import SetupForm, TokenForm
from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import ANSWER, OWNER, PATIENCE, QUICK, RUNNING, has_state, is_live, mode
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADMIN, STRANGER, MATE = "admin@example.com", "stranger@example.com", "mate@example.com"
# What a page that is left did not wait for, and the statuses that are looked at here.
ALLOWED = r"htmx:(sendError|afterRequest)|status of (403|404|422)|Status Error Code 422"
# Headings of every level, some left out, in prose, in a list and in a quote.
HEADINGS = "### Plan\n\n##### Detail\n\n- # In a list\n\n> ## In a quote\n\n# Result\n\n#### Next"
UNFOLD = "document.querySelectorAll('#messages details').forEach(it => (it.open = true))"


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_ANONYMOUS_READING": "1"}


class Tour:
    """One browser page that is led from state to state; what axe finds on the way is kept."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    def look(self, name: str) -> None:
        self.found += faults(self.page, f"axe-{name}")

    def visit(self, path: str, name: str, *, status: int = 200) -> None:
        answer = self.page.goto(path)
        assert answer
        assert answer.status == status, path
        self.look(name)

    def show(self, html: str, name: str) -> None:
        """A page that the app is not brought to send."""
        self.page.route(
            "**/made/", lambda route: route.fulfill(body=html, content_type="text/html")
        )
        self.visit("/made/", name)
        self.page.unroute("**/made/")

    def end(self) -> None:
        assert not self.found, "\n".join(self.found)


@pytest.fixture
def finished(world: World) -> str:
    """A chat with every kind of part, one answer with headings of all levels, and one that failed."""
    chat = world.ask("scenario: all-parts\npace: 0")
    world.finished(chat)
    world.send(chat, QUICK)
    answer = world.finished(chat)
    change(
        world.app,
        "UPDATE chats_message SET parts = json_set(parts, '$[0].text', ?) WHERE id = ?",
        HEADINGS,
        answer["id"],
    )
    return chat


@pytest.fixture
def short(world: World) -> str:
    """A chat with next to nothing in it, where what is looked at stands around it."""
    chat = world.ask(QUICK)
    world.finished(chat)
    return chat


def change(app: AppServer, query: str, *values: str) -> None:
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        assert connection.execute(query, values).rowcount == 1


def test_the_pages_of_nobody(app: AppServer, page_of: PageOf) -> None:
    tour = Tour(page_of(app, None, allowed=ALLOWED, viewport={"width": 900, "height": 700}))
    tour.visit("/accounts/login/", "sign-in")
    tour.page.fill("[name=login]", OWNER)
    tour.page.fill("[name=password]", "wrong")
    tour.page.keyboard.press("Enter")
    expect(tour.page.locator("#form-errors")).to_be_visible()
    tour.look("sign-in-refused")
    tour.page.context.clear_cookies()
    tour.page.fill("[name=password]", "demo")
    tour.page.locator("form.account-form button").click()
    expect(tour.page.locator(".plain-code")).to_have_text("403")
    tour.look("403-old-page")
    for name in ("password/reset", "password/reset/done", "password/reset/key/done"):
        tour.visit(f"/accounts/{name}/", name.replace("/", "-"))
    tour.visit("/accounts/password/reset/key/1-set-password/", "password-link-used")
    tour.visit("/accounts/signup/", "signup")
    tour.visit("/accounts/inactive/", "inactive")
    tour.visit("/nowhere/", "404", status=404)
    for status in ("403", "429", "500", "503"):
        tour.show(render_to_string(f"{status}.html"), status)
    refused = SetupForm({"email": "no", "name": "", "password": "1", "repeated": "2"})
    tour.show(render_to_string("first_visit.html", {"form": TokenForm()}), "first-visit")
    tour.show(render_to_string("setup.html", {"form": SetupForm()}), "setup")
    tour.show(render_to_string("setup.html", {"form": refused}), "setup-refused")
    tour.end()


def test_the_pages_around_the_chats(app: AppServer, page_of: PageOf) -> None:
    tour = Tour(page_of(app, MATE, allowed=ALLOWED))
    tour.visit("/", "home-empty")
    tour.page.click("#options > summary")
    tour.page.get_by_label("Only these").check()
    expect(tour.page.locator("#mcp-servers [data-asking]")).to_have_count(0)
    tour.look("options")
    tour.page.keyboard.press("Escape")
    tour.page.click(".account summary")
    tour.look("account-menu")
    tour.page.click("[data-shortcuts]")
    expect(tour.page.locator("#shortcuts")).to_be_visible()
    tour.look("shortcuts")
    tour.page.keyboard.press("Escape")
    for name in ("sidebar", "needs-you", "settings/notices", "settings/prompts"):
        tour.visit(f"/{name}/", name.replace("/", "-"))
    tour.visit("/accounts/password/change/", "password-change")
    tour.visit("/accounts/logout/", "sign-out")
    tour.visit("/adopt/", "404-signed-in", status=404)
    tour.end()


def test_a_chat_in_each_of_its_states(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, world: World, finished: str, short: str
) -> None:
    tour = Tour(page_of(app, OWNER, allowed=ALLOWED))
    page = tour.page
    page.goto(f"/chats/{finished}/")
    is_live(page)
    mode(page, "ready")
    expect(page.locator(".cost").last).to_be_visible(timeout=PATIENCE)
    expect(page.locator(f"{ANSWER} h3")).not_to_have_count(0)
    tour.look("chat")
    page.evaluate(UNFOLD)
    tour.look("chat-unfolded")

    page.goto(f"/chats/{short}/")
    is_live(page)
    mode(page, "ready")
    world.send(short, RUNNING)
    mode(page, "running")
    expect(page.locator(f"{ANSWER} [data-part=text]").last).to_be_visible(timeout=PATIENCE)
    tour.look("chat-running")
    page.keyboard.press("Escape")
    has_state(page, "stopped")
    mode(page, "ready")
    tour.look("chat-stopped")
    for name, state in (
        ("error", "failed"),
        ("length", "finished"),
        ("content-filter", "finished"),
        ("out-of-credits", "failed"),
    ):
        if name == "out-of-credits":
            sandbox.fault(path="/chats*", method="POST", kind="status", status=402, key=app.key)
        answers = page.locator(ANSWER).count()
        world.send(short, f"scenario: {name}\npace: 0")
        expect(page.locator(ANSWER)).to_have_count(answers + 1, timeout=PATIENCE)
        has_state(page, state)
        mode(page, "ready")
        tour.look(f"chat-{name}")
    page.fill("#message", "x" * 100_001)
    page.click("#action")
    expect(page.locator("#refusal")).to_be_visible()
    tour.look("chat-refused")
    tour.end()


def test_what_is_done_to_a_chat(app: AppServer, page_of: PageOf, world: World, short: str) -> None:
    tour = Tour(page_of(app, OWNER, path=f"/chats/{short}/", allowed=ALLOWED))
    page = tour.page
    is_live(page)
    for name in ("Rename", "Duplicate", "Move", "Delete"):
        page.click("header .more")
        expect(page.locator("#bar-menu")).to_be_visible()
        if name == "Rename":
            tour.look("menu")
        page.locator("#bar-menu").get_by_text(name).click()
        expect(page.locator("#dialog")).to_be_visible()
        tour.look(f"dialog-{name.lower()}")
        page.keyboard.press("Escape")
    page.keyboard.press("F2")
    expect(page.locator("#title-field")).to_be_focused()
    tour.look("title-in-place")
    page.locator("#chats .more").first.click()
    expect(page.locator("#sidebar-menu")).to_be_visible()
    tour.look("sidebar-menu")
    page.set_viewport_size({"width": 390, "height": 844})
    tour.visit("/usage/?range=7d", "usage")
    expect(page.locator(".usage-chart")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 720})
    for name in ("menu", "rename", "duplicate", "move", "budget", "delete"):
        tour.visit(f"/chats/{short}/{name}/", f"page-{name}")
        expect(page.locator("main h1")).to_have_count(1)
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".undo")).to_be_visible()
    tour.look("home-undo")
    tour.end()


def test_pages_of_others(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, world: World, short: str
) -> None:
    change(
        app,
        "UPDATE chats_chat SET privacy = 'unlisted', link_slug = 'a-slug' WHERE id = ?",
        UUID(short).hex,
    )
    for name, email in (("stranger", STRANGER), ("nobody", None)):
        tour = Tour(page_of(app, email, allowed=ALLOWED))
        tour.visit("/shared/a-slug/", f"shared-{name}")
        assert short in tour.page.url
        tour.end()


def test_the_pages_of_the_staff(app: AppServer, sandbox: Sandbox, page_of: PageOf) -> None:
    # A chat that v0 has and that is not here.
    httpx.post(
        f"{sandbox.base_url}/chats/async",
        json={"message": "A page about open fields"},
        headers={"Authorization": f"Bearer {app.key}"},
        trust_env=False,
    ).raise_for_status()
    tour = Tour(page_of(app, ADMIN, allowed=ALLOWED, path="/"))
    page = tour.page
    page.click(".account summary")
    page.click("text=Bring in chats from v0")
    expect(page.locator("h1")).to_have_text("Bring in chats from v0")
    expect(page.locator(".adopt-list tbody tr")).not_to_have_count(0)
    tour.look("adopt")
    page.fill("#owner", OWNER)
    page.get_by_role("button", name="Bring in what is chosen").click()
    expect(page.locator("[role=alert]")).to_be_visible()
    tour.look("adopt-refused")
    for name in ("linear", "notion"):
        page.goto("/settings/mcp/new/")
        page.fill("#name", name)
        page.fill("#url", f"https://mcp.example.com/{name}")
        page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Disable linear").click()
    expect(page.locator(".settings-chip")).to_be_visible()
    tour.look("mcp")
    page.get_by_role("link", name="Edit notion").click()
    page.get_by_label("Headers of your own").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#headers-error")).to_be_visible()
    tour.look("mcp-refused")
    page.goto("/settings/mcp/")
    page.get_by_role("link", name="Remove notion").click()
    expect(page.locator("h1")).to_have_text("Remove notion?")
    tour.look("mcp-remove")
    tour.visit("/accounts/password/change/", "password-change-staff")
    tour.end()
