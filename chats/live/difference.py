"""The difference between two States, as operations on elements that have ids.

Owns the operations and how they are found. Relies on `state`, and never touches HTML.

    put      replace the element that has the node's id, else append it to `parent`
    attrs    set and remove attributes of one element, leaving its children alone
    delete   remove one element

Children are compared by id. Ids of parts and blocks are made from their index, so rewritten,
inserted, moved, removed and retyped parts need no case of their own. Applying a difference twice
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chats.live.state import Attrs, Node, State

MESSAGES = "messages"
PAGE = ""


@dataclass(frozen=True, slots=True)
class Put:
    parent: str
    node: Node


@dataclass(frozen=True, slots=True)
class SetAttrs:
    """`set` are the attributes that are new or have a new value, `gone` the names that went."""

    id: str
    tag: str
    set: Attrs
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    id: str
    tag: str = "div"


@dataclass(frozen=True, slots=True)
class Stale:
    """The list of messages cannot be brought up to date by operations: refetch its window."""


Operation = Put | SetAttrs | Delete | Stale


def difference(old: State, new: State) -> tuple[Operation, ...]:
    """Operations that make a page showing `old` show `new`; none when they show the same.

    A message that is in `old` only stays on the page, as history. One that is in `new` only is put
    at the end, unless it belongs before one that the page has: then the list is stale.
    """
    return tuple(_state(old, new))


def _state(old: State, new: State) -> Iterator[Operation]:
    if old is new:
        return
    yield from _children(PAGE, old.fixed, new.fixed)
    if old.messages is new.messages:
        return
    if _grows(old.messages, new.messages):
        kept = {node.id for node in new.messages}
        shown = [node for node in old.messages if node.id in kept]
        yield from _children(MESSAGES, shown, new.messages)
    else:
        yield Stale()


def _node(parent: str, old: Node, new: Node) -> Iterator[Operation]:
    if old is new:
        return
    # Most of a long answer is one object in both: a chunk must not cost a look at every block.
    same = _shared(old.children, new.children)
    before, after = old.children[same:], new.children[same:]
    if old.tag != new.tag or old.html != new.html or not _grows(before, after):
        yield Put(parent, new)
        return
    if old.attrs != new.attrs:
        yield from _attrs(old, new)
    yield from _children(new.id, before, after)


def _shared(old: Sequence[Node], new: Sequence[Node]) -> int:
    """How many nodes at the start are the same objects."""
    count = 0
    for before, after in zip(old, new, strict=False):
        if before is not after:
            break
        count += 1
    return count


def _grows(old: Sequence[Node], new: Sequence[Node]) -> bool:
    """Whether `new` is what is left of `old`, in its order, followed by new nodes."""
    had = {node.id for node in old}
    has = {node.id for node in new}
    kept = [node.id for node in old if node.id in has]
    return [node.id for node in new if node.id in had] == kept == [n.id for n in new[: len(kept)]]


def _attrs(old: Node, new: Node) -> Iterator[SetAttrs]:
    before, after = dict(old.attrs), dict(new.attrs)
    changed = tuple((name, value) for name, value in new.attrs if before.get(name) != value)
    gone = tuple(name for name in before if name not in after)
    if changed or gone:
        yield SetAttrs(new.id, new.tag, changed, gone)


def _children(parent: str, old: Sequence[Node], new: Sequence[Node]) -> Iterator[Operation]:
    before = {node.id: node for node in old}
    after = {node.id for node in new}
    for node in old:
        if node.id not in after:
            yield Delete(node.id, node.tag)
    for node in new:
        if node.id in before:
            yield from _node(parent, before[node.id], node)
        else:
            yield Put(parent, node)
