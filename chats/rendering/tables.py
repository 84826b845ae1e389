"""A long open table: sections that are rendered once, each below the same head.

Owns the rows that a section has taken. A row beside other elements is lost when a browser parses a
frame, so a section is a table of its own; when the table ends it becomes one again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chats.live.state import Node
from chats.rendering.markdown import Markdown, References


@dataclass(slots=True)
class Table:
    """`head` are the two lines that make it a table."""

    id: str
    head: str
    rows: list[str] = field(default_factory=list)
    sections: list[Node] = field(default_factory=list)

    def add(self, prose: Markdown, rows: str, references: References) -> None:
        if rows:
            self.rows.append(rows)
            units = prose.read(self.head + rows, references)
            self.sections.append(self._section(prose.html(units[0].tokens)))

    def source(self, rows: str) -> str:
        return self.head + "".join(self.rows) + rows

    def node(self, more: str = "") -> Node:
        """The sections, and the HTML of one more that is not whole."""
        sections = (*self.sections, self._section(more)) if more else tuple(self.sections)
        return Node(self.id, attrs=(("class", "table"),), children=sections)

    def _section(self, html: str) -> Node:
        return Node(f"{self.id}-{len(self.sections)}", html=html)


def is_sparse(lines: Sequence[str]) -> bool:
    """Whether rows have less than half the cells of their head, so that most would be made up."""
    head, _, *rows = lines
    return sum(row.count("|") for row in rows) * 2 < head.count("|") * len(rows)
