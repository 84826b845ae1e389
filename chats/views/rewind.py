"""“Rewind to here”: the files of an earlier answer become the chat's again, after a confirmation.

Owns the answers to that form. Relies on permissions for the chat and on `relay.intents` for what is
written; the browser names the answer, and a token that makes one press one restore.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from chats import permissions, relay
from chats.models import Chat, Message
from chats.permissions import Action
from chats.relay import intents
from chats.usage.refusals import Refused
from chats.views.access import (
    Request,
    allowed_actions,
    form_methods,
    member,
    see_chat,
    uuid_or_404,
    uuid_or_none,
)
from chats.views.acts import shown_act
from chats.views.composer import live_answer
from chats.views.refusals import not_now

EXPIRED = "This form was used or too old. Rewind again if you still mean it."
NEWEST = "These files are the newest already, or v0 does not have them any more."
BUSY = "An answer is still running. Wait for it or stop it, then rewind."


@form_methods
def rewind(request: Request, id: UUID) -> HttpResponse:
    """Wants the files of the answer `run` back: once for one form, however often it comes."""
    found = permissions.chat(request, id, Action.RESTORE)
    given = request.POST if request.method == "POST" else request.GET
    if not given.get("run"):
        return see_chat(found.id)
    target = get_object_or_404(found.messages, id=uuid_or_404(given["run"]), role="assistant")
    if request.method != "POST":
        return _form(request, found, target)
    token = uuid_or_none(request.POST.get("token"))
    if token is None:
        return _form(request, found, target, EXPIRED, status=422)
    if not target.restorable and not _is_repeated(request, token, found):
        return _form(request, found, target, NEWEST, status=409)
    try:
        intents.restore(member(request), token, found, target)
    except intents.Busy:
        return _form(request, found, target, status=409)
    except intents.TokenReused:
        return _form(request, found, target, EXPIRED, status=409)
    except Refused as error:
        no = not_now(request, error, allowed_actions(request, found))
        return no.answer(_form(request, found, target, no.whole, status=no.status))
    relay.changed(found.id)
    relay.wake()
    return see_chat(found.id)


def _is_repeated(request: Request, token: UUID, found: Chat) -> bool:
    """Whether the same press has come before: what it asked for may have happened since."""
    try:
        return intents.found(member(request), token, found) is not None
    except intents.TokenReused:
        return False


def _form(
    request: Request, found: Chat, target: Message, refusal: str = "", *, status: int = 200
) -> HttpResponse:
    running = live_answer(found)
    context = {
        "target": target,
        "running": running,
        "refusal": BUSY if running else refusal,
        "is_newest": not target.restorable,
        "later": found.messages.filter(position__gt=target.position).count(),
        "token": uuid4(),
    }
    return shown_act(request, found, "rewind", context, status=status)
