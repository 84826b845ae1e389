"""All changes from one level of privacy to another, each with an open socket of everybody while a run streams;
then every other way of taking access away.

Nothing here waits for the check of rights: what is done in a view reaches sockets at once. That the check finds
what was done elsewhere, is in `tests/relay/test_doors.py` and `tests/browser/test_reach.py`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.app_server import wait_until
from tests.crowd import MEMBERS, crowd, write
from tests.relay.conftest import QUICK
from tests.rights import LEVELS, expected
from tests.world import World

FOLLOWS = 5
MATE = "mate@example.com"
READ = expected("READ")
STREAM = "scenario: long size=60000 chunk=100\npace: 8"


def walk() -> list[tuple[str, str]]:
    """Every change once, each from where the one before has led."""
    left = {level: [other for other in LEVELS if other != level] for level in LEVELS}
    path, standing = [], [LEVELS[0]]
    while standing:
        if rest := left[standing[-1]]:
            standing.append(rest.pop())
        else:
            path.append(standing.pop())
    return list(pairwise(reversed(path)))


class Audience:
    """An open socket for everybody who may read a chat now."""

    def __init__(self, world: World, chat: str, stack: ExitStack) -> None:
        self.url = f"ws://localhost:{world.app.port}/ws/chats/{chat}/"
        self.headers = crowd(world, chat)
        self.stack = stack
        self.open: dict[str, ClientConnection] = {}

    def enter(self, level: str) -> None:
        """Those come in who may at this level and are not there yet; nobody else can."""
        for who in self.headers.keys() - self.open.keys():
            socket = self.stack.enter_context(
                connect(self.url, additional_headers=self.headers[who], proxy=None)
            )
            if READ[who][level] == "+":
                assert 'id="at"' in str(socket.recv(timeout=10)), (who, level)
                self.open[who] = socket
            else:
                assert heard(socket)[0] in (4401, 4404), (who, level)

    def losing(self, level: str) -> set[str]:
        return {who for who in self.open if READ[who][level] != "+"}


def heard(socket: ClientConnection, *, until: str = "", by: float = 0) -> tuple[int, str]:
    """All that came until the socket was closed or said so: its code, 0 for one that is open, and what."""
    said = ""
    try:
        while not until or until not in said:
            said += str(socket.recv(timeout=max(0.1, by - time.monotonic()) if by else 10))
    except ConnectionClosed:
        return socket.close_code or 0, said
    return 0, said


def titled(world: World, chat: str, title: str) -> None:
    answer = world.post(f"/chats/{chat}/rename/", title=title)
    assert answer.status_code == 303, answer.text


def set_level(world: World, chat: str, level: str) -> None:
    """As the owner does it in the dialog: its sockets hear of it at once."""
    now = world.chat(chat)
    seen = f"{now['privacy']}..{now['team_id']}"
    answer = world.post(f"/chats/{chat}/share/", privacy=level, seen=seen)
    assert answer.status_code == 303, answer.text


def counts(world: World, chat: str, level: str) -> bool:
    now = world.chat(chat)
    return (now["privacy"], now["privacy_wanted"]) == (level, "")


def test_there_are_twenty_changes() -> None:
    assert len(set(walk())) == len(walk()) == 20
    assert all(one[1] == other[0] for one, other in pairwise(walk()))


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, "V0_ANONYMOUS_READING": "1", "V0_RIGHTS_CHECK": "600"}


@pytest.fixture
def audience(world: World) -> Iterator[Callable[[str], Audience]]:
    with ExitStack() as stack:
        yield lambda chat: Audience(world, chat, stack)


def test_nothing_reaches_who_lost_access_and_nobody_else_is_sent_away(
    world: World, audience: Callable[[str], Audience]
) -> None:
    chat = world.ask(STREAM)
    everybody = audience(chat)
    for number, (old, new) in enumerate(walk()):
        everybody.enter(old)
        losing = everybody.losing(new)
        by = time.monotonic() + FOLLOWS
        set_level(world, chat, new)
        codes = {who: heard(everybody.open.pop(who), by=by)[0] for who in losing}
        assert codes == dict.fromkeys(losing, 4403), (old, new)
        # What is given counts when v0 has agreed, and then nobody else is sent away.
        wait_until(lambda level=new: counts(world, chat, level), what=f"{old} to {new}")  # type: ignore[misc]
        # Who keeps the right sees what comes next.
        title = f"Change {number}: {old} to {new}"
        titled(world, chat, title)
        for who, socket in everybody.open.items():
            assert heard(socket, until=title, by=time.monotonic() + 10)[0] == 0, (who, old, new)
    assert world.state(chat) == "streaming"
    world.stop(chat)
    world.finished(chat)


# --- Every other way ---


def member(world: World, name: str) -> int:
    """The membership of whoever `crowd` made with that role, the newest."""
    query = "SELECT max(id) AS id FROM chats_membership WHERE role = ?"
    return int(world.rows(query, MEMBERS[name])[0]["id"])


def removed(world: World, chat: str) -> None:
    team = world.chat(chat)["team_id"]
    world.post(f"/teams/{team}/members/{member(world, 'mate')}/remove/")


def moved(world: World, chat: str) -> None:
    world.post(f"/chats/{chat}/move/", place="personal")


def withdrawn(world: World, chat: str) -> None:
    query = "SELECT id FROM chats_guest WHERE role = 'reader' ORDER BY id DESC"
    guest = world.rows(query)[0]["id"]
    world.post(f"/chats/{chat}/guests/{guest}/withdraw/", confirmed="yes")


def rotated(world: World, chat: str) -> None:
    held = world.chat(chat)["link_slug"]
    world.post(f"/chats/{chat}/link/new/", confirmed="yes", held=held)


def given_away(world: World, chat: str) -> None:
    mate = world.rows("SELECT id FROM chats_person WHERE email = ?", MATE)[0]["id"]
    world.post(f"/chats/{chat}/hand-over/", person=str(mate))
    with world.app.client_of(MATE) as mates:
        assert mates.post(f"/chats/{chat}/accept/", data={"answer": "accept"}).status_code == 303


def deleted(world: World, chat: str) -> None:
    world.post(f"/chats/{chat}/delete/", confirmed="yes")


# Who has the chat open at what level, what is done, and how both of their sockets end.
ENDINGS = [
    ("mate", "team", removed, 4403, "left"),
    ("team viewer", "team-edit", moved, 4403, "team"),
    ("invited reader", "private", withdrawn, 4403, "guest"),
    ("stranger with link", "unlisted", rotated, 4403, "link"),
    ("reader with link", "unlisted", rotated, 4403, "link"),
    ("owner", "private", given_away, 4403, "owner"),
    ("team admin", "team", deleted, 4404, "deleted"),
]


@pytest.mark.parametrize(("who", "level", "act", "code", "why"), ENDINGS)
def test_it_ends_at_once_and_the_socket_says_why(
    world: World,
    audience: Callable[[str], Audience],
    who: str,
    level: str,
    act: Callable[[World, str], None],
    code: int,
    why: str,
) -> None:
    chat = world.ask("scenario: refusal\npace: 0")
    world.finished(chat)
    headers = audience(chat).headers[who]
    write(world, "UPDATE chats_chat SET privacy = ? WHERE id = ?", level, uuid.UUID(chat).hex)
    url = f"ws://localhost:{world.app.port}/ws/chats/{chat}/"
    with (
        connect(url, additional_headers=headers, proxy=None) as following,
        connect(f"{url}?only=rights", additional_headers=headers, proxy=None) as looking,
    ):
        assert 'id="at"' in str(following.recv(timeout=10))
        assert 'id="at"' not in str(looking.recv(timeout=10))
        by = time.monotonic() + FOLLOWS
        act(world, chat)
        for socket in (following, looking):
            assert heard(socket, by=by)[0] == code
            assert socket.close_reason == why
