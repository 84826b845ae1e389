"""An open list: its items, each a node of its own.

Owns how one item is read apart from the others. A list is loose when a blank line parts its items
or the blocks of one of them, which may show late: items always have their paragraphs, and the list
says in an attribute that it is tight, so that no item has to be rendered again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from chats.live.state import Attrs, Node
from chats.rendering.headings import Outline
from chats.rendering.markdown import Markdown, References, Unit
from chats.rendering.pieces import plain


@dataclass(frozen=True, slots=True)
class Item:
    html: str
    is_loose: bool


@dataclass(slots=True)
class List:
    """What every item has in common (`outline` is what headings it stands under), and the items that
    are whole."""

    id: str
    tag: str
    start: Attrs
    marker: str
    outline: Outline
    nodes: list[Node] = field(default_factory=list)
    is_loose: bool = False

    @classmethod
    def opened(cls, id: str, unit: Unit, outline: Outline) -> List:
        token = unit.tokens[0]
        start: Attrs = tuple((name, str(value)) for name, value in token.attrs.items())
        return cls(id, token.tag, start, token.markup, outline)

    def add(self, item: Item) -> None:
        self.nodes.append(self._li(len(self.nodes), item.html))
        self.is_loose = self.is_loose or item.is_loose

    def node(self, more: Sequence[Item] = ()) -> Node:
        """The list with `more` items behind those that are whole."""
        is_loose = self.is_loose or any(item.is_loose for item in more)
        nodes = [self._li(len(self.nodes) + at, item.html) for at, item in enumerate(more)]
        attrs = self.start if is_loose else (*self.start, ("data-tight", ""))
        return Node(self.id, self.tag, attrs, children=(*self.nodes, *nodes))

    def _li(self, index: int, html: str) -> Node:
        return Node(f"{self.id}-{index}", "li", html=html)

    def read_item(
        self, prose: Markdown, source: str, references: References, *, is_last: bool
    ) -> Item:
        """The item whose lines are `source`; the lines of one that is not last end at the next."""
        follower = f"{self.marker} x\n" if self.tag == "ul" else f"1{self.marker} x\n"
        whole = source if is_last else source + follower
        read = prose.read(whole, references, outline=self.outline)[0]
        if read.is_too_deep:
            return Item(f"<p>{plain(source)}</p>", is_loose=False)
        # Blank lines behind the last item part it from nothing.
        outline = prose.outline(f"{source.rstrip()}\n{follower}")[0] if is_last else read
        return Item(inner(prose, next(item_tokens(read))), not _is_tight(outline))


def items(prose: Markdown, unit: Unit) -> list[Item]:
    """The items of an open list, as long as the last one grows."""
    if unit.is_too_deep:
        return [Item("<p>…</p>", is_loose=False)]
    is_loose = any(_is_paragraph(token) and not token.hidden for token in unit.tokens)
    return [Item(inner(prose, tokens), is_loose) for tokens in item_tokens(unit)]


def item_lines(unit: Unit) -> list[tuple[int, int]]:
    """The lines of each item; blank ones belong to the item before them."""
    starts = [
        token.map[0]
        for token in unit.tokens
        if token.type == "list_item_open" and token.level == 1 and token.map
    ]
    return list(zip(starts, [*starts[1:], unit.end], strict=True))


def item_tokens(unit: Unit) -> Iterator[Sequence[Token]]:
    start = 0
    for index, token in enumerate(unit.tokens):
        if token.level == 1 and token.type == "list_item_open":
            start = index + 1
        elif token.level == 1 and token.type == "list_item_close":
            yield unit.tokens[start:index]


def inner(prose: Markdown, tokens: Sequence[Token]) -> str:
    shown = [
        token.copy(hidden=False) if token.level == 2 and token.hidden else token for token in tokens
    ]
    return prose.html(shown)


def _is_paragraph(token: Token) -> bool:
    return token.level == 2 and token.type == "paragraph_open"


def _is_tight(unit: Unit) -> bool:
    """Whether the last item, one line of text, was read as part of a tight list."""
    return [token.hidden for token in unit.tokens if _is_paragraph(token)][-1]
