"""One socket of the server: what leaves it, how it ends, and what a bad peer costs."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import pytest

from tests.app_server import wait_until
from tests.server.conftest import RawSocket, Served
from v0web.sockets import FRAGMENT

MIB = 1024 * 1024


@pytest.mark.parametrize("code", [1000, 1012, 1013, 4401, 4403, 4404])
def test_a_peer_sees_the_code_it_was_closed_with(serve: Callable[..., Served], code: int) -> None:
    with RawSocket(serve().port, f"/close/{code}") as peer:
        frame = peer.frame()
        assert frame.code == code
        assert frame.payload[2:] == b"a word"


def test_a_long_message_leaves_in_fragments(serve: Callable[..., Served]) -> None:
    with RawSocket(serve().port, "/message/300001") as peer:
        frames = peer.message()
    assert sum(len(frame.payload) for frame in frames) == 300_001
    assert max(len(frame.payload) for frame in frames) == FRAGMENT
    assert [frame.opcode for frame in frames] == [1] + [0] * (len(frames) - 1)


def test_fragments_of_a_compressed_message_are_as_small(serve: Callable[..., Served]) -> None:
    with RawSocket(serve().port, "/message/300001", deflate=True) as peer:
        assert b"permessage-deflate" in peer.head
        assert b"client_max_window_bits=12" in peer.head
        frames = peer.message()
    assert len(frames) > 3
    assert max(len(frame.payload) for frame in frames) <= FRAGMENT
    assert [frame.compressed for frame in frames] == [True] + [False] * (len(frames) - 1)
    packed = b"".join(frame.payload for frame in frames) + b"\x00\x00\xff\xff"
    # A window of 12 bits is enough to read it.
    assert len(zlib.decompressobj(-12).decompress(packed)) == 300_001


def test_messages_that_are_alike_become_small(serve: Callable[..., Served]) -> None:
    with RawSocket(serve().port, "/alike", deflate=True) as peer:
        packed = sum(len(peer.message()[0].payload) for _ in range(1000))
    with RawSocket(serve(compress=False).port, "/alike", deflate=True) as peer:
        assert b"permessage-deflate" not in peer.head
        plain = sum(len(peer.message()[0].payload) for _ in range(1000))
    assert packed < plain / 3


def test_an_empty_message_is_sent(serve: Callable[..., Served]) -> None:
    with RawSocket(serve().port, "/message/1") as peer:
        assert [len(frame.payload) for frame in peer.message()] == [1]


def test_a_peer_that_reads_nothing_costs_little_and_is_given_up(
    serve: Callable[..., Served],
) -> None:
    served = serve(stall=2)
    served.get()
    before = served.resident()
    with RawSocket(served.port, "/flood"):
        began = time.monotonic()
        sent = []
        while "took nothing" not in served.log:
            sent.append(served.get()["sent"])
            assert served.resident() - before <= 2 * MIB
        assert 1.5 < time.monotonic() - began < 10
        # The last answer may already count what went nowhere.
        assert sent[-2] < 4 * MIB
    assert served.resident() - before <= 2 * MIB
    assert "/flood took nothing for 2 s: closed with 1013 and aborted" in served.log
    wait_until(lambda: "disconnect 1006" in served.get()["events"])


def test_a_peer_that_reads_slowly_gets_everything(serve: Callable[..., Served]) -> None:
    served = serve(stall=1)
    size = 900_000
    with RawSocket(served.port, f"/message/{size}", receive_buffer=4096) as peer:
        received, began = 0, time.monotonic()
        while received < size:
            received += len(peer.frame().payload)
            pause = began + received / 250_000 - time.monotonic()
            if pause > 0:
                time.sleep(pause)
        # Longer than what a peer that takes nothing is given.
        assert time.monotonic() - began > 3
    assert "took nothing" not in served.log


def test_a_slow_peer_does_not_hold_up_another(serve: Callable[..., Served]) -> None:
    served = serve(stall=30)
    with RawSocket(served.port, "/flood"):
        wait_until(lambda: served.get()["sent"] > 0)
        began = time.monotonic()
        for _ in range(20):
            with RawSocket(served.port, "/message/1000") as other:
                other.message()
        assert time.monotonic() - began < 5


def test_an_application_can_give_up_a_peer_that_reads_nothing(
    serve: Callable[..., Served],
) -> None:
    served = serve(stall=60)
    with RawSocket(served.port, "/flood/0.5/1013"):
        wait_until(lambda: "is closed with 1013 while it takes nothing" in served.log)
        wait_until(lambda: "disconnect 1006" in served.get()["events"])


def test_a_peer_whose_access_ends_gets_nothing_of_what_it_had_not_taken(
    serve: Callable[..., Served],
) -> None:
    served = serve(stall=60)
    with RawSocket(served.port, "/flood/0.5/4403") as peer:
        wait_until(lambda: "disconnect 1006" in served.get()["events"])
        with pytest.raises(ConnectionResetError):
            read_on(peer)


def read_on(peer: RawSocket) -> None:
    """Until the peer closes the connection in good order."""
    while peer.socket.recv(65536):
        pass


@pytest.mark.parametrize("pieces", [(4097,), (3000, 3000)], ids=["frame", "fragments"])
def test_a_message_that_is_too_long_is_refused(
    serve: Callable[..., Served], pieces: tuple[int, ...]
) -> None:
    served = serve()
    with RawSocket(served.port, "/wait") as peer:
        for index, size in enumerate(pieces):
            peer.send(b"x" * size, 0 if index else 1, fin=index == len(pieces) - 1)
        assert peer.frame().code == 1009
    wait_until(lambda: any("disconnect" in event for event in served.get()["events"]))
    assert not any("receive" in event for event in served.get()["events"])


def test_a_frame_without_end_costs_little(serve: Callable[..., Served]) -> None:
    served = serve()
    before = served.resident()
    with RawSocket(served.port, "/wait") as peer:
        peer.socket.sendall(bytes([0x81, 0xFF]) + (2**40).to_bytes(8, "big") + b"\0\0\0\0")

        def send_for_ever() -> None:
            while True:
                peer.socket.sendall(b"x" * 65536)

        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_for_ever()
    assert served.resident() - before <= 4 * MIB


def test_a_message_of_the_most_bytes_arrives(serve: Callable[..., Served]) -> None:
    served = serve()
    with RawSocket(served.port, "/wait") as peer:
        peer.send(b"x" * 4096)
        wait_until(lambda: "receive 4096" in served.get()["events"])
