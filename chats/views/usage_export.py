"""Usage as a file: every entry of the ledger that the filters of an address leave, as CSV and as JSON.

Owns the four addresses and what stands in both files; what is typed in the address is `forms.review`'s, whose
entries they are permissions'. Entries are read a chunk at a time while the file is on its way, so that a million
take no more memory than a hundred. Credits are decimal text to their last digit, times are UTC. Titles of
chats stand in it for those alone who may read them, and never a word of a message. The JSON says at its end how many
entries it has and what they cost together: one that broke off has no end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from chats import permissions
from chats.forms.review import ReviewForm
from chats.models import Entry, Person
from chats.permissions.reviewing import review_of, still_reviews
from chats.relay.rows import utc
from chats.usage import chunks, money
from chats.views import sheets
from chats.views.access import Request, signed_in
from chats.views.downloads import download, while_signed_in
from chats.views.usage_names import Names, names_of

FORMAT = "v0web usage"
# Raised when what is in a file stops meaning what it meant.
VERSION = 1
TOKENS = ("tokens_input", "tokens_output", "tokens_cache_read", "tokens_cache_write")
CREDITS = ("credits_input", "credits_output", "credits_cache_read", "credits_cache_write")
COLUMNS = (
    *("message", "started_at", "ended_at", "person_id", "person", "team_id", "team"),
    *("chat", "chat_title", "model", "model_asked", "outcome", "delivery", "waited_seconds"),
    *(*TOKENS, "tokens_total", *CREDITS, "credits_total"),
    *("is_told", "credits_charged", "sources", "waived"),
)
KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@require_GET
@signed_in
def own_export(request: Request, person: Person, ending: str) -> HttpResponseBase:
    return _file(request, person, permissions.own_entries(person), ending, lambda: True)


@require_GET
@signed_in
def review_export(request: Request, person: Person, ending: str) -> HttpResponseBase:
    review = review_of(request)
    return _file(request, person, review.entries, ending, lambda: still_reviews(review))


def _file(
    request: Request,
    person: Person,
    entries: QuerySet[Entry],
    ending: str,
    is_allowed: Callable[[], bool],
) -> HttpResponseBase:
    form = ReviewForm(request.GET.dict(), timezone.now())
    if form.time.sentence:
        return HttpResponse(form.time.sentence, status=422, content_type="text/plain")
    shown = form.shown(entries)
    pieces = as_csv(shown, person) if ending == "csv" else as_json(shown, person, form)
    name = f"usage-{form.range.start:%Y-%m-%d}-{timezone.now():%Y-%m-%d}.{ending}"
    allowed = (piece.encode() for piece in while_signed_in(request, pieces, is_allowed))
    response = download(request, allowed, name=name, kind=KINDS[ending])
    response["Cache-Control"] = "no-store"
    return response


def as_csv(entries: QuerySet[Entry], reader: Person) -> Iterator[str]:
    """Newest first, a chunk of lines at a time."""
    yield sheets.lines([COLUMNS])
    for chunk in chunks.newest_first(entries):
        names = names_of(reader, chunk)
        yield sheets.lines([list(told(entry, names).values()) for entry in chunk])


def as_json(entries: QuerySet[Entry], reader: Person, form: ReviewForm) -> Iterator[str]:
    head = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": utc(timezone.now()),
        "from": utc(form.range.start),
        "until": utc(form.range.end),
        "filters": form.chosen,
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "entries": ['
    count = total = 0
    for chunk in chunks.newest_first(entries):
        names = names_of(reader, chunk)
        rows = [json.dumps(told(entry, names), ensure_ascii=False) for entry in chunk]
        yield (",\n" if count else "\n") + ",\n".join(rows)
        count += len(chunk)
        total += sum(entry.credits_total for entry in chunk)
    yield f'\n], "count": {count}, "credits_total": "{money.plain(total)}"}}\n'


def told(entry: Entry, names: Names) -> dict[str, Any]:
    """By the names of COLUMNS; None where there is nothing."""
    return {
        "message": str(entry.message_id),
        "started_at": _moment(entry.started_at),
        "ended_at": utc(entry.ended_at),
        "person_id": entry.person_id,
        "person": names.person(entry.person_id),
        "team_id": entry.team_id,
        "team": names.team(entry.team_id) if entry.team_id else None,
        "chat": str(entry.chat_id) if entry.chat_id else None,
        "chat_title": names.titles.get(entry.chat_id) if entry.chat_id else None,
        "model": entry.model,
        "model_asked": entry.asked,
        "outcome": entry.outcome,
        "delivery": entry.delivery,
        "waited_seconds": entry.waited,
        **{name: getattr(entry, name) for name in (*TOKENS, "tokens_total")},
        **{name: money.plain(getattr(entry, name)) for name in (*CREDITS, "credits_total")},
        "is_told": entry.is_told,
        "credits_charged": None if entry.charged is None else money.plain(entry.charged),
        "sources": entry.sources,
        "waived": entry.waived,
    }


def _moment(moment: datetime | None) -> str | None:
    return utc(moment) if moment else None
