"""What stands beside the text somebody types: Send or Stop, the form's token, a refusal.

Owns the fragment that a page fetches when the mark `composer` changes and the one that answers a form
sent by htmx. The textarea is in neither: what is being typed is never replaced.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Chat, Message
from chats.models.messages import LIVE
from chats.permissions import Action
from chats.views.access import Request
from chats.views.own import is_closed


@require_safe
def actions(request: Request, id: UUID) -> HttpResponse:
    found = written_in(request, id)
    return render(request, "chats/_actions.html", composer(found, live_answer(found)))


def written_in(request: Request, id: UUID) -> Chat:
    """The chat of somebody who may send in it, or who reads one that v0 has closed."""
    try:
        return permissions.chat(request, id, Action.SEND)
    except PermissionDenied:
        # Perhaps because v0 has closed it just now.
        found = permissions.chat(request, id, Action.READ)
        if not is_closed(found):
            raise
        return found


def live_answer(found: Chat) -> Message | None:
    return found.messages.filter(role="assistant", state__in=LIVE).first()


def composer(found: Chat, live: Message | None, **more: Any) -> dict[str, Any]:
    """The context of `chats/_actions.html`; `mode` is "ready", "running", "stopping" or "closed"."""
    mode = "ready" if live is None else "stopping" if live.stop_asked_at else "running"
    mode = "closed" if is_closed(found) else mode
    return {"chat": found, "run": live, "mode": mode, **more}


def answered(
    request: Request,
    found: Chat,
    *,
    text: str = "",
    refusal: str = "",
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """A fresh composer for the page that the form came from, around its textarea; with the queue when
    `more` has it."""
    found.refresh_from_db(fields=["version"])
    context = composer(found, live_answer(found), token=uuid4(), text=text, refusal=refusal)
    context |= more
    return render(request, "chats/_composer_answer.html", context, status=status)
