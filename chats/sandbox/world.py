"""What the routes share, and what one request brings: its world, its parameters, its body.

Owns `Sandbox` (the parts of one running stand-in), `World` (one bearer key's) and `Call`, with the
checks that many routes begin with. Relies on the parts. It never keeps a key: a world is known by
a digest.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chats.sandbox import turns
from chats.sandbox.answers import Refusal
from chats.sandbox.previews import Previews
from chats.sandbox.runs import Run, Runs
from chats.sandbox.spec import Spec
from chats.sandbox.store import Store

Json = Any
Wire = dict[str, Json]

KEPT, ROOM = 100, 32 * 1024 * 1024
"""Charged requests that are kept to be looked at: how many, and bytes in all."""
BEARER = re.compile(r"Bearer +(\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class World:
    """One bearer key's: nothing in it can be seen with another key."""

    id: str

    @classmethod
    def of(cls, key: str) -> World:
        return cls(hashlib.sha256(key.encode()).hexdigest()[:24])

    @classmethod
    def of_header(cls, authorization: str | None) -> World | None:
        found = BEARER.fullmatch(authorization or "")
        return cls.of(found[1]) if found else None

    @property
    def author_id(self) -> str:
        return f"user_{self.id[:16]}"

    @property
    def colleague_id(self) -> str:
        """Whoever edits in v0's own pages."""
        return f"user_{self.id[8:24]}"

    @property
    def members(self) -> tuple[str, ...]:
        return self.author_id, self.colleague_id

    @property
    def team_id(self) -> str:
        return f"team_{self.id[:16]}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A charged request of a world as it came; `size` in bytes."""

    world: str
    wire: Wire
    size: int


@dataclass(frozen=True, slots=True)
class Sandbox:
    """`pace` multiplies every wait of a script; 0 is as fast as possible. `requests` are the last
    charged ones."""

    spec: Spec
    store: Store
    runs: Runs
    pace: float
    previews: Previews = field(default_factory=Previews)
    requests: deque[Asked] = field(default_factory=lambda: deque(maxlen=KEPT))

    def note(self, asked: Asked) -> None:
        """Keep a request, and as many of those before it as there is room for."""
        self.requests.append(asked)
        while len(self.requests) > 1 and sum(each.size for each in self.requests) > ROOM:
            self.requests.popleft()

    async def forget(self, world: World, chat_id: str) -> None:
        """Deletes a chat, once its run is over, with all that was its own."""
        run = self.runs.of_chat(chat_id)
        if run is not None:
            run.stopping.set()
            await run.over.wait()
        self.previews.stop(chat_id)
        self.store.delete_chat(world.id, chat_id)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that has passed the bearer check and the spec.

    `origin` is the sandbox's own address as the client wrote it. `manner` is what a fault wants to
    be different, "" as a rule.
    """

    sandbox: Sandbox
    world: World
    names: Mapping[str, str]
    query: Mapping[str, Json]
    body: Json
    origin: str = ""
    manner: str = ""

    @property
    def store(self) -> Store:
        return self.sandbox.store

    def chat(self) -> Wire:
        chat = self.store.chat(self.world.id, self.names["chatId"])
        if chat is None:
            raise Refusal(404, "Chat not found")
        if self.store.is_older(chat["id"]):
            raise Refusal(422, "API v2 does not support this chat.")
        return chat

    def writable_chat(self) -> Wire:
        chat = self.chat()
        if not chat["writePermission"]:
            raise Refusal(403, "You do not have permission to change this chat")
        return chat

    def resting_chat(self) -> Wire:
        """A writable chat in which nothing is being written."""
        chat = self.writable_chat()
        if self.sandbox.runs.of_chat(chat["id"]) is not None:
            raise Refusal(409, "A message is being generated in this chat")
        return chat

    def message(self, chat: Wire) -> Wire:
        message = self.store.message(chat["id"], self.names["messageId"])
        if message is None:
            raise Refusal(404, "Message not found")
        return self.sandbox.runs.current(message)

    def begin(self, chat: Wire, ask: turns.Ask) -> Run:
        runs, pace = self.sandbox.runs, self.sandbox.pace
        return turns.begin(runs, self.world.id, chat, ask, pace=pace, site=self.origin)
