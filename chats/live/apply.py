"""Operations applied to a State, as a browser applies them to its page.

Owns the meaning of the operations on values, for hubs that follow another process and for the
tests of the law: `apply(old, difference(old, new))` shows what `new` shows. Relies on `state` and
`difference`, and never rebuilds what an operation leaves alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from chats.live.difference import MESSAGES, PAGE, Delete, Move, Operation, Put, SetAttrs, Stale
from chats.live.state import Attrs, Node, State

ROOT = "\0page"
Change = Callable[[Node], Node | None]


def apply(state: State, operations: Iterable[Operation]) -> State:
    """`state` after `operations`.

    LookupError when one puts into or sets an element that is not there, or says that the list is
    stale. Deleting what is not there changes nothing.
    """
    page = Node(ROOT, children=(Node(MESSAGES, children=state.messages), *state.fixed))
    for operation in operations:
        page = _apply(page, operation)
    messages, *fixed = page.children
    return State(tuple(fixed), messages.children)


def _apply(page: Node, operation: Operation) -> Node:
    match operation:
        case Put(parent, node) if parent == PAGE:
            return _put(page, node)
        case Put(parent, node):
            return _changed(page, parent, lambda at: _put(at, node))
        case Move(parent, node):
            rest = _change(page, node.id, lambda _: None) or page
            return _changed(rest, parent, lambda at: _put(at, node))
        case SetAttrs(id=id, set=set_, gone=gone):
            return _changed(page, id, lambda at: replace(at, attrs=_merge(at.attrs, set_, gone)))
        case Delete(id):
            return _change(page, id, lambda _: None) or page
        case Stale():
            raise LookupError("the list of messages is stale")


def _put(parent: Node, node: Node) -> Node:
    for index in reversed(range(len(parent.children))):
        if parent.children[index].id == node.id:
            return _splice(parent, index, (node,))
    return replace(parent, children=(*parent.children, node), html="")


def _merge(attrs: Attrs, set_: Attrs, gone: tuple[str, ...]) -> Attrs:
    merged = {name: value for name, value in attrs if name not in gone}
    merged.update(set_)
    return tuple(merged.items())


def _changed(page: Node, id: str, change: Change) -> Node:
    changed = _change(page, id, change)
    if changed is None:
        raise LookupError(id)
    return changed


def _change(node: Node, id: str, change: Change) -> Node | None:
    """`node` with the element `id` below it changed, or removed where `change` gives None.

    None when it is not there. The last children are looked at first: an answer grows at its end.
    """
    for index in reversed(range(len(node.children))):
        if node.children[index].id == id:
            changed = change(node.children[index])
            return _splice(node, index, () if changed is None else (changed,))
    for index in reversed(range(len(node.children))):
        child = node.children[index]
        below = _change(child, id, change) if child.children else None
        if below is not None:
            return _splice(node, index, (below,))
    return None


def _splice(node: Node, index: int, nodes: tuple[Node, ...]) -> Node:
    # Not `replace`, which takes several times as long: every operation comes by here at each depth.
    children = (*node.children[:index], *nodes, *node.children[index + 1 :])
    return Node(node.id, node.tag, node.attrs, node.html, children)
