"""Long runs of steps, folded into one line that says what they did and opens.

Owns which parts fold and the words of the line. Relies on the state that a part's shell has. What
failed, runs, is dangerous or asks a person never folds and ends the run: a closed line hides nothing
that anybody has to see. A group is named after its first part, so that it stays the same element
while steps join it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby, takewhile
from operator import is_
from typing import Any

from django.template.loader import render_to_string

from chats.live.state import Attrs, Node
from chats.rendering import words
from chats.rendering.parts import PartView
from chats.rendering.timeline import SECOND, span
from chats.v0api.types import (
    BashPart,
    FileEditPart,
    FileReadPart,
    Part,
    SearchPart,
    ThinkingPart,
    ToolCallPart,
)

# Fewer steps than this are read as fast as a line about them.
LEAST = 4
GROUP: Attrs = (("class", "group"),)
HEAD: Attrs = (("class", "part-head"),)


@dataclass(frozen=True, slots=True)
class Step:
    """A part, its place among all parts, and what shows it."""

    index: int
    part: Part
    view: PartView


def folds(part: Part, state: str) -> bool:
    """Whether a closed line may hide this part."""
    if state != "done":
        return False
    match part:
        case ThinkingPart() | FileReadPart() | FileEditPart() | SearchPart():
            return True
        case BashPart(is_dangerous=is_dangerous):
            return not is_dangerous
        case ToolCallPart(suggested_permissions=permissions):
            return not permissions
        case _:
            return False


class Groups:
    """The groups of one answer while it grows; one that did not change is the same object again."""

    def __init__(self, id: str) -> None:
        self._id = id
        self._made: dict[int, Node] = {}
        self._before: tuple[Node, ...] = ()
        self._arranged: tuple[Node, ...] = ()
        self._kind = False, False

    def arranged(
        self, parts: Sequence[Part], views: Sequence[PartView], *, cut: bool
    ) -> Sequence[Node]:
        """The nodes of all parts in their order, long runs of them inside a group. In an answer that
        was `cut` off, what had not ended stays outside."""
        nodes = tuple(view.node for view in views)
        same = sum(1 for _ in takewhile(bool, map(is_, nodes, self._before)))
        is_open_ended = bool(views) and not _folds(parts[len(views) - 1], views[-1], cut=cut)
        kind, former = (is_open_ended, cut), self._kind
        # While the last one grows, everything before it is as it was.
        if is_open_ended and kind == former and len(self._before) == len(nodes) == same + 1:
            self._arranged = (*self._arranged[:-1], nodes[-1])
        else:
            steps = map(Step, count(), parts, views)
            self._arranged = tuple(self._folded(steps, cut=cut))
        self._before, self._kind = nodes, kind
        return self._arranged

    def _folded(self, steps: Iterable[Step], *, cut: bool) -> Iterator[Node]:
        for folding, run in groupby(steps, lambda step: _folds(step.part, step.view, cut=cut)):
            listed = tuple(run)
            if folding and sum(not step.view.is_hidden for step in listed) >= LEAST:
                yield self._group(listed)
            else:
                yield from (step.view.node for step in listed)

    def _group(self, steps: Sequence[Step]) -> Node:
        first = steps[0].index
        id, nodes = f"{self._id}-g{first}", tuple(step.view.node for step in steps)
        known = self._made.get(first)
        if known is None or known.children[1:] != nodes:
            html = render_to_string("parts/_group.html", head([step.part for step in steps]))
            summary = Node(f"{id}-h", "summary", HEAD, html.strip())
            known = self._made[first] = Node(id, "details", GROUP, children=(summary, *nodes))
        return known


def _folds(part: Part, view: PartView, *, cut: bool) -> bool:
    return folds(part, view.state) and not (cut and not part.finished_at)


def head(parts: Sequence[Part]) -> dict[str, Any]:
    """The context of parts/_group.html."""
    began, ended = span(parts)
    return {"did": did(parts), "lasted": words.lasted((ended - began) / SECOND)}


def did(parts: Sequence[Part]) -> str:
    """ "Read 6 files, ran 3 commands": files count once, everything else as often as it was done, and
    thoughts only where there is nothing else."""
    read = {path for part in parts if isinstance(part, FileReadPart) for path in part.paths}
    counts = {
        "read": len(read) or _count(parts, FileReadPart),
        "search": _count(parts, SearchPart),
        "edit": len({part.path for part in parts if isinstance(part, FileEditPart)}),
        "bash": _count(parts, BashPart),
        "tool": _count(parts, ToolCallPart),
    }
    if not any(counts.values()):
        counts["thinking"] = _count(parts, ThinkingPart)
    told = ", ".join(words.counted(kind, count) for kind, count in counts.items() if count)
    return told[:1].upper() + told[1:]


def _count(parts: Iterable[Part], kind: type[Part]) -> int:
    return sum(isinstance(part, kind) for part in parts)
