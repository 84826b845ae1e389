"""Turns: how a question becomes two messages and a run, whoever asked it and by which route.

Owns `Ask`, what a question may bring, and the shape of a new message. Relies on the store, the
runs and the rates. It never decides whether a turn may begin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chats.sandbox import rates, wire
from chats.sandbox.agent import Order
from chats.sandbox.runs import Run, Runs
from chats.sandbox.store import Code, Store

Json = Any
Wire = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Ask:
    """`said` is what the question's own message shows, `text` what the agent is to act upon.

    `task` resolves what the newest answer waits for; `tools` are names of MCP servers; `pace`
    None is the sandbox's. A `waived` answer is free.
    """

    author: str
    said: str
    text: str
    attachments: list[Json] = field(default_factory=list)
    model: str = rates.DEFAULT_MODEL
    images: bool = False
    tools: list[str] = field(default_factory=list)
    task: Json = None
    waived: bool = False


def begin(runs: Runs, world: str, chat: Wire, ask: Ask, *, pace: float, site: str) -> Run:
    """Writes the question and the unfinished answer, and starts the run."""
    store = runs.store
    order = Order(
        text=ask.text,
        model=ask.model,
        pace=pace,
        place=len(store.messages(chat["id"])) // 2,
        title=chat.get("title", ""),
        can_retitle=not chat.get("title"),
        author=ask.author,
        chat_id=chat["id"],
        site=site,
        project=chat.get("vercelProjectId", ""),
        images=ask.images,
        tools=ask.tools,
        task=ask.task,
        waived=ask.waived,
    )
    user = question(chat["id"], ask.author, ask.said, ask.attachments)
    answer = unfinished(chat["id"])
    store.add_turn(world, user, answer, order.to_wire())
    return runs.start(world, answer, order)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the files by hand: what was asked, what is told, and the parts that show it."""

    asked: str
    told: str
    parts: list[Json]


def record(
    store: Store, world: str, chat: Wire, author: str, change: Change, code: Code
) -> list[Wire]:
    """The finished pair of messages that tells of a change of the files; oldest first."""
    user = question(chat["id"], author, change.asked, [])
    answer = {
        **unfinished(chat["id"]),
        "content": change.told,
        "parts": [*change.parts, {"type": "text", "text": change.told}],
        "finishReason": "stop",
    }
    store.add_change(world, user, answer, code)
    store.save_chat(world, {**chat, "updatedAt": wire.now()})
    return [user, answer]


def question(chat_id: str, author: str, text: str, attachments: list[Json]) -> Wire:
    return {
        **_message(chat_id, "user"),
        "content": text,
        "parts": [{"type": "text", "text": text}],
        "finishReason": "stop",
        **({"attachments": attachments} if attachments else {}),
        "authorId": author,
    }


def unfinished(chat_id: str) -> Wire:
    return _message(chat_id, "assistant")


def _message(chat_id: str, role: str) -> Wire:
    now = wire.now()
    return {
        "id": wire.new_id(wire.MESSAGE_ID_LENGTH),
        "chatId": chat_id,
        "role": role,
        "createdAt": now,
        "updatedAt": now,
        "content": "",
        "parts": [],
        "finishReason": None,
        "restorable": False,
        "authorId": None,
        "usage": rates.NO_USAGE,
    }
