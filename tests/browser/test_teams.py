"""Teams as people walk through them: with the mouse, with keys alone, without scripts. Then a change in a
team, or the end of an account, before everything that somebody has open: pages of each kind, the socket of
a chat, the socket of their own marks. Each follows within FOLLOWS seconds.

The hint that a view gives reaches this process's sockets at once; what another process did is found by
the check of rights, which here the database alone is told of. Mails are read where the server prints them.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import QUICK, is_live
from tests.conftest import PageOf
from tests.crowd import into_team, new_person, write
from tests.world import World

FOLLOWS = 5
TEXT = "Told to the team alone"
OWNER, ADMIN = "owner@example.com", "admin@example.com"
MATE, STRANGER = "mate@example.com", "stranger@example.com"
PASSWORD = "long-and-odd-enough-7"
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 860}
ALLOWED = r"htmx:(sendError|afterRequest)|status of (403|404|422)|Status Error Code 40[34]"


def look(page: Page, name: str, found: list[str], *, wide: bool = False) -> None:
    """What axe finds, and whether the page is as wide as its window; with `wide` in a wide one, too."""
    for size in (NARROW, WIDE) if wide else (NARROW,):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        found += faults(page, f"{name}-{size['width']}")
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
    page.fill("[name=name]", "Web design")
    page.get_by_role("button", name="Make the team").click()
    expect(page.get_by_role("status").get_by_text("The team is made.")).to_be_visible()
    place = page.url.partition("?")[0]

    page.get_by_role("link", name="Invite", exact=True).click()
    page.fill("[name=email]", "nobody")
    page.evaluate("document.querySelectorAll('form').forEach(it => (it.noValidate = true))")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.locator("#email-error")).to_be_visible()
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

    page.goto(place)
    row = page.locator(".team-row", has_text="Newcomer")
    row.get_by_label("Role of Newcomer").select_option("member")
    row.get_by_role("button", name="Change").click()
    expect(page.get_by_text("The role is changed.")).to_be_visible()
    look(page, "team", found, wide=True)
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
    look(page, "invitation-link", found, wide=True)
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
    tab_to(page, "Remove Sasha Stranger")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Remove Sasha Stranger from")).to_be_visible()
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
    team = world.rows("SELECT id FROM chats_team WHERE name = 'Example'")[0]["id"]
    into_team(world, chat, team, "team-edit")
    with app.client_of(MATE) as mates:
        made = mates.post("/chats/", data={"message": QUICK, "token": str(uuid.uuid4())})
    hidden = made.headers["location"].strip("/").rpartition("/")[2]
    into_team(world, hidden, team, "private")
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
    expect(page.get_by_text("belong to the team of this chat any more.")).to_be_visible()
    expect(page.locator("#messages article")).to_have_count(0)
    # Nobody can send it from here any more, but copy it.
    expect(page.locator(".gone-typed textarea")).to_have_value("Half a sentence")
    expect(page.locator(f"#chats a[href='/chats/{chat}/']")).to_have_count(0)
    owners = page_of(app, OWNER, path=f"/teams/{team}/", allowed=ALLOWED)
    owners.get_by_role("link", name="Chats left behind (1)").click()
    found: list[str] = []
    look(owners, "left-behind", found)
    owners.get_by_role("button", name="Take over").click()
    expect(owners.get_by_text("They are yours now")).to_be_visible()
    assert not found, "\n".join(found)


# --- What somebody has open ---


@dataclass
class Somebody:
    """A person in the owner's team, with a page of one of its chats open, and what their browser holds."""

    world: World
    email: str
    id: int
    membership: int
    chat: str
    client: httpx.Client
    rights: str
    of_chat: ClientConnection
    of_person: ClientConnection

    @property
    def team(self) -> str:
        return f"/teams/{self.world.rows('SELECT min(id) AS id FROM chats_team')[0]['id']}/"

    def statuses(self) -> dict[str, int]:
        """How a request of each kind is answered now; none of them does anything."""
        chat = f"/chats/{self.chat}/"
        gets = {"chat": chat, "composer": f"{chat}actions/", "delete": f"{self.team}delete/"}
        posts = {"export": f"{chat}export.md", "send": f"{chat}messages/"}
        found = {name: self.client.get(path).status_code for name, path in gets.items()}
        return found | {name: self.client.post(path).status_code for name, path in posts.items()}


@pytest.fixture(scope="module")
def chat_of_team() -> dict[str, str]:
    """Made by the first test, for all."""
    return {}


@pytest.fixture
def somebody(world: World, chat_of_team: dict[str, str]) -> Iterator[Callable[[str], Somebody]]:
    def somebody(role: str) -> Somebody:
        team = world.rows("SELECT min(id) AS id FROM chats_team")[0]["id"]
        if not chat_of_team:
            chat = chat_of_team["id"] = world.ask(TEXT)
            world.finished(chat)
            into_team(world, chat, team, "team-edit")
        chat = chat_of_team["id"]
        email, id = new_person(world)
        membership = write(
            world,
            "INSERT INTO chats_membership (team_id, person_id, role, mapped, last_privacy) VALUES (?, ?, ?, 0, '')",
            *(team, id, role),
        )
        client = stack.enter_context(world.app.client_of(email))
        page = client.get(f"/chats/{chat}/").text
        assert TEXT in page
        found = re.search(r'id="mark-rights" data-mark="rights" data-version="(\d+)"', page)
        assert found
        headers = world.app.headers_of(email)
        at = f"ws://localhost:{world.app.port}/ws"
        sockets = [
            stack.enter_context(connect(f"{at}/{path}/", additional_headers=headers, proxy=None))
            for path in (f"chats/{chat}", "me")
        ]
        who = Somebody(world, email, id, membership, chat, client, found[1], *sockets)
        # The page and its socket agree, so that the page asks for nothing.
        assert f'data-mark="rights" data-version="{who.rights}"' in str(sockets[0].recv(timeout=10))
        assert "mark-sidebar" in str(sockets[1].recv(timeout=10))
        return who

    with ExitStack() as stack:
        yield somebody
    # The owner is what the next test finds them as.
    write(
        world,
        "DELETE FROM chats_membership WHERE person_id NOT IN (SELECT id FROM chats_person WHERE email IN (?, 'mate@example.com'))",
        OWNER,
    )
    write(
        world,
        "UPDATE chats_membership SET role = 'owner' WHERE person_id = (SELECT id FROM chats_person WHERE email = ?)",
        OWNER,
    )


