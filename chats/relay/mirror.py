"""What changed at v0 without us: chats are compared when they are opened, and by a slow sweep.

Owns when v0 is asked, how far back, and the rest after a failure. Relies on v0's client for reading
and on `elsewhere` for every row. It sends nothing that changes anything, and never compares a chat
in which an answer runs: its turn comes when that has ended.

    a page is opened ─► due ─► claim ─► GET chat, its messages ─► take
    a sweep: v0's list, newest first, to a known one ─┘             404 ─► gone     422 ─► old

All messages are read when v0's `updatedAt` is another than at the last comparison, since what changed
may lie far back; else they are read back to a page that is here as it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from django.conf import settings

from chats.models.chats import AtV0
from chats.relay import elsewhere
from chats.relay.elsewhere import Known
from chats.relay.threads import Threads
from chats.v0api import errors
from chats.v0api.client import Client
from chats.v0api.types import Message

logger = logging.getLogger(__name__)

FIRST_PAGE, PAGE, MOST_PAGES = 20, 100, 50
PAGES_OF_CHATS = 5
FEW = 3
MOST_ASKED = 50
SHORTEST_REST, LONGEST_REST = 1.0, 300.0


class Mirror:
    def __init__(
        self, client: Client, threads: Threads, *, changed: Callable[[UUID], None]
    ) -> None:
        self.client = client
        self.threads = threads
        self.changed = changed
        self._due: dict[UUID, float] = {}
        self._rest = 0.0
        self._until = 0.0

    def look_at(self, chat: UUID, *, least_age: float = 0.0) -> None:
        """Compare the chat soon, unless it was within the last `least_age` seconds."""
        self._due[chat] = min(least_age, self._due.get(chat, least_age))

    async def turn(self) -> None:
        """Compare what is due, one after the other."""
        if not self._due or self._is_resting:
            return
        busy = await self.threads.read(elsewhere.running, list(self._due))
        for chat in [chat for chat in self._due if chat not in busy]:
            least_age = self._due.pop(chat)
            if not await self._safely(self._compare, chat, least_age):
                self.look_at(chat)
            if self._is_resting:
                return

    async def sweep(self) -> None:
        """Ask v0 for its chats, newest first, until one that is known as it is."""
        if self._is_resting:
            return
        await self._safely(self._list)
        for chat in await self.threads.read(elsewhere.longest_uncompared, FEW):
            self.look_at(chat, least_age=settings.V0_SWEEP_EVERY / 2)

    async def _list(self) -> bool:
        cursor = None
        for _ in range(PAGES_OF_CHATS):
            page = await self.client.list_chats(limit=PAGE, cursor=cursor)
            changed, is_known = await self.threads.read(elsewhere.changed_chats, page.chats)
            for chat in changed:
                self.look_at(chat, least_age=settings.V0_SWEEP_EVERY / 2)
            cursor = page.cursor
            if is_known or cursor is None:
                break
        return True

    async def _compare(self, chat: UUID, least_age: float) -> bool:
        """False when the chat went on here while v0 was read, so that it has to be done again."""
        known = await self.threads.write(elsewhere.claim, chat, least_age)
        if known is None:
            return True
        try:
            seen = await self.client.get_chat(known.v0_id)
            listed, is_all = await self._messages(known, all_of_them=known.is_older_than(seen))
        except errors.Forbidden as error:
            # It concerns this chat alone: the others must not wait for it, nor it be asked again.
            logger.info("v0 does not show chat %s: %s", chat, error)
            return True
        except (errors.NotFound, errors.Invalid) as error:
            at_v0 = AtV0.GONE if isinstance(error, errors.NotFound) else AtV0.OLD
            if await self.threads.write(elsewhere.stands, known, at_v0):
                self.changed(chat)
            return True
        gone = await self._gone(known, listed, is_all=is_all)
        taken = await self.threads.write(elsewhere.take, known, seen, listed, gone)
        if taken.changed:
            self.changed(chat)
        return taken.in_time

    async def _messages(self, known: Known, *, all_of_them: bool) -> tuple[list[Message], bool]:
        """v0's messages, newest first, and whether those are all: there are limits, and without
        `all_of_them` they reach back to a page that is here as it is."""
        listed: list[Message] = []
        cursor = None
        for number in range(MOST_PAGES):
            size = PAGE if number or all_of_them else FIRST_PAGE
            page = await self.client.list_messages(known.v0_id, limit=size, cursor=cursor)
            listed += page.messages
            cursor = page.cursor
            if cursor is None:
                return listed, True
            if all_of_them:
                continue
            if not await self.threads.read(elsewhere.differs, known.id, page.messages):
                break
        return listed, False

    async def _gone(self, known: Known, listed: list[Message], *, is_all: bool) -> list[str]:
        """Messages that v0 no longer has. A list may lag, so each is asked for by itself."""
        gone = []
        missing = await self.threads.read(elsewhere.missing, known.id, listed, is_all=is_all)
        for id in missing[:MOST_ASKED]:
            try:
                await self.client.get_message(known.v0_id, id)
            except errors.NotFound:
                gone.append(id)
        return gone

    # Failures

    @property
    def _is_resting(self) -> bool:
        return time.monotonic() < self._until

    async def _safely(self, work: Callable[..., Awaitable[bool]], *args: object) -> bool:
        """What `work` gives; False, and a rest that doubles, when v0 failed."""
        try:
            done: bool = await work(*args)
        except errors.V0Error as error:
            logger.info("reading what changed at v0: %s", error)
            self._rest = min(max(SHORTEST_REST, 2 * self._rest), LONGEST_REST)
            self._until = time.monotonic() + max(self._rest, error.retry_after or 0)
            return False
        self._rest = 0.0
        return done
