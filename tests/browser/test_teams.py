"""A change in a team, or the end of an account, before everything that somebody has open: pages of each
kind, the socket of a chat, the socket of their own marks. Each follows within FOLLOWS seconds.

The hint that a view gives reaches this process's sockets at once; what another process did is found by
the check of rights, which here the database alone is told of.
"""

from __future__ import annotations

import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.world import World

FOLLOWS = 5
TEXT = "Told to the team alone"
OWNER, ADMIN = "owner@example.com", "admin@example.com"


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
        gets = {
            "chat": chat,
            "composer": f"{chat}actions/",
            "own": f"{chat}own/",
            "team": self.team,
        }
        gets |= {"delete": f"{self.team}delete/"}
        posts = {"export": f"{chat}export.md", "send": f"{chat}messages/"}
        found = {name: self.client.get(path).status_code for name, path in gets.items()}
        return found | {name: self.client.post(path).status_code for name, path in posts.items()}


def write(world: World, statement: str, *values: object) -> int:
    with closing(sqlite3.connect(world.app.database, timeout=20)) as connection, connection:
        return connection.execute(statement, values).lastrowid or 0


def new_person(world: World) -> tuple[str, int]:
    """A copy of the mate, in no team."""
    email = f"{uuid.uuid4().hex}@team.example"
    row = world.rows("SELECT * FROM chats_person WHERE email = 'mate@example.com'")[0]
    row |= {"email": email, "name": "", "shows_team_id": None}
    del row["id"]
    names = ", ".join(row)
    blanks = ", ".join("?" * len(row))
    return email, write(
        world, f"INSERT INTO chats_person ({names}) VALUES ({blanks})", *row.values()
    )


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
            write(
                world,
                "UPDATE chats_chat SET team_id = ?, privacy = 'team-edit' WHERE id = ?",
                team,
                uuid.UUID(chat).hex,
            )
        chat = chat_of_team["id"]
        email, id = new_person(world)
        membership = write(
            world,
            "INSERT INTO chats_membership (team_id, person_id, role, mapped) VALUES (?, ?, ?, 0)",
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
        team = who.team.strip("/").rpartition("/")[2]
        fields = {"typed": who.email, f"team-{team}": "give"}
        return other_tab.post("/settings/delete/", data=fields)


def elsewhere(statement: str) -> Callable[[Somebody], None]:
    """As another process does it: nobody tells this one."""

    def act(who: Somebody) -> None:
        write(who.world, statement, who.membership)

    return act


ALL = {"chat": 200, "composer": 200, "own": 200, "team": 200, "export": 200, "send": 422}
WRITES = ALL | {"delete": 403}
READS = WRITES | {"composer": 403, "send": 403}
NOTHING = dict.fromkeys((*ALL, "delete"), 404)
# Where no account is asked for, a chat of others is none.
SIGN_IN = NOTHING | {"team": 302, "delete": 302}

# What somebody is, what is done, and then: the sockets (a close code, or the mark that comes), requests.
MATRIX = [
    ("role up", "viewer", by_owner("members/{membership}/role/", role="member"), "rights", "sidebar", WRITES),
    ("role down", "admin", by_owner("members/{membership}/role/", role="viewer"), "rights", "sidebar", READS),
    ("leave", "member", leave, 4403, "sidebar", NOTHING),
    ("remove", "admin", by_owner("members/{membership}/remove/"), 4403, "sidebar", NOTHING),
    ("transfer", "member", hand_over, "rights", "sidebar", ALL | {"delete": 200}),
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
