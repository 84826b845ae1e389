"""Cursors of the lists: opaque to clients, a number to us.

Owns their spelling. A cursor says where a page ended, so rows that arrive at the front meanwhile
neither repeat nor hide one.
"""

from __future__ import annotations

import base64

from chats.sandbox.answers import Refusal

PREFIX = "before:"


def write(number: int) -> str:
    return base64.urlsafe_b64encode(f"{PREFIX}{number}".encode()).decode().rstrip("=")


def read(cursor: str | None) -> int | None:
    """The number in `cursor`; refuses with 422 what `write` has not made."""
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return int(text.removeprefix(PREFIX))
    except ValueError as problem:
        raise Refusal(422, "cursor: is not one of this list") from problem
