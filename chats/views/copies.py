"""Copies of chats, and a chat that is to come as a whole, a copy or one of files, wanted once more.

Owns the form of a copy, and the two ways on when v0's messages do not come. Relies on permissions for the chat
and on `relay.intents` for what is written; how such a chat stands is `copying`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from chats import permissions, relay
from chats.forms.acts import TitleForm, sentence
from chats.forms.visibility import VisibilityForm
from chats.models import Chat, Message
from chats.permissions import Action, spaces
from chats.relay import intents
from chats.usage.refusals import Refused
from chats.views import chat as chat_page
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
from chats.views.exposure import UNSEEN, Exposure, exposure, is_unseen
from chats.views.refusals import not_now

EXPIRED = "This form was used or too old. Duplicate again if you still mean it."
NOTHING = "There is nothing at v0 to copy yet."
BUSY = "An answer is still running. Wait for it or stop it, then duplicate."
NEWEST = "The files of that answer are the newest already. A plain copy has them, too."


@form_methods
def duplicate(request: Request, id: UUID) -> HttpResponse:
    """Wants one copy for one form, however often it comes; with `run`, one that goes on from there."""
    found = permissions.chat(request, id, Action.DUPLICATE)
    given = request.POST if request.method == "POST" else request.GET
    target = _target(found, given.get("run"))
    # Never a plain copy for somebody who wanted another one.
    is_newest = bool(given.get("run")) and target is None
    if request.method != "POST":
        return _form(request, found, target, NEWEST if is_newest else "")
    token = uuid_or_none(request.POST.get("token"))
    titled = TitleForm({"title": request.POST.get("title") or intents.copy_title(found) or "-"})
    seen_by = VisibilityForm(request.POST.get("privacy"), spaces.teams(request))
    if token is None:
        return _form(request, found, target, EXPIRED, status=422)
    if refusal := sentence(titled) or seen_by.sentence:
        return _form(request, found, target, refusal, status=422)
    exposed = exposure(found, seen_by.privacy, is_copied=True)
    if is_unseen(request, exposed):
        return _form(request, found, target, UNSEEN, exposed=exposed, status=422)
    if is_newest:
        return _form(request, found, target, NEWEST, status=409)
    if not found.v0_id:
        return _form(request, found, target, NOTHING, status=409)
    title = titled.given if request.POST.get("title") else ""
    try:
        copy = intents.duplicate(
            *(member(request), token, found),
            title="" if title == intents.copy_title(found) else title,
            privacy=seen_by.privacy,
            team=seen_by.team,
            rewind=target,
        )
    except intents.Busy:
        return _form(request, found, target, BUSY, status=409)
    except intents.TokenReused:
        return _form(request, found, target, EXPIRED, status=409)
    except Refused as error:
        no = not_now(request, error)
        return no.answer(_form(request, found, target, no.whole, status=no.status))
    relay.wake()
    relay.changed(copy.id)
    return see_chat(copy.id)


def _target(found: Chat, run: str | None) -> Message | None:
    """The answer that the copy is to go on from; None for a copy as the chat is now."""
    if not run:
        return None
    answer = get_object_or_404(found.messages, id=uuid_or_404(run), role="assistant")
    return answer if answer.restorable else None


def _form(
    request: Request,
    found: Chat,
    target: Message | None,
    refusal: str = "",
    *,
    exposed: Exposure | None = None,
    status: int = 200,
) -> HttpResponse:
    given = request.POST.get("title") if request.method == "POST" else None
    context: dict[str, Any] = {
        "target": target,
        "token": uuid4(),
        "refusal": refusal,
        "exposed": exposed,
        "title": intents.copy_title(found) if given is None else given,
        "seen_by": VisibilityForm(request.POST.get("privacy"), spaces.teams(request)),
    }
    name = "branch" if target else "duplicate"
    return shown_act(request, found, name, context, status=status)


@require_POST
def copy_again(request: Request, id: UUID) -> HttpResponse:
    return _reopened(request, id, intents.wish_again)


@require_POST
def look_again(request: Request, id: UUID) -> HttpResponse:
    """Reads at v0 once more whether it has the chat; nothing is sent."""
    return _reopened(request, id, intents.look_again)


def _reopened(request: Request, id: UUID, reopen: Any) -> HttpResponse:
    found = permissions.chat(request, id, Action.MANAGE)
    try:
        is_open = reopen(found)
    except Refused as error:
        no = not_now(request, error, allowed_actions(request, found))
        return no.answer(chat_page.page(request, found, refusal=no.whole, status=no.status))
    if is_open:
        relay.wake()
        relay.changed(found.id)
    return see_chat(found.id)
