"""What somebody sets up at Vercel: how far a connector is, and the project of a chat.

Owns the fragment that open pages poll and the form that makes the project. Relies on permissions, as
both are for those who may connect services, and on `relay.setups`, which asks v0 seldom.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from chats import permissions
from chats.forms.decision import DecisionForm
from chats.models import Event
from chats.permissions import Action
from chats.relay import decisions, setups
from chats.relay.decisions import Given
from chats.views import chat as chat_page
from chats.views.access import Request, allowed_actions, note, see_chat
from chats.views.cards import Card, poll


@require_safe
def connect(request: Request, id: UUID) -> HttpResponse:
    """204 while nothing is new. A card that is not the open one any more is polled for no longer."""
    found = permissions.chat(request, id, Action.GRANT)
    waiting = decisions.waiting(found)
    if waiting is None or waiting.digest != request.GET.get("seen"):
        return render(request, "chats/_setup.html", {"chat": found})
    setup = setups.look(found, waiting)
    context = poll(waiting, allowed_actions(request, found), setup)
    if context and context["shown"] == request.GET.get("shown"):
        return HttpResponse(status=204)
    return render(request, "chats/_setup_news.html", {"chat": found, "poll": context})


@require_POST
def project(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.GRANT)
    form = DecisionForm(request.POST)
    try:
        setups.make_project(found)
    except setups.NotMade as error:
        card = Card(Given("", form.texts, form.selected), str(error), form.model)
        return chat_page.page(request, found, card=card, status=409)
    if not found.vercel_project:
        names = ["Vercel project"]
        note(request, Event.SERVICE_CONNECTED, chat=found, team=found.team, names=names)
    return see_chat(found.id)
