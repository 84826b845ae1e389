"""What a reader sees of HTML, for comparing two ways of making it.

Owns what makes no difference: ids, the boxes around blocks, line breaks between them, and whether
the paragraphs of a tight list are elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from chats.live.html import render
from chats.live.state import Node
from chats.rendering.blocks import Blocks
from chats.rendering.markdown import PROSE, Markdown
from chats.rendering.source import Source

EMPTY = ("br", "hr")
Shape = list[tuple[str, ...]]


class _Shape(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.shape: Shape = []
        self._open: list[tuple[str, bool, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs if name != "id"}
        is_tight = given.pop("data-tight", None) is not None
        in_tight = tag == "p" and len(self._open) > 1 and self._open[-2][1]
        is_plain = tag == "div" or (in_tight and self._open[-1][0] == "li")
        if tag not in EMPTY:
            self._open.append((tag, is_tight, is_plain))
        if not is_plain:
            self.shape.append(("<", tag, *(f"{name}={given[name]}" for name in sorted(given))))

    def handle_endtag(self, tag: str) -> None:
        if tag in EMPTY:
            return
        opened, _, is_plain = self._open.pop()
        assert opened == tag
        if not is_plain:
            self.shape.append((">", tag))

    def handle_data(self, data: str) -> None:
        if not any(tag == "pre" for tag, _, _ in self._open):
            data = data.strip("\n")
        if not data:
            return
        if self.shape and self.shape[-1][0] == "text":
            data = self.shape.pop()[1] + data
        self.shape.append(("text", data))


def shape(html: str) -> Shape:
    parser = _Shape()
    parser.feed(html)
    parser.close()
    return parser.shape


def shape_of(nodes: Iterable[Node]) -> Shape:
    return shape("".join(map(render, nodes)))


def shape_of_whole(text: str) -> Shape:
    """What markdown-it makes of the whole document, through the same sanitiser."""
    source = Source().take(text, closed=True)
    return shape("".join(PROSE.html(unit.tokens) for unit in PROSE.read(source, {})))


def exhaust(steps: Iterator[None]) -> int:
    return sum(1 for _ in steps)


def blocks(
    text: str, cuts: Iterable[int] = (), *, closed: bool = True, prose: Markdown = PROSE
) -> tuple[Node, ...]:
    """The nodes of `text` after it grew to each of `cuts` and then to its end."""
    grown, source = Blocks("b", prose), Source()
    for cut in sorted(cuts):
        exhaust(grown.grow(source.take(text[:cut], closed=False), closed=False))
    exhaust(grown.grow(source.take(text, closed=closed), closed=closed))
    return grown.nodes
