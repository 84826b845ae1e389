"""Operations as one htmx message: a frame.

Owns how each operation is written for the browser's half (`static/js/live.js`). Relies on `live`
for the operations and the HTML of nodes, and never makes content of its own.

    put       the node's HTML       hx-swap-oob="put:#PARENT"
    move      the node's HTML       hx-swap-oob="move:#PARENT"
    attrs     what changed          hx-swap-oob="attrs" data-gone="NAMES THAT WENT"
    delete    the tag and the id    hx-swap-oob="delete"
    stale     <i id="at"            hx-swap-oob="attrs" data-stale>

The browser parses a frame inside a `<template>`, where a `<tr>`, `<td>` or `<tbody>` beside other
elements is lost: no node has such a tag, an open table is one leaf.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from chats.live.difference import PAGE, Delete, Move, Operation, Put, SetAttrs, Stale
from chats.live.html import attributes, render
from chats.live.state import Node

# Where an element of the page goes that no page has yet: a mark that came later.
MARKS = "marks"


def frame(operations: Iterable[Operation], position: str, version: int | None = None) -> str:
    """The operations in their order, then the position that a page which applied them stands at.

    `version` is the chat's version where it is known, so that a page which reconnects can tell it.
    """
    return "".join(map(_element, operations)) + _at(position, version)


def beat(position: str) -> str:
    """The frame that says nothing but that the connection lives."""
    return frame((), position)


def mark(name: str, version: int) -> str:
    """A mark of one person's own, which no State holds: the position stays where it is."""
    attrs = (("data-mark", name), ("data-version", str(version)))
    return _element(Put(PAGE, Node(f"mark-{name}", "i", attrs)))


def _element(operation: Operation) -> str:
    match operation:
        case Put(parent, node):
            parent = MARKS if parent == PAGE else parent
            return render(node, extra=f' hx-swap-oob="put:#{escape(parent)}"')
        case Move(parent, node):
            return render(node, extra=f' hx-swap-oob="move:#{escape(parent)}"')
        case SetAttrs(id, tag, set_, gone):
            names = f' data-gone="{escape(" ".join(gone))}"' if gone else ""
            return _empty(tag, id, f'{attributes(set_)} hx-swap-oob="attrs"{names}')
        case Delete(id, tag):
            return _empty(tag, id, ' hx-swap-oob="delete"')
        case Stale():
            return _empty("i", "at", ' data-stale hx-swap-oob="attrs"')


def _at(position: str, version: int | None) -> str:
    known = "" if version is None else f' data-version="{version}"'
    return _empty("i", "at", f' data-at="{escape(position)}"{known} hx-swap-oob="attrs"')


def _empty(tag: str, id: str, attrs: str) -> str:
    return f'<{tag} id="{escape(id)}"{attrs}></{tag}>'
