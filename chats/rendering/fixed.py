"""What stands on every page of a chat: its title, its counters, its marks.

Owns the nodes of `State.fixed` and their words. Relies on `live`, and never says more than every
reader of the chat may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from chats.live.state import Attrs, Node

NEW = "New chat"


# What no version of the chat speaks of: it changes without one.
OF_NOW = ("here", "mark-here")


def fixed(
    *, title: str, version: int, marks: Mapping[str, int], waiting: int = 0, here: int = 0
) -> tuple[Node, ...]:
    """The title, "2 messages waiting", "3 people here", and a mark for each name and its version.

    `version` is the chat's; `waiting` counts queued messages and `here` people who have the chat
    open, the reader too: one alone is not told so.
    """
    return (
        Node("title", "h1", (("data-version", str(version)),), escape(title.strip() or NEW)),
        _count("waiting", waiting, "message waiting", "messages waiting", least=1),
        _count("here", here, "person here", "people here", least=2),
        *(_mark(name, number) for name, number in marks.items()),
    )


def marks(version: int, waiting: int, here: int = 0) -> dict[str, int]:
    """The marks of a chat whose rows are at `version`. That of the queue stands still at 0 where nothing
    waits, and follows the chat where something does: why it waits is told beside it. That of the notes,
    for a dialog that shows some, always follows the chat: not everybody may know whether there are any. `here` is when somebody came or
    went last, in milliseconds; 0 for one alone."""
    return {
        "composer": version,
        "own": version,
        "notes": version,
        "queue": version if waiting else 0,
        "here": here,
    }


def _count(id: str, number: int, one: str, many: str, *, least: int) -> Node:
    hidden: Attrs = () if number >= least else (("hidden", ""),)
    return Node(id, "p", hidden, f"{number} {one if number == 1 else many}" if not hidden else "")


def _mark(name: str, version: int) -> Node:
    attrs = (("data-mark", name), ("data-version", str(version)), ("hidden", ""))
    return Node(f"mark-{name}", "i", attrs)
