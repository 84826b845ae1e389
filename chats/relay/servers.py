"""The MCP servers that v0 has for this installation's key, and changes to them.

Owns what this process keeps of the list for a moment: names, never what authenticates.
Relies on v0's client through the running relay. Everything here but `known` waits for v0, in the
caller's thread; V0Error or TimeoutError when v0 does not take it or does not say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from chats import relay
from chats.v0api.client import Client
from chats.v0api.mcp_servers import McpServer

Result = TypeVar("Result")

# Seconds for which the list is believed. What is changed in this process is known at once.
FRESH = 60.0


class Server(NamedTuple):
    """What the composer shows of one."""

    id: str
    name: str
    enabled: bool


_kept: tuple[float, tuple[Server, ...]] | None = None


def known() -> tuple[Server, ...] | None:
    """The list as it was at most FRESH seconds ago; None when nobody asked lately."""
    if _kept is None or time.monotonic() - _kept[0] > FRESH:
        return None
    return _kept[1]


def names() -> tuple[Server, ...]:
    """The list, asked for when it is not known."""
    found = known()
    return tuple(map(_server, every())) if found is None else found


def every() -> tuple[McpServer, ...]:
    """All there is to know, fresh; of what authenticates v0 gives what it gives."""
    global _kept
    found = relay.ask_v0(lambda client: client.list_mcp_servers())
    _kept = time.monotonic(), tuple(map(_server, found))
    return found


def change(work: Callable[[Client], Coroutine[Any, Any, Result]]) -> Result:
    """Let `work` change something; the list is asked for again after it, whatever came of it."""
    global _kept
    try:
        return relay.ask_v0(work)
    finally:
        _kept = None


def _server(server: McpServer) -> Server:
    return Server(server.id, server.name, server.enabled)


def name_of(id: str, servers: tuple[Server, ...] | None) -> str:
    """The name of a server, or its id where that is all there is."""
    return next((each.name for each in servers or () if each.id == id and each.name), id)
