"""What everybody has spent, for staff, and for team owners and admins what their teams have.

Owns the page and what its figures lead to: a narrower review, or the runs that they are made of. Relies on
permissions for whose usage it is, on `forms.review` for the filters, which all stand in the address, and on
`chats.usage.overview` for the sums. As many queries for any number of entries; never a word of a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chats import permissions
from chats.forms.review import NONE, SOURCE_NAMES, YES, ReviewForm, source, source_name
from chats.forms.usage import NAMES
from chats.models import Person
from chats.permissions.reviewing import review_of
from chats.usage import money, overview, reports
from chats.usage.overview import Overview
from chats.views import review_sections as sections
from chats.views.access import Request, signed_in, uuid_or_none
from chats.views.costs import exact
from chats.views.manage import chosen, listed, page_number
from chats.views.shell import shell
from chats.views.usage_names import NO_MODEL, Names, beside, names

# A table's order, by the names that the sums have.
SORTS = {"": "Credits", "tokens": "Tokens", "answers": "Answers", "name": "Name"}
ALL = {
    "team": "All teams",
    "person": "Everybody",
    "model": "All models",
    "outcome": "All ends",
    "source": "All sources",
}


@require_safe
@signed_in
def review(request: Request, person: Person) -> HttpResponse:
    found = review_of(request)
    now = timezone.now()
    form = ReviewForm(request.GET.dict(), now)
    sort, number = chosen(request, "sort", SORTS), page_number(request)
    range, before = form.range, form.range.before
    sums = overview.overview(
        form.filtered(found.entries),
        (range.start, range.end),
        (before.start, before.end),
        sections.days(now),
        by_hour=range.by_hour,
    )
    whole = reports.total(end.spent for end in sums.ends)
    shown = form.shown(found.entries)
    chats = overview.chats(shown, sort, sections.CHATS * (number - 1), sections.CHATS)
    dearest = overview.dearest(shown, whole.answers, sections.DEAREST)
    named = names(
        person,
        people={*sums.people, *(_number(form, "person") if found.is_whole else ())},
        teams={*sums.teams, *(_number(form, "team") if found.is_whole else ())},
        chats={
            *(id for id, _ in chats.found),
            *(row.chat_id for row in dearest.found),
            uuid_or_none(form.chosen.get("chat")),
        },
    )
    links = sections.Links(form, whole)
    context = {
        "review": found,
        "form": form,
        "sort": sort,
        "address": form.address(sort=None),
        "days": _first_and_last(form),
        "whole": whole,
        **_asked(form, sums, named),
        "figures": sections.figures(links, sums, chats.count),
        **sections.over_time(links, sums),
        "month": sections.month(form, sums.days, now),
        "tables": sections.tables(links, sums, named, sort),
        "chats": sections.chat_table(links, chats, named, number),
        **sections.bought(links, sums.ends),
        **sections.wasted(links, sums.ends, dearest, named),
        "v0": sections.v0(links) if found.is_whole and not form.chosen else None,
        **shell(request),
    }
    status = 422 if form.time.sentence else 200
    response = render(request, "usage/review.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@signed_in
def elsewhere(request: Request, person: Person) -> HttpResponse:
    """What v0 billed for the key that was not asked for here, event by event."""
    permissions.administrator(request)
    form = ReviewForm(request.GET.dict(), timezone.now())
    start, end = form.range.start, form.range.end
    found, (_, bill) = listed(request, overview.elsewhere(start, end)), overview.billed(start, end)
    context = {
        "form": form,
        "address": form.address(),
        "listed": found,
        "events": [
            (event, *sections.amount(event.credits_total), money.shown(event.charged))
            for event in found.rows
        ],
        "whole": bill,
        "credits": money.shown(bill.credits),
        "exact": exact(bill.credits),
        **shell(request),
    }
    status = 422 if form.time.sentence else 200
    response = render(request, "usage/elsewhere.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _first_and_last(form: ReviewForm) -> tuple[str, str]:
    """The days in the form for them: as they were typed, or those of the range."""
    if form.time.first or form.time.last:
        return form.time.first, form.time.last
    last = form.range.end - timedelta(microseconds=1)
    return f"{form.range.start:%Y-%m-%d}", f"{last:%Y-%m-%d}"


def _number(form: ReviewForm, name: str) -> list[int]:
    text = form.chosen.get(name, "")
    return [int(text)] if text.isascii() and text.isdigit() and len(text) < 19 else []


# What is asked for


def _asked(form: ReviewForm, sums: Overview, named: Names) -> dict[str, Any]:
    """The ranges, what may be chosen of each filter within this one, and what is chosen."""
    known = {
        "team": {sections.key(id): named.team(id) for id in sums.teams},
        "person": {sections.key(id): named.person(id) for id in sums.people},
        "model": {model or NONE: model or NO_MODEL for model in reports.by_model(sums.steps)},
        "outcome": sections.outcomes(sums.ends),
        "source": {source(end.sources): source_name(end.sources) for end in sums.ends},
    }
    filters = []
    for name, options in known.items():
        chosen = form.chosen.get(name, "")
        if chosen and chosen not in options:
            options[chosen] = _words(name, chosen, named)
        by_name = sorted(options.items(), key=lambda option: option[1].casefold())
        filters.append((name, name.capitalize(), chosen, [("", ALL[name]), *by_name]))
    return {
        "ranges": [
            (words, name == form.time.chosen, form.address(**sections.ELSEWHEN, range=name))
            for name, words in NAMES.items()
        ],
        "filters": filters,
        "chips": [
            (_words(name, text, named), form.address(**{name: None}))
            for name, text in form.chosen.items()
        ],
        # What no field of the form is for, and stays.
        "kept": [item for item in form.chosen.items() if item[0] not in known],
        "all": form.address(**dict.fromkeys(form.chosen)),
    }


def _words(name: str, text: str, named: Names) -> str:
    """A filter that is chosen, as far as whoever asks may know what it is."""
    match name:
        case "team":
            return named.team(None) if text == NONE else _known(named.teams, text, "Team")
        case "person":
            return named.person(None) if text == NONE else _known(named.people, text, "Person")
        case "chat":
            id = uuid_or_none(text)
            return named.chat(id) if id or text == NONE else "Unknown chat"
        case "model":
            return NO_MODEL if text == NONE else text
        case "but-chat" | "but-model":
            return beside(name, text)
        case "outcome":
            return sections.outcome("" if text == NONE else text)
        case "source":
            return SOURCE_NAMES.get(text, text)
        case _:
            return "waived" if text == YES else "Unknown"


def _known(names: Mapping[int, str], text: str, what: str) -> str:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return names.get(number) or f"{what} {text}"
