"""A fenced code block while it is open: its lines, each a node of its own.

Owns where a fence ends, which one line tells, so that an open block is never parsed. Relies on
`markdown` for the finished block alone.
"""

from __future__ import annotations

import re

from chats.live.state import Attrs, Node
from chats.rendering import code
from chats.rendering.markdown import Markdown
from chats.rendering.pieces import Pieces

OPENING = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)\n?")


class Fence:
    """One code block, from its opening line on."""

    def __init__(self, id: str, opening: str, prose: Markdown) -> None:
        found = OPENING.fullmatch(opening)
        if found is None:
            raise ValueError("not the opening line of a fence")
        indent, marks, self._info = found.groups()
        self._id = id
        self._prose = prose
        self._indent = len(indent)
        self._closing = re.compile(rf" {{0,3}}{marks[0]}{{{len(marks)},}}[ \t]*\n?")
        self._nearly = re.compile(rf" {{0,3}}{marks[0]}*[ \t]*")
        self._content: list[str] = []
        self._lines: list[Node] = []
        self._last = self._pieces()
        self.is_closed = False

    def take(self, text: str) -> str:
        """Take whole lines up to the closing one; gives those behind it."""
        start = 0
        while start < len(text):
            end = text.find("\n", start) + 1 or len(text)
            line = text[start:end]
            if self._closing.fullmatch(line):
                self.is_closed = True
                return text[end:]
            self._add(dedented(line, self._indent))
            start = end
        return ""

    def shown(self, partial: str) -> Node:
        """The open block; `partial` is the line that has no end yet."""
        last = "" if self._nearly.fullmatch(partial) else dedented(partial, self._indent)
        attrs = (*self._attrs(), ("data-open", ""))
        return Node(
            self._id,
            "pre",
            attrs,
            children=(*self._lines, *(self._last.grow(last) if last else ())),
        )

    def node(self) -> Node:
        """The finished block."""
        html = self._prose.code("".join(self._content), self._info)
        return Node(self._id, "pre", self._attrs(), html)

    def _add(self, line: str) -> None:
        self._content.append(line)
        self._lines.extend(self._last.grow(line))
        self._last = self._pieces()

    def _pieces(self) -> Pieces:
        return Pieces(f"{self._id}-", "code", code.line, first=len(self._lines))

    def _attrs(self) -> Attrs:
        return named(self._info)


def named(info: str) -> Attrs:
    """What a code block says of itself."""
    label = code.label(info)
    return (("data-language", label),) if label else ()


def dedented(line: str, columns: int) -> str:
    """`line` without up to `columns` columns of white space; a tab goes to the next fourth one."""
    column = 0
    for index, character in enumerate(line):
        if column >= columns or character not in " \t":
            return " " * (column - columns) + line[index:]
        column += 4 - column % 4 if character == "\t" else 1
    return ""
