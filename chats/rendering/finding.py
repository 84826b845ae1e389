"""What of a message can be searched, and where somebody's words are in it.

Owns the text of each part as a search reads it (what every reader of the chat may see, folded or not)
and the comparison: literal, whatever the case in any alphabet, any run of white space as one space.
Pure; the page's script compares in the same way when it marks what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from chats.rendering.parts import ESCAPES
from chats.rendering.shown import Shown
from chats.v0api.types import (
    AgentActionPart,
    BashPart,
    FileEditPart,
    FileReadPart,
    Part,
    SearchPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)

# Characters of a query.
LONGEST = 200
# Characters of an excerpt around the place.
BEFORE, AFTER = 60, 120
# Values inside of one value: what was sent to a tool, or what it gave back.
VALUES = 10_000
STAMPS = ("startedAt", "finishedAt")


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and the DOM id of what shows it; `kind` says in a word what it is."""

    anchor: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first place in a passage with what is around it, and how many places there are."""

    before: str
    found: str
    after: str
    count: int


def passages(shown: Shown) -> Iterator[Passage]:
    """What somebody typed and attached, or each part, in the order of the page."""
    id = f"m{shown.id}"
    if shown.text:
        yield Passage(id, "Message", shown.text)
    names = [file.name for file in shown.files] + [file.name for file in shown.attachments]
    if any(names):
        yield Passage(id, "Files", " ".join(names))
    for index, part in enumerate(() if shown.text else shown.parts):
        kind, texts = _part(part)
        yield Passage(f"{id}-p{index}", kind, "\n".join(filter(None, texts)))


def _part(part: Part) -> tuple[str, Sequence[str]]:
    match part:
        case TextPart(text=text):
            return "Text", [text]
        case ThinkingPart(text=text):
            return "Thinking", [text]
        case FileReadPart(paths=paths):
            return "Files read", paths
        case FileEditPart(path=path, to_path=to_path):
            return "File changed", [path, to_path]
        case SearchPart(query=query):
            return "Search", [query]
        case BashPart(command=command, output=output):
            return "Command", [command, ESCAPES.sub("", output)]
        case ToolCallPart(display_name=name, input=input, output=output):
            asked = [dict(permission) for permission in part.suggested_permissions]
            return "Tool", [name, *_values([input, output, asked])]
        case AgentActionPart(summary=summary, data=data):
            return "Action", [summary, *_values(data)]
        case _:
            told = {name: value for name, value in part.wire.items() if name not in STAMPS}
            return "Other", list(_values(told))


def _values(value: Any) -> Iterator[str]:
    """The words and numbers in a JSON value with their names, in order, and no more than VALUES."""
    return islice(_walk(value), VALUES)


def _walk(value: Any) -> Iterator[str]:
    rest = [value]
    while rest:
        match rest.pop():
            case str(text):
                yield text
            case Mapping() as inside:
                rest += reversed([each for pair in inside.items() for each in pair])
            case list() as inside:
                rest += reversed(inside)
            case bool() | None:
                continue
            case int() | float() as number:
                yield str(number)


def needle(query: str) -> str:
    """A query as it is looked for; "" for none."""
    return spaced(query).casefold()


def spaced(text: str) -> str:
    return " ".join(text.split())


def excerpt(text: str, needle: str) -> Excerpt | None:
    """Where `needle` is in `text`, None where it is not."""
    told = spaced(text)
    folded = told.casefold()
    at = folded.find(needle)
    if at < 0:
        return None
    start, end = _place(told, folded, at, at + len(needle))
    first = max(0, start - BEFORE)
    last = end + AFTER
    return Excerpt(
        before=f"{'…' if first else ''}{told[first:start]}",
        found=told[start:end],
        after=f"{told[end:last]}{'…' if last < len(told) else ''}",
        count=folded.count(needle),
    )


def _place(text: str, folded: str, start: int, end: int) -> tuple[int, int]:
    """Where `folded[start:end]` is in `text`: folding makes some characters two or three."""
    if len(folded) == len(text):
        return start, end
    at = [index for index, char in enumerate(text) for _ in char.casefold()]
    return at[start], at[end - 1] + 1
