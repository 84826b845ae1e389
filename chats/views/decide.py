"""A decision: the one form of every card.

Owns the answer to it. Relies on permissions, for some choices on a stronger right, and on
`relay.decisions`; nothing that a browser says reaches v0 but a choice and words.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from chats import permissions, relay
from chats.forms.decision import DecisionForm
from chats.models import Chat
from chats.models.messages import Task
from chats.permissions import Action
from chats.relay import decisions, intents
from chats.relay.decisions import Given
from chats.views import chat as chat_page
from chats.views.access import Request, member, see_chat
from chats.views.cards import Card
from chats.views.refusals import EXPIRED_CARD, MOVED

# What only those may choose who may connect services and let tools run.
GRANTS = {(Task.INTEGRATION, "connected"), (Task.PERMISSION, "allowed"), (Task.CONNECT, "ready")}


@require_POST
def decide(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.SEND)
    form = DecisionForm(request.POST)
    waiting = decisions.waiting(found)
    if waiting is not None and (waiting.kind, form.choice) in GRANTS:
        found = permissions.chat(request, id, Action.GRANT)
    given = Given(form.choice, form.texts, form.selected)
    if form.token is None:
        return _refused(request, found, Card(given, EXPIRED_CARD, form.model), status=422)
    try:
        decisions.decide(
            member(request), form.token, found, form.seen, given, model=form.model or found.model
        )
    except decisions.Incomplete as error:
        return _refused(request, found, Card(given, str(error), form.model), status=422)
    except (decisions.Moved, intents.TokenReused):
        return _refused(request, found, Card(refusal=MOVED), status=409)
    relay.changed(found.id)
    relay.wake()
    return see_chat(found.id)


def _refused(request: Request, found: Chat, card: Card, *, status: int) -> HttpResponse:
    """The page again, with what was filled in; with the fresh card when it was another one."""
    found.refresh_from_db()
    return chat_page.page(request, found, card=card, status=status)
