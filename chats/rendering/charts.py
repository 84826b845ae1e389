"""Numbers as the shapes of a chart: stacked columns over time.

Owns the geometry, in the units of an SVG's viewBox. Relies on nobody; which colours and patterns the series
have is the style sheet's, and the same numbers stand in a table beside every chart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 220
LEFT, BOTTOM, TOP = 64, 24, 8
GAP = 0.25  # of a column's width
LABELS = 7
TICKS = 4


@dataclass(frozen=True, slots=True)
class Box:
    """One series of one column, from its upper left corner; `series` is its place."""

    series: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """`title` says it all in words, `label` is below the axis, "" for none."""

    title: str
    label: str
    middle: str
    x: str
    width: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    y: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    width: int
    height: int
    left: int
    floor: int
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]


def stacked(
    values: Sequence[Sequence[int]],
    titles: Sequence[str],
    labels: Sequence[str],
    words: Callable[[int], str] = str,
) -> Chart:
    """`values` has one row for each column with a number, 0 or more, for each series; `words` says a number
    at the axis."""
    top = _round_up(max((sum(row) for row in values), default=0))
    floor = HEIGHT - BOTTOM
    scale = (floor - TOP) / top if top else 0
    pitch = (WIDTH - LEFT) / max(1, len(values))
    every = -(-len(values) // LABELS) or 1
    columns = []
    for place, row in enumerate(values):
        x, width = LEFT + pitch * (place + GAP / 2), pitch * (1 - GAP)
        columns.append(
            Column(
                titles[place],
                labels[place] if place % every == 0 else "",
                _text(x + width / 2),
                _text(x),
                _text(width),
                _boxes(row, x, width, scale, floor),
            )
        )
    ticks = tuple(
        Tick(_text(floor - scale * top * step / TICKS), words(top * step // TICKS))
        for step in range(TICKS + 1)
    )
    return Chart(WIDTH, HEIGHT, LEFT, floor, tuple(columns), ticks if top else ())


def _boxes(
    row: Sequence[int], x: float, width: float, scale: float, floor: float
) -> tuple[Box, ...]:
    boxes, below = [], 0
    for series, value in enumerate(row):
        if value:
            y = floor - scale * (below + value)
            boxes.append(Box(series, _text(x), _text(y), _text(width), _text(scale * value)))
            below += value
    return tuple(boxes)


def _round_up(most: int) -> int:
    """The next number that divides well into TICKS: 4, 8, 20, 40, 80, 200 …"""
    step = TICKS
    while True:
        for factor in (1, 2, 5):
            if most <= step * factor:
                return step * factor if most else 0
        step *= 10


def _text(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
