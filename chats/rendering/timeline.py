"""When the parts of a finished answer ran, as bars on one axis.

Owns the reading of v0's clock and every number of the timeline. Relies on `words`. What a clock does
not say, or says the wrong way round, is not believed: such a part has no bar and no duration, and is
counted as a step all the same. Never makes HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chats.rendering import words
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

# Units that the axis is long, and the least of them that can be seen and pressed.
AXIS, LEAST = 1000.0, 6.0
# The most of the axis that waiting may take: somebody's night would leave nothing of the work.
MOST_WAITING = 0.25
# Bars that a page shows: the longest ones.
MOST = 200
NAME = 80
SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bar:
    """One part (`index` -1: waiting for a person). `began` and `ended` are microseconds by v0's clock
    since the first part began, `x` and `width` units of the axis."""

    index: int
    kind: str
    name: str
    began: int
    ended: int
    x: float = 0.0
    width: float = 0.0

    @property
    def seconds(self) -> float:
        return (self.ended - self.began) / SECOND


@dataclass(frozen=True, slots=True)
class Row:
    """The bars of one kind, and how long they are together."""

    kind: str
    bars: tuple[Bar, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """`total` is from the first beginning to the last end in seconds, `waited` what a person took
    before it, `rest` how many bars are left out for being the shortest."""

    steps: int
    total: float
    longest: Bar | None
    rows: tuple[Row, ...]
    waited: float
    is_shortened: bool
    rest: int


def timeline(parts: Sequence[Part], *, waited: float = 0.0) -> Timeline:
    bars = [bar for index, part in enumerate(parts) if (bar := _bar(index, part))]
    start, end = span(parts[bar.index] for bar in bars)
    total = (end - start) / SECOND
    shown = sorted(bars, key=lambda bar: (bar.began - bar.ended, bar.index))[:MOST]
    true_share = waited / (waited + total) if waited else 0.0
    share = min(true_share, MOST_WAITING)
    placed = [_placed(bar, start, end, share) for bar in shown]
    if waited:
        placed.append(_waiting(waited, share))
    return Timeline(
        steps=sum(map(is_step, parts)),
        total=total,
        longest=next((bar for bar in placed if bar.index >= 0 and bar.seconds), None),
        rows=tuple(_rows(placed)),
        waited=waited,
        is_shortened=share < true_share,
        rest=len(bars) - len(shown),
    )


def _bar(index: int, part: Part) -> Bar | None:
    told = moments(part)
    return Bar(index, kind_of(part), named(part), *told) if told and not _is_silent(part) else None


def _placed(bar: Bar, start: int, end: int, waiting: float) -> Bar:
    """The bar on an axis of which `waiting` is taken; one that is too short to be seen stays inside."""
    began, ended, all_of_it = bar.began - start, bar.ended - start, end - start
    free = AXIS * (1 - waiting)
    width = max(LEAST, free * (ended - began) / all_of_it if all_of_it else free)
    x = AXIS * waiting + (free * began / all_of_it if all_of_it else 0.0)
    x = round(min(x, AXIS - width), 2)
    return replace(bar, began=began, ended=ended, x=x, width=round(width, 2))


def _waiting(seconds: float, share: float) -> Bar:
    name, width = words.KINDS["waiting"], max(LEAST, AXIS * share)
    return Bar(-1, "waiting", name, round(-seconds * SECOND), 0, 0.0, round(width, 2))


def _rows(bars: Sequence[Bar]) -> Iterator[Row]:
    for kind in words.KINDS:
        found = sorted((bar for bar in bars if bar.kind == kind), key=lambda bar: bar.index)
        if found:
            yield Row(kind, tuple(found), covered(found))


def covered(bars: Iterable[Bar]) -> float:
    """Seconds in which at least one of the bars ran: what runs side by side counts once."""
    covered, until = 0, None
    for bar in sorted(bars, key=lambda bar: bar.began):
        since = bar.began if until is None else max(bar.began, until)
        covered += max(0, bar.ended - since)
        until = bar.ended if until is None else max(bar.ended, until)
    return covered / SECOND


# Parts


def moments(part: Part) -> tuple[int, int] | None:
    """When the part began and ended by v0's clock, in microseconds; None when that is not believed."""
    began, ended = moment(part.started_at), moment(part.finished_at)
    return None if began is None or ended is None or ended < began else (began, ended)


def moment(stamp: str) -> int | None:
    """An ISO time with its zone, in microseconds since 1970."""
    try:
        told = datetime.fromisoformat(stamp)
        return (told - EPOCH) // timedelta(microseconds=1) if told.tzinfo else None
    except (ValueError, OverflowError):
        return None


def span(parts: Iterable[Part]) -> tuple[int, int]:
    """From the first beginning to the last end, in microseconds; equal when nobody said."""
    told = [each for part in parts if (each := moments(part))]
    return (min(began for began, _ in told), max(ended for _, ended in told)) if told else (0, 0)


def is_step(part: Part) -> bool:
    return not isinstance(part, TextPart) and not _is_silent(part)


def _is_silent(part: Part) -> bool:
    """Nothing of it can be seen on the page."""
    return isinstance(part, ThinkingPart | TextPart) and not part.text.strip()


def kind_of(part: Part) -> str:
    match part:
        case TextPart():
            return "writing"
        case ThinkingPart():
            return "thinking"
        case FileReadPart():
            return "reading"
        case FileEditPart():
            return "editing"
        case SearchPart():
            return "searching"
        case BashPart():
            return "commands"
        case ToolCallPart():
            return "tools"
        case _:
            return "other"


def named(part: Part) -> str:
    """What the part did, in one line of plain text."""
    line = " ".join(_named(part).split())
    return line if len(line) <= NAME else f"{line[: NAME - 1]}…"


def _named(part: Part) -> str:
    match part:
        case TextPart():
            return "Wrote"
        case ThinkingPart():
            return "Thought"
        case FileReadPart(paths=paths):
            return f"Read {paths[0] if len(paths) == 1 else words.files(len(paths))}"
        case FileEditPart(operation=name, path=path, to_path=to_path):
            verb = words.verb(words.EDITS, name, is_running=False)
            return f"{verb} {path} → {to_path}" if to_path else f"{verb} {path}"
        case SearchPart(scope=scope, query=query):
            return f"{words.verb(words.SEARCHES, scope, is_running=False)}: {query}"
        case BashPart(command=command):
            return f"Ran {command}"
        case ToolCallPart(display_name=name, status=status):
            return f"{'Failed to use' if status == 'error' else 'Used'} {name or 'a tool'}"
        case AgentActionPart(name=name):
            return words.verb(words.ACTIONS, name, is_running=False)
        case _:
            return f"Did something new: {part.type}" if part.type else "Did something new"
