"""Who has which chat open: counted by person over all processes, for everybody who may read it.

Owns the rows of `Presence` and when they are written: at once when the first comes, then gathered, never
once for each socket. Relies on the threads, and tells the hub what all processes say together after its own
rows are committed. Knows no names, and never decides who may come in: the consumer has asked.

    socket ─come, go─► Presences ─rows─► database ─rows of all processes─► hub ─► "3 people here"
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models.functions import Now

from chats.models import Chat, Presence
from chats.relay import reading
from chats.relay.reading import NOBODY, Here
from chats.relay.threads import Threads

logger = logging.getLogger(__name__)

# Seconds between two writes at least.
GATHER = 1.0

# A person by their number, anybody else by their session or, without one, by a place of their own.
Visitor = int | str
# How many there are in one chat by person, None for everybody without an account.
Present = Mapping[int | None, int]


class Presences:
    def __init__(
        self,
        process: str,
        threads: Threads,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        show: Callable[[UUID, Here], None],
    ) -> None:
        self.process, self.threads = process, threads
        self.start, self.show = start, show
        # Sockets by visitor; 0 for one who left a moment ago and may come back.
        self.open: dict[UUID, dict[Visitor, int]] = {}
        self._leaving: dict[tuple[UUID, Visitor], asyncio.TimerHandle] = {}
        self._news: set[UUID] = set()
        self._writing: asyncio.Task[None] | None = None
        self._has_stopped = False

    def come(self, chat: UUID, person: int | None, session: str) -> Visitor:
        """A socket was opened; what it gives is what `go` wants when it is closed."""
        here = self.open.setdefault(chat, {})
        visitor = person if person is not None else session or _free_place(here)
        if leaving := self._leaving.pop((chat, visitor), None):
            leaving.cancel()
        is_news = visitor not in here
        here[visitor] = here.get(visitor, 0) + 1
        if is_news:
            self._tell(chat)
        return visitor

    def go(self, chat: UUID, visitor: Visitor) -> None:
        """They count for a moment longer: whoever loads a page again has not left."""
        self.open[chat][visitor] -= 1
        if not self.open[chat][visitor]:
            left = partial(self._left, chat, visitor)
            later = asyncio.get_running_loop().call_later
            grace, context = settings.V0_PRESENCE_GRACE, contextvars.Context()
            self._leaving[chat, visitor] = later(grace, left, context=context)

    def _left(self, chat: UUID, visitor: Visitor) -> None:
        del self._leaving[chat, visitor], self.open[chat][visitor]
        self._tell(chat)

    def _tell(self, chat: UUID) -> None:
        self._news.add(chat)
        if self._writing is None and not self._has_stopped:
            self._writing = self.start(self._write())

    async def _write(self) -> None:
        try:
            while self._news:
                chats, self._news = self._news, set()
                await self._put(chats)
                await asyncio.sleep(GATHER)
        finally:
            self._writing = None

    async def _put(self, chats: Collection[UUID]) -> None:
        told = {chat: present(self.open.get(chat, {})) for chat in chats}
        try:
            await self.threads.write(put, self.process, told)
        except DatabaseError:
            logger.exception("who is here was not written; the next turn tries again")
            self._news |= set(chats)
            return
        for chat in chats:
            if not self.open.get(chat, True):
                del self.open[chat]
        await self.compare(chats)

    async def compare(self, chats: Collection[UUID]) -> None:
        """Tell readers here what all processes say of these chats, in one query."""
        found = await self.threads.read(reading.here, list(chats)) if chats else {}
        for chat in chats:
            self.show(chat, found.get(chat, NOBODY))

    async def renew(self) -> None:
        """Say again that they are here; what another process has swept meanwhile is written anew."""
        if not self.open:
            return
        told = sum(len(present(here)) for here in self.open.values())
        if await self.threads.write(renew, self.process) < told:
            for chat in self.open:
                self._tell(chat)

    async def sweep(self) -> None:
        """Rows of processes that are gone."""
        if await self.threads.read(are_over):
            await self.threads.write(sweep)

    async def stop(self) -> None:
        """Those who are here go on in another process: they count a moment longer, and no more."""
        self._has_stopped = True
        for leaving in (*self._leaving.values(), self._writing):
            if leaving is not None:
                leaving.cancel()
        if self.open:
            try:
                await self.threads.write(leave, self.process)
            except DatabaseError:
                logger.exception("who was here counts until the rows are over")


def _free_place(here: Mapping[Visitor, int]) -> str:
    """That of somebody who has just left, if there is one: it is probably them."""
    return next(place for place in map("#{}".format, itertools.count()) if not here.get(place))


def present(here: Mapping[Visitor, int]) -> Present:
    """A person is one row, everybody else is counted in one."""
    return Counter(visitor if isinstance(visitor, int) else None for visitor in here)


# In the relay's threads


def put(process: str, told: Mapping[UUID, Present]) -> None:
    """Make the rows of this process say who is here."""
    with transaction.atomic():
        Presence.objects.filter(process=process, chat__in=list(told)).delete()
        there = Chat.objects.filter(id__in=list(told)).values_list("id", flat=True)
        Presence.objects.bulk_create(
            Presence(process=process, chat_id=chat, person_id=person, sockets=count, until=_until())
            for chat in there
            for person, count in told[chat].items()
        )


def renew(process: str) -> int:
    """How many rows of this process there still are."""
    return Presence.objects.filter(process=process).update(until=_until())


def leave(process: str) -> None:
    grace = Now() + timedelta(seconds=settings.V0_PRESENCE_GRACE)
    Presence.objects.filter(process=process).update(until=grace)


def are_over() -> bool:
    return Presence.objects.filter(until__lt=Now()).exists()


def sweep() -> None:
    Presence.objects.filter(until__lt=Now()).delete()


def _until() -> Any:
    return Now() + timedelta(seconds=settings.V0_PRESENCE_KEEP)
