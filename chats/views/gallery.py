"""The gallery: the chats that are public now, newest first, a page at a time.

Owns the page and its cursor. Relies on permissions for which chats those are and on settings for whether there
is one; shows a title, its owner's name and a date, and nothing that was said.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats.permissions import gallery as public
from chats.views.access import Request, person
from chats.views.shell import Cursor, shell

PAGE = 30
SHOWN = ("title", "updated_at", "owner__name", "owner__email", "owner__deleted_at")


@require_safe
def gallery(request: Request) -> HttpResponse:
    rows = public.chats().select_related("owner").only(*SHOWN)
    is_signed_in = person(request) is not None
    if not public.is_shown(signed_in=is_signed_in):
        return redirect_to_login(request.get_full_path())
    after = Cursor.parse(request.GET.get("after") or "")
    if after:
        rows = rows.filter(
            Q(updated_at__lt=after.moment) | Q(updated_at=after.moment, id__lt=after.id)
        )
    found = list(rows.order_by("-updated_at", "-id")[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    context = {
        "chats": found[:PAGE],
        "after": after,
        "more": Cursor(last.updated_at, last.id) if last else None,
        "everybody": settings.V0_ANONYMOUS_READING,
        **shell(request),
    }
    response = render(request, "chats/gallery.html", context)
    # The one page that a search engine may show; what it leads to says no for itself.
    response["X-Robots-Tag"] = "all"
    return response
