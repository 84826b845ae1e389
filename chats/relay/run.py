"""One run: from a claimed intent to v0's final message in the database.

Owns the order of things that may cost credits: at most one POST, committed as `posting` before it
leaves; what is in doubt is looked up, never sent again. Relies on v0's client, `store`, `progress` and
`polling`; never on who is watching. A run is a plain coroutine: whoever cancels it lets go of the
answer.

    WAITING ─► post ─┬─ stream: follow it ──────────────────► the closing message ─► finish
                 │   ├─ async: v0 has it ───────► read by poll until it is final ─► finish
                 │   └─ sync: wait, and read by poll meanwhile ─► v0's answer ─────► finish
                 │ doubt              │ cut, silent, bad delta
                 ▼                    ▼
    POSTING ─► look it up        GET: final? ─► finish      else resume, from empty parts
                                                            and when that keeps failing, poll
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from django.conf import settings

from chats.models.messages import Delivery, IntentState
from chats.relay import asking, doubt, polling, store, uploads
from chats.relay.progress import Progress
from chats.relay.showing import Showing
from chats.relay.store import Job, Lost
from chats.relay.threads import Threads
from chats.v0api import errors, types
from chats.v0api.client import Client
from chats.v0api.stream import ChatEvent

logger = logging.getLogger(__name__)

BEFORE_SENDING = 2
# What v0 takes once, whoever asks for it.
CONTESTED = ("resolve", "restore")


class Run:
    def __init__(self, job: Job, client: Client, threads: Threads, showing: Showing) -> None:
        self.job = job
        self.client = client
        self.threads = threads
        self.showing = showing
        self.progress = Progress(job, threads, showing)
        self.pauses = polling.Pauses()
        self._stop_sent = False
        self.problem = ""
        self._listed: tuple[types.Message, ...] = ()

    async def go(self) -> None:
        """Run to the end. Lost when another process took over; Cancelled lets go of the answer."""
        await self.showing.begin(self.job)
        match self.job.state:
            case IntentState.WAITING:
                await self._post()
            case IntentState.ACCEPTED:
                await self._read()
            case _:
                await self._look_up()

    # Sending

    async def _post(self) -> None:
        if self.job.stop_asked:
            await self.progress.write(store.never_sent, self.job)
            return
        try:
            urls = await self.threads.read(uploads.urls, self.job.files)
        except uploads.Unreadable:
            await self._refuse(IntentState.UNSENT, errors.NotSent(), problem="files")
            return
        await self.progress.write(store.posting, self.job)
        for attempt in range(BEFORE_SENDING + 1):
            try:
                final = await self._send(urls)
                break
            except errors.NotSent as error:
                if attempt == BEFORE_SENDING:
                    await self._refuse(IntentState.UNSENT, error)
                    return
                await asyncio.sleep(0.5 * 2**attempt)
            except errors.V0Error as error:
                if self.progress.accepted and not self._is_taken(error):
                    logger.info("the answer %s broke off: %s", self.job.answer, error)
                    final = None
                    break
                await self._not_accepted(error)
                return
        await (self._finish(final) if final is not None else self._read())

    async def _send(self, urls: asking.Urls) -> types.Message | None:
        """The one POST; the final message, if that is what it has brought."""
        match self.job.delivery:
            case Delivery.ASYNC:
                ids = await asking.accepted(self.client, self.job, urls)
                await self.progress.accept(*ids)
                return None
            case Delivery.SYNC:
                return await self._wait(urls)
            case _:
                async with asking.streamed(self.client, self.job, urls) as stream:
                    await self.progress.follow(stream)
                return self.progress.fold.message

    async def _wait(self, urls: asking.Urls) -> types.Message | None:
        """Wait for the answer that v0 gives at the end, and read it meanwhile as soon as v0 has it:
        whichever is final first. The request that is not needed any more is dropped."""
        answer = asyncio.ensure_future(asking.finished(self.client, self.job, urls))
        reading = asyncio.ensure_future(self._poll(self._look_meanwhile))
        try:
            await asyncio.wait({answer, reading}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            said = await answer
        finally:
            for task in (answer, reading):
                task.cancel()
            await asyncio.gather(answer, reading, return_exceptions=True)
        if isinstance(said, types.Chat):
            await self.progress.accept(said.id, self.progress.v0_answer)
            await self.progress.take([ChatEvent(said)])
            return None
        if not self.progress.accepted:
            await self.progress.accept(self.progress.v0_chat, said.id)
        await self.progress.identify(said.id)
        return said if said.finish_reason is not None else None

    async def _look_meanwhile(self, client: Client, progress: Progress) -> types.Message | None:
        # Any answer would pass for that to a task, also when it was somebody else who answered it: so
        # nothing is shown of it before v0 has said yes, unless it is to be stopped.
        if self.job.kind in CONTESTED and not self.showing.stopping:
            return None
        return await polling.look_for(client, progress)

    def _is_taken(self, error: errors.V0Error) -> bool:
        """A conflict over a task: somebody else has answered it, and what follows is not ours."""
        return self.job.kind in CONTESTED and isinstance(error, errors.Conflict)

    async def _not_accepted(self, error: errors.V0Error) -> None:
        """v0 said no, or nobody knows. One read first: errors have come with a message delivered."""
        if error.in_doubt:
            logger.info("intent %s is in doubt: %s", self.job.intent, error)
            await self._look_up()
            return
        problem = ""
        try:
            is_found = not self._is_taken(error) and await self._found()
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
            await self._read()
        else:
            await self._refuse(IntentState.REFUSED, error, problem=problem)

    async def _refuse(self, state: str, error: errors.V0Error, *, problem: str = "") -> None:
        self.problem = problem or error.problem
        await self.progress.write(
            store.refused,
            self.job,
            state=state,
            problem=self.problem,
            detail=error.message,
            wait=error.retry_after,
        )

    # Doubt

    async def _look_up(self) -> None:
        """Read until v0 shows whether it has the message; then read it, or say what is true."""
        await self.progress.write(store.checking, self.job)
        self.showing.changed()
        for pause in doubt.pauses():
            await asyncio.sleep(pause)
            try:
                if await self._found():
                    await self._read()
                    return
            except errors.V0Error as error:
                logger.info("looking up intent %s: %s", self.job.intent, error)
        state = IntentState.UNKNOWN
        await self.progress.write(store.refused, self.job, state=state, problem="unknown")

    async def _found(self) -> bool:
        """Whether v0 has our message; its ids are then known."""
        found = await doubt.find(self.client, self.job)
        if found is not None:
            await self.progress.accept(*found)
        return found is not None

    # Reading on. Nothing is generated or charged by it.

    async def _read(self) -> None:
        """From what is known to the end: as it is written where streams are wanted, else by poll."""
        patience = polling.PATIENCE
        try:
            if self.job.delivery == Delivery.STREAM:
                if await self._resumed():
                    return
                # It has been waited for already.
                patience = 1
            await self._finish(await self._poll(polling.look, patience=patience))
        except polling.GIVE_UP as error:
            await self._refuse(IntentState.ACCEPTED, error)

    async def _poll(self, look: polling.Look, *, patience: int | None = None) -> types.Message:
        look_once = partial(look, self.client, self.progress)
        return await polling.until_final(look_once, self.pauses, patience=patience)

    async def _resumed(self) -> bool:
        """Attach again until the answer is final; False when attempts in a row have brought nothing."""
        barren = 0
        while barren < settings.V0_RESUME_TRIES:
            is_attached, asked_for = False, 0.0
            try:
                if await self._ended():
                    return True
                self.progress.begin_again()
                is_attached = True
                async with self.client.resume(self.progress.v0_chat) as stream:
                    await self.progress.follow(stream)
                if await self._ended():
                    return True
            except errors.V0Error as error:
                logger.info("resume of %s: %s", self.job.answer, error)
                asked_for = error.retry_after or 0.0
            barren = 0 if is_attached and self.progress.fold.parts else barren + 1
            await asyncio.sleep(max(asked_for, min(0.25 * 2**barren, 15)))
        return False

    async def _ended(self) -> bool:
        """Ask v0 whether the answer is final, and if so, end with it; raises what v0 says of it."""
        final = await polling.look(self.client, self.progress)
        if final is None or final.finish_reason is None:
            return False
        await self._finish(final)
        return True

    # The end

    async def _finish(self, final: types.Message) -> None:
        await self.progress.saved()
        await self._hear_of_chat()
        fold = self.progress.fold
        listed, user = await self._copies(final)
        await self.progress.write(
            store.finish,
            self.job,
            listed,
            user=user,
            listed_now=self._listed,
            detail=fold.error.message if fold.error is not None else "",
        )
        if fold.chat is not None:
            await self.progress.write(store.save_chat, self.job.chat, fold.chat)

    async def _hear_of_chat(self) -> None:
        """The title of a new chat as it is at the end, unless its stream has told it."""
        if self.job.kind != "create" or self.progress.fold.ended:
            return
        try:
            chat = await self.client.get_chat(self.progress.v0_chat)
        except errors.V0Error as error:
            logger.info("reading the chat of %s: %s", self.job.answer, error)
            return
        await self.progress.take([ChatEvent(chat)])

    async def _copies(self, final: types.Message) -> tuple[types.Message, types.Message | None]:
        """v0's own copies of the answer and of what was sent: the newest message before it.

        A list is read after the closing snapshot, which it outranks; it also names the message of
        the person, which no stream carries.
        """
        try:
            page = await self.client.list_messages(self.progress.v0_chat, limit=20)
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
        """Ask v0 to stop; a repeat is harmless. What v0 then says of the answer decides, not this."""
        self.showing.stopping = True
        if self._stop_sent:
            return
        self.pauses.hurry()
        if not self.progress.accepted:
            return
        self._stop_sent = True
        try:
            self._stop_sent = await self._send_stop()
        except errors.Conflict:
            # Nothing runs at v0 any more: there is no stop to speak of.
            await self.progress.write(store.stop_refused, self.job.answer, self.job.fence)
        except Lost:
            logger.info("the run of %s is over; there is nothing to stop", self.job.answer)
        except errors.V0Error as error:
            self._stop_sent = False
            logger.info("stopping %s: %s", self.job.answer, error)

    async def _send_stop(self) -> bool:
        """Whether there was something to stop."""
        chat, answer = self.progress.v0_chat, self.progress.v0_answer
        answer = answer or await doubt.newest_answer(self.client, chat, self.job)
        if answer:
            await self.client.stop(chat, answer)
            self.pauses.hurry()
        return bool(answer)
