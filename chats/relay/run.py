"""One run: from a claimed intent to v0's final message in the database.

Owns the order of things that may cost credits: at most one POST, committed as `posting` before it
leaves; what is in doubt is looked up, never sent again. Relies on v0's client, `store` and the hub;
never on who is watching. A run is a plain coroutine: whoever cancels it lets go of the answer.

    WAITING ─► post ─► accepted ─► follow the stream ─► the closing message, or GET ─► finish
                 │ doubt                │ cut, silent, bad delta
                 ▼                      ▼
    POSTING ─► look it up          GET: final? ─► finish      else resume, from empty parts
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from django.conf import settings

from chats.models.messages import IntentState
from chats.relay import doubt, store, uploads
from chats.relay.asking import Batches, charged
from chats.relay.rows import size
from chats.relay.showing import Showing
from chats.relay.store import Job, Lost
from chats.relay.threads import Threads
from chats.v0api import errors, types
from chats.v0api.client import Client
from chats.v0api.stream import Fold, fold

logger = logging.getLogger(__name__)

BEFORE_SENDING = 2
BUSY = 0.004
P = ParamSpec("P")
T = TypeVar("T")
# What v0 takes once, whoever asks for it.
CONTESTED = ("resolve", "restore")
GIVE_UP = (errors.Unauthorized, errors.Forbidden, errors.NotFound)


class Run:
    def __init__(self, job: Job, client: Client, threads: Threads, showing: Showing) -> None:
        self.job = job
        self.client = client
        self.threads = threads
        self.showing = showing
        self.accepted = job.state == IntentState.ACCEPTED
        self.v0_chat = job.v0_chat
        self.v0_answer = job.v0_answer
        self.title = job.title
        self.fold = Fold()
        self._saved = time.monotonic()
        self._saved_parts: tuple[Any, ...] = ()
        self._saving: asyncio.Task[None] | None = None
        self._stop_sent = False
        self.problem = ""
        self._listed: tuple[types.Message, ...] = ()
        self.writes = self.events = 0

    async def _write(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        self.writes += 1
        return await self.threads.write(work, *args, **kwargs)

    async def go(self) -> None:
        """Run to the end. Lost when another process took over; Cancelled lets go of the answer."""
        await self.showing.begin(self.job)
        match self.job.state:
            case IntentState.WAITING:
                await self._post()
            case IntentState.ACCEPTED:
                await self._resume()
            case _:
                await self._look_up()

    # Sending

    async def _post(self) -> None:
        if self.job.stop_asked:
            await self._write(store.never_sent, self.job)
            return
        try:
            urls = await self.threads.read(uploads.urls, self.job.files)
        except uploads.Unreadable:
            await self._refuse(IntentState.UNSENT, errors.NotSent(), problem="files")
            return
        await self._write(store.posting, self.job)
        for attempt in range(BEFORE_SENDING + 1):
            try:
                async with charged(self.client, self.job, urls) as stream:
                    await self._follow(stream)
                break
            except errors.NotSent as error:
                if attempt == BEFORE_SENDING:
                    await self._refuse(IntentState.UNSENT, error)
                    return
                await asyncio.sleep(0.5 * 2**attempt)
            except errors.V0Error as error:
                if self.accepted:
                    logger.info("stream of %s broke: %s", self.job.answer, error)
                    break
                await self._not_accepted(error)
                return
        await self._after_stream()

    async def _not_accepted(self, error: errors.V0Error) -> None:
        """v0 said no, or nobody knows. One read first: errors have come with a message delivered."""
        if error.in_doubt:
            logger.info("intent %s is in doubt: %s", self.job.intent, error)
            await self._look_up()
            return
        # A conflict over a task means that somebody else has answered it: theirs is not ours.
        is_taken = self.job.kind in CONTESTED and isinstance(error, errors.Conflict)
        problem = ""
        try:
            is_found = not is_taken and await self._found()
        except errors.V0Error as read:
            logger.info("reading for intent %s, which was refused: %s", self.job.intent, read)
            if read.in_doubt or not isinstance(read, errors.StatusError):
                await self._look_up()
                return
            # A no to the reader, too (the key, the credits, the chat): the first no stands.
            is_found = False
            if isinstance(error, errors.Invalid) and isinstance(read, errors.Invalid):
                problem = "old"
        if is_found:
            await self._resume()
        else:
            await self._refuse(IntentState.REFUSED, error, problem=problem)

    async def _refuse(self, state: str, error: errors.V0Error, *, problem: str = "") -> None:
        self.problem = problem or error.problem
        await self._write(
            store.refused,
            self.job,
            state=state,
            problem=self.problem,
            detail=error.message,
            wait=error.retry_after,
        )

    # Doubt

    async def _look_up(self) -> None:
        """Read until v0 shows whether it has the message; then follow it, or say what is true."""
        await self._write(store.checking, self.job)
        self.showing.changed()
        for pause in doubt.pauses():
            await asyncio.sleep(pause)
            try:
                if await self._found():
                    await self._resume()
                    return
            except errors.V0Error as error:
                logger.info("looking up intent %s: %s", self.job.intent, error)
        await self._write(store.refused, self.job, state=IntentState.UNKNOWN, problem="unknown")

    async def _found(self) -> bool:
        """Whether v0 has our message; its ids are then known."""
        found = await doubt.find(self.client, self.job)
        if found is None:
            return False
        self.v0_chat, self.v0_answer = found
        await self._accept()
        return True

    async def _accept(self) -> None:
        self.accepted = True
        await self._write(store.accepted, self.job, v0_chat=self.v0_chat, v0_answer=self.v0_answer)
        self.showing.changed()

    # Following

    async def _follow(self, stream: Batches, *, catch_up: bool = False) -> None:
        """Fold, show and save what arrives, until the stream ends or breaks."""
        shown = not catch_up
        since = 0.0
        async for batch in stream:
            before = time.monotonic()
            self.events += len(batch)
            for event in batch:
                self.fold = fold(self.fold, event)
                if time.monotonic() - before > BUSY:
                    await asyncio.sleep(0)
                    before = time.monotonic()
            await self._learn()
            since = since or before
            shown = shown or self._caught_up() or before - since > settings.V0_CATCH_UP
            if shown:
                await self.showing.show(self.fold)
                await self._save()

    async def _learn(self) -> None:
        """Keep the ids and the title as soon as v0 tells them."""
        chat, answer = self.fold.chat, self.fold.message_id
        if chat is not None and not self.v0_chat:
            self.v0_chat = chat.id
        known, self.v0_answer = self.v0_answer, answer or self.v0_answer
        if not self.accepted and self.v0_chat:
            await self._accept()
        elif self.v0_answer != known:
            await self._write(store.identify, self.job, self.v0_answer)
        title = self.fold.title
        if title and title != self.title and not self.job.title_given:
            self.title = title
            await self._write(store.save_title, self.job.chat, title)
            self.showing.changed()

    def _caught_up(self) -> bool:
        """Whether a resumed fold holds at least what readers have seen before."""
        return len(self.fold.parts) >= len(self.job.parts) and size(self.fold.parts) >= size(
            self.job.parts
        )

    async def _save(self) -> None:
        """Keep what streamed, at part boundaries and seldom; the newest state wins."""
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
            self._write(store.save_parts, self.job.answer, self.job.fence, parts)
        )

    async def let_go(self) -> None:
        """Save and release, so that another process need not wait. Never raises over a lost lease."""
        try:
            if self.accepted and self.fold.parts:
                await self._write(
                    store.save_parts, self.job.answer, self.job.fence, self.fold.parts
                )
            await self._write(store.release, self.job.answer, self.job.fence)
        except Lost:
            pass

    # The end

    async def _after_stream(self) -> None:
        """The stream is over: end with v0's final message, or resume."""
        closing = self.fold.message
        if closing is not None and closing.finish_reason is not None:
            await self._finish(closing)
            return
        await self._resume()

    async def _ended(self) -> bool:
        """Ask v0 whether the answer is final, and if so, end with it; raises what v0 says of it."""
        if not self.v0_answer:
            self.v0_answer = await doubt.newest_answer(self.client, self.v0_chat, self.job)
            if not self.v0_answer:
                return False
            await self._write(store.identify, self.job, self.v0_answer)
        final = await self.client.get_message(self.v0_chat, self.v0_answer)
        if final.finish_reason is None:
            return False
        await self._finish(final)
        return True

    async def _resume(self) -> None:
        """Attach again until the answer is final. It reads; nothing is generated or charged."""
        barren = 0
        while True:
            try:
                if await self._ended():
                    return
                self.fold = Fold(message_id=self.v0_answer)
                async with self.client.resume(self.v0_chat) as stream:
                    await self._follow(stream, catch_up=True)
                if await self._ended():
                    return
            except errors.V0Error as error:
                logger.info("resume of %s: %s", self.job.answer, error)
                if barren > settings.V0_RESUME_TRIES and await self._is_gone():
                    return
            barren = 0 if self.fold.parts else barren + 1
            self.job = replace(self.job, parts=max(self.job.parts, self.fold.parts, key=size))
            await asyncio.sleep(min(0.25 * 2**barren, 15))

    async def _is_gone(self) -> bool:
        """Whether v0 will not show the answer any more; it has then failed for good."""
        try:
            if self.v0_answer:
                await self.client.get_message(self.v0_chat, self.v0_answer)
            else:
                await self.client.get_chat(self.v0_chat)
        except GIVE_UP as error:
            await self._refuse(IntentState.ACCEPTED, error)
            return True
        except errors.V0Error as error:
            logger.info("reading %s: %s", self.job.answer, error)
        return False

    async def _finish(self, final: types.Message) -> None:
        if self._saving is not None:
            await self._saving
        error = self.fold.error
        listed, user = await self._copies(final)
        await self._write(
            store.finish,
            self.job,
            listed,
            user=user,
            listed_now=self._listed,
            detail=error.message if error is not None else "",
        )
        if self.fold.chat is not None:
            await self._write(store.save_chat, self.job.chat, self.fold.chat)

    async def _copies(self, final: types.Message) -> tuple[types.Message, types.Message | None]:
        """v0's own copies of the answer and of what was sent: the newest message before it.

        A list is read after the closing snapshot, which it outranks; it also names the message of
        the person, which no stream carries.
        """
        try:
            page = await self.client.list_messages(self.v0_chat, limit=20)
        except errors.V0Error as error:
            logger.info("listing messages of %s: %s", self.job.answer, error)
            return final, None
        self._listed, older = page.messages, False
        for message in page.messages:
            if message.id == final.id:
                older = True
                final = message if message.finish_reason is not None else final
            elif older and message.role == "user":
                return final, message if message.id not in self.job.known else None
        return final, None

    # Stopping

    async def stop(self) -> None:
        """Ask v0 to stop; a repeat is harmless. The end of the stream decides, not this answer."""
        self.showing.stopping = True
        if self._stop_sent or not self.accepted:
            return
        try:
            if not self.v0_answer:
                self.v0_answer = await doubt.newest_answer(self.client, self.v0_chat, self.job)
            if self.v0_answer:
                self._stop_sent = True
                await self.client.stop(self.v0_chat, self.v0_answer)
        except errors.Conflict:
            # Nothing runs at v0 any more: there is no stop to speak of.
            await self._write(store.stop_refused, self.job.answer, self.job.fence)
        except Lost:
            logger.info("the run of %s is over; there is nothing to stop", self.job.answer)
        except errors.V0Error as error:
            self._stop_sent = False
            logger.info("stopping %s: %s", self.job.answer, error)