def by_owner(path: str, **fields: str) -> Callable[[Somebody], httpx.Response]:
    def act(who: Somebody) -> httpx.Response:
        given = {name: value.format(membership=who.membership) for name, value in fields.items()}
        return who.world.post(f"{who.team}{path.format(membership=who.membership)}", **given)

    return act


def hand_over(who: Somebody) -> httpx.Response:
    who.world.post("/accounts/again/", password="demo")
    return by_owner("hand-over/", member="{membership}", sure="on")(who)


def leave(who: Somebody) -> httpx.Response:
    with who.world.app.client_of(who.email) as other_tab:
        return other_tab.post(f"{who.team}leave/")


def lower_oneself(who: Somebody) -> httpx.Response:
    with who.world.app.client_of(who.email) as other_tab:
        return other_tab.post(f"{who.team}members/{who.membership}/role/", data={"role": "admin"})


def deactivate(who: Somebody) -> httpx.Response:
    with who.world.app.client_of(ADMIN) as admin:
        return admin.post(f"/manage/people/{who.id}/deactivate/")


def delete_account(who: Somebody) -> httpx.Response:
    with who.world.app.client_of(who.email) as other_tab:
        other_tab.post("/accounts/again/", data={"password": "demo"})
        team = who.team.strip("/").rpartition("/")[2]
        fields = {"typed": who.email, f"team-{team}": "give"}
        return other_tab.post("/settings/delete/", data=fields)


def elsewhere(statement: str) -> Callable[[Somebody], None]:
    """As another process does it: nobody tells this one."""

    def act(who: Somebody) -> None:
        write(who.world, statement, who.membership)

    return act


ALL = {"chat": 200, "composer": 200, "export": 200, "send": 422, "delete": 200}
WRITES = ALL | {"delete": 403}
READS = WRITES | {"composer": 403, "send": 403}
NOTHING = dict.fromkeys(ALL, 404)
# Where no account is asked for, a chat of others is none.
SIGN_IN = NOTHING | {"delete": 302}

# What somebody is, what is done, and then: the sockets (a close code, or the mark that comes), requests.
MATRIX = [
    ("role up", "viewer", by_owner("members/{membership}/role/", role="member"), "rights", "sidebar", WRITES),
    ("role down", "admin", by_owner("members/{membership}/role/", role="viewer"), "rights", "sidebar", READS),
    ("leave", "member", leave, 4403, "sidebar", NOTHING),
    ("remove", "admin", by_owner("members/{membership}/remove/"), 4403, "sidebar", NOTHING),
    ("transfer", "member", hand_over, "rights", "sidebar", ALL),
    ("give up", "owner", lower_oneself, "sidebar", "sidebar", WRITES),
    ("deactivate", "member", deactivate, 4401, 4401, SIGN_IN),
    ("delete account", "member", delete_account, 4401, 4401, SIGN_IN),
    ("role down elsewhere", "member", elsewhere("UPDATE chats_membership SET role = 'viewer' WHERE id = ?"), "rights", "sidebar", READS),
    ("remove elsewhere", "member", elsewhere("DELETE FROM chats_membership WHERE id = ?"), 4403, "sidebar", NOTHING),
]  # fmt: skip


def told(socket: ClientConnection, expected: int | str, by: float) -> None:
    """Reads until the socket says or ends what is expected; nothing of the chat comes after that."""
    try:
        while True:
            frame = str(socket.recv(timeout=max(0.1, by - time.monotonic())))
            if isinstance(expected, str) and f'id="mark-{expected}"' in frame:
                return
            assert not isinstance(expected, int) or TEXT not in frame
    except ConnectionClosed:
        assert socket.close_code == expected


@pytest.mark.parametrize(
    ("role", "act", "of_chat", "of_person", "requests"),
    [pytest.param(*row, id=name) for name, *row in MATRIX],
)
def test_everything_that_is_open_follows(
    somebody: Callable[[str], Somebody],
    role: str,
    act: Callable[[Somebody], httpx.Response | None],
    of_chat: int | str,
    of_person: int | str,
    requests: dict[str, int],
) -> None:
    who = somebody(role)
    by = time.monotonic() + FOLLOWS
    answer = act(who)
    assert answer is None or answer.status_code == 303, answer.text
    told(who.of_chat, of_chat, by)
    told(who.of_person, of_person, by)
    assert who.statuses() == requests
    page = who.client.get(f"/chats/{who.chat}/own/", params={"rights": who.rights})
    says = "What you may do in this chat has changed." in page.text
    assert says == (of_chat == "rights")
