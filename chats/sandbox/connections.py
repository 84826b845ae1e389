"""The sockets below the server, for the faults that only a socket can show.

Owns a uvicorn protocol that remembers its transport by the client's address. Relies on uvicorn
with h11. It changes nothing about how a request is read or answered.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

Address = tuple[str, int]

open_transports: dict[Address, asyncio.Transport] = {}

LINGER_ZERO = struct.pack("ii", 1, 0)


class Protocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address: Address = tuple(transport.get_extra_info("peername")[:2])
        open_transports[self.address] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        open_transports.pop(self.address, None)
        super().connection_lost(exc)


def transport_of(scope: MutableMapping[str, Any]) -> asyncio.Transport:
    host, port = scope["client"]
    return open_transports[host, port]


def reset(transport: asyncio.Transport) -> None:
    """A TCP RST: what has not left this process yet is lost."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    transport.abort()


def drop_all() -> None:
    for transport in list(open_transports.values()):
        transport.abort()
