"""A node as HTML.

Owns the one place where a shell is written. Relies on a node's `html` being safe already: it
escapes attribute values and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from chats.live.state import Attrs, Node

NOTHING: Mapping[str, str] = {}


def attributes(attrs: Attrs) -> str:
    return "".join(f' {name}="{escape(value)}"' if value else f" {name}" for name, value in attrs)


def render(node: Node, *, extra: str = "", fill: Mapping[str, str] = NOTHING) -> str:
    """The element's outer HTML.

    `extra` is put into the start tag as it is; `fill` gives, by id, the safe HTML that one reader's
    page has inside a leaf which frames leave empty.
    """
    if node.children:
        content = "".join(render(child, fill=fill) for child in node.children)
    else:
        content = fill.get(node.id, node.html)
    return (
        f'<{node.tag} id="{escape(node.id)}"{attributes(node.attrs)}{extra}>{content}</{node.tag}>'
    )
