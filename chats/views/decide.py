"""A decision: the one form of every card.

Owns the answer to it. Relies on permissions, for some choices on a stronger right, and on
`relay.decisions`; nothing that a browser says reaches v0 but a choice and words.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST
from django_htmx.http import reswap, retarget

from chats import accounts, permissions, relay
from chats.forms.decision import DecisionForm
from chats.forms.options import NOT_FOR_YOU
from chats.models import Chat
from chats.models.messages import Task
from chats.permissions import Action, spaces
from chats.relay import decisions, intents, setups
from chats.relay.decisions import Given, Waiting
from chats.relay.setups import Setup
from chats.usage.refusals import Refused
from chats.views import chat as chat_page
from chats.views.access import Request, allowed_actions, member, see_chat
from chats.views.cards import Card
from chats.views.refusals import EXPIRED_CARD, MOVED, MOVED_ON, NotNow, not_now

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
    models = spaces.models(member(request), found.team)
    if form.model and form.model not in models:
        return _refused(request, found, Card(given, NOT_FOR_YOU.format(form.model), form.model))
    if form.token is None:
        return _refused(request, found, Card(given, EXPIRED_CARD, form.model))
    if waiting is not None and form.choice == "ready":
        unready = not_ready(setups.look(found, waiting, pressed=True))
        if unready:
            return _refused(request, found, Card(given, unready, form.model))
    try:
        decisions.decide(
            member(request),
            form.token,
            found,
            form.seen,
            given,
            model=form.model or (found.model if found.model in models else ""),
            address=accounts.address(request),
        )
    except decisions.Incomplete as error:
        return _refused(request, found, Card(given, str(error), form.model))
    except (decisions.Moved, intents.TokenReused):
        return _moved(request, found, form)
    except Refused as error:
        no = not_now(request, error, allowed_actions(request, found))
        return _not_now(request, found, Card(given, no.whole, form.model), no)
    relay.changed(found.id)
    relay.wake()
    # A page that goes on by itself hears of what follows over its socket.
    return HttpResponse(status=204) if request.htmx else see_chat(found.id)


def not_ready(setup: Setup) -> str:
    """Why nobody can go on yet; "" when one can, and when only v0 can tell."""
    match setup.state:
        case "pending":
            return f"It is not set up yet. {setup.words}".strip()
        case "error":
            return f"It was not set up. {setup.words}".strip()
        case "gone":
            return "v0 has forgotten this set-up. Write a message to ask for it again."
        case _:
            return ""


def _refused(request: Request, found: Chat, card: Card, *, status: int = 422) -> HttpResponse:
    """The page again, with what was filled in."""
    found.refresh_from_db()
    return chat_page.page(request, found, card=card, status=status)


def _not_now(request: Request, found: Chat, card: Card, no: NotNow) -> HttpResponse:
    """The card stays as it is; to a page that went on by itself it is said above its composer."""
    if not request.htmx:
        return no.answer(_refused(request, found, card, status=no.status))
    context = {"refusal": no.sentence, "again": no.again}
    response = render(request, "chats/_refusal.html", context, status=no.status)
    return no.answer(reswap(retarget(response, "#refusal"), "outerHTML"))


def _moved(request: Request, found: Chat, form: DecisionForm) -> HttpResponse:
    """The page with the card that is open now, if one is; what was written goes into the composer."""
    found.refresh_from_db()
    words = "\n\n".join(filter(None, form.texts.values()))
    fresh: Waiting | None = decisions.waiting(found)
    if fresh is not None:
        card = Card(refusal=MOVED)
        return chat_page.page(request, found, card=card, text=words, status=409)
    return chat_page.page(request, found, refusal=MOVED_ON, text=words, status=409)
