"""A further message of a chat, and the same one again after it failed.

Owns the answers to both forms. Relies on the database's constraints to decide who came first; writes
an intent and wakes the relay, which is the only one to talk to v0.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from chats import permissions, relay
from chats.forms.message import MessageForm
from chats.models import Chat, Intent, Message
from chats.permissions import Action
from chats.relay import intents
from chats.views import chat as chat_page
from chats.views.access import Request, member, see_chat, uuid_or_404
from chats.views.composer import answered
from chats.views.own import is_closed, may_repeat
from chats.views.refusals import BUSY, CLOSED, USED_FORM

# What an intent's payload may hold beside the message.
OPTIONS = ("model", "system")
NONE: Mapping[str, Any] = MappingProxyType({})


@require_POST
def send(request: Request, id: UUID) -> HttpResponse:
    form = MessageForm(request.POST)
    try:
        found = permissions.chat(request, id, Action.SEND)
    except PermissionDenied:
        return _closed(request, id, form)
    if "look" in request.POST:
        # Without scripts: the page as it is now, and what was typed so far.
        return chat_page.page(request, found, text=form.kept)
    return _take(request, found, form)


def _closed(request: Request, id: UUID, form: MessageForm) -> HttpResponse:
    """403; with the page, on which the text can go into a new chat, where v0 has closed this one."""
    found = permissions.chat(request, id, Action.READ)
    if request.htmx or not is_closed(found) or not request.user.is_authenticated:
        raise PermissionDenied
    return chat_page.page(request, found, text=form.kept, refusal=CLOSED, status=403)


@require_POST
def again(request: Request, id: UUID) -> HttpResponse:
    """Sends what the failed answer `run` was to answer once more, unless the chat has gone on."""
    found = permissions.chat(request, id, Action.SEND)
    run = uuid_or_404(request.POST.get("run"))
    answer = get_object_or_404(found.messages, id=run, role="assistant")
    if not may_repeat(answer, found.messages.last()):
        return see_chat(found.id)
    form = MessageForm({"message": asked(answer), "token": request.POST.get("token")})
    return _take(request, found, form, options(answer))


def asked(answer: Message) -> str:
    """The text that `answer` answers."""
    earlier = answer.chat.messages.filter(role="user", position__lt=answer.position)
    message = earlier.last()
    return message.text if message else ""


def options(answer: Message) -> dict[str, Any]:
    """What was asked for beside the text that `answer` answers: model, system."""
    intent = Intent.objects.filter(answer=answer).first()
    given: dict[str, Any] = intent.payload if intent else {}
    return {name: given[name] for name in OPTIONS if name in given}


def _take(
    request: Request, found: Chat, form: MessageForm, options: Mapping[str, Any] = NONE
) -> HttpResponse:
    if not form.is_valid():
        return refused(request, found, form.kept, form.sentence, status=422)
    try:
        intents.send(member(request), form.given_token, {"message": form.text, **options}, found)
    except intents.Busy:
        return refused(request, found, form.kept, BUSY, status=409)
    except intents.TokenReused:
        return refused(request, found, form.kept, USED_FORM, status=409)
    relay.changed(found.id)
    relay.wake()
    return answered(request, found) if request.htmx else see_chat(found.id)


def refused(
    request: Request, found: Chat, text: str, sentence: str, *, status: int
) -> HttpResponse:
    give_back = answered if request.htmx else chat_page.page
    return give_back(request, found, text=text, refusal=sentence, status=status)
