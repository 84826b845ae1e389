"""Wishes for a whole chat, a copy or one of files: one POST, then v0's messages as rows.

Owns the order of things that may cost credits: what is needed to look the chat up is kept before the
POST, which is committed as `posting` before it leaves and never repeated; what is in doubt is looked
up. What is asked, and how it is found again, is a maker's: `copies`, `imports`. Relies on v0's client;
a wish is held by its intent's lease, and whoever adopts it goes on reading, never posting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from chats.models.messages import IntentState
from chats.relay import doubt, uploads, wish_rows
from chats.relay.store import Lost
from chats.relay.threads import Threads
from chats.relay.wish_rows import Wish
from chats.v0api import errors, types
from chats.v0api.client import Client

logger = logging.getLogger(__name__)

Start: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Maker(Protocol):
    """What one kind of wish asks of v0. Everything but `post` is free and may be repeated."""

    async def prepare(self, wish: Wish) -> None:
        """Add to the wish what `post` and `find` need. V0Error or Unreadable: nothing is posted."""

    async def post(self, wish: Wish) -> types.Chat:
        """The one request that may cost credits."""

    async def find(self, wish: Wish) -> types.Chat | None:
        """The chat that v0 made of it; None when there is none, or nobody can tell which it is."""

    async def mark(self, wish: Wish) -> None:
        """Make v0's chat one that is found again by the intent."""


class Wishes:
    """The wishes that this process fulfils, by `makers` for each kind. `changed` is told of each chat
    whose rows changed."""

    def __init__(
        self,
        client: Client,
        threads: Threads,
        makers: Mapping[str, Maker],
        start: Start,
        changed: Callable[[UUID], None],
    ) -> None:
        self.client, self.threads, self.makers = client, threads, makers
        self._start, self._changed = start, changed
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Claim wishes that nobody holds, and keep the leases of those held here."""
        if self._tasks:
            await self.threads.write(wish_rows.renew, list(self._tasks))
        for wish in await self.threads.write(wish_rows.claim):
            self._tasks[wish.intent] = self._start(self._hold(wish))

    async def stop(self) -> None:
        """Let go of every wish, so that another process goes on at once."""
        held, tasks = list(self._tasks), list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if held:
            await self.threads.write(wish_rows.release, held)

    async def _hold(self, wish: Wish) -> None:
        try:
            await self._go(wish, self.makers[wish.kind])
        except Lost:
            logger.info("wish %s is held by another process", wish.intent)
        except Exception:
            # Its lease ends by itself, and another try goes on.
            logger.exception("wish %s broke", wish.intent)
        finally:
            self._tasks.pop(wish.intent, None)
            self._changed(wish.chat)

    async def _go(self, wish: Wish, maker: Maker) -> None:
        if wish.state == IntentState.WAITING:
            await self._post(wish, maker)
        elif wish.state != IntentState.ACCEPTED:
            await self._look_up(wish, maker)
        if wish.v0_chat:
            await self._fetch(wish, maker)

    async def _post(self, wish: Wish, maker: Maker) -> None:
        try:
            await maker.prepare(wish)
        except uploads.Unreadable:
            await self._end(wish, IntentState.UNSENT, errors.NotSent(), problem="files")
            return
        except errors.V0Error as error:
            await self._end(wish, IntentState.UNSENT, error)
            return
        await self.threads.write(wish_rows.posting, wish)
        self._changed(wish.chat)
        try:
            await self._accept(wish, await maker.post(wish))
        except errors.NotSent as error:
            await self._end(wish, IntentState.UNSENT, error)
        except errors.V0Error as error:
            logger.info("wish %s: %s", wish.intent, error)
            if error.in_doubt:
                await self._look_up(wish, maker)
            # Errors have come with the effect there: one look, at least.
            elif not await self._found(wish, maker):
                await self._end(wish, IntentState.REFUSED, error)

    async def _end(
        self, wish: Wish, state: str, error: errors.V0Error, *, problem: str = ""
    ) -> None:
        told = {"problem": problem or error.problem, "detail": error.message}
        await self.threads.write(wish_rows.ended, wish, state, told, error.retry_after)

    async def _look_up(self, wish: Wish, maker: Maker) -> None:
        """Read until v0 shows the chat; nobody can tell when it never does."""
        await self.threads.write(wish_rows.checking, wish)
        self._changed(wish.chat)
        for pause in doubt.pauses():
            await asyncio.sleep(pause)
            if await self._found(wish, maker):
                return
        await self.threads.write(wish_rows.ended, wish, IntentState.UNKNOWN, {"problem": "unknown"})

    async def _found(self, wish: Wish, maker: Maker) -> bool:
        try:
            found = await maker.find(wish)
        except errors.V0Error as error:
            logger.info("looking up wish %s: %s", wish.intent, error)
            return False
        if found is None:
            return False
        await self._accept(wish, found)
        return True

    async def _accept(self, wish: Wish, made: types.Chat) -> None:
        wish.v0_chat = made.id
        await self.threads.write(wish_rows.accepted, wish, made)

    async def _fetch(self, wish: Wish, maker: Maker) -> None:
        """Mark the chat as ours at v0 and store its messages; both are free and may be repeated."""
        pause = 0.25
        while True:
            try:
                await maker.mark(wish)
                messages = [m async for m in self.client.iter_messages(wish.v0_chat)]
                await self.threads.write(wish_rows.fill, wish, messages[::-1])
                return
            except errors.NotFound:
                await self.threads.write(wish_rows.gone, wish)
                return
            except errors.V0Error as error:
                logger.info("reading what came of wish %s: %s", wish.intent, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 15)
