"""The people connected to this process: whose lists changed, who lost a right, how v0 is.

Owns the doors (open sockets with the rights they were opened by) and the marks of single people.
Relies on permissions for every decision, asked once per change or sweep for all doors together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from uuid import UUID

from chats import permissions
from chats.permissions.doors import Door, Ended, Held, Out, Way, look
from chats.relay.threads import Threads

GATHER = 0.2


@dataclass(eq=False, slots=True)
class OpenDoor:
    """One open socket and the rights it was opened by. `ended` is the code it has to be closed
    with, None while it may stay open, and `why` a word for its page; `shut` is called with it, since
    whoever sends may just be waiting for a slow reader. `marks` rises when the person's sidebar is old.
    `may` is what they may do to its chat, as a digest, by `way`, and `teams` their role in each of their
    teams."""

    rights: Door
    may: int = 0
    way: Way = Way.NONE
    teams: frozenset[tuple[int, str]] = frozenset()
    ended: Ended | None = None
    why: str = ""
    shut: Callable[[], object] = bool
    marks: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def person(self) -> int | None:
        return self.rights.person


class People:
    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self.doors: set[OpenDoor] = set()
        self._changed: set[UUID] = set()
        self._telling: asyncio.Task[None] | None = None
        # As `OpenDoor.marks`, for everybody who is signed in: what pages tell of v0 is old.
        self.health = 0

    def health_changed(self) -> None:
        self.health = time.time_ns() // 1_000_000
        for door in self.doors:
            door.news.set()

    def changed(self, chat: UUID) -> None:
        """Tell the connected people who may see the chat in a list, a moment later and once."""
        self._changed.add(chat)
        if self._telling is None and self.doors:
            self._telling = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        try:
            # Again for what changed while the database was asked: nobody else would tell of it.
            while self._changed:
                await asyncio.sleep(GATHER)
                chats, self._changed = self._changed, set()
                people = {door.person for door in self.doors if door.person is not None}
                self.lists_changed(await self.threads.read(permissions.listeners, chats, people))
        finally:
            self._telling = None

    def lists_changed(self, people: Set[int]) -> None:
        """The lists that these people see are old."""
        for door in self.doors:
            if door.person in people:
                door.marks = time.time_ns() // 1_000_000
                door.news.set()

    def session_renewed(self, before: str, now: str) -> None:
        """The doors of a session go by its new key: nobody was signed out."""
        for door in self.doors:
            if door.rights.session == before:
                door.rights = door.rights._replace(session=now)

    async def recheck(self) -> None:
        """Close every door whose session or right is gone, and tell those behind which it is another."""
        doors = list(self.doors)
        if not doors:
            return
        found = await self.threads.read(look, {door.rights for door in doors})
        for door in doors:
            # None is for a door whose session was given another key meanwhile: the next look sees it.
            match found.get(door.rights):
                case Out(code, teams) if door.ended is None:
                    door.ended, door.why = code, _why(door, code, teams)
                    door.shut()
                case Held() as held:
                    self._tell_of_rights(door, held)

    @staticmethod
    def _tell_of_rights(door: OpenDoor, held: Held) -> None:
        if door.teams != held.teams:
            door.marks = time.time_ns() // 1_000_000
            door.news.set()
        if door.may != held.rights:
            door.news.set()
        door.may, door.teams, door.way = held.rights, held.teams, held.way


def _why(door: OpenDoor, code: Ended, teams: frozenset[tuple[int, str]]) -> str:
    """What whoever was let in by that way may know of its end: a word of `chats/_gone.html`."""
    if code is not Ended.ACCESS_ENDED:
        return "deleted" if code is Ended.GONE else ""
    has_left = not {team for team, _ in door.teams} <= {team for team, _ in teams}
    if has_left and door.way in (Way.OWNER, Way.TEAM):
        return "left"
    return str(door.way)
