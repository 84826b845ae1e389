"""One WebSocket as Daphne's server speaks it, with the limits that Daphne leaves out.

Owns fragments, compression, close codes and the end of a peer
that takes nothing. Relies on `pacing` for back-pressure. Knows no chat: the
application says what is sent and when it ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from v0web.pacing import Paced

logger = logging.getLogger(__name__)

# Bytes that wait in this process for one peer before `taken` waits; measured: 84 MiB without.
SEND_BUFFER = 128 * 1024
# Bytes in one WebSocket frame, so that a ping or a close is never behind more than that.
FRAGMENT = 32 * 1024
# Bytes of one message that a page may send; ours send none.
INCOMING = 4096
PING_EVERY = 20.0
PONG_WITHIN = 20.0
CLOSE_WITHIN = 2
RESTART = 1012
SLOW = 1013
# Access ended: the application's own codes.
ENDED = (4401, 4403, 4404)

# Every open page has a compressor of its own. Measured on recorded answers: frames shrink to 8-14 %
# with the context kept from one to the next (24-49 % without), with memory level 5 (32 KiB a socket)
# as well as with 8 (144 KiB), for 6-20 microseconds a frame.
WINDOW_BITS = 12
MEMORY_LEVEL = 5


class Socket(Paced, WebSocketProtocol):  # type: ignore[misc]
    """A peer that is sent to no faster than it reads.

    `taken()` returns when the peer has taken what was sent, or is gone. One that takes nothing for
    the server's `stall` seconds is logged with 1013 and aborted: a peer that does not read would
    not see a code either. One that takes little is left alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.heard = self.pinged = time.monotonic()
        self.unsent_before = 0

    def failHandshake(  # noqa: N802
        self,
        reason: str,
        code: int = 400,
        responseHeaders: object = None,  # noqa: N803
    ) -> None:
        """Say no, in words that repeat nothing of what the peer sent as autobahn's do. An origin
        that autobahn cannot read is one that may not connect."""
        status = HTTPStatus.FORBIDDEN if "Origin header" in reason else HTTPStatus(code)
        headers = [("Content-Length", "0"), ("Connection", "close")]
        super().failHandshake(status.phrase, status.value, headers)

    # As the transport's producer

    def onOpen(self) -> None:  # noqa: N802
        # The HTTP channel that this connection began as is still the producer.
        self.transport.unregisterProducer()
        self.transport.bufferSize = SEND_BUFFER
        self.transport.registerProducer(self, True)
        super().onOpen()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.resumeProducing()
        super().connectionLost(reason)

    @property
    def transport_of_peer(self) -> Any:
        return self.transport

    @property
    def patience(self) -> float:
        return float(self.server.options.stall)

    def give_up(self) -> None:
        logger.warning(
            "socket %s took nothing for %g s: closed with %s and aborted",
            self.path.decode("ascii"),
            self.server.options.stall,
            SLOW,
        )
        self.wasNotCleanReason = "took nothing"
        self.resumeProducing()
        self.dropConnection(abort=True)

    # What the application says

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        """In frames of at most FRAGMENT bytes. autobahn's own `sendMessage` would hold what is sent
        to the limit of what may come in."""
        if self.state != self.STATE_OPEN:
            return
        payload = content if isinstance(content, bytes) else content.encode()
        compressor = self._perMessageCompress
        if compressor is not None:
            compressor.start_compress_message()
            payload = compressor.compress_message_data(payload) + compressor.end_compress_message()
        opcode, compressed = 2 if binary else 1, 4 if compressor is not None else 0
        last = max(len(payload) - 1, 0) // FRAGMENT
        for index in range(last + 1):
            piece = payload[index * FRAGMENT : (index + 1) * FRAGMENT]
            self.sendFrame(
                opcode=0 if index else opcode,
                payload=piece,
                fin=index == last,
                rsv=0 if index else compressed,
            )

    def handle_reply(self, message: dict[str, Any]) -> None:
        """As Daphne's, which loses the reason of a close."""
        is_close = message.get("type") == "websocket.close"
        if not is_close or self.state == self.STATE_CONNECTING:
            super().handle_reply(message)
        else:
            self.serverClose(message.get("code"), message.get("reason") or "")

    def serverClose(self, code: int | None = None, reason: str = "") -> None:  # noqa: N802
        """With any code: autobahn's `sendClose` refuses 1012 and 1013, and the peer sees 1011.

        A peer that does not answer within CLOSE_WITHIN seconds is aborted, by autobahn. One that has not
        taken what was sent to it before its access ended is aborted now, and gets none of it.
        """
        if self.state != self.STATE_OPEN:
            return
        if self.waiting is not None and code in ENDED:
            self.wasNotCleanReason = f"closed with {code}"
            self.resumeProducing()
            self.dropConnection(abort=True)
            return
        if self.waiting is not None:
            logger.warning(
                "socket %s is closed with %s while it takes nothing", self.path.decode(), code
            )
        self.sendCloseFrame(
            code=1000 if code is None else code,
            reasonUtf8=reason.encode() or None,
            isReply=False,
        )

    # Whether the peer is still there

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self.heard = time.monotonic()
        super().dataReceived(data)

    def check_timeouts(self) -> None:
        """Called every two seconds. Taking bytes is a sign of life: the pong of a slow reader waits
        behind what it has not read."""
        if self.state != self.STATE_OPEN:
            super().check_timeouts()
            return
        now, unsent = time.monotonic(), self.unsent
        if unsent < self.unsent_before:
            self.heard = now
        self.unsent_before = unsent
        silent = now - self.heard
        if silent > PING_EVERY + PONG_WITHIN:
            self.wasNotCleanReason = "no pong"
            self.dropConnection(abort=True)
        elif silent > PING_EVERY and now - self.pinged > PING_EVERY and self.waiting is None:
            self.pinged = now
            self.sendPing()


class SocketFactory(WebSocketFactory):  # type: ignore[misc]
    protocol = Socket

    def __init__(self, server: Any, *, compress: bool) -> None:
        super().__init__(server, server="")
        self.setProtocolOptions(
            autoPingInterval=0,
            autoPingTimeout=0,
            # What may connect is decided by the application, which knows the exact origins.
            allowNullOrigin=True,
            openHandshakeTimeout=5,
            # A peer that breaks the protocol is told so (1009, 1002) before it is dropped.
            failByDrop=False,
            closeHandshakeTimeout=CLOSE_WITHIN,
            maxMessagePayloadSize=INCOMING,
            maxFramePayloadSize=INCOMING,
            perMessageCompressionAccept=accept_deflate if compress else None,
        )


def accept_deflate(offers: Iterable[object]) -> PerMessageDeflateOfferAccept | None:
    """The first offer of permessage-deflate, in small windows both ways. The context is kept from
    message to message: frames of one page are alike."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            asked = offer.request_max_window_bits or WINDOW_BITS
            return PerMessageDeflateOfferAccept(
                offer,
                request_max_window_bits=WINDOW_BITS if offer.accept_max_window_bits else 0,
                window_bits=min(asked, WINDOW_BITS),
                mem_level=MEMORY_LEVEL,
                max_message_size=INCOMING,
            )
    return None
