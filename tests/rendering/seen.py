"""Nodes as a reader sees them, for tests of words."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from chats.live.html import render
from chats.live.state import Node
from chats.rendering.message import message_node
from chats.rendering.shown import Shown
from chats.v0api.types import parts_from_wire

START = "2026-01-01T10:00:00.000Z"
END = "2026-01-01T10:00:12.900Z"


def words(node: Node) -> str:
    """The text of a node, each run of white space as one space."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", render(node))).split())


def answer(*wires: Any, state: str = "finished", **fields: Any) -> Node:
    """An answer made of `wires`."""
    return message_node(
        Shown("1", "assistant", state, parts=parts_from_wire(list(wires)), **fields)
    )


def part(wire: Any, *, state: str = "finished") -> Node:
    """The only part of an answer."""
    return below(answer(wire, state=state), "m1-p0")


def below(node: Node, id: str) -> Node:
    return next(child for child in node.walk() if child.id == id)


def head(wire: Any, *, state: str = "finished") -> str:
    return words(part(wire, state=state).children[0])


def body(wire: Any, *, state: str = "finished") -> str:
    return words(part(wire, state=state).children[1])
