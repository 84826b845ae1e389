"""All changes from one level of privacy to another, each with an open socket of everybody while a run streams.

Most are made in the dialog, and every fifth where this process does not hear of it but by its check of rights.
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
from tests.crowd import crowd, write
from tests.relay.conftest import QUICK
from tests.rights import LEVELS, expected
from tests.world import World

FOLLOWS = 5
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


def set_elsewhere(world: World, chat: str, level: str) -> None:
    """As another process does it: nobody tells this one."""
    id = uuid.UUID(chat).hex
    write(world, "UPDATE chats_chat SET privacy = ?, version = version + 1 WHERE id = ?", level, id)


def counts(world: World, chat: str, level: str) -> bool:
    now = world.chat(chat)
    return (now["privacy"], now["privacy_wanted"]) == (level, "")


def test_there_are_twenty_changes() -> None:
    assert len(set(walk())) == len(walk()) == 20
    assert all(one[1] == other[0] for one, other in pairwise(walk()))


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, "V0_ANONYMOUS_READING": "1", "V0_RIGHTS_CHECK": "3"}


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
        change = set_elsewhere if number % 5 == 4 else set_level
        change(world, chat, new)
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
