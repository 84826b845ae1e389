"""The socket of a chat on the wire: a peer that reads nothing, one that reads slowly, and who may open it.

No browser: a client of raw frames, and a page in Python that applies them. The server's memory is what
the kernel says of its process.
"""

from __future__ import annotations

import re
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import SHUT_RDWR
from threading import Thread
from types import TracebackType
from typing import Any, Self

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.app_server import AppServer, wait_until
from tests.live.page import Page
from tests.server.conftest import RawSocket
from tests.world import World

OWNER, MATE, STRANGER = "owner@example.com", "mate@example.com", "stranger@example.com"
MIB = 1 << 20
STALL = 3.0

# Far more than buffers hold: 1.3 MB of frames, 80 of them.
LONG = "scenario: long size=500000 chunk=6000\npace: 0.8"
# One frame of it is 710 kB, and the buffers hold little more than half.
HISTORY = "scenario: long size=300000 chunk=60000\npace: 0"
SHORT = "scenario: long size=60000 chunk=1000\npace: 0.5"
DEAF = 25


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_SOCKET_STALL": str(STALL), "V0_RIGHTS_CHECK": "0.3"}


def resident(app: AppServer) -> int:
    """Bytes of memory of its own: a library that it shares comes in as it is touched."""
    status = Path(f"/proc/{app.pid}/status").read_text()
    return 1024 * int(status.partition("RssAnon:")[2].split()[0])


class Reader(Thread):
    """A page of a chat without a browser: it reads its socket and applies what comes.

    With `rate` it takes no more than so many bytes a second. `frames` are the sizes of what came,
    `peak` is the most memory that the server had in use meanwhile, `longest` the seconds that the
    slowest frame took to be read.
    """

    def __init__(self, world: World, chat: str, *, at: str | None = None, rate: float = 0) -> None:
        super().__init__()
        self.app = world.app
        self.page = loaded(world, chat)
        if at is not None:
            self.page.by_id["at"].attrs |= {"data-at": at, "data-after": ""}
        self.peer = opened(world.app, OWNER, address(self.page, chat), slow=bool(rate))
        self.rate, self.frames = rate, list[int]()
        self.peak, self.longest = resident(self.app), 0.0
        self.failure: BaseException | None = None

    def run(self) -> None:
        began, taken = time.monotonic(), 0
        try:
            while True:
                first = time.monotonic()
                payload = b""
                while True:
                    frame = self.peer.frame()
                    taken += len(frame.payload)
                    if self.rate:
                        # Reading slowly is what is tested: the pace of a reader, and no wait.
                        time.sleep(max(0, began + taken / self.rate - time.monotonic()))
                    if frame.opcode < 8:
                        payload += frame.payload
                        if frame.fin:
                            break
                self.longest = max(self.longest, time.monotonic() - first)
                self.page.apply(payload.decode())
                self.frames.append(len(payload))
                self.peak = max(self.peak, resident(self.app))
        except (EOFError, OSError):
            return  # The test has closed it, or the server: whoever waits for more finds out.
        except BaseException as failure:
            self.failure = failure
            raise

    @property
    def at(self) -> str:
        return self.page.by_id["at"].attrs["data-at"]

    @property
    def has_ended(self) -> bool:
        """Whether it shows two answers, both of which have ended."""
        states = [
            article.attrs["data-state"]
            for article in self.page.by_id["messages"].elements
            if article.attrs["data-role"] == "assistant"
        ]
        return states == ["finished", "finished"]

    def wait_for_the_end(self) -> None:
        wait_until(lambda: self.has_ended, within=60, what="the end of the run")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.peer.hang_up()
        self.join()
        assert self.failure is None
        assert self.page.missed == []


class Peer(RawSocket):
    def hang_up(self) -> None:
        """From another thread than the one that reads."""
        with suppress(OSError):
            self.socket.shutdown(SHUT_RDWR)
        self.socket.close()


def opened(app: AppServer, email: str | None, path: str, *, slow: bool = False) -> Peer:
    return Peer(
        app.port, path, headers=app.headers_of(email), receive_buffer=4096 if slow else None
    )


def loaded(world: World, chat: str) -> Page:
    return Page(world.client.get(f"/chats/{chat}/").text)


def address(page: Page, chat: str) -> str:
    """The socket's, as the page names it at its first connection."""
    at = page.by_id["at"].attrs
    return (
        f"/ws/chats/{chat}/?at={at['data-at']}&after={at['data-after']}"
        f"&version={at['data-version']}"
    )


def shown(page: Page) -> list[Any]:
    """The messages, but for what is one person's own."""
    for id, element in page.by_id.items():
        if id.endswith(("-own", "-notes")):
            element.content = []
    return page.by_id["messages"].plain()


@pytest.fixture
def chat(world: World) -> str:
    """A chat with one answer, which is empty."""
    id = world.ask("scenario: empty")
    world.finished(id)
    return id


# --- A peer that reads nothing ---


@dataclass(frozen=True)
class Run:
    """How one run looked to somebody who reads: bytes that the server grew by, and frames."""

    grown: int
    frames: int


