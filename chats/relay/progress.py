"""How far one answer has come: what v0 has said of it so far, shown and saved as it grows.

Owns the fold and the ids and title learnt from it, however they came: by a stream or by reading.
Relies on `store` and on what is shown to readers; asks v0 nothing and decides nothing about the end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from django.conf import settings

from chats.models.messages import IntentState
from chats.relay import store
from chats.relay.rows import size
from chats.relay.showing import Showing
from chats.relay.store import Job, Lost
from chats.relay.threads import Threads
from chats.v0api.event_stream import EventStream
from chats.v0api.stream import Event, Fold, fold

P = ParamSpec("P")
T = TypeVar("T")

# Seconds after which the folding of much at once gives way to others.
BUSY = 0.004


class Progress:
    """`v0_chat` and `v0_answer` are ids at v0, "" before they are known; `accepted`: v0 has it."""

    def __init__(self, job: Job, threads: Threads, showing: Showing) -> None:
        self.job = job
        self.threads = threads
        self.showing = showing
        self.accepted = job.state == IntentState.ACCEPTED
        self.v0_chat = job.v0_chat
        self.v0_answer = job.v0_answer
        self.title = job.title
        self.fold = Fold()
        self.writes = self.events = 0
        self._since = 0.0
        self._shown = False
        self._saved = time.monotonic()
        self._saved_parts: tuple[Any, ...] = ()
        self._saving: asyncio.Task[None] | None = None

    async def write(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`work` in the writer's thread; not left out when whoever waits for it is cancelled, since
        what is known here counts as written."""
        self.writes += 1
        return await asyncio.shield(self.threads.write(work, *args, **kwargs))

    # What is known

    async def accept(self, v0_chat: str, v0_answer: str) -> None:
        """v0 has the message; `v0_answer` is "" while it has not named the answer."""
        self.accepted = True
        self.v0_chat, self.v0_answer = v0_chat, v0_answer or self.v0_answer
        await self.write(store.accepted, self.job, v0_chat=v0_chat, v0_answer=self.v0_answer)
        self.showing.changed()

    async def identify(self, v0_answer: str) -> None:
        if v0_answer and v0_answer != self.v0_answer:
            self.v0_answer = v0_answer
            await self.write(store.identify, self.job, v0_answer)

    async def _learn(self) -> None:
        """Keep the ids and the title as soon as v0 tells them."""
        chat, answer = self.fold.chat, self.fold.message_id
        if chat is not None and not self.v0_chat:
            self.v0_chat = chat.id
        if not self.accepted and self.v0_chat:
            await self.accept(self.v0_chat, answer)
        else:
            await self.identify(answer)
        title = self.fold.title
        if title and title != self.title and not self.job.title_given:
            self.title = title
            await self.write(store.save_title, self.job.chat, title)
            self.showing.changed()

    # What has come

    async def follow(self, stream: EventStream) -> None:
        """Take what arrives, until the stream ends or breaks."""
        async for batch in stream:
            await self.take(batch)

    async def take(self, batch: Iterable[Event]) -> None:
        """Fold what came together, show it and save it."""
        before = time.monotonic()
        for event in batch:
            self.events += 1
            self.fold = fold(self.fold, event)
            if time.monotonic() - before > BUSY:
                await asyncio.sleep(0)
                before = time.monotonic()
        await self._learn()
        self._since = self._since or before
        if self._shown or self._caught_up() or before - self._since > settings.V0_CATCH_UP:
            self._shown = True
            await self.showing.show(self.fold)
            await self._save()

    def begin_again(self) -> None:
        """What comes next begins with the answer's beginning; readers keep what they have seen until
        it has caught up with that."""
        self.job = replace(self.job, parts=max(self.job.parts, self.fold.parts, key=size))
        self.fold = Fold(message_id=self.v0_answer)
        self._since, self._shown = 0.0, False

    def _caught_up(self) -> bool:
        """Whether the fold holds at least what readers have seen before."""
        seen, parts = self.job.parts, self.fold.parts
        return len(parts) >= len(seen) and size(parts) >= size(seen)

    # What is kept

    async def _save(self) -> None:
        """Keep what came, at part boundaries and seldom; the newest state wins."""
        parts = self.fold.parts
        boundary = len(parts) != len(self._saved_parts)
        waited = time.monotonic() - self._saved
        if not boundary and waited < settings.V0_SAVE_EVERY:
            return
        if waited < 1 or parts == self._saved_parts:
            return
        if self._saving is not None and not self._saving.done():
            return
        if self._saving is not None:
            self._saving.result()
        self._saved, self._saved_parts = time.monotonic(), parts
        self._saving = asyncio.ensure_future(
            self.write(store.save_parts, self.job.answer, self.job.fence, parts)
        )

    async def saved(self) -> None:
        """Return when what is being saved is; Lost when another process has the answer."""
        if self._saving is not None:
            await self._saving

    async def let_go(self) -> None:
        """Save and release, so that another process need not wait. Never raises over a lost lease."""
        job = self.job
        try:
            if self.accepted and self.fold.parts and self._shown:
                await self.write(store.save_parts, job.answer, job.fence, self.fold.parts)
            await self.write(store.release, job.answer, job.fence)
        except Lost:
            pass
