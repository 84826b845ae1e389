"""A further message of a chat, and the same one again after it failed.

Owns the answers to both forms. Relies on `relay.queue` for whether it goes out now or waits, and wakes
the relay, which is the only one to talk to v0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from chats import permissions, relay
from chats.forms.attachments import GONE
from chats.forms.message import MessageForm
from chats.forms.options import OptionsForm
from chats.models import Attachment, Chat, Intent, Message, Person, Queued
from chats.permissions import Action
from chats.relay import intents, queue
from chats.relay.uploads import Missing, ids_in
from chats.usage.refusals import Refused
from chats.views import chat as chat_page
from chats.views.access import Request, allowed_actions, member, see_chat, uuid_or_404
from chats.views.allowance import in_chat
from chats.views.attachments import attached
from chats.views.composer import answered
from chats.views.options import options_of, remember
from chats.views.own import is_closed, may_repeat
from chats.views.queued import queue_of
from chats.views.refusals import (
    CLOSED,
    FULL,
    KEPT,
    NOT_ALL_HERE,
    NOT_FOR_ROLE,
    USED_FORM,
    not_now,
)

# What an intent's payload may hold beside the message.
OPTIONS = ("model", "images", "mcp", "skills", "system", "metadata")


@require_POST
def send(request: Request, id: UUID) -> HttpResponse:
    form = MessageForm(request.POST)
    try:
        found = permissions.chat(request, id, Action.SEND)
    except PermissionDenied:
        return _closed(request, id, form)
    chosen = options_of(request, member(request), found)
    if "look" in request.POST:
        # Without scripts: the page as it is now, and what was typed so far.
        files = attached(request, member(request), form).rows
        return chat_page.page(request, found, text=form.kept, files=files, options=chosen)
    return _take(request, found, form, _carried(found), chosen)


def _closed(request: Request, id: UUID, form: MessageForm) -> HttpResponse:
    """403; with the page, on which the text can go into a new chat, where v0 has closed this one."""
    found = permissions.chat(request, id, Action.READ)
    if request.htmx or not is_closed(found) or not isinstance(request.user, Person):
        raise PermissionDenied
    files = attached(request, request.user, form).rows
    options = options_of(request, request.user, None)
    return chat_page.page(
        request,
        found,
        text=form.kept,
        files=files,
        options=options,
        refusal=CLOSED,
        status=403,
    )


@require_POST
def again(request: Request, id: UUID) -> HttpResponse:
    """Sends what the failed answer `run` was to answer once more, unless the chat has gone on."""
    found = permissions.chat(request, id, Action.SEND)
    run = uuid_or_404(request.POST.get("run"))
    answer = get_object_or_404(found.messages, id=run, role="assistant")
    if not may_repeat(answer, found.messages.last()):
        return see_chat(found.id)
    asked = question(answer)
    text, files = (asked.text, ids_in(asked.attachments)) if asked else ("", ())
    form = MessageForm({"message": text, "token": request.POST.get("token")})
    return _take(
        request, found, form, {**options(answer), **({"files": [*files]} if files else {})}
    )


def _carried(found: Chat) -> dict[str, Any]:
    """The metadata that a chat is still to get, because v0 has never accepted it."""
    last = None if found.v0_id else found.intents.order_by("created_at").last()
    metadata = last.payload.get("metadata") if last else None
    return {"metadata": metadata} if metadata else {}


def question(answer: Message) -> Message | None:
    """What `answer` answers."""
    earlier = answer.chat.messages.filter(role="user", position__lt=answer.position)
    return earlier.last()


def options(answer: Message) -> dict[str, Any]:
    """What was chosen beside the text that `answer` answers, and can still be chosen."""
    intent = Intent.objects.filter(answer=answer).first()
    given: dict[str, Any] = intent.payload if intent else {}
    found = {name: given[name] for name in OPTIONS if name in given}
    if not permissions.model(found.get("model")):
        found.pop("model", None)
    return found


def _take(
    request: Request,
    found: Chat,
    form: MessageForm,
    options: Mapping[str, Any],
    chosen: OptionsForm | None = None,
) -> HttpResponse:
    """`options` of the payload as they are; `chosen` beside them in the form."""
    who = member(request)
    brought = attached(request, who, form)
    give_back = partial(refused, request, found, form.kept, brought.rows, chosen)
    if sentence := brought.refusal(form) or (chosen.sentence if chosen else ""):
        return give_back(sentence, status=422)
    fields = chosen.options.of_chat() if chosen else {}
    payload = {"message": form.text, **brought.payload, **options}
    payload |= chosen.options.payload() if chosen else {}
    try:
        taken = queue.send(who, form.given_token, payload, found, **fields)
    except intents.Busy:
        return give_back(NOT_ALL_HERE, status=409)
    except queue.Full:
        return give_back(FULL, status=409)
    except intents.TokenReused:
        return give_back(USED_FORM, status=409)
    except intents.NotForRole as refusal:
        return give_back(NOT_FOR_ROLE.format(refusal), status=422)
    except Missing:
        return give_back(GONE, status=409)
    except Refused as error:
        no = not_now(request, error, allowed_actions(request, found))
        return no.answer(give_back(f"{no.sentence} {KEPT}", again=no.again, status=no.status))
    if chosen:
        remember(who, chosen)
    relay.changed(found.id)
    relay.wake()
    if not request.htmx:
        return see_chat(found.id)
    waits = isinstance(taken, Queued)
    return answered(request, found, **(queue_of(request, found) if waits else {}))


def refused(
    request: Request,
    found: Chat,
    text: str,
    files: Sequence[Attachment],
    options: OptionsForm | None,
    sentence: str,
    *,
    again: str = "",
    status: int,
) -> HttpResponse:
    if request.htmx:
        # Files and options stay where they are, as what is being typed does.
        # What is told of budgets follows: perhaps one was used up just now.
        told = in_chat(request, found, allowed_actions(request, found)) if status == 402 else {}
        return answered(
            request, found, text=text, refusal=sentence, again=again, status=status, **told
        )
    return chat_page.page(
        request,
        found,
        text=text,
        files=files,
        options=options,
        refusal=sentence,
        again=again,
        status=status,
    )
