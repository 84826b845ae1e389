"""A note as pieces of plain text, links and names.

Owns the grammar of `@name`, the same for reading and for showing, and which addresses become links. A note
is plain text: nothing in it is ever markup. Pure; people are the names that they can be called by.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

# An address of a mailbox names nobody, nor does what follows on another one.
AT = re.compile(r"(?<![\w@./+-])@(?=\w)")
WORD = re.compile(r"\w(?:[\w.+-]*\w)?")
GOES_ON = re.compile(r"\w|[.+-]\w")
URL = re.compile(r"https?://[^\s<>\"'`\x00-\x20]+", re.IGNORECASE)
# Ends a sentence rather than an address.
AFTER_URL = ".,:;!?…"
BRACKETS = {")": "(", "]": "[", "}": "{"}
# Names that are looked for in one note; what looks like more of them stays text.
MOST = 100


@dataclass(frozen=True, slots=True)
class Called:
    """One `@name` in a text; `name` is "" where nobody can be called so, and `word` then what was written."""

    start: int
    end: int
    name: str
    word: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a note: plain text, a link where it has `href`, or a name; `is_own` is the reader's."""

    text: str
    href: str = ""
    is_name: bool = False
    is_own: bool = False


def called(text: str, names: Collection[str]) -> Iterator[Called]:
    """Everybody who is called in a text by one of `names`, whatever the case; the longest name wins."""
    longest_first = sorted(names, key=len, reverse=True)
    for at in islice(AT.finditer(text), MOST):
        start = at.end()
        for name in longest_first:
            end = start + len(name)
            is_same = text[start:end].casefold() == name.casefold()
            if is_same and not GOES_ON.match(text, end):
                yield Called(at.start(), end, name, text[start:end])
                break
        else:
            word = WORD.match(text, start)
            if word is not None:
                yield Called(at.start(), word.end(), "", word[0])


def pieces(text: str, names: Mapping[str, bool]) -> list[Piece]:
    """The text in pieces, with its links and the `names` that are called in it; True is for the reader's own."""
    made: list[Piece] = []
    done = 0
    for start, end, piece in sorted([*_links(text), *_marks(text, names)], key=lambda one: one[:2]):
        if start < done:
            continue
        made += [Piece(text[done:start]), piece]
        done = end
    return [piece for piece in (*made, Piece(text[done:])) if piece.text]


def _marks(text: str, names: Mapping[str, bool]) -> Iterator[tuple[int, int, Piece]]:
    for each in called(text, names):
        if each.name:
            piece = Piece(text[each.start : each.end], is_name=True, is_own=names[each.name])
            yield each.start, each.end, piece


def _links(text: str) -> Iterator[tuple[int, int, Piece]]:
    for found in URL.finditer(text):
        url = _ended(found[0])
        if url.partition("://")[2]:
            yield found.start(), found.start() + len(url), Piece(url, href=url)


def _ended(url: str) -> str:
    """Without what belongs to the sentence around it."""
    while url:
        last = url[-1]
        is_alone = last in BRACKETS and url.count(last) > url.count(BRACKETS[last])
        if last not in AFTER_URL and not is_alone:
            return url
        url = url[:-1]
    return url
