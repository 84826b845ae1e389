"""The runs behind a figure about usage, and one of them with all that is known of what it cost.

Owns both pages, of a review and of one's own, and their order; the filters in the address are `forms.review`'s,
whose entries they are permissions'. A run is named and counted here, and never a word of a message shown: who may
read the chat is led to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_safe

from chats import permissions
from chats.forms.review import NONE, OUTCOMES, SOURCE_NAMES, ReviewForm, source_name
from chats.forms.usage import NAMES
from chats.models import Billed, Entry, Intent, Message, Person, Reservation
from chats.models.messages import Delivery
from chats.permissions.reviewing import review_of
from chats.rendering.words import took
from chats.usage import money, reports
from chats.usage.reports import Spent
from chats.views.access import Request, signed_in
from chats.views.costs import exact
from chats.views.manage import chosen, listed
from chats.views.shell import shell
from chats.views.usage_names import NO_MODEL, Names, beside, names_of

SORTS = {
    "": ("-ended_at", "-pk"),
    "cost": ("-credits_total", "-pk"),
    "waited": ("-waited", "-pk"),
}
KINDS = {
    "Input": "input",
    "Output": "output",
    "Cache read": "cache_read",
    "Cache write": "cache_write",
    "Total": "total",
}
DELIVERIES = {
    Delivery.STREAM.value: "streamed",
    Delivery.ASYNC.value: "by poll",
    Delivery.SYNC.value: "at the end",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Whose runs these are, and the names of the addresses that they have."""

    entries: QuerySet[Entry]
    reader: Person
    is_own: bool = False

    @property
    def name(self) -> str:
        return "usage" if self.is_own else "usage_review"

    @property
    def runs(self) -> str:
        return "usage_own_runs" if self.is_own else "usage_runs"

    @property
    def run(self) -> str:
        return "usage_own_run" if self.is_own else "usage_run"

    @property
    def csv(self) -> str:
        return f"{self.name}_csv"

    @property
    def json(self) -> str:
        return f"{self.name}_json"


@dataclass(frozen=True, slots=True)
class Run:
    """An entry in words; `link` leads to its message, "" where the reader may not read it."""

    entry: Entry
    person: str
    team: str
    chat: str
    link: str
    model: str
    outcome: str
    delivery: str
    credits: str
    exact: str
    waited: str


@require_safe
@signed_in
def runs(request: Request, person: Person) -> HttpResponse:
    return _list(request, Place(review_of(request).entries, person))


@require_safe
@signed_in
def run(request: Request, person: Person, message: UUID) -> HttpResponse:
    return _one(request, Place(review_of(request).entries, person), message)


@require_safe
@signed_in
def own_runs(request: Request, person: Person) -> HttpResponse:
    return _list(request, Place(permissions.own_entries(person), person, is_own=True))


@require_safe
@signed_in
def own_run(request: Request, person: Person, message: UUID) -> HttpResponse:
    return _one(request, Place(permissions.own_entries(person), person, is_own=True), message)


def _list(request: Request, place: Place) -> HttpResponse:
    form = ReviewForm(request.GET.dict(), timezone.now())
    shown = form.shown(place.entries)
    sort = chosen(request, "sort", SORTS)
    found = listed(request, shown.order_by(*SORTS[sort]))
    names = names_of(place.reader, found.rows)
    *sums, waited = shown.aggregate(*reports.SUMS, Sum("waited")).values()
    total = Spent(*(figure or 0 for figure in sums))
    context = {
        "place": place,
        "form": form,
        "ranges": NAMES,
        "address": form.address(),
        "sort": sort,
        "chips": _chips(form, found.rows, names),
        "listed": found,
        "runs": told(found.rows, names),
        "total": total,
        "credits": money.shown(total.credits),
        "exact": money.plain(total.credits),
        "waited": took(waited or 0),
        **shell(request),
    }
    return _page(request, "usage/runs.html", context, 422 if form.time.sentence else 200)


def _one(request: Request, place: Place, message: UUID) -> HttpResponse:
    entry = place.entries.filter(message_id=message).first()
    if entry is None:
        raise Http404
    names = names_of(place.reader, [entry])
    asked = Intent.objects.filter(answer=message).values("pk")
    held = Reservation.objects.filter(Q(intent=message) | Q(intent__in=asked)).first()
    lasted = (entry.ended_at - entry.started_at).total_seconds() if entry.started_at else 0
    context = {
        "place": place,
        "run": told([entry], names)[0],
        "entry": entry,
        "lasted": took(max(0, lasted)) if entry.started_at else "",
        "kinds": _kinds(entry),
        "charged": None if entry.charged is None else exact(entry.charged),
        "sources": source_name(entry.sources),
        "events": [
            _event(each) for each in Billed.objects.filter(message_id=message).order_by("at")
        ],
        "reserved": exact(held.credits) if held else "",
        "reserved_at": held.made_at if held else None,
        **shell(request),
    }
    return _page(request, "usage/run.html", context, 200)


def _page(request: Request, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def told(rows: Sequence[Entry], names: Names) -> list[Run]:
    answers = Message.objects.filter(pk__in=[row.message_id for row in rows])
    there = set(answers.values_list("pk", flat=True))
    return [
        Run(
            row,
            names.person(row.person_id),
            names.team(row.team_id),
            names.chat(row.chat_id),
            _link(row, names, is_there=row.message_id in there),
            row.model or NO_MODEL,
            OUTCOMES.get(row.outcome, row.outcome),
            DELIVERIES.get(row.delivery, row.delivery),
            money.shown(row.credits_total),
            money.plain(row.credits_total),
            took(row.waited) if row.waited else "",
        )
        for row in rows
    ]


def _link(row: Entry, names: Names, *, is_there: bool) -> str:
    if row.chat_id not in names.titles:
        return ""
    chat = resolve_url("chat", row.chat_id)
    return f"{chat}?at={row.message_id}#m{row.message_id}" if is_there else chat


def _kinds(entry: Entry) -> list[tuple[str, str, str]]:
    return [
        (
            words,
            f"{getattr(entry, f'tokens_{kind}'):,}",
            exact(getattr(entry, f"credits_{kind}")),
        )
        for words, kind in KINDS.items()
    ]


def _event(billed: Billed) -> dict[str, object]:
    """One event of v0's bill, in words."""
    return {
        "at": billed.at,
        "type": billed.type,
        "model": billed.model or NO_MODEL,
        "sources": source_name(billed.sources),
        "waived": billed.waived,
        "tokens": billed.tokens_total,
        "credits": exact(billed.credits_total),
        "charged": exact(billed.charged),
    }


def _chips(form: ReviewForm, rows: Sequence[Entry], names: Names) -> list[tuple[str, str]]:
    """Each filter in words, with the address without it. What it is about is named as the rows name it, and
    by its number where there are none: nobody learns here who has which."""
    row = rows[0] if rows else None
    return [
        (_words(name, text, row, names), form.address(**{name: None}))
        for name, text in form.chosen.items()
    ]


def _words(name: str, text: str, row: Entry | None, names: Names) -> str:
    match name:
        case "person":
            return names.person(row.person_id) if row else f"Person {text}"
        case "team":
            return names.team(row.team_id) if row else f"Team {text}"
        case "chat":
            return names.chat(row.chat_id) if row else f"Chat {text[:8]}"
        case "model":
            return NO_MODEL if text == NONE else text
        case "but-chat" | "but-model":
            return beside(name, text)
        case "outcome":
            return OUTCOMES.get(text, text)
        case "source":
            return SOURCE_NAMES.get(text, text)
    return name
