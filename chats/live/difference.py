"""The difference between two States, as operations on elements that have ids.

Owns the operations and how they are found. Relies on `state`, and never touches HTML.

    put      replace the element that has the node's id, else append it to `parent`
    move     the same, and it becomes the last child of `parent`, wherever it stood
    attrs    set and remove attributes of one element, leaving its children alone
    delete   remove one element

Children are compared by id. Ids of parts and blocks are made from their index, so rewritten,
inserted, removed and retyped parts need no case of their own. A part moves when the run of steps
that it belongs to is folded around it. Applying a difference twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chats.live.state import Attrs, Node, State

MESSAGES = "messages"
PAGE = ""


@dataclass(frozen=True, slots=True)
class Put:
    parent: str
    node: Node


@dataclass(frozen=True, slots=True)
class Move:
    """`node` may stand anywhere, or nowhere yet: afterwards it is the last child of `parent`."""

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


Operation = Put | Move | SetAttrs | Delete | Stale


def difference(old: State, new: State) -> tuple[Operation, ...]:
    """Operations that make a page showing `old` show `new`; none when they show the same.

    A message that is in `old` only stays on the page, as history. One that is in `new` only is put
    at the end, unless it belongs before one that the page has: then the list is stale.
    """
    return tuple(_moving(list(_state(old, new))))


@dataclass(frozen=True, slots=True)
class _Gone:
    """What is missing in one place, and may come in another."""

    node: Node


def _moving(found: list[Operation | _Gone]) -> Iterator[Operation]:
    """What goes in one place and comes in another is one move, and whatever comes behind it too: a
    frame that is applied twice must find the same order. An element goes after what moves out of it."""
    put = [each.node for each in found if isinstance(each, Put)]
    tops = {node.id for node in put}
    come = tops | {child.id for node in put for child in node.children}
    leaving = [each.node for each in found if isinstance(each, _Gone) and each.node.id not in tops]
    gone = {each.node.id for each in found if isinstance(each, _Gone)}
    gone |= {child.id for node in leaving for child in node.children}
    late = {node.id for node in leaving if any(child.id in come for child in node.children)}
    moving: set[str] = set()
    for each in found:
        match each:
            case _Gone(node):
                if node.id not in come | late:
                    yield Delete(node.id, node.tag)
            case Put(parent, node) if node.id in gone or parent in moving:
                moving.add(parent)
                yield from _refilled(Move(parent, node), gone)
            case Put():
                yield from _refilled(each, gone)
            case _:
                yield each
    yield from (Delete(node.id, node.tag) for node in leaving if node.id in late)


def _refilled(operation: Put | Move, gone: set[str]) -> Iterator[Operation]:
    """An element that comes around others which are there already is put without them, and they
    move into it: what a reader has opened in them stays."""
    node = operation.node
    known = (at for at, child in enumerate(node.children) if child.id in gone)
    first = next(known, len(node.children))
    if first == len(node.children):
        yield operation
        return
    yield replace(operation, node=replace(node, children=node.children[:first]))
    yield from (Move(node.id, child) for child in node.children[first:])


def _state(old: State, new: State) -> Iterator[Operation | _Gone]:
    if old is new:
        return
    yield from _fixed(old.fixed, new.fixed)
    if old.messages is new.messages:
        return
    if _grows(old.messages, new.messages):
        kept = {node.id for node in new.messages}
        shown = [node for node in old.messages if node.id in kept]
        yield from _children(MESSAGES, shown, new.messages)
    else:
        yield Stale()


def _node(parent: str, old: Node, new: Node) -> Iterator[Operation | _Gone]:
    if old is new:
        return
    # Most of a long answer is one object in both: a chunk must not cost a look at every block.
    same = _shared(old.children, new.children)
    before, after = old.children[same:], new.children[same:]
    if old.tag != new.tag or old.html != new.html:
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


def _fixed(old: Sequence[Node], new: Sequence[Node]) -> Iterator[Operation | _Gone]:
    """Elements that have a place of their own on the page: their order says nothing."""
    before = {node.id: node for node in old}
    after = {node.id for node in new}
    yield from (Delete(node.id, node.tag) for node in old if node.id not in after)
    for node in new:
        if node.id in before:
            yield from _node(PAGE, before[node.id], node)
        else:
            yield Put(PAGE, node)


def _children(parent: str, old: Sequence[Node], new: Sequence[Node]) -> Iterator[Operation | _Gone]:
    """What stays in its order comes first; everything behind it is put again."""
    count = _kept(old, new)
    before = {node.id: node for node in old}
    stays = {node.id for node in new[:count]}
    yield from (_Gone(node) for node in old if node.id not in stays)
    for node in new[:count]:
        yield from _node(parent, before[node.id], node)
    yield from (Put(parent, node) for node in new[count:])


def _kept(old: Sequence[Node], new: Sequence[Node]) -> int:
    """How many nodes at the start of `new` are in `old`, in the same order."""
    places = {node.id: place for place, node in enumerate(old)}
    last = -1
    for count, node in enumerate(new):
        place = places.get(node.id, -1)
        if place <= last:
            return count
        last = place
    return len(new)
