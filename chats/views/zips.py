"""A ZIP that is written while it is read.

Owns the order of its bytes: of what was written nothing is kept but each entry's place. Names are the
caller's, and are labels: nothing in one leads out of the folder into which somebody unpacks it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# Bytes that are gathered before they are given away.
PIECE = 1 << 16
NAME = 80
NOT_IN_NAMES = re.compile(r"[^\w.() -]+")


def label(number: int, name: str) -> str:
    """The name of one file among others: with its number in front it is neither hidden nor reserved,
    and no two are the same wherever capitals are."""
    return f"{number:02}-{NOT_IN_NAMES.sub('_', name)[-NAME:].strip('. ') or 'file'}"


class Zip:
    """Give what `add` yields to whoever reads, entry after entry, and at last what `end` does."""

    def __init__(self, made_at: datetime) -> None:
        self._sink = _Sink()
        self._zip = ZipFile(self._sink, "w", ZIP_DEFLATED)
        self._date = made_at.timetuple()[:6]

    def add(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        entry = ZipInfo(name, self._date)
        entry.compress_type = ZIP_DEFLATED
        with self._zip.open(entry, "w") as file:
            for piece in pieces:
                file.write(piece)
                if self._sink.size >= PIECE:
                    yield self._sink.taken()
        yield self._sink.taken()

    def end(self) -> Iterator[bytes]:
        self._zip.close()
        yield self._sink.taken()


class _Sink:
    """What `ZipFile` writes to: bytes that wait to be taken. It cannot seek, and so nothing is changed
    after it has left."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits but for whoever takes it."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self.size = 0
        return data
