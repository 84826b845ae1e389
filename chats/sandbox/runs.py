"""Runs: an answer being written, whoever listens, and how listeners are kept up to date.

Owns every unfinished message, from its first step to its last row. Relies on the store, the agent
and `diff`. A run depends on no connection. Each reader stands on a snapshot and is given the
difference to the newest one, so a reader that does not read costs one snapshot and gets one larger
delta when it comes back; the run waits for its readers, but never longer than `PATIENCE`. A run
that the sandbox's end interrupts goes on at the next start: its script is replayed up to the step
that was saved.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from chats.sandbox import rates, wire
from chats.sandbox.agent import Order, script
from chats.sandbox.books import Bill
from chats.sandbox.diff import diff
from chats.sandbox.draft import Draft, Part, Step
from chats.sandbox.records import CONNECT, PROJECT
from chats.sandbox.store import Code, Store

Json = Any
Wire = dict[str, Json]

logger = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds that a run waits for a reader before it goes on without it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What can be seen of a run at its step `n`."""

    n: int = 0
    title: str = ""
    parts: tuple[Part, ...] = ()
    identity: bool = False
    steady: bool = False


class Interrupted(Exception):
    """This process ends; the run goes on in the next one."""


class Reader:
    """One listener: the moment that it has been given, and whether the run still waits for it."""

    def __init__(self, seen: Moment) -> None:
        self.seen = seen
        self.lagging = False
        self.caught_up = asyncio.Event()


