"""The values a page is made of: nodes with DOM ids, and the State of one chat.

Owns the shape of what readers see. Relies on nothing, and never holds anything that differs from
one reader to the next. Values are immutable and share structure: an unchanged part of a new State
is the same object as in the old one, which is what makes `difference` cheap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Attrs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One element that a frame can address: a shell (tag, id, attributes) around its content.

    The content is either `html` (finished, safe HTML that is only ever replaced as a whole) or
    `children`, each with an id of its own. A node never has both. `attrs` holds every attribute
    except `id`, values unescaped; a bare attribute such as `hidden` has the value "".
    """

    id: str
    tag: str = "div"
    attrs: Attrs = ()
    html: str = ""
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This node and everything below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class State:
    """What readers of one chat see that can change.

    `fixed` are elements that stand on every page of the chat (title, counters, marks), matched by
    id. `messages` are the children of the element `#messages` that run or have ended a moment ago,
    in the order of the chat; older ones are history, which the page has and the State has not.
    """

    fixed: tuple[Node, ...] = ()
    messages: tuple[Node, ...] = ()
