"""Server-sent events, decoded from bytes by the WHATWG rules.

Owns lines, fields and their limits. Relies on nothing, does no I/O, and never looks into `data`.
Lines are split as bytes: no byte of a longer UTF-8 sequence looks like CR or LF, so a line can be
decoded by itself, and U+2028 or U+0085 end none.
"""

from __future__ import annotations

from dataclasses import dataclass

from chats.v0api.errors import StreamError

LIMIT = 16 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
CR, LF = 13, 10


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """`id` is the last one that was given, also by an earlier event; `retry` is in milliseconds."""

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None


class Decoder:
    """Takes bytes as they come, gives the events that they complete.

    A line, and the data of one event, may have at most `limit` bytes: StreamError("too-long"),
    after the events before it were handed out: `failure` has it then already, and nothing more is
    decoded.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._partial = bytearray()
        self._data = bytearray()
        self._event = ""
        self._id = ""
        self._retry: int | None = None
        self._in_block = False
        self._after_cr = False
        self._first = True
        self.failure: StreamError | None = None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        if self.failure:
            raise self.failure
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == LF:
                chunk = chunk[1:]
        if not chunk:
            return []
        events: list[ServerSentEvent] = []
        try:
            for line in self._lines(chunk):
                self._line(line, events)
        except StreamError as failure:
            self.failure = failure
            if not events:
                raise
        return events

    def close(self) -> bool:
        """Whether what was fed ends inside of an event, which is then lost."""
        return self._in_block or (bool(self._partial) and not self._partial.startswith(b":"))

    def _lines(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes; the rest is kept."""
        lines = chunk.splitlines()
        last = chunk[-1]
        if last in (CR, LF):
            rest = b""
            self._after_cr = last == CR
        else:
            rest = lines.pop()
        if self._partial and lines:
            # Joined only once it is whole: thousands of packets of one line cost one copy.
            self._partial += lines[0]
            lines[0] = bytes(self._partial)
            self._partial.clear()
        self._partial += rest
        if len(self._partial) > self._limit:
            lines.append(bytes(self._partial))
        return lines

    def _line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if len(line) > self._limit:
            raise StreamError("too-long", f"a line of more than {self._limit} bytes")
        if self._first:
            self._first = False
            line = line.removeprefix(BOM)
        if not line:
            self._dispatch(events)
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data += value
            self._data.append(LF)
            self._in_block = True
            if len(self._data) > self._limit + 1:
                raise StreamError("too-long", f"an event of more than {self._limit} bytes")
        elif name:
            self._field(name, value)

    def _field(self, name: bytes, value: bytes) -> None:
        if name == b"event":
            self._event = value.decode(errors="replace")
        elif name == b"id":
            if 0 in value:
                return
            self._id = value.decode(errors="replace")
        elif name == b"retry":
            # Nine digits are eleven days; more could be a number that takes long to read.
            if not (value.isdigit() and len(value) <= 9):
                return
            self._retry = int(value)
        else:
            return
        self._in_block = True

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        if self._data:
            data = self._data[:-1].decode(errors="replace")
            events.append(ServerSentEvent(data, self._event or "message", self._id, self._retry))
            self._data.clear()
        self._event = ""
        self._retry = None
        self._in_block = False
