"""Markdown as nodes, block by block, while its text grows.

Owns when a block is finished and what of an open one is rendered again. Relies on `markdown` for
what a block means, and on one fact that the tests keep true: in CommonMark a top-level block that
another one follows, in whole lines, never changes again (a link definition aside).

    finished      rendered once; again only at the end, if a link in it was defined later
    the tail      the last block, whose end no whole line has proved: rendered at every growth

An open code block grows by its lines, an open list by its items, an open table longer than OPEN by
sections: those are nodes of their own and are not rendered again either. The tail is bounded: at
fixed distances, counted from the start of the text, a block longer than OPEN ends (a code block and
a table do not) and what follows starts anew. A line longer than OPEN is shown in pieces of plain
text. So a growth costs the same at the end of a long text as at its beginning, and what is shown
depends on the text alone, never on how it was cut into chunks.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chats.live.state import Node
from chats.rendering.fences import Fence, named
from chats.rendering.headings import Outline, under
from chats.rendering.lists import List, item_lines, items
from chats.rendering.markdown import LONGEST_RUN, PROSE, Markdown, Unit
from chats.rendering.mending import is_undecided
from chats.rendering.pieces import Pieces
from chats.rendering.tables import Table, is_sparse

OPEN = 8 * 1024
STEP = 4 * 1024
# What a line costs beyond its characters.
LINE = 32
# The longest table whose sections become one again when it ends.
JOINED = 64 * 1024
LISTS = ("bullet_list", "ordered_list")
GROWING = (*LISTS, "fence")
# What a reading of a link definition goes on across, for markdown-it.
RUNS = ("paragraph", "heading", "code_block")
LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Late:
    """A finished block, or an item of a list, that links defined later could change."""

    source: str
    known: int
    block: int
    outline: Outline = ()
    list: List | None = None
    item: int = 0
    is_last: bool = False


class Blocks:
    """The blocks of one text: nodes `<id>0`, `<id>1`, …"""

    def __init__(self, id: str, prose: Markdown = PROSE) -> None:
        self.nodes: tuple[Node, ...] = ()
        self._id = id
        self._prose = prose
        self._finished: list[Node] = []
        self._references: dict[str, Any] = {}
        self._outline: Outline = ()
        self._late: list[Late] = []
        self._tail = ""
        self._partial = ""
        self._since_bound = 0
        self._fence: Fence | None = None
        self._list: List | None = None
        self._table: Table | None = None
        self._line: Pieces | None = None
        self._shown: tuple[str, list[Node]] | None = None

    def grow(self, text: str, *, closed: bool) -> Iterator[None]:
        """Take the next characters; `nodes` are those of the whole text once this is exhausted.

        Gives way after each bounded piece of work. Nothing may follow what was closed.
        """
        start = self._partial + text
        end = start.rfind("\n") + 1
        self._partial = start[end:]
        for window, is_bound in self._windows(start[:end]):
            self._take(window)
            if is_bound:
                self._bound()
            yield
        if closed:
            yield from self._close()
        else:
            self.nodes = (*self._finished, *self._open())

    def _windows(self, lines: str) -> Iterator[tuple[str, bool]]:
        """Whole lines, up to each distance at which the tail is bounded."""
        start = end = 0
        for line in LINES.finditer(lines):
            end = line.end()
            self._since_bound += LINE + end - line.start()
            if self._since_bound >= STEP:
                self._since_bound = 0
                yield lines[start:end], True
                start = end
        if start < end:
            yield lines[start:end], False

    def _take(self, lines: str) -> None:
        self._shown = self._line = None
        self._tail += lines
        while self._tail:
            if self._fence is None:
                if not self._settle():
                    return
                continue
            self._tail = self._fence.take(self._tail)
            if self._fence.is_closed:
                self._finish_fence(self._fence)

    def _settle(self) -> bool:
        """Finish what whole lines prove; whether a code block opened, which takes the rest."""
        lines = LINES.findall(self._tail)
        units = self._prose.outline(self._tail)
        proved = _proved(units, lines)
        open = units[proved] if proved < len(units) else None
        start = self._finish_all(units[:proved], lines)
        if open and open.kind in GROWING:
            self._define("".join(lines[start : open.start]))
            start = self._grow(open, lines)
        self._tail = "".join(lines[start:])
        return self._fence is not None

    def _grow(self, unit: Unit, lines: Sequence[str]) -> int:
        """Begin or continue what grows by nodes of its own; gives the line up to which it did."""
        if unit.kind in LISTS:
            return self._settle_items(unit, lines)
        self._fence = Fence(self._next(), lines[unit.start], self._prose)
        return unit.start + 1

    def _settle_items(self, unit: Unit, lines: Sequence[str]) -> int:
        """Finish all items but the last; gives the line at which that one starts."""
        if self._list is None:
            self._list = List.opened(self._next(), unit, self._outline)
        *whole, (start, _) = item_lines(unit)
        for first, end in whole:
            self._finish_item(self._list, "".join(lines[first:end]), is_last=False)
        return start

    def _bound(self) -> None:
        if self._fence or weight(self._tail) <= OPEN:
            return
        lines = LINES.findall(self._tail)
        units = self._prose.outline(self._tail)
        if units and units[-1].kind == "table" and not is_sparse(lines[units[-1].start :]):
            self._section(units[-1], lines)
        else:
            self._end(units, lines)

    def _section(self, unit: Unit, lines: Sequence[str]) -> None:
        """Show the rows of an open table once and for all, and go on below the same head."""
        self._define("".join(lines[: unit.start]))
        if self._table is None:
            self._table = Table(self._next(), "".join(lines[unit.start : unit.start + 2]))
        rows = "".join(lines[unit.start + 2 : unit.end])
        self._table.add(self._prose, rows, self._known())
        self._tail = self._table.head

    def _end(self, units: Sequence[Unit], lines: Sequence[str]) -> None:
        """End whatever is open."""
        start = self._finish_all(units, lines)
        self._define("".join(lines[start:]))
        self._tail = ""

    def _finish_all(self, units: Sequence[Unit], lines: Sequence[str]) -> int:
        start = 0
        for unit in units:
            if unit.kind in LISTS:
                self._define("".join(lines[start : unit.start]))
                self._finish_list(unit, lines)
            elif self._table:
                self._finish_table(self._table, "".join(lines[unit.start + 2 : unit.end]))
            else:
                self._finish(unit, "".join(lines[start : unit.end]))
            start = unit.end
        return start

    def _finish(self, unit: Unit, source: str) -> None:
        outline = self._outline
        node = self._node(source, self._next(), outline)
        if "[" in source and unit.kind not in ("fence", "code_block"):
            self._late.append(Late(source, len(self._references), len(self._finished), outline))
        if unit.kind == "heading":
            self._outline = under(outline, int(unit.tokens[0].tag[1]))
        self._finished.append(node)

    def _finish_fence(self, fence: Fence) -> None:
        self._finished.append(fence.node())
        self._fence = None

    def _finish_list(self, unit: Unit, lines: Sequence[str]) -> None:
        self._settle_items(unit, lines)
        first, end = item_lines(unit)[-1]
        if self._list:
            self._finish_item(self._list, "".join(lines[first:end]), is_last=True)
            self._finished.append(self._list.node())
        self._list = None

    def _finish_item(self, list: List, source: str, *, is_last: bool) -> None:
        known = self._known()
        list.add(list.read_item(self._prose, source, known, is_last=is_last))
        self._learn(known)
        if "[" in source:
            count, block, at = len(self._references), len(self._finished), len(list.nodes) - 1
            self._late.append(Late(source, count, block, (), list, at, is_last))

    def _finish_table(self, table: Table, rows: str) -> None:
        source = table.source(rows)
        if weight(source) <= JOINED:
            node = self._node(source, table.id, ())
            self._late.append(Late(source, len(self._references), len(self._finished)))
        else:
            table.add(self._prose, rows, self._known())
            node = table.node()
        self._finished.append(node)
        self._table = None

    def _close(self) -> Iterator[None]:
        if not _is_blank(self._partial):
            self._take(self._partial)
        self._partial = ""
        if self._fence:
            self._finish_fence(self._fence)
        else:
            self._end(self._prose.outline(self._tail), LINES.findall(self._tail))
        for late in self._late:
            if late.known < len(self._references):
                self._finished[late.block] = self._resolved(late)
                yield
        self._late.clear()
        self.nodes = tuple(self._finished)

    def _resolved(self, late: Late) -> Node:
        """The block with the links that were defined since; the same object if nothing changed."""
        old = self._finished[late.block]
        if late.list is None:
            new = self._node(late.source, old.id, late.outline)
        else:
            item = late.list.read_item(
                self._prose, late.source, self._known(), is_last=late.is_last
            )
            li = replace(old.children[late.item], html=item.html)
            children = (*old.children[: late.item], li, *old.children[late.item + 1 :])
            new = replace(old, children=children)
        return old if new == old else new

    def _open(self) -> list[Node]:
        """The tail and the line without an end, as they look now."""
        if self._fence:
            return [self._fence.shown(self._partial)]
        is_long = len(self._partial) > OPEN
        is_held = is_long or is_undecided(self._partial)
        source = self._tail if is_held else self._tail + self._partial
        if self._shown is None or self._shown[0] != source:
            self._shown = source, list(self._open_units(source))
        nodes = self._shown[1]
        return [*nodes, self._long_line(len(nodes))] if is_long else nodes

    def _open_units(self, source: str) -> Iterator[Node]:
        lines = LINES.findall(source)
        units = self._prose.read(source, self._known(), outline=self._outline, is_open=True)
        for index, unit in enumerate(units):
            id = self._next(index)
            if unit.kind in LISTS:
                continued = self._list if index == 0 and self._list else List.opened(id, unit, ())
                yield continued.node(items(self._prose, unit))
            elif index == 0 and self._table:
                yield self._table.node(self._prose.html(unit.tokens) if len(lines) > 2 else "")
            else:
                yield self._unit(unit, id, "".join(lines[unit.start : unit.end]))

    def _long_line(self, index: int) -> Node:
        id = self._next(index)
        if self._line is None:
            self._line = Pieces(f"{id}-", "p")
        return Node(id, attrs=(("class", "plain"),), children=self._line.grow(self._partial))

    def _node(self, source: str, id: str, outline: Outline) -> Node:
        known = self._known()
        units = self._prose.read(source, known, outline=outline)
        self._learn(known)
        return self._unit(units[0], id, source) if len(units) == 1 else _plain(id, source)

    def _unit(self, unit: Unit, id: str, source: str) -> Node:
        first = unit.tokens[0]
        if unit.is_too_deep:
            return _plain(id, source)
        match unit.kind:
            case "paragraph" if len(unit.tokens[1].content) > LONGEST_RUN:
                return _plain(id, unit.tokens[1].content)
            case "fence" | "code_block":
                html = self._prose.code(first.content, first.info)
                return Node(id, "pre", named(first.info), html)
            case "paragraph" | "heading" | "blockquote":
                return Node(id, first.tag, html=self._prose.html(unit.inside))
            case _:
                return Node(id, "div", (("class", unit.kind),), self._prose.html(unit.tokens))

    def _next(self, index: int = 0) -> str:
        return f"{self._id}{len(self._finished) + index}"

    def _known(self) -> ChainMap[str, Any]:
        """What links may refer to; what is defined now goes into a map of its own."""
        return ChainMap({}, self._references)

    def _learn(self, known: ChainMap[str, Any]) -> None:
        self._references.update(known.maps[0])

    def _define(self, source: str) -> None:
        """Remember the links that `source`, which shows nothing, defines."""
        if "[" in source:
            known = self._known()
            self._prose.read(source, known)
            self._learn(known)


def weight(source: str) -> int:
    return len(source) + LINE * source.count("\n")


def _is_blank(line: str) -> bool:
    return not line.strip(" \t\n")


def _proved(units: Sequence[Unit], lines: Sequence[str]) -> int:
    """How many blocks from the first on no further line can change."""
    start = 0
    for index, unit in enumerate(units):
        if _may_define(unit, lines, start) and all(later.kind in RUNS for later in units[index:]):
            return index
        start = unit.end
    return len(units) if units and _is_proved(units[-1], lines) else max(0, len(units) - 1)


def _is_proved(unit: Unit, lines: Sequence[str]) -> bool:
    """Whether no further line can belong to the last block."""
    after = lines[unit.end :]
    match unit.kind:
        case "fence":
            return False
        case "heading" | "hr":
            return True
        case "bullet_list" | "ordered_list" | "code_block":
            return not all(map(_is_blank, after))
        case _:
            return bool(after)


def _may_define(unit: Unit, lines: Sequence[str], floor: int) -> bool:
    """Whether a heading may still turn out to be part of a link definition.

    markdown-it reads `[`, `a`, `===`, `]: /x` as a definition, though the third line made a heading
    of the first two; only a blank line, or a block of another kind, settles it. `floor` is where
    the block before ends.
    """
    if unit.kind != "heading" or unit.tokens[0].markup != "=":
        return False
    if any(map(_is_blank, lines[unit.start :])):
        return False
    start = unit.start
    while start > floor and not _is_blank(lines[start - 1]):
        start -= 1
    return any(line.lstrip(" ").startswith("[") for line in lines[start : unit.end])


def _plain(id: str, source: str) -> Node:
    return Node(id, attrs=(("class", "plain"),), children=Pieces(f"{id}-", "p").grow(source))
