"""Plain text in pieces, so that a long one never is a single run that the browser lays out again.

Owns where a piece ends: behind the last line break in its SIZE characters, else behind the last
space, else just there. A piece that others follow never changes again.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from chats.live.state import Node
from chats.rendering.code import visible

SIZE = 4 * 1024


def plain(text: str) -> str:
    return escape(visible(text), quote=False)


class Pieces:
    """The pieces of one text while it grows: nodes `<id><first>`, `<id><first + 1>`, …"""

    def __init__(
        self, id: str, tag: str, html: Callable[[str], str] = plain, *, first: int = 0
    ) -> None:
        self._id = id
        self._tag = tag
        self._html = html
        self._first = first
        self._start = 0
        self._whole: list[Node] = []

    def grow(self, text: str) -> tuple[Node, ...]:
        """Nodes for `text`, which is what it was at the last call and more."""
        while len(text) - self._start > SIZE:
            end = _end(text, self._start)
            self._whole.append(self._node(text[self._start : end]))
            self._start = end
        rest = text[self._start :]
        return (*self._whole, self._node(rest)) if rest else tuple(self._whole)

    def _node(self, text: str) -> Node:
        return Node(f"{self._id}{self._first + len(self._whole)}", self._tag, html=self._html(text))


def _end(text: str, start: int) -> int:
    limit = start + SIZE
    for mark in ("\n", " "):
        found = text.rfind(mark, start, limit)
        if found >= 0:
            return found + 1
    return limit
