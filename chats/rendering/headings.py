"""Which level a heading in an agent's prose gets on the page.

Owns one rule. A page has its title as `h1` and the author of each message as `h2`; whoever walks
a page by its headings relies on their levels. What an agent writes counts as it would in a document
of its own, so it often begins with `##`, or skips a level because a smaller one looks better. So a
heading is put one level below the nearest one above it that its author made larger: the order
and the nesting stay, the gaps do not. A heading inside a list or a quote belongs to the section
that the list or the quote is in.

What is shown depends on what is above alone, so it never changes while an answer grows.
"""

from __future__ import annotations

# The levels, as their author wrote them, of the headings that a place in a text is under.
Outline = tuple[int, ...]

MESSAGE = 2
LOWEST = 6


def under(outline: Outline, level: int) -> Outline:
    """The outline below a heading of `level`: what it does not end, and itself."""
    return (*(above for above in outline if above < level), level)


def tag(outline: Outline) -> str:
    """The tag of the last heading of `outline`."""
    return f"h{min(LOWEST, MESSAGE + len(outline))}"


def tag_inside(outline: Outline) -> str:
    """The tag of a heading in a list or a quote."""
    return f"h{min(LOWEST, MESSAGE + len(outline) + 1)}"
