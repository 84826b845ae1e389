"""Which pages may open a socket.

Owns the comparison of a handshake's `Origin` with the exact addresses of settings. Browsers send
cookies with any page's handshake, so that a missing, repeated or merely similar origin is refused
before anything of ours runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class ExactOrigin:
    """Lets a handshake through whose one `Origin` header is, byte for byte, one of `origins`; any
    other is answered with 403."""

    def __init__(self, application: Application, origins: Iterable[str]) -> None:
        self.application = application
        self.origins = frozenset(origin.encode("ascii") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = [value for name, value in scope["headers"] if name.lower() == b"origin"]
        if len(given) == 1 and given[0] in self.origins:
            await self.application(scope, receive, send)
            return
        await send({"type": "websocket.close", "code": 4403})
