"""What readers of this process see: one LiveChat per chat, its States, and who stands on them.

Owns positions, frames and their sharing, and the wait for news. Relies on rows read through
`reading` and on nodes that runs publish; never writes, and never knows what a reader may do: the
consumer that joins has asked.

    run ──show──► LiveChat ──State n──► readers, each with a position of its own
    rows ─refresh─►   │
                      └─ difference(State at the position, newest State) ─► one frame, shared
"""

from __future__ import annotations

import asyncio
import contextvars
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from chats.live.difference import PAGE, Operation, Put, difference
from chats.live.state import Node, State
from chats.relay import reading
from chats.relay.threads import Threads
from chats.rendering import fixed, frames


@dataclass(slots=True)
class Held:
    """A State that a position names: kept while readers stand on it, or a page may come back."""

    state: State
    readers: int = 0
    until: float = 0.0
    rewritten: int = 0


@dataclass(slots=True)
class Shown:
    """A message of the State: its place in the chat, its node, and when it ended (0 while it runs)."""

    position: int
    node: Node
    ended: float = 0.0


class LiveChat:
    def __init__(self, hub: Hub, id: UUID) -> None:
        self.id = id
        self.hub = hub
        self.version = 0
        self.title = ""
        self.rewritten = 0
        self.waiting = 0
        self.here = reading.NOBODY
        # As `fixed.marks` has it.
        self.here_since = 0
        self.messages: dict[str, Shown] = {}
        self.running: set[str] = set()
        self.readers: set[Reader] = set()
        self.number = 0
        # One tuple, swapped as a whole: request threads read it.
        self.now: tuple[State, str] = (State(), "")
        self.held: dict[str, Held] = {}
        self._frames: dict[str, str] = {}
        self._dirty = False
        self._refresh: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        return self.now[0]

    @property
    def at(self) -> str:
        return self.now[1]

    # What is shown

    def show(self, id: str, position: int, node: Node) -> None:
        """A run's newest node. Nothing happens when it is the one that readers have."""
        known = self.messages.get(id)
        if known is not None and known.node is node:
            return
        self.running.add(id)
        self.messages[id] = Shown(position, node)
        self.publish()

    def release(self, id: str) -> None:
        """The run of `id` has ended or left: rows speak for it from now on."""
        self.running.discard(id)

    def take(self, rows: reading.Rows) -> None:
        """Rows as read just now; for a message that runs here they count only once it is final."""
        if rows.version < self.version:
            return
        self.version, self.title, self.rewritten = rows.version, rows.title, rows.rewritten
        self.waiting = rows.waiting
        for row in rows.messages:
            if row.live and row.id in self.running:
                continue
            known = self.messages.get(row.id)
            node = known.node if known is not None and known.node == row.node else row.node
            ended = 0.0 if row.live else (known.ended if known else 0.0) or time.monotonic()
            self.messages[row.id] = Shown(row.position, node, ended)
        self.publish()

    def attended(self, here: reading.Here) -> None:
        """Who is here, as the database has just said."""
        if here == self.here:
            return
        self.here = here
        self.here_since = time.time_ns() // 1_000_000 if here.number > 1 else 0
        if self.at:
            self.publish()

    def publish(self) -> None:
        """Make the State of now, and tell the readers if it differs from the last one."""
        nodes = fixed.fixed(
            title=self.title,
            version=self.version,
            marks=fixed.marks(self.version, self.waiting, self.here_since),
            waiting=self.waiting,
            here=self.here.number,
        )
        ordered = sorted(self.messages.values(), key=lambda shown: shown.position)
        state = State(
            self.state.fixed if nodes == self.state.fixed else nodes,
            tuple(shown.node for shown in ordered),
        )
        if self.at and state == self.state:
            return
        self.number += 1
        at = f"{self.hub.id}.{self.number}"
        self.held[at] = Held(state, rewritten=self.rewritten)
        self.now = state, at
        self._frames.clear()
        self.sweep()
        for reader in self.readers:
            reader.news.set()

    # Positions

    def stand(self, old: str, new: str) -> None:
        if old in self.held:
            self.held[old].readers -= 1
        if new in self.held:
            self.held[new].readers += 1

    def page(self) -> tuple[State, str]:
        """The State of now for a page, whose socket will come from it within a minute.

        From any thread. A State that is let go at that moment costs its page a frame with everything.
        """
        state, at = self.now
        if at in self.held:
            self.held[at].until = time.monotonic() + settings.V0_POSITION_KEEP
        return state, at

    def sweep(self) -> None:
        now = time.monotonic()
        for at in [
            at
            for at, held in self.held.items()
            if at != self.at and not held.readers and held.until < now
        ]:
            del self.held[at]

    def forget_ended(self) -> None:
        """Let messages go that ended a while ago and whose end every reader has."""
        if any(reader.at != self.at for reader in self.readers):
            return
        limit = time.monotonic() - settings.V0_ENDED_KEEP
        old = [id for id, shown in self.messages.items() if 0 < shown.ended < limit]
        for id in old:
            del self.messages[id]
        if old:
            self.publish()

    @property
    def idle(self) -> bool:
        """Whether nobody would miss this LiveChat."""
        waited_for = any(held.until > time.monotonic() for held in self.held.values())
        return not (self.readers or self.running or waited_for or self._dirty or self._refresh)

    def frame(self, reader: Reader) -> str:
        """The frame from where the reader stands to now; the reader stands there after it."""
        text = self._frames.get(reader.at)
        if text is None:
            held = self.held[reader.at]
            if held.rewritten < self.rewritten:
                operations = reading.all_of(self.state.fixed, (), stale=True)
            else:
                operations = difference(held.state, self.state)
            text = self._frames[reader.at] = frames.frame(operations, self.at, self.version)
        self.stand(reader.at, self.at)
        reader.at = self.at
        return text

    # Rows

    def changed(self) -> None:
        """Read the rows again soon; calls during a read lead to one more."""
        self._dirty = True
        if self._refresh is None:
            self._refresh = self.hub.start(self._read())

    async def _read(self) -> None:
        try:
            while self._dirty:
                await self.refresh()
        finally:
            self._refresh = None

    async def refresh(self) -> None:
        self._dirty = False
        newest = max((shown.position for shown in self.messages.values()), default=0)
        asked = frozenset(self.messages)
        rows = await self.hub.threads.read(reading.live_rows, self.id, newest, asked)
        if rows is None:
            self.hub.gone(self)
        else:
            for id in asked - {row.id for row in rows.messages} - self.running:
                self.messages.pop(id, None)
            self.take(rows)


