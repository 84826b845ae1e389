"""An answer while the agent writes it: its parts, its title, its files and its clock.

Owns how parts begin, grow and end. Relies on `wire` and `files`. Every change makes a new object of the part
that changed and leaves the others alone, so a snapshot is cheap and stays true. A script is a
generator that changes the draft and yields a `Step` where the world may see it. Nothing here
sleeps: the times that parts carry follow from the waits of the steps, so that a run that is
replayed carries the same ones.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from chats.sandbox.files import Files
from chats.sandbox.wire import timestamp

Json = Any
Part = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Step:
    """`wait` seconds at pace 1 (or as they are, when `exact`) pass before the step is seen."""

    wait: float = 0.0
    identity: bool = False
    exact: bool = False


Script = Iterator[Step]


@dataclass(slots=True)
class Draft:
    """`project` and `connect` are what a script wants to be there once it is over: a Vercel project
    for the chat (`id`, `name`), a connector to set up (`connectors.py` reads it). `images` counts those
    that it drew.
    """

    started: datetime
    title: str = ""
    files: Files = field(default_factory=dict)
    page: Json = None
    parts: list[Part] = field(default_factory=list)
    elapsed: float = 0.0
    finish_reason: str = "stop"
    error: dict[str, str] | None = None
    can_retitle: bool = True
    images: int = 0
    project: dict[str, str] | None = None
    connect: dict[str, Json] | None = None

    def time(self) -> str:
        return timestamp(self.started + timedelta(seconds=self.elapsed))

    def write(self, path: str, data: bytes) -> None:
        self.files = {**self.files, path: data}

    def link_project(self, name: str, chat_id: str) -> None:
        """A Vercel project for the chat, made on the way; the same for the same chat."""
        digest = hashlib.sha256(chat_id.encode()).hexdigest()
        self.project = {"id": f"prj_{digest[:28]}", "name": name}

    def retitle(self, title: str) -> None:
        if self.can_retitle:
            self.title = title

    def open(self, type: str, *, at: int | None = None, **fields: Json) -> int:
        """A new part, at the end or at index `at`; gives its index."""
        index = len(self.parts) if at is None else at
        self.parts.insert(index, {"type": type, **fields, "startedAt": self.time()})
        return index

    def change(self, index: int, **fields: Json) -> None:
        self.parts[index] = {**self.parts[index], **fields}

    def close(self, index: int, **fields: Json) -> None:
        self.change(index, **fields, finishedAt=self.time())

    def close_all(self) -> None:
        for index, part in enumerate(self.parts):
            if "finishedAt" not in part:
                self.close(index)

    def snapshot(self) -> tuple[Part, ...]:
        return tuple(self.parts)

    def content(self) -> str:
        """The closing prose: the last part, when it is text."""
        last = self.parts[-1] if self.parts else {}
        return str(last.get("text", "")) if last.get("type") == "text" else ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the agent is asked. Scripts are functions of it alone, so a run can be replayed.

    `options` are the `key=value` pairs of the prompt's `scenario:` line; `random` is seeded by
    the prompt and its place in the chat. `task` is the answer to what the chat waited for, None in
    an ordinary turn. `site` is where the sandbox itself can be reached, `project` the chat's Vercel
    project or "", `images` whether drawing is allowed, `tools` are names of MCP servers.
    """

    prompt: str
    place: int
    options: dict[str, str]
    random: random.Random
    task: Json = None
    chat_id: str = ""
    site: str = ""
    project: str = ""
    images: bool = False
    tools: tuple[str, ...] = ()

    def number(self, name: str, default: float) -> float:
        try:
            number = float(self.options.get(name, default))
        except ValueError:
            return default
        return number if isfinite(number) else default

    def whole(self, name: str, default: int) -> int:
        return int(self.number(name, default))


Scripted = Callable[[Turn, Draft], Script]


def pieces(text: str, chance: random.Random, low: int = 8, high: int = 28) -> Iterator[str]:
    """`text` in chunks of uneven length, as a model's tokens arrive."""
    at = 0
    while at < len(text):
        size = chance.randint(low, high)
        yield text[at : at + size]
        at += size


def say(turn: Turn, draft: Draft, text: str, *, type: str = "text", wait: float = 0.06) -> Script:
    """A part of prose that grows to `text` and ends; the next part begins in the same step."""
    index = draft.open(type, text="")
    grown = ""
    for piece in pieces(text, turn.random):
        grown += piece
        draft.change(index, text=grown)
        yield Step(wait)
    draft.close(index)


def think(turn: Turn, draft: Draft, text: str) -> Script:
    return say(turn, draft, text, type="thinking", wait=0.08)


def act(draft: Draft, wait: float, type: str, ends: dict[str, Json], **fields: Json) -> Script:
    """A part that appears, takes `wait` seconds and ends with the fields `ends`."""
    index = draft.open(type, **fields)
    yield Step(0.05)
    yield Step(wait)
    draft.close(index, **ends)
