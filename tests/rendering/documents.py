"""A Markdown document as our own renderer shows it, and whether texts are in it.

Owns what makes no difference between a text by itself and the same text in a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chats.rendering.markdown import PROSE
from tests.rendering.shape import Shape, shape


def levelled(found: Shape) -> Shape:
    """Without what makes no difference: the levels of headings, which follow from where a text
    stands, and a line break at the end of code."""
    plain_ends = [tuple(word.rstrip("\n") for word in each) for each in found]
    told = [each for each in plain_ends if each != ("text", "")]
    return [tuple(re.sub("^h[1-6]$", "h", word) for word in each) for each in told]


def rendered(markdown: str) -> Shape:
    """A document as our own renderer shows it; nothing in it is left out."""
    return levelled(shape("".join(PROSE.html(unit.tokens) for unit in PROSE.read(markdown, {}))))


def has(document: Shape, texts: Iterable[Shape]) -> bool:
    """Whether each of the texts is in the document, whole and in order."""
    at = 0
    for text in texts:
        places = range(at, len(document) - len(text) + 1)
        found = next((p for p in places if document[p : p + len(text)] == text), None)
        if found is None:
            return False
        at = found + len(text)
    return True
