"""The audit log: all of it for staff, and what happened to one chat for whoever manages that.

Owns both pages and the CSV. Relies on permissions for who may look, on `forms.audit` for what is looked
for, and on `entries` for the words. Nothing here changes an entry; the CSV is one more of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chats import permissions
from chats.forms.audit import AREAS, FilterForm
from chats.models import AuditEntry, Event, Person
from chats.permissions import Action
from chats.relay.rows import utc
from chats.views import sheets
from chats.views.access import Request, note, signed_in
from chats.views.downloads import download
from chats.views.entries import NameOf, noted_name, told
from chats.views.shell import shell

PAGE = 30
CHUNK = 500
COLUMNS = (
    *("id", "at", "event", "what", "actor_id", "actor", "address", "person_id", "person"),
    *("team_id", "team", "chat", "details"),
)


@require_safe
@signed_in
def audit(request: Request, person: Person) -> HttpResponse:
    permissions.administrator(request)
    form = FilterForm(request.GET)
    page = _page(request, AuditEntry.objects.filter(form.rows), noted_name, form.given)
    context = {
        "form": form,
        "areas": AREAS.items(),
        "is_filtered": bool(form.given),
        "days": settings.V0_AUDIT_KEEP,
        "page": "audit",
        **page,
        **shell(request),
    }
    return render(request, "audit/log.html", context, status=200 if form.is_valid() else 422)


@require_POST
def audit_csv(request: Request) -> HttpResponseBase:
    permissions.administrator(request)
    form = FilterForm(request.POST)
    if not form.is_valid():
        return HttpResponse("This cannot be looked for.", status=422)
    rows = AuditEntry.objects.filter(form.rows)
    # Its own entry is beyond what it has.
    newest = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
    note(request, Event.AUDIT_EXPORTED, looked_for=form.given)
    name = f"audit-{timezone.now():%Y-%m-%d}.csv"
    lines = (line.encode() for line in _csv(rows, newest))
    return download(request, lines, name=name, kind="text/csv; charset=utf-8")


@require_safe
def chat_audit(request: Request, id: UUID) -> HttpResponse:
    """By the names that people show; where they were is for staff."""
    found = permissions.chat(request, id, Action.MANAGE)
    rows = AuditEntry.objects.filter(chat=found.id)
    context = {"chat": found, **_page(request, rows, _shown_names(rows)), **shell(request)}
    return render(request, "audit/chat.html", context)


def _shown_names(rows: QuerySet[AuditEntry]) -> NameOf:
    people = {id for pair in rows.values_list("actor", "person").distinct() for id in pair if id}
    names = {person.pk: person.shown_name for person in Person.objects.filter(pk__in=people)}

    def shown_name(id: int | None, name: str) -> str:
        return names.get(id or 0) or name.partition("@")[0]

    return shown_name


def _page(
    request: Request,
    rows: QuerySet[AuditEntry],
    name_of: NameOf,
    given: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The entries before the one that the address names, newest first, and where older ones are."""
    before = _number(request.GET.get("before"))
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    return {
        "entries": told(found[:PAGE], name_of),
        "older": urlencode({**(given or {}), "before": older}) if older else "",
        "newest": urlencode(given or {}) if before else None,
    }


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


def _csv(rows: QuerySet[AuditEntry], newest: int) -> Iterator[str]:
    """Newest first, a chunk of rows at a time."""
    yield sheets.lines([COLUMNS])
    below = newest + 1
    while chunk := list(rows.filter(pk__lt=below).order_by("-pk")[:CHUNK]):
        yield sheets.lines([_cells(entry) for entry in chunk])
        below = chunk[-1].pk


def _cells(entry: AuditEntry) -> Sequence[object]:
    return (
        *(entry.pk, utc(entry.at), entry.event, entry.get_event_display()),
        *(entry.actor, entry.actor_name, entry.address, entry.person, entry.person_name),
        *(entry.team, entry.team_name, entry.chat),
        json.dumps(entry.details, ensure_ascii=False) if entry.details else "",
    )
