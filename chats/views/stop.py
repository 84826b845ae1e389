"""Stop: a wish that is written down once; the relay tells v0 and says how it ended."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from chats import permissions, relay
from chats.models import Chat, Message, Person
from chats.models.messages import LIVE
from chats.permissions import Action
from chats.views.access import Request, member, see_chat, uuid_or_404
from chats.views.composer import answered, live_answer


@require_POST
def stop(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.SEND)
    answer = _meant(found, request.POST.get("run"))
    if answer is not None and _ask(answer, member(request)):
        relay.changed(found.id)
        relay.wake()
    return answered(request, found) if request.htmx else see_chat(found.id)


def _meant(found: Chat, run: str | None) -> Message | None:
    """The answer that `run` names, the running one without it; Http404 for one of another chat."""
    if not run:
        return live_answer(found)
    return get_object_or_404(found.messages, id=uuid_or_404(run), role="assistant")


def _ask(answer: Message, asker: Person) -> bool:
    """Whether this was the first wish to stop a running answer."""
    waiting = Message.objects.filter(id=answer.id, state__in=LIVE, stop_asked_at=None)
    with transaction.atomic():
        if not waiting.update(stop_asked_at=timezone.now(), stop_asked_by=asker):
            return False
        Chat.objects.filter(id=answer.chat_id).update(version=F("version") + 1)
    return True
