"""What somebody has spent: their own answers by time, model and chat.

Owns the page and its filters, which all stand in its address; every figure leads to what it is made of, down to
the answer. Relies on permissions for whose entries they are and for the titles of chats, and on
`chats.usage.reports` for the sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chats import permissions
from chats.forms.usage import NAMES, Range, RangeForm
from chats.models import Entry, Message, Person
from chats.rendering.charts import stacked
from chats.usage import money, reports
from chats.usage.reports import Spent
from chats.views.access import Request, signed_in, uuid_or_none
from chats.views.costs import exact
from chats.views.shell import shell

# Models with a colour of their own; the rest are one.
SERIES = 5
CHATS = 20
ANSWERS = 50
NO_MODEL, OTHERS = "not named by v0", "others"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: `key` filters by it."""

    key: str
    name: str
    spent: Spent
    credits: str
    share: str
    place: int = 0


@require_safe
@signed_in
def usage(request: Request, person: Person) -> HttpResponse:
    form = RangeForm(request.GET.dict(), timezone.now())
    own = permissions.own_entries(person)
    model, chat = request.GET.get("model"), uuid_or_none(request.GET.get("chat"))
    entries = _filtered(own, model, chat)
    shown = reports.within(entries, form.range.start, form.range.end)
    steps = reports.by_time(shown, by_hour=form.range.by_hour)
    models = reports.by_model(steps)
    whole = Spent()
    for spent in models.values():
        whole = reports.add(whole, spent)
    before = reports.in_all(reports.within(entries, form.range.before.start, form.range.before.end))
    lines = _by_model(models, whole)
    chats = reports.by_chat(shown, CHATS)
    newest = list(shown.order_by("-ended_at", "-pk")[:ANSWERS])
    named = {chat, *(id for id, _ in chats), *(row.chat_id for row in newest)}
    titles = _titles(person, [id for id in named if id])
    context = {
        "form": form,
        "ranges": NAMES,
        "whole": whole,
        "credits": money.shown(whole.credits),
        "exact": exact(whole.credits),
        "change": _change(whole.credits, before.credits),
        "chart": _chart(steps, list(models)[:SERIES], form.range),
        "legend": _legend(list(models)),
        "models": lines,
        "chats": _by_chat(chats, titles, whole),
        "steps": _by_step(steps, form.range),
        "model": model,
        "model_name": (model or NO_MODEL) if model is not None else "",
        "chat": str(chat) if chat else "",
        "chat_name": _name(chat, titles) if chat else "",
        "answers": _answers(newest, titles),
        "most_answers": ANSWERS,
        **shell(request),
    }
    response = render(request, "usage/own.html", context, status=422 if form.sentence else 200)
    response["Cache-Control"] = "no-store"
    return response


def _filtered(entries: QuerySet[Entry], model: str | None, chat: UUID | None) -> QuerySet[Entry]:
    if model is not None:
        entries = entries.filter(model=model[:60])
    return entries.filter(chat=chat) if chat else entries


def _change(now: int, before: int) -> str:
    """How much more or less than in the time before; "" where nothing was spent then."""
    if not before:
        return ""
    percent = abs(now - before) * 100 // before
    return f"{percent:,} % {'more' if now >= before else 'less'} than in the time before"


def _by_model(models: Mapping[str, Spent], whole: Spent) -> list[Line]:
    return [
        _line(model, model or NO_MODEL, spent, whole, min(place, SERIES))
        for place, (model, spent) in enumerate(models.items())
    ]


def _by_chat(
    chats: Sequence[tuple[UUID | None, Spent]], titles: Mapping[UUID, str], whole: Spent
) -> list[Line]:
    return [_line(str(id or ""), _name(id, titles), spent, whole) for id, spent in chats]


def _line(key: str, name: str, spent: Spent, whole: Spent, place: int = 0) -> Line:
    share = f"{spent.credits * 100 // whole.credits} %" if whole.credits else ""
    return Line(key, name, spent, money.shown(spent.credits), share, place)


def _name(id: UUID | None, titles: Mapping[UUID, str]) -> str:
    if id is None:
        return "Deleted chats"
    return titles.get(id, "A chat that you cannot see any more")


def _titles(person: Person, ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = permissions.readable(person).filter(pk__in=ids).values_list("pk", "title")
    return {id: title or "New chat" for id, title in rows}


def _legend(models: Sequence[str]) -> list[tuple[int, str]]:
    named = [(place, model or NO_MODEL) for place, model in enumerate(models[:SERIES])]
    return [*named, (SERIES, OTHERS)] if len(models) > SERIES else named


def _chart(
    steps: Mapping[datetime, Mapping[str, Spent]], models: Sequence[str], range: Range
) -> Any:
    values, titles, labels = [], [], []
    for step in range.steps:
        found = steps.get(step, {})
        rest = sum(spent.credits for model, spent in found.items() if model not in models)
        row = [found[model].credits if model in found else 0 for model in models]
        values.append([*row, rest])
        titles.append(f"{_when(step, range)}: {money.shown(sum(values[-1]))} credits")
        labels.append(f"{step:%H:00}" if range.by_hour else f"{step.day} {step:%b}")
    return stacked(values, titles, labels, money.shown)


def _by_step(
    steps: Mapping[datetime, Mapping[str, Spent]], range: Range
) -> list[tuple[str, str, Spent]]:
    """The chart's numbers, the newest first; times without any are left out."""
    found = []
    for step, models in sorted(steps.items(), reverse=True):
        spent = Spent()
        for each in models.values():
            spent = reports.add(spent, each)
        found.append((_when(step, range), money.shown(spent.credits), spent))
    return found


def _when(step: datetime, range: Range) -> str:
    return f"{step:%Y-%m-%d %H:00}" if range.by_hour else f"{step:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An entry as it is listed. `chat` is None where its person cannot read it any more."""

    entry: Entry
    chat: UUID | None
    title: str
    credits: str


def _answers(rows: Sequence[Entry], titles: Mapping[UUID, str]) -> list[Answer]:
    """As they are listed, without a word of what they say."""
    there = set(
        Message.objects.filter(pk__in=[row.message_id for row in rows]).values_list("pk", flat=True)
    )
    return [
        Answer(
            row,
            row.chat_id if row.chat_id in titles and row.message_id in there else None,
            _name(row.chat_id, titles),
            money.shown(row.credits_total),
        )
        for row in rows
    ]
