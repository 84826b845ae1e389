"""What somebody has spent: their own answers by time, model and chat.

Owns the page and its filters, which all stand in its address; every figure leads to what it is made of, down to
the answer. Relies on permissions for whose entries they are and for the titles of chats, and on
`chats.usage.reports` for the sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_safe

from chats import permissions
from chats.forms.review import NONE, ReviewForm
from chats.forms.usage import NAMES, RangeForm
from chats.models import Entry, Message, Person
from chats.permissions.reviewing import may_review
from chats.usage import money, reports
from chats.usage.reports import Spent
from chats.views.access import Request, signed_in, uuid_or_none
from chats.views.own_budgets import own_budgets
from chats.views.shell import shell
from chats.views.spending import SERIES, by_step, change, chart, legend
from chats.views.usage_names import NO_MODEL

CHATS = 20
ANSWERS = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: `key` filters by it, `runs` are those that it is made of."""

    key: str
    name: str
    spent: Spent
    credits: str
    exact: str
    share: str
    runs: str


@require_safe
@signed_in
def usage(request: Request, person: Person) -> HttpResponse:
    form = RangeForm(request.GET.dict(), timezone.now())
    own = permissions.own_entries(person)
    model, chat = request.GET.get("model"), uuid_or_none(request.GET.get("chat"))
    model = "" if model == NONE else model
    entries = _filtered(own, model, chat)
    shown = reports.within(entries, form.range.start, form.range.end)
    steps = reports.by_time(shown, by_hour=form.range.by_hour)
    models = reports.by_model(steps)
    whole = reports.total(models.values())
    before = reports.in_all(reports.within(entries, form.range.before.start, form.range.before.end))
    runs = _runs(request, model, chat)
    chats = reports.by_chat(shown, CHATS)
    newest = list(shown.order_by("-ended_at", "-pk")[:ANSWERS])
    named = {chat, *(id for id, _ in chats), *(row.chat_id for row in newest)}
    titles = _titles(person, [id for id in named if id])
    context = {
        "form": form,
        "may_review": may_review(request),
        "budgets": own_budgets(request, person),
        "ranges": NAMES,
        "whole": whole,
        "credits": money.shown(whole.credits),
        "exact": money.plain(whole.credits),
        "change": change(whole.credits, before.credits),
        "chart": chart(steps, list(models)[:SERIES], form.range),
        "legend": legend(list(models)),
        "models": [
            _line(model, model or NO_MODEL, spent, whole, runs.address(model=model or NONE))
            for model, spent in models.items()
        ],
        "chats": [
            _line(
                str(id or ""), _name(id, titles), spent, whole, runs.address(chat=str(id or NONE))
            )
            for id, spent in chats
        ],
        "steps": [
            _line(when, when, spent, whole, _of_step(runs, when))
            for when, _, spent in by_step(steps, form.range)
        ],
        "runs": runs.address(),
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


def _runs(request: Request, model: str | None, chat: UUID | None) -> ReviewForm:
    """The same range and filters, as the pages of runs and the files know them."""
    given = {name: request.GET.get(name, "") for name in ("range", "from", "to", "hour")}
    given |= {"model": model or NONE} if model is not None else {}
    given |= {"chat": str(chat)} if chat else {}
    return ReviewForm(given, timezone.now())


def _of_step(runs: ReviewForm, when: str) -> str:
    """Of a day, "2026-11-22", or an hour of one, "2026-11-22 15:00"."""
    day, _, hour = when.partition(" ")
    return runs.day(day, str(int(hour[:2])) if hour else None)


def _line(key: str, name: str, spent: Spent, whole: Spent, runs: str) -> Line:
    share = f"{spent.credits * 100 // whole.credits} %" if whole.credits else ""
    credits, exact = money.shown(spent.credits), money.plain(spent.credits)
    return Line(key, name, spent, credits, exact, share, resolve_url("usage_own_runs") + runs)


def _name(id: UUID | None, titles: Mapping[UUID, str]) -> str:
    if id is None:
        return "Deleted chats"
    return titles.get(id, "A chat that you cannot see any more")


def _titles(person: Person, ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = permissions.readable(person).filter(pk__in=ids).values_list("pk", "title")
    return {id: title or "New chat" for id, title in rows}


@dataclass(frozen=True, slots=True)
class Answer:
    """An entry as it is listed. `chat` is None where its person cannot read it any more."""

    entry: Entry
    chat: UUID | None
    title: str
    credits: str
    exact: str


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
            money.plain(row.credits_total),
        )
        for row in rows
    ]