class Run:
    def __init__(self, store: Store, world: str, message: Wire, order: Order) -> None:
        self.store, self.world, self.message, self.order = store, world, message, order
        self.pace = order.own_pace
        self.first_byte_after = order.first_byte_after
        self.now = Moment(title=order.title)
        self.readers: set[Reader] = set()
        self.stopping = asyncio.Event()
        self.over = asyncio.Event()
        self.interrupted = False
        self.error: dict[str, str] | None = None
        self._changed_at = message["updatedAt"]
        self._news = asyncio.Event()
        self._found = Code(store.files(message["chatId"]), store.page(message["chatId"]))
        self._draft = self._blank()

    def _blank(self) -> Draft:
        return Draft(
            wire.moment(self.message["createdAt"]),
            title=self.order.title,
            files=self._found.files,
            page=self._found.page,
            can_retitle=self.order.can_retitle,
        )

    async def write(self, steps_taken: int = 0) -> None:
        """The whole run; the first `steps_taken` steps are replayed without waiting."""
        try:
            await self._follow_script(steps_taken)
        except asyncio.CancelledError:
            self.interrupted = True
            self._tell()
            raise
        except Exception:
            logger.exception("The script of message %s failed", self.message["id"])
            self._draft.finish_reason = "error"
        self._finish()

    async def _follow_script(self, steps_taken: int) -> None:
        for number, step in enumerate(script(self.order, self._draft), 1):
            if number > steps_taken:
                await self._wait(step)
            self._draft.elapsed += step.wait * self._clock_pace(step)
            if self.stopping.is_set():
                break
            if number >= steps_taken:
                await self._show(step, number)

    def replayed(self) -> Iterator[Moment]:
        """Every moment up to now, once more from the beginning."""
        draft = self._blank()
        draft.can_retitle = self._draft.can_retitle
        for number, step in zip(range(1, self.now.n + 1), script(self.order, draft), strict=False):
            draft.elapsed += step.wait * self._clock_pace(step)
            yield Moment(number, draft.title, draft.snapshot(), step.identity)

    def current(self) -> Wire:
        """The message as `GET` shows it now."""
        if self.over.is_set():
            return self.message
        parts = list(self.now.parts)
        return {**self.message, "parts": parts, "updatedAt": self._changed_at}

    def _clock_pace(self, step: Step) -> float:
        return 1.0 if step.exact or self.pace == 0 else self.pace

    async def _wait(self, step: Step) -> None:
        seconds = step.wait if step.exact else step.wait * self.pace
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            return

    async def _show(self, step: Step, number: int) -> None:
        draft, before = self._draft, self.now
        if draft.title != before.title and self.store.is_titled(self.message["chatId"]):
            draft.title, draft.can_retitle = before.title, False
        parts = draft.snapshot()
        self.now = Moment(number, draft.title, parts, step.identity)
        self._changed_at = wire.now()
        if _boundary(before.parts, parts) or before.title != draft.title:
            self._save(number)
        self._tell()
        await self._let_readers_follow()

    def _save(self, number: int) -> None:
        if self.now.title != self.order.title:
            self._save_title()
        self.store.save_run(self.world, self.current(), number)

    def _save_title(self) -> None:
        chat = self.store.chat(self.world, self.message["chatId"])
        if chat is None or self.store.is_titled(chat["id"]):
            return
        if chat.get("title", "") != self.now.title:
            changed = {**chat, "title": self.now.title, "updatedAt": wire.now()}
            self.store.save_chat(self.world, changed)

    def _tell(self) -> None:
        for reader in self.readers:
            reader.caught_up.clear()
        self._news.set()
        self._news = asyncio.Event()

    async def _let_readers_follow(self) -> None:
        await asyncio.sleep(0)
        waiting = [reader for reader in self.readers if not reader.lagging]
        try:
            async with asyncio.timeout(PATIENCE):
                for reader in waiting:
                    await reader.caught_up.wait()
        except TimeoutError:
            for reader in waiting:
                reader.lagging = not reader.caught_up.is_set()

    def _finish(self) -> None:
        draft = self._draft
        draft.close_all()
        parts = draft.snapshot()
        self.error = draft.error
        self.now = Moment(self.now.n + 1, draft.title, parts, steady=True)
        self._save_title()
        tokens = self._tokens(list(parts))
        model = self.order.model
        self.message = {
            **self.message,
            "updatedAt": wire.now(),
            "content": draft.content(),
            "parts": list(parts),
            "finishReason": "stop" if self.stopping.is_set() else draft.finish_reason,
            "usage": rates.usage(model, rates.with_images(tokens, draft.images)),
        }
        bill = Bill(
            self.order.author,
            model,
            rates.lines(model, tokens, draft.images),
            waived=self.order.waived or self.message["finishReason"] == "error",
        )
        wrote = draft.files != self._found.files
        code = Code(draft.files, draft.page) if wrote else None
        self.store.finish_run(self.world, self.message, bill, code)
        self._settle(draft)
        self.over.set()
        self._tell()

    def _tokens(self, parts: list[Part]) -> rates.Tokens:
        earlier = self.store.messages(self.message["chatId"])[2:]
        texts = [str(message["content"]) for _, message in reversed(earlier)]
        return rates.counted(self.order.text, texts, parts)

    def _settle(self, draft: Draft) -> None:
        """What the script wanted to be there once it is over."""
        chat = self.store.chat(self.world, self.message["chatId"])
        if chat is None or self.stopping.is_set():
            return
        if draft.project is not None:
            self.store.records.put(self.world, PROJECT, draft.project["id"], draft.project)
            linked = {"vercelProjectId": draft.project["id"], "updatedAt": wire.now()}
            self.store.save_chat(self.world, {**chat, **linked})
        if draft.connect is not None:
            key = f"{chat['id']}/{draft.connect['requestId']}"
            wanted = {**draft.connect, "startedAt": wire.now(), "opened": False, "result": ""}
            self.store.records.put(self.world, CONNECT, key, wanted)

    def reader(self) -> Reader:
        """A listener that knows the title of now and no part; the run waits for it from now on."""
        reader = Reader(Moment(title=self.now.title))
        self.readers.add(reader)
        return reader

    async def follow(self, reader: Reader, *, replay: bool = False) -> AsyncIterator[Wire]:
        """Title and part events up to the end of the run; `Interrupted` when there is none.

        What has happened already comes in one delta, or with `replay` as it came at first.
        """
        try:
            if replay:
                reader.seen = Moment(title=self.order.title)
            for moment in self.replayed() if replay else ():
                for event in self._events(reader.seen, moment):
                    yield event
                reader.seen = moment
            while True:
                news, now = self._news, self.now
                for event in self._events(reader.seen, now):
                    yield event
                reader.seen = now
                if self.now is now:
                    reader.lagging = False
                    reader.caught_up.set()
                    if self.over.is_set():
                        return
                    if self.interrupted:
                        raise Interrupted
                    await news.wait()
        finally:
            self.readers.discard(reader)
            reader.caught_up.set()

    def _events(self, seen: Moment, now: Moment) -> list[Wire]:
        if seen is now:
            return []
        events: list[Wire] = []
        if seen.title != now.title:
            events.append(
                {"object": "chat.title", "id": self.message["chatId"], "delta": now.title}
            )
        delta = diff(seen.parts, now.parts, identity=now.identity and now.n == seen.n + 1)
        if delta is not None or not (events or now.steady or now.n == seen.n):
            chunk = {
                "object": "message.parts.chunk",
                "id": self.message["id"],
                "delta": delta or {},
            }
            events.append(chunk)
        return events


def _boundary(before: tuple[Part, ...], after: tuple[Part, ...]) -> bool:
    """Whether a part began, ended or changed its place: the moments worth a write."""
    return len(before) != len(after) or any(
        old is not new and "finishedAt" in new for old, new in zip(before, after, strict=True)
    )


class Runs:
    """Every run of this process, by the id of its message."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.by_message: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, world: str, message: Wire, order: Order, steps_taken: int = 0) -> Run:
        run = Run(self.store, world, message, order)
        self.by_message[message["id"]] = run
        task = asyncio.create_task(run.write(steps_taken))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(message["id"], done))
        return run

    def revive(self) -> None:
        """Goes on with every run that the last process left unfinished."""
        for item in self.store.pending():
            order = Order.from_wire(item.order)
            self.start(item.world, item.message, order, item.steps)

    def of_chat(self, chat_id: str) -> Run | None:
        """The one that is going on in a chat."""
        going = (run for run in self.by_message.values() if not run.over.is_set())
        return next((run for run in going if run.message["chatId"] == chat_id), None)

    def current(self, message: Wire) -> Wire:
        run = self.by_message.get(message["id"])
        return run.current() if run else message

    async def stop_all(self) -> None:
        """Ends this process's part in every run; what was saved is where the next goes on."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget(self, message_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.by_message.pop(message_id, None)
