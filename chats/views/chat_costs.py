"""What a chat has cost, answer by answer: what the figure in its header is made of.

Owns the page. Relies on permissions for who may see the cost of a chat, and on `usage_runs` for the words of each
answer; it shows whose answer cost what, and no word of any.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Entry
from chats.permissions import Action
from chats.usage import money, reports
from chats.views.access import Request, member
from chats.views.manage import listed
from chats.views.shell import shell
from chats.views.usage_names import names_of
from chats.views.usage_runs import told


@require_safe
def chat_costs(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.SEE_COST)
    entries = Entry.objects.filter(chat=found)
    whole = reports.in_all(entries)
    rows = listed(request, entries.order_by("-ended_at", "-pk"))
    context = {
        "chat": found,
        "whole": whole,
        "credits": money.shown(whole.credits),
        "exact": money.plain(whole.credits),
        "listed": rows,
        "runs": told(rows.rows, names_of(member(request), rows.rows)),
        **shell(request),
    }
    response = render(request, "usage/chat.html", context)
    response["Cache-Control"] = "no-store"
    return response
