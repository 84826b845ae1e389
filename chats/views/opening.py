"""Breaking the glass: the form in which a superuser states why they read somebody's chat.

Owns the form, its entry in the audit log, which the chat's owner sees, and giving the right back. Relies
on `permissions.opening` for who may and for how long, and asks for a proof of who it is.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_POST

from chats import permissions, relay
from chats.accounts import recently
from chats.forms.acts import sentence
from chats.forms.audit import LONGEST_REASON, ReasonForm
from chats.models import Chat, Event
from chats.permissions import Action, opening
from chats.relay.rows import utc
from chats.views.access import Request, allowed_actions, form_methods, note, see_chat
from chats.views.shell import shell


@form_methods
def open_chat(request: Request, id: UUID) -> HttpResponse:
    found = opening.openable(request, id)
    if Action.READ in allowed_actions(request, found):
        return see_chat(found.id)
    form = ReasonForm(request.POST)
    if request.method != "POST" or not form.is_valid():
        return _form(request, found, form)
    if not recently.is_recent(request):
        # What waits meanwhile comes back to this view.
        return recently.ask(request)
    with transaction.atomic():
        reason = form.cleaned_data["reason"]
        of = {"person": found.owner, "chat": found, "team": found.team}
        note(request, Event.CHAT_OPENED, **of, reason=reason)
        opening.open_chat(request, found)
    return see_chat(found.id)


def _form(request: Request, found: Chat, form: ReasonForm) -> HttpResponse:
    is_refused = request.method == "POST"
    context = {
        "chat": found,
        "reason": request.POST.get("reason", ""),
        "refusal": sentence(form) if is_refused else "",
        "most": LONGEST_REASON,
        **shell(request),
    }
    return render(request, "audit/open.html", context, status=422 if is_refused else 200)


@require_POST
def close_chat(request: Request, id: UUID) -> HttpResponse:
    """Gives the right back before its time; whoever reads the chat in another way keeps that."""
    found = permissions.chat(request, id, Action.READ)
    opening.close_chat(request, found)
    relay.rights_changed()
    return HttpResponseRedirect(resolve_url("home"), status=303)


def opened(request: HttpRequest, found: Chat) -> dict[str, str]:
    """The context of the line that says so on the chat's page."""
    until = opening.opened(request, found)
    return {"opened_until": utc(until)} if until else {}