def play(world: World, deaf: int = 0) -> Run:
    """A long run before one reader and so many sockets that read nothing."""
    chat = world.ask("scenario: empty")
    world.finished(chat)
    with Reader(world, chat) as reader, sockets_that_read_nothing(world, chat, deaf) as peers:
        before = resident(world.app)
        assert world.send(chat, LONG).status_code == 303
        if deaf:
            wait_until(lambda: given_up(world.app, chat) == deaf, within=60, what="giving up")
            for peer in peers:
                is_aborted(peer)
        reader.wait_for_the_end()
        return Run(reader.peak - before, len(reader.frames))


@contextmanager
def sockets_that_read_nothing(world: World, chat: str, count: int) -> Iterator[list[Peer]]:
    with ExitStack() as stack:
        peers = []
        path = address(loaded(world, chat), chat)
        for _ in range(count):
            peer = opened(world.app, OWNER, path, slow=True)
            stack.callback(peer.socket.close)
            peers.append(peer)
        yield peers


def given_up(app: AppServer, chat: str) -> int:
    words = rf"/ws/chats/{chat}/\S* took nothing for {STALL:g} s: closed with 1013 and aborted"
    return len(re.findall(words, app.log))


def is_aborted(peer: Peer) -> None:
    """The connection was reset, and nobody waits for what it did not read."""

    def read_on() -> None:
        while peer.socket.recv(65536):
            pass
        raise AssertionError("The connection was closed in good order.")

    with pytest.raises(ConnectionResetError):
        read_on()


def test_sockets_that_read_nothing_cost_little_and_delay_nobody(world: World) -> None:
    alone = play(world)
    beside = play(world, DEAF)
    # 2 MiB each are promised. Half of that, since what is lost in the noise is a share of one run;
    # a server that does not wait for TCP needs 1.7.
    assert beside.grown - alone.grown <= DEAF * MIB
    # Two runs, one after the other, on a machine that may be busy: a reader that had to wait for the
    # others would get a handful.
    assert beside.frames >= 0.25 * alone.frames
    assert alone.frames > 60


# --- A peer that reads slowly ---


def test_a_socket_that_reads_slowly_is_not_cut_and_ends_equal(world: World) -> None:
    chat = world.ask(HISTORY)
    world.finished(chat)
    # It names no position, and so its first frame is everything: for longer than a stall may last.
    with Reader(world, chat) as fast, Reader(world, chat, at="", rate=110_000) as slow:
        assert world.send(chat, SHORT).status_code == 303
        for reader in (fast, slow):
            reader.wait_for_the_end()
        wait_until(lambda: fast.at == slow.at, what="the same position")
        # The position of a page that is made now: no other one is newer.
        wait_until(lambda: loaded(world, chat).by_id["at"].attrs["data-at"] == slow.at)
        stored = shown(loaded(world, chat))
        assert shown(slow.page) == stored
        assert shown(fast.page) == stored
        assert slow.longest > STALL
        assert len(slow.frames) <= len(fast.frames)
    assert given_up(world.app, chat) == 0
    assert world.answer(chat)["parts"] == world.v0_answer(chat)["parts"]


# --- Who may open it, and what may be said ---


def code(peer: Peer) -> int:
    """What the server closes the socket with."""
    while True:
        frame = peer.frame()
        if frame.opcode == 8:
            return frame.code


@pytest.mark.parametrize(
    ("email", "expected"), [(None, 4401), (MATE, 4404), (STRANGER, 4404)], ids=str
)
def test_who_cannot_see_the_chat_is_told_why(
    app: AppServer, chat: str, email: str | None, expected: int
) -> None:
    with opened(app, email, f"/ws/chats/{chat}/") as peer:
        assert code(peer) == expected


@pytest.mark.parametrize(("email", "expected"), [(None, 4401), (OWNER, 4404)], ids=str)
def test_a_chat_that_there_is_not_is_as_one_that_cannot_be_seen(
    app: AppServer, email: str | None, expected: int
) -> None:
    with opened(app, email, f"/ws/chats/{uuid.uuid4()}/") as peer:
        assert code(peer) == expected


def test_a_socket_of_ones_own_needs_somebody(app: AppServer) -> None:
    with opened(app, None, "/ws/me/") as peer:
        assert code(peer) == 4401


def test_a_socket_is_closed_when_access_ends(app: AppServer, chat: str) -> None:
    set_privacy(app, chat, "team")
    with opened(app, MATE, f"/ws/chats/{chat}/") as peer:
        assert b'id="at"' in b"".join(frame.payload for frame in peer.message())
        set_privacy(app, chat, "private")
        assert code(peer) == 4403


def set_privacy(app: AppServer, chat: str, privacy: str) -> None:
    team = "(SELECT min(id) FROM chats_team)" if privacy == "team" else "NULL"
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        connection.execute(
            f"UPDATE chats_chat SET privacy = ?, team_id = {team} WHERE id = ?",
            [privacy, uuid.UUID(chat).hex],
        )


@pytest.mark.parametrize("path", ["/ws/chats/{chat}/", "/ws/me/"])
def test_nothing_is_said_over_a_socket(app: AppServer, chat: str, path: str) -> None:
    with opened(app, OWNER, path.format(chat=chat)) as peer:
        peer.send(b'{"message": "Stop"}')
        assert code(peer) == 1008


def test_a_page_of_another_origin_opens_none(app: AppServer, chat: str) -> None:
    headers = {**app.headers_of(OWNER), "Origin": "http://localhost:1"}
    url = f"ws://localhost:{app.port}/ws/chats/{chat}/"
    with pytest.raises(InvalidStatus) as refused:
        connect(url, additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == 403
