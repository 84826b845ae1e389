"""The list of chats by itself: what a page fetches again, the rows after the last one, and the whole
page that a browser without scripts gets instead."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_safe

from chats.models import Person
from chats.views.access import Request, signed_in, uuid_or_none
from chats.views.shell import Cursor, shell, sidebar


@require_safe
@signed_in
def chats(request: Request, person: Person) -> HttpResponse:
    after = Cursor.parse(request.GET.get("after") or "")
    rows = sidebar(
        request,
        person,
        current=uuid_or_none(request.GET.get("current")),
        after=after,
        shown=sum(map(_count, request.GET.getlist("shown")[:20])),
    )
    if not request.htmx:
        first = sidebar(request, person, waiting=rows.waiting) if after else rows
        context = {"rows": rows, "is_older": after is not None, **shell(request, rows=first)}
        return render(request, "chats/list.html", context)
    template = "chats/_sidebar_rows.html" if after else "chats/_sidebar_fetched.html"
    page = "needs-you" if request.htmx.current_url_abs_path == resolve_url("needs_you") else ""
    return render(request, template, {"sidebar": rows, "page": page})


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
