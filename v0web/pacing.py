"""Answers that leave this process no faster than TCP takes them, and peers that take nothing.

Owns the wait between two pieces, and when it is over for good. Relies on Twisted's transport calling whoever mixes
this in as its producer. Knows neither HTTP nor WebSocket: what is given up, and how, is theirs.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Paced:
    """`waiting` is there while TCP takes no more."""

    waiting: asyncio.Event | None = None

    @property
    def transport_of_peer(self) -> Any:
        raise NotImplementedError

    @property
    def patience(self) -> float:
        """Seconds for which a peer may take nothing."""
        raise NotImplementedError

    def give_up(self) -> None:
        """Abort the connection of a peer that took nothing for that long."""
        raise NotImplementedError

    def pauseProducing(self) -> None:  # noqa: N802
        if self.waiting is None:
            self.waiting = asyncio.Event()

    def resumeProducing(self) -> None:  # noqa: N802
        if self.waiting is not None:
            self.waiting.set()
            self.waiting = None

    def stopProducing(self) -> None:  # noqa: N802
        self.resumeProducing()

    @property
    def unsent(self) -> int:
        """Bytes that TCP has not taken from this process yet."""
        transport = self.transport_of_peer
        return len(transport.dataBuffer) - int(transport.offset) + int(transport._tempDataLen)

    async def taken(self) -> None:
        """Returns when the peer has taken what was sent, or is gone. One that takes little is left alone."""
        while (waiting := self.waiting) is not None:
            before = self.unsent
            try:
                async with asyncio.timeout(self.patience):
                    await waiting.wait()
            except TimeoutError:
                if self.waiting is not None and self.unsent >= before:
                    self.give_up()
