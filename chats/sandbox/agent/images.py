"""Pictures that the agent draws: small PNG files of two colours that meet.

Owns how a PNG is written. Relies on the standard library. The same colours give the same bytes.
"""

from __future__ import annotations

import struct
import zlib

SIDE = 48
"""Pixels, both ways."""
Colour = tuple[int, int, int]


def picture(top: Colour, bottom: Colour) -> bytes:
    """A gradient from `top` to `bottom`."""
    rows = b"".join(b"\0" + bytes(_between(top, bottom, y)) * SIDE for y in range(SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _between(top: Colour, bottom: Colour, y: int) -> list[int]:
    return [high + (low - high) * y // (SIDE - 1) for high, low in zip(top, bottom, strict=True)]


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
