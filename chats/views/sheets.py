"""Rows as CSV that a spreadsheet takes for what they are.

Owns how a line is written, and that no text in a cell is taken for a formula. Relies on nobody.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

# What makes a spreadsheet take a cell for a formula; some also take the full-width ones.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def lines(rows: Iterable[Sequence[object]]) -> str:
    """An empty cell for None."""
    text = io.StringIO()
    csv.writer(text).writerows([defused(cell) for cell in row] for row in rows)
    return text.getvalue()


def defused(cell: object) -> str:
    """What would be a formula begins with an apostrophe; less than nothing is a number."""
    text = "" if cell is None else str(cell)
    if text.startswith(FORMULAS) and not NUMBER.fullmatch(text):
        return f"'{text}"
    return text
