"""A note as somebody writes it: its text, the part that it is about, the token of its form.

Owns the limits and the sentences. Never raises over what it is given; what was typed is in `kept`, valid or
not, so that a refusal can give it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from chats.forms.message import EXPIRED, normalise
from chats.models.notes import LONGEST_NOTE

EMPTY = "Write something first."
LONG = "This is {:,} characters long; {:,} is the most."
GONE = (
    "The part that this was about is not there any more. Choose another one, or the whole message."
)
USED = "Another note was sent with this form. Your text is still here: send it again."
OFTEN = "These are many notes in a short time. Your text is still here: send it again in a minute."
FULL = "This message has as many notes as it can have."


class NoteForm:
    """Fields `text`, `part` (its index, "" for the message as a whole) and `token`, a fresh one where none
    was given. `parts` is how many the message has, `had` the part that the note has been about."""

    def __init__(self, data: Mapping[str, Any], *, parts: int, had: int | None = None) -> None:
        self.kept = normalise(data.get("text") or "")
        given = _token(data.get("token"))
        self.token = given or uuid4()
        self._is_expired = given is None
        self._given = str(data.get("part") or "")
        self.part = _index(self._given)
        self._is_there = self.part is None or self.part < parts or self.part == had

    @property
    def refusal(self) -> str:
        """Why it is not taken, in one sentence; "" when it is."""
        if self._is_expired:
            return EXPIRED
        if not self.kept.strip():
            return EMPTY
        if len(self.kept) > LONGEST_NOTE:
            return LONG.format(len(self.kept), LONGEST_NOTE)
        is_known = self._is_there and (self.part is not None or not self._given)
        return "" if is_known else GONE


def _token(given: object) -> UUID | None:
    try:
        return UUID(str(given or ""))
    except ValueError:
        return None


def _index(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
