"""Spending over time as pages about usage show it: stacked columns, their legend, and the same as a table.

Owns which models have a colour of their own, and the words for a change. Relies on `rendering.charts` for the
geometry; what was spent is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from chats.forms.usage import Range
from chats.rendering.charts import Chart, stacked
from chats.usage import money, reports
from chats.usage.reports import Spent
from chats.views.costs import exact
from chats.views.usage_names import NO_MODEL

# Models with a colour of their own; the rest are one.
SERIES = 5
OTHERS = "others"


def change(now: int, before: int) -> str:
    """How much more or less than in the time before; "" where nothing was spent then."""
    if not before:
        return ""
    percent = abs(now - before) * 100 // before
    if not percent:
        return "as in the time before"
    return f"{percent:,} % {'more' if now >= before else 'less'} than in the time before"


def legend(models: Sequence[str]) -> list[tuple[int, str]]:
    named = [(place, model or NO_MODEL) for place, model in enumerate(models[:SERIES])]
    return [*named, (SERIES, OTHERS)] if len(models) > SERIES else named


def chart(
    steps: Mapping[datetime, Mapping[str, Spent]], models: Sequence[str], range: Range
) -> Chart:
    values, titles, labels = [], [], []
    for step in range.steps:
        found = steps.get(step, {})
        rest = sum(spent.credits for model, spent in found.items() if model not in models)
        row = [found[model].credits if model in found else 0 for model in models]
        values.append([*row, rest])
        titles.append(f"{when(step, range)}: {money.shown(sum(values[-1]))} credits")
        labels.append(f"{step:%H:00}" if range.by_hour else f"{step.day} {step:%b}")
    return stacked(values, titles, labels, exact)


def by_step(
    steps: Mapping[datetime, Mapping[str, Spent]], range: Range
) -> list[tuple[str, str, Spent]]:
    """The chart's numbers, the newest first; times without any are left out."""
    found = []
    for step, models in sorted(steps.items(), reverse=True):
        spent = reports.total(models.values())
        found.append((when(step, range), money.shown(spent.credits), spent))
    return found


def when(step: datetime, range: Range) -> str:
    return f"{step:%Y-%m-%d %H:00}" if range.by_hour else f"{step:%Y-%m-%d}"
