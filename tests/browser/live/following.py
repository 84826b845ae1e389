"""A small answer to send, and what to wait for in a tab that follows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chats.live.state import Node
from tests.browser.live.site import PATIENCE, Socket

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

Send = Callable[..., None]
Follow = Callable[..., Send]
Early = Callable[[str], None]


def details(
    *blocks: str, is_open: bool = False, tag: str = "details", state: str = "running"
) -> Node:
    body = tuple(Node(f"m1-p0-b{index}", html=block) for index, block in enumerate(blocks))
    return Node(
        "m1-p0",
        tag,
        (("data-state", state), *([("open", "")] if is_open else [])),
        children=(
            Node("m1-p0-h", "summary", html="Thought"),
            Node("m1-p0-b", children=body),
        ),
    )


def article(*children: Node, state: str = "streaming") -> Node:
    attrs = (("data-message", "1"), ("data-state", state), ("class", "message"))
    end = (Node("m1-end", html=""), Node("m1-own"))
    return Node("m1", "article", attrs, children=(Node("m1-parts", children=children), *end))


def connection(tab: Tab) -> str:
    return str(tab.evaluate("document.documentElement.dataset.connection"))


def wait_for(tab: Tab, expression: str, argument: Any = None) -> None:
    """Until a function of the page gives a true value: a mere expression is refused by the policy."""
    tab.wait_for_function(expression if "=>" in expression else f"() => {expression}", arg=argument)


def stand(tab: Tab, position: str) -> None:
    """Until the page has applied the frame that ends with this position."""
    wait_for(tab, "at => document.querySelector('#at').dataset.at === at", position)


def wait_until_closed(socket: Socket) -> None:
    assert socket.ended.wait(PATIENCE)
