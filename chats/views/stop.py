"""Stop: the answer to that form. Owns which answer is meant; `relay.stopping` writes the wish down."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from chats import permissions, relay
from chats.models import Chat, Message
from chats.permissions import Action
from chats.relay import stopping
from chats.views.access import Request, member, see_chat, uuid_or_404
from chats.views.composer import answered, live_answer


@require_POST
def stop(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.SEND)
    answer = _meant(found, request.POST.get("run"))
    if answer is not None and stopping.ask(answer, member(request)):
        relay.changed(found.id)
        relay.wake()
    return answered(request, found) if request.htmx else see_chat(found.id)


def _meant(found: Chat, run: str | None) -> Message | None:
    """The answer that `run` names, the running one without it; Http404 for one of another chat."""
    if not run:
        return live_answer(found)
    return get_object_or_404(found.messages, id=uuid_or_404(run), role="assistant")
