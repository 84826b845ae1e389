"""The admin area as staff use it, and what it ends for others: sockets at once, with no check in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import expect
from websockets.sync.client import ClientConnection

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import OWNER, PATIENCE, QUICK, is_live
from tests.conftest import PageOf
from tests.relay.test_doors import code, opened
from tests.sandbox_server import Sandbox
from tests.world import World
from tests.world import world as world_as

ADMIN, MATE, STRANGER = "admin@example.com", "mate@example.com", "stranger@example.com"
# What a page that is left did not wait for.
LEFT = "htmx:(sendError|afterRequest)"
SLOW = "scenario: long size=2000 pace=0.5"


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {
        # What happens at once happens without it.
        "V0_RIGHTS_CHECK": "600",
        "V0_HEALTH_EVERY": "0.3",
        "V0_LOOK_EVERY": "0.2",
        "V0_CHECK_AFTER": "0.1,0.3",
        "V0_CHECK_FOR": "0.5",
    }


@pytest.fixture
def staff(app: AppServer) -> Iterator[httpx.Client]:
    with app.client_of(ADMIN) as client:
        yield client


def execute(app: AppServer, query: str, *values: Any) -> None:
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        connection.execute(query, values)


def rank(app: AppServer, *emails: str, superuser: bool) -> None:
    for email in emails:
        execute(
            app,
            "UPDATE chats_person SET is_active = 1, is_staff = ?, is_superuser = ? WHERE email = ?",
            *(superuser or email == ADMIN, superuser, email),
        )


def id_of(app: AppServer, email: str) -> int:
    with closing(sqlite3.connect(app.database)) as connection:
        (found,) = connection.execute("SELECT id FROM chats_person WHERE email = ?", [email])
    return int(found[0])


def do(app: AppServer, by: httpx.Client, what: str, email: str, **fields: str) -> httpx.Response:
    return by.post(f"/manage/people/{id_of(app, email)}/{what}/", data=fields)


def is_open(socket: ClientConnection) -> bool:
    try:
        socket.ping().wait(5)
    except Exception:
        return False
    return socket.close_code is None


def test_who_is_deactivated_loses_every_socket_at_once_and_nobody_else_does(
    app: AppServer, staff: httpx.Client, sandbox: Sandbox, world: World
) -> None:
    with world_as(app, sandbox, MATE) as mates:
        chat = mates.ask(QUICK)
        mates.finished(chat)
    with (
        opened(world, f"/ws/chats/{chat}/", MATE) as of_chat,
        opened(world, "/ws/me/", MATE) as own,
        opened(world, "/ws/me/", OWNER) as others,
    ):
        for socket in (of_chat, own, others):
            socket.recv(timeout=10)
        assert do(app, staff, "deactivate", MATE).status_code == 303
        assert code(of_chat) == code(own) == 4401
        assert is_open(others)
    do(app, staff, "reactivate", MATE)
    with opened(world, "/ws/me/", MATE) as own:
        own.recv(timeout=10)
        assert do(app, staff, "sessions", MATE).status_code == 303
        assert code(own) == 4401


def test_a_running_answer_of_who_is_deactivated_ends_and_what_waits_does_not_go_out(
    app: AppServer, staff: httpx.Client, sandbox: Sandbox
) -> None:
    with world_as(app, sandbox, MATE) as mates:
        chat = mates.ask(SLOW)
        mates.until(chat, "streaming")
        assert mates.send(chat, QUICK).status_code == 303
        page = staff.get(f"/manage/people/{id_of(app, MATE)}/deactivate/").text
        assert "1 answer of theirs that runs goes on to the end." in page
        assert "1 message that waits will not be sent." in page
        assert do(app, staff, "deactivate", MATE).status_code == 303
        assert mates.answer(chat)["state"] == "streaming"
        assert mates.finished(chat)["state"] == "finished"

        def held() -> str:
            query = "SELECT problem FROM chats_queued WHERE chat_id = ?"
            return str(mates.rows(query, UUID(chat).hex)[0]["problem"])

        wait_until(lambda: held() == "account", what="that it is kept")
        assert mates.ledger["user_messages"] == 1
    do(app, staff, "reactivate", MATE)


def test_of_two_superusers_who_deactivate_each_other_at_once_one_remains(
    app: AppServer, world: World
) -> None:
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            rank(app, OWNER, STRANGER, superuser=True)
            with app.client_of(OWNER) as one, app.client_of(STRANGER) as other:
                answers = pool.map(
                    lambda pair: do(app, pair[0], "deactivate", pair[1]).status_code,
                    ((one, STRANGER), (other, OWNER)),
                )
                # Who was too late has no session any more, loses it on the way, or has no right.
                assert sorted(answers) in ([302, 303], [303, 400], [303, 403])
            left = world.rows("SELECT 1 FROM chats_person WHERE is_superuser AND is_active")
            assert len(left) == 1
    rank(app, OWNER, STRANGER, superuser=False)


def test_the_key_that_fails_is_told_to_staff_on_every_page_until_it_works(
    app: AppServer, staff: httpx.Client, sandbox: Sandbox, world: World
) -> None:
    def banner() -> str:
        return staff.get("/health/").text

    def fails(status: int, path: str = "*") -> None:
        sandbox.fault(path=path, kind="status", status=status, times=None, key=app.key)
        world.finished(world.ask(QUICK))

    fails(402, "chats.createStream")
    wait_until(lambda: "out of credits" in banner(), what="the banner")
    assert "What to do" in staff.get("/").text
    assert "out of credits" not in world.client.get("/").text
    told = staff.get("/manage/").text
    assert "Add credits at v0" in told
    assert app.key not in told
    assert sandbox.base_url in told
    sandbox.clear_faults()
    world.finished(world.ask(QUICK))
    wait_until(lambda: banner() == "", what="its end")
    fails(403)
    wait_until(lambda: "may not do what it is used for" in banner(), what="the banner")
    sandbox.clear_faults()
    world.finished(world.ask(QUICK))
    wait_until(lambda: banner() == "", what="its end")
    fails(401)
    wait_until(lambda: "V0_API_KEY" in banner(), what="the banner")
    assert "Check <code>V0_API_KEY</code>" in staff.get("/manage/").text
    for status in (401, 402, 403):
        assert f'manage-status">{status}' in told
    sandbox.clear_faults()
    wait_until(lambda: banner() == "", what="its end")


def test_staff_find_somebody_and_deactivate_them_by_mouse_while_their_page_is_open(
    app: AppServer, page_of: PageOf
) -> None:
    theirs = page_of(app, MATE, path="/", allowed=f"{LEFT}|401|403|4401")
    is_live(theirs)
    page = page_of(app, ADMIN, path="/", allowed=LEFT)
    page.click(".account summary")
    page.locator(".account-menu").get_by_role("link", name="Manage").click()
    page.get_by_role("navigation", name="Manage").get_by_role("link", name="People").click()
    page.fill("#search", "mate@")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Mateo Mate").click()
    page.get_by_role("link", name="Deactivate").click()
    expect(page.locator("h1")).to_have_text("Deactivate Mateo Mate?")
    page.get_by_role("button", name="Deactivate").click()
    expect(page.locator("[role=status].note")).to_contain_text("Every session has ended.")
    expect(theirs.get_by_text("You are signed out.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Reactivate").click()
    page.get_by_role("button", name="Reactivate").click()
    expect(page.locator("h1 .settings-chip")).to_have_count(0)


def test_by_keys_alone_and_without_scripts(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, ADMIN, path="/manage/people/", java_script_enabled=False)
    keys = page.keyboard

    def tab_to(selector: str) -> None:
        for _ in range(60):
            keys.press("Tab")
            if page.locator(f"{selector}:focus").count():
                return
        raise AssertionError(selector)

    tab_to("#search")
    keys.type("mate@")
    keys.press("Enter")
    page.wait_for_url("**/?search=mate**")
    tab_to("tbody a")
    keys.press("Enter")
    page.wait_for_url("**/people/*/")
    tab_to("a[href$='/sessions/']:not(.manage-nav a)")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("End all sessions of Mateo Mate?")
    tab_to("main button")
    keys.press("Enter")
    expect(page.locator("main .note")).to_have_text("Their sessions have ended.")


def test_one_page_of_each_make_has_no_fault_that_axe_finds(app: AppServer, page_of: PageOf) -> None:
    rank(app, ADMIN, superuser=True)
    session(app, OWNER)
    person = f"people/{id_of(app, OWNER)}/"
    limits(app, person=id_of(app, OWNER))
    found = []
    for width, looked_at in (
        (1280, ("", person, "chats/", "limits/", "limits/1/", "levers/")),
        (
            390,
            ("people/", "sessions/", "limits/", "limits/new/", "limits/1/raise/", f"{person}rank/"),
        ),
    ):
        page = page_of(app, ADMIN, allowed=LEFT, viewport={"width": width, "height": 844})
        for name in looked_at:
            page.goto(f"/manage/{name}")
            if name.endswith("rank/"):
                # What gives rights is asked for with a proof of who it is.
                page.fill("[type=password]", "demo")
                page.keyboard.press("Enter")
                expect(page.locator("h1")).to_have_text("What may Olivia Owner do?")
            found += faults(page, f"manage-{name.replace('/', '-')}{width}")
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
    assert not found, "\n".join(found)
    rank(app, ADMIN, superuser=False)


def limits(app: AppServer, person: int) -> None:
    """One that is used up and raised for a time, and one that nobody has touched."""
    for id, scope, key in ((1, "person", str(person)), (2, "installation", "")):
        execute(
            app,
            "INSERT INTO chats_limit (id, scope, key, period, credits, changed_at)"
            " VALUES (?, ?, ?, 'day', 1000000000000, datetime())",
            *(id, scope, key),
        )
    execute(
        app,
        "INSERT INTO chats_override (limit_id, credits, until, note, made_at)"
        " VALUES (1, 2000000000000, datetime('now', '+1 day'), 'A launch', datetime())",
    )
    execute(
        app,
        "INSERT INTO chats_counter (name, day, day_spent, month, month_spent, reserved)"
        " VALUES (?, date(), 2000000000000, date('now', 'start of month'), 0, 500000000000)"
        " ON CONFLICT (name) DO UPDATE SET day_spent = 2000000000000, reserved = 500000000000",
        f"person {person}",
    )


def session(app: AppServer, email: str) -> None:
    execute(
        app,
        "INSERT INTO usersessions_usersession (created_at, ip, last_seen_at, session_key, user_agent,"
        " data, user_id) VALUES (datetime(), '203.0.113.9', datetime(), ?, 'Firefox', '{}', ?)",
        app.session_of(email),
        id_of(app, email),
    )
