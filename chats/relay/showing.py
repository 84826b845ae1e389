"""What a run shows: the fold as a node, handed to the hub.

Owns the renderer of one answer and the typed parts beside the raw ones. Relies on rendering and the
hub; does no I/O, and shows nothing once the run has lost its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chats.relay.hub import Hub
from chats.relay.rows import utc
from chats.relay.store import Job
from chats.rendering.message import MessageRenderer
from chats.rendering.shown import Shown
from chats.v0api.stream import Fold
from chats.v0api.types import Part, part_from_wire


class Showing:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.stopping = False
        self._job: Job
        self._renderer: MessageRenderer
        self._parts: tuple[Part, ...] = ()

    async def begin(self, job: Job) -> None:
        """Start an empty renderer; the chat is loaded, so that the State has its title and, before
        the answer, the message that it answers."""
        self._job = job
        chat = await self.hub.load(job.chat)
        if str(job.answer) not in chat.messages:
            await chat.refresh()
        self.stopping = job.stop_asked
        self._renderer = MessageRenderer(str(job.answer))

    def changed(self) -> None:
        """Rows of the chat changed: readers and sidebars hear of it."""
        self.hub.on_change(self._job.chat)

    async def show(self, fold: Fold) -> None:
        """Bring readers up to the fold, giving way to others between blocks."""
        self._parts = typed(self._parts, fold.parts)
        shown = Shown(
            id=str(self._job.answer),
            role="assistant",
            state="streaming",
            created=utc(datetime.fromisoformat(self._job.created)),
            parts=self._parts,
            stopping=self.stopping,
            chat=str(self._job.chat),
        )
        for _ in self._renderer.update(shown):
            await asyncio.sleep(0)
        chat = self.hub.chat(self._job.chat)
        chat.show(str(self._job.answer), self._job.position, self._renderer.node)

    def end(self) -> None:
        """The run is over here: rows speak for the answer from now on."""
        self.hub.chat(self._job.chat).release(str(self._job.answer))
        self.changed()


def typed(before: Sequence[Part], wires: Sequence[Any]) -> tuple[Part, ...]:
    """Parts for raw ones; a part whose raw object is the same one is the same one."""
    return tuple(
        before[index]
        if index < len(before) and before[index].wire is wire
        else part_from_wire(wire)
        for index, wire in enumerate(wires)
    )
