"""Lists that come in pages, read one after the other.

Owns the way from cursor to cursor. Relies on whoever fetches a page; holds one page at a time, asks
for the next only when this one was used up, and ends: cursors that go in circles are InDoubt.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from chats.v0api.errors import InDoubt

Item = TypeVar("Item")
Cursor = str | None


async def every(
    fetch: Callable[[Cursor], Awaitable[tuple[Sequence[Item], Cursor]]],
) -> AsyncGenerator[Item]:
    """The items of all pages, from the one that cursor None stands for to the one without a next."""
    # Brent's: one remembered cursor, renewed ever more seldom, meets every circle.
    cursor: Cursor = None
    remembered, since, until = cursor, 0, 1
    while True:
        items, cursor = await fetch(cursor)
        for item in items:
            yield item
        if cursor is None:
            return
        if cursor == remembered:
            raise InDoubt("a list that goes in circles", status=200)
        since += 1
        if since == until:
            remembered, since, until = cursor, 0, until * 2
