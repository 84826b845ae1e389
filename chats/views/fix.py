"""“Fix with v0”: what went wrong in the last answer goes back to v0 as the next message.

Owns the answer to that form. Relies on `relay.trouble` for the words, which are made from what is
stored; the browser names the answer, and a token that makes one press one message.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from chats import permissions, relay
from chats.forms.message import MessageForm
from chats.permissions import Action
from chats.relay import intents, queue
from chats.relay.trouble import trouble
from chats.usage.refusals import Refused
from chats.views import chat as chat_page
from chats.views.access import Request, allowed_actions, member, see_chat, uuid_or_404
from chats.views.options import options_of
from chats.views.refusals import FULL, NOT_ALL_HERE, USED_FORM, not_now


@require_POST
def fix(request: Request, id: UUID) -> HttpResponse:
    """Asks v0 to fix what went wrong in the answer `run`, unless the chat has gone on."""
    found = permissions.chat(request, id, Action.SEND)
    run = uuid_or_404(request.POST.get("run"))
    answer = get_object_or_404(found.messages, id=run, role="assistant")
    words = trouble(answer)
    form = MessageForm({"message": words, "token": request.POST.get("token")})
    last = found.messages.last()
    # The same press again names an answer that is not the last one any more.
    if not words or not form.is_valid() or last is None:
        return see_chat(found.id)
    if last.id != answer.id and intents.found(member(request), form.given_token, found) is None:
        return see_chat(found.id)
    payload = {"message": form.text, "fix": True} | options_of(
        request, member(request), found
    ).options.payload()
    try:
        queue.send(member(request), form.given_token, payload, found)
    except intents.Busy:
        return chat_page.page(request, found, refusal=NOT_ALL_HERE, status=409)
    except queue.Full:
        return chat_page.page(request, found, refusal=FULL, status=409)
    except intents.TokenReused:
        return chat_page.page(request, found, refusal=USED_FORM, status=409)
    except Refused as error:
        no = not_now(request, error, allowed_actions(request, found))
        page = chat_page.page(request, found, refusal=no.sentence, again=no.again, status=no.status)
        return no.answer(page)
    relay.changed(found.id)
    relay.wake()
    return see_chat(found.id)
