"""The characters of a growing text that are ready to be read as Markdown.

Owns what is left out (`<CodeProject>` blocks, which v0 puts into answers for its own page) and what
is made plain (line ends, NUL, halves of surrogate pairs). Holds back only an end that the next
characters could still change, so that any chunking gives the same text.
"""

from __future__ import annotations

import re

OPENING = "<CodeProject"
CLOSING = "</CodeProject>"
PROJECT = re.compile(rf"{OPENING}(?=[\s/>])")
BROKEN = re.compile("[\x00\ud800-\udfff]")


class Source:
    """One text from its start; `take` gives each of its characters once."""

    def __init__(self, *, with_projects: bool = False) -> None:
        self._at = 0
        self._inside = False
        self._with_projects = with_projects

    def take(self, text: str, *, closed: bool) -> str:
        """What `text`, which only ever grew, has to show beyond what was taken before."""
        taken = []
        while True:
            if self._inside and not self._leave(text):
                break
            project = None if self._with_projects else PROJECT.search(text, self._at)
            end = project.start() if project else self._ready(text, closed=closed)
            taken.append(text[self._at : end])
            self._at = end
            if not project:
                break
            self._inside = True
        return _plain("".join(taken))

    def _leave(self, text: str) -> bool:
        """Go behind the end of the project; whether it is there."""
        end = text.find(CLOSING, self._at)
        if end < 0:
            self._at = max(self._at, len(text) - len(CLOSING) + 1)
            return False
        self._at = end + len(CLOSING)
        self._inside = False
        return True

    def _ready(self, text: str, *, closed: bool) -> int:
        """Where the characters end whose meaning is settled."""
        if closed:
            return len(text)
        if text.endswith("\r"):
            return max(self._at, len(text) - 1)
        start = (
            -1 if self._with_projects else text.rfind("<", max(self._at, len(text) - len(OPENING)))
        )
        return start if start >= 0 and OPENING.startswith(text[start:]) else len(text)


def _plain(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return BROKEN.sub("\ufffd", text)