@dataclass(eq=False, slots=True)
class Reader:
    """One open socket of a chat: where it stands, and whether there is news for it."""

    chat: LiveChat
    at: str
    news: asyncio.Event


class Hub:
    """The chats that this process shows. Lives on the event loop; only `page` is for any thread."""

    def __init__(self, threads: Threads) -> None:
        self.id = secrets.token_hex(4)
        self.threads = threads
        self.chats: dict[UUID, LiveChat] = {}
        self.on_change: Callable[[UUID], None] = self.changed
        self.on_gone: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def chat(self, id: UUID) -> LiveChat:
        live = self.chats.get(id)
        if live is None:
            live = self.chats[id] = LiveChat(self, id)
        return live

    async def load(self, id: UUID) -> LiveChat:
        live = self.chat(id)
        if not live.at:
            found = await self.threads.read(reading.here, [id])
            live.attended(found.get(id, reading.NOBODY))
            await live.refresh()
        return live

    def changed(self, id: UUID) -> None:
        if id in self.chats:
            self.chats[id].changed()

    def attended(self, id: UUID, here: reading.Here) -> None:
        if id in self.chats:
            self.chats[id].attended(here)

    def gone(self, chat: LiveChat) -> None:
        """The chat was deleted: whoever reads it is shown out by a check of rights, now or soon."""
        self.chats.pop(chat.id, None)
        if chat.readers:
            self.on_gone()

    async def join(
        self, id: UUID, at: str, after: str, version: int, news: asyncio.Event
    ) -> tuple[Reader, str]:
        """A reader that stands where the page stands, and the first frame, which may hold nothing.

        A position that is not held gets everything after `after`. `news` is set at each news.
        """
        chat = await self.load(id)
        if at in chat.held:
            reader = self._stand(chat, at, news)
            return reader, chat.frame(reader)
        if at == f"v{chat.version}" and all(shown.ended for shown in chat.messages.values()):
            now = self._of_now(chat)
            return self._stand(chat, chat.at, news), frames.frame(now, chat.at, chat.version)
        everything = await self.threads.read(
            reading.everything, id, after, version, frozenset(chat.messages)
        )
        operations = self._everything(chat, everything)
        return self._stand(chat, chat.at, news), frames.frame(operations, chat.at, chat.version)

    @staticmethod
    def _of_now(chat: LiveChat) -> tuple[Operation, ...]:
        """What a page that was made from rows alone does not show: it tells of nobody."""
        if chat.here.number < 2:
            return ()
        return tuple(Put(PAGE, node) for node in chat.state.fixed if node.id in fixed.OF_NOW)

    def _stand(self, chat: LiveChat, at: str, news: asyncio.Event) -> Reader:
        reader = Reader(chat, at, news)
        chat.stand("", at)
        chat.readers.add(reader)
        return reader

    def _everything(self, chat: LiveChat, rows: reading.Rows | None) -> tuple[Operation, ...]:
        nodes = {} if rows is None else {row.id: row.node for row in rows.messages}
        nodes |= {id: shown.node for id, shown in chat.messages.items()}
        places = {} if rows is None else {row.id: row.position for row in rows.messages}
        places |= {id: shown.position for id, shown in chat.messages.items()}
        ordered = tuple(nodes[id] for id in sorted(nodes, key=places.__getitem__))
        return reading.all_of(chat.state.fixed, ordered, stale=rows is None)

    def leave(self, reader: Reader) -> None:
        reader.chat.readers.discard(reader)
        reader.chat.stand(reader.at, "")

    def sweep(self) -> None:
        """Forget ended messages, positions that nobody will come from, and idle chats."""
        for chat in list(self.chats.values()):
            chat.forget_ended()
            chat.sweep()
            if chat.idle:
                self.chats.pop(chat.id, None)

    async def compare(self) -> None:
        """Read again what the database has a newer version of: hints may be lost."""
        versions = await self.threads.read(reading.versions, list(self.chats))
        for id in list(self.chats):
            if id not in versions or versions[id] != self.chats[id].version:
                self.chats[id].changed()

    def page(self, id: UUID) -> tuple[State | None, str]:
        """For a page that a request thread makes; nothing when the chat is not held here."""
        chat = self.chats.get(id)
        if chat is None or not chat.at:
            return None, ""
        return chat.page()
