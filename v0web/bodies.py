"""One HTTP request as Daphne's server reads and answers it, with a limit to its body.

Owns the refusal of a body while it arrives: by its announced length before any of it was read, and
by what was counted when none was announced. Owns also that an answer in pieces is sent no faster than the
peer reads, and that one which breaks off is seen to. Form fields are Django's to parse; Twisted's parser
would hold up every socket meanwhile. Relies on `pacing` for the pace.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest

from v0web.pacing import Paced

WORDS = (
    b"This is more than can be sent at once, and nothing of it was taken. "
    b"Go back: what you wrote is still there. Then leave out files, or make them smaller.\n"
)
TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Cache-Control: no-store\r\n"
    b"Connection: close\r\n"
    b"\r\n"
    b"%b"
) % (len(WORDS), WORDS)
# Seconds for which what a refused peer still sends is read and dropped: a connection that is closed
# with unread bytes is reset, and the peer never sees why.
LINGER = 5.0
# How much longer than an open socket's a peer may take nothing of its answer: no page would fetch it again.
PATIENCE = 4

logger = logging.getLogger("v0web.server")


class BoundedRequest(Paced, WebRequest):  # type: ignore[misc]
    """A request whose body has at most `Limits.of(path)` bytes, in memory or on disk."""

    error_template = "<!doctype html><title>%(title)s</title><p>%(body)s</p>\n"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "parsePOSTFormSubmission": False})
        self.limit = 0
        self.received = 0
        self.refused = False
        self.dropping: Any = None

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        # A header by which Daphne lets a proxy name a prefix; from a browser it would forge links.
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        self.limit = self.server.options.limit_of(self.channel._path)
        super().gotLength(min(length, self.limit) if length is not None else None)
        if length is not None and length > self.limit:
            self.refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self.received += len(data)
        if self.refused:
            return
        if self.received > self.limit:
            self.refuse()
            return
        super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        if not self.refused:
            super().requestReceived(command, path, version)

    def refuse(self) -> None:
        """Answer 413 now, and end the connection once the peer has done so or LINGER is over."""
        from twisted.internet import reactor

        self.refused = True
        self.content.close()
        self.requestHeaders.removeHeader(b"Expect")
        self.channel.transport.write(TOO_LARGE)
        self.channel.transport.loseWriteConnection()
        self.dropping = reactor.callLater(LINGER, self.channel.transport.abortConnection)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        if self.dropping is not None and self.dropping.active():
            self.dropping.cancel()
        self.resumeProducing()
        super().connectionLost(reason)

    # As the producer of its answer

    def handle_reply(self, message: dict[str, Any]) -> None:
        goes_on = message["type"] == "http.response.body" and message.get("more_body")
        if goes_on and not self.producer and not self.finished and self.channel is not None:
            self.registerProducer(self, True)
        super().handle_reply(message)

    def finish(self) -> None:
        if self.producer:
            self.unregisterProducer()
        super().finish()

    @property
    def transport_of_peer(self) -> Any:
        return self.channel.transport

    @property
    def patience(self) -> float:
        return float(PATIENCE * self.server.options.stall)

    def give_up(self) -> None:
        logger.warning("an answer of which nothing was taken for %g s was given up", self.patience)
        self.abort()

    def handle_exception(self, exception: Exception) -> None:
        """What has begun and cannot be ended must not look whole."""
        if self._response_started:
            self.abort()
        else:
            super().handle_exception(exception)

    def abort(self) -> None:
        self.resumeProducing()
        if not self.finished and self.channel is not None:
            self.channel.transport.abortConnection()


class RequestFactory(HTTPFactory):  # type: ignore[misc]
    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol


def limit_of(path: bytes, *, common: int, routes: Mapping[str, int]) -> int:
    """The most bytes for `path`: that of the first pattern that is all of it, else the common."""
    text = path.partition(b"?")[0].decode("latin-1")
    return next((most for route, most in routes.items() if re.fullmatch(route, text)), common)
