"""The Markdown of one part while its text grows.

Owns the step from a part's text to blocks: what was left out, what was taken already, and that a
text which is not what it was and more starts anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from chats.live.state import Node
from chats.rendering.blocks import Blocks
from chats.rendering.markdown import PROSE, Markdown
from chats.rendering.source import Source


class Prose:
    """One text; `nodes` are its blocks."""

    def __init__(self, id: str, *, with_projects: bool = False, prose: Markdown = PROSE) -> None:
        self._text = ""
        self._closed = False
        self._source = Source(with_projects=with_projects)
        self._blocks = Blocks(id, prose)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self._blocks.nodes

    def takes(self, text: str, *, closed: bool) -> bool:
        """Whether `text` goes on where the last one ended."""
        if self._closed:
            return closed and text == self._text
        return text.startswith(self._text)

    def grow(self, text: str, *, closed: bool) -> Iterator[None]:
        """Show `text`; exhaust it before the next call."""
        if self._closed:
            return
        self._text = text
        self._closed = closed
        yield from self._blocks.grow(self._source.take(text, closed=closed), closed=closed)
