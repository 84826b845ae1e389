"""One part of an answer as a node: a shell with attributes, a head, a body of blocks.

Owns what of a part is made again when it changed. Relies on `bodies` for what each type shows and
on `prose` for Markdown; never looks at a part whose wire object is the one it saw before.

A part that has something to unfold is a `<details>`. Frames send only attributes that changed, so
what a reader opened or closed stays until the part itself begins or ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from django.template.loader import render_to_string

from chats.live.state import Attrs, Node
from chats.rendering import asks
from chats.rendering.bodies import values
from chats.rendering.heads import Context, Shell, head, shell, state_of
from chats.rendering.pieces import Pieces, plain
from chats.rendering.prose import Prose
from chats.v0api.types import AgentActionPart, BashPart, Part, TextPart, ThinkingPart

# Characters of a command's output that a page shows.
OUTPUT = 256 * 1024
# Colours and cursors of a terminal, and the half of one whose rest is on its way.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[^\n]?)")


PLAIN: Attrs = (("class", "part-body"),)
# It scrolls, which the keyboard can do only to what takes the focus.
TERMINAL: Attrs = (("class", "part-body"), ("tabindex", "0"))
PROSE: Attrs = (("class", "part-body prose"),)


class PartView:
    """The node of one part while it grows: `<id>`, `<id>-h`, `<id>-b`, `<id>-b0`, …"""

    node: Node

    def __init__(self, id: str, kind: str) -> None:
        self.kind = kind
        self._id = id
        self._wire: object = None
        self._shell: Shell | None = None
        self._is_live = True
        self._is_newest = True
        self._context: Context = {}
        self._head = Node(f"{id}-h")
        self._body = Node(f"{id}-b", attrs=PLAIN)
        self._prose: Prose | None = None
        self._output: Pieces | None = None
        self._raw = ""

    @property
    def state(self) -> str:
        return self._shell.state if self._shell else ""

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def is_hidden(self) -> bool:
        return self._shell is not None and self._shell.is_hidden

    def stands(self, part: Part, *, is_live: bool, is_newest: bool) -> bool:
        """Whether an update would change nothing."""
        seen = self._is_live, self._is_newest
        return part.wire is self._wire and seen == (is_live, is_newest)

    def update(self, part: Part, *, is_live: bool, is_newest: bool = True) -> Iterator[None]:
        """Bring `node` up to `part`; gives way between bounded pieces of work."""
        state = state_of(part, is_live=is_live)
        self._is_live = is_live
        if part.wire is self._wire and (self.state, self._is_newest) == (state, is_newest):
            return
        self._wire, self._is_newest = part.wire, is_newest
        yield from self._fill(part, closed=state != "running")
        yield
        self._shell = shell(part, state, has_body=bool(self._body.children), is_newest=is_newest)
        self._set_head(part, self._shell)
        self.node = self._assembled(self._shell)

    def _fill(self, part: Part, *, closed: bool) -> Iterator[None]:
        match part:
            case TextPart(text=text):
                yield from self._fill_prose(text, closed=closed, with_projects=False)
            case ThinkingPart(text=text):
                yield from self._fill_prose(text, closed=closed, with_projects=True)
            case AgentActionPart() if (plan := asks.plan(part)) is not None:
                yield from self._fill_prose(plan, closed=closed, with_projects=True)
            case BashPart(output=output):
                self._set_body(self._pieces(output), TERMINAL)
            case _:
                self._set_body(tuple(self._values(part)))

    def _fill_prose(self, text: str, *, closed: bool, with_projects: bool) -> Iterator[None]:
        goes_on = self._prose is not None and self._prose.takes(text, closed=closed)
        if self._prose is None or not goes_on:
            self._prose = Prose(f"{self._id}-b", with_projects=with_projects)
        yield from self._prose.grow(text, closed=closed)
        nodes = self._prose.nodes
        self._set_body(nodes if goes_on else _reused(self._body.children, nodes), PROSE)

    def _pieces(self, output: str) -> tuple[Node, ...]:
        if self._output is None or not output.startswith(self._raw):
            self._output = Pieces(f"{self._id}-b", "div", terminal)
        self._raw = output
        shown = self._output.grow(output[:OUTPUT])
        if len(output) <= OUTPUT:
            return shown
        html = render_to_string("parts/_rest.html", {"characters": len(output) - OUTPUT})
        return (*shown, Node(f"{self._id}-b{len(shown)}", html=html.strip()))

    def _values(self, part: Part) -> Iterator[Node]:
        for index, (template, context) in enumerate(values(part)):
            html = render_to_string(f"parts/{template}.html", context).strip()
            yield Node(f"{self._id}-b{index}", html=html)

    def _set_body(self, nodes: tuple[Node, ...], attrs: Attrs = PLAIN) -> None:
        self._body = Node(self._body.id, attrs=attrs, children=nodes)

    def _set_head(self, part: Part, shell: Shell) -> None:
        context = head(part, shell)
        tag = "summary" if shell.unfolds else "div"
        if context == self._context and tag == self._head.tag:
            return
        self._context = context
        html = render_to_string(f"parts/{shell.template}.html", context).strip()
        attrs: Attrs = (("class", "part-head"),) if html else (("hidden", ""),)
        self._head = Node(self._head.id, tag, attrs, html)

    def _assembled(self, shell: Shell) -> Node:
        attrs = [("class", "part"), ("data-part", self.kind), ("data-state", shell.state)]
        if shell.is_open:
            attrs.append(("open", ""))
        if shell.is_hidden:
            attrs.append(("hidden", ""))
        tag = "details" if shell.unfolds else "div"
        return Node(self._id, tag, tuple(attrs), children=(self._head, self._body))


def terminal(output: str) -> str:
    """Output as plain text: without colours, and a line wherever a terminal would write over one."""
    text = ESCAPES.sub("", output) if "\x1b" in output else output
    return plain(text.replace("\r\n", "\n").replace("\r", "\n"))


def _reused(old: Sequence[Node], new: Sequence[Node]) -> tuple[Node, ...]:
    """`new`, with the objects of `old` where they are equal."""
    return tuple(
        old[at] if at < len(old) and old[at] == node else node for at, node in enumerate(new)
    )
