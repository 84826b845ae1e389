"""Who may have what belongs to a chat beside its messages: their files, and what waits to be sent.

Owns these few lookups. Relies on the table of rights for the chat of each; a file that was sent nowhere
is its person's alone.
"""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from chats.models import Attachment, Person, Queued
from chats.permissions import Action, chat

# The id of none.
NO_CHAT = UUID(int=0)


def attachment(request: HttpRequest, id: UUID) -> Attachment:
    """A file of a message that may be read, or of one that waits where one may send, or one of one's own
    that was not sent; else Http404."""
    found = Attachment.objects.select_related("message", "queued").filter(pk=id).first()
    if found is None:
        _look_in_vain(request)
    if found.queued is not None:
        return _of_queue(request, found, found.queued.chat_id)
    if found.message is None:
        return _own_unsent(request, found)
    chat(request, found.message.chat_id, Action.READ)
    return found


def _of_queue(request: HttpRequest, found: Attachment, chat_id: UUID) -> Attachment:
    try:
        chat(request, chat_id, Action.SEND)
    except PermissionDenied:
        # To readers of the chat its queue is a number.
        raise Http404 from None
    return found


def queued(
    request: HttpRequest, chat_id: UUID, id: UUID, *, own: Action, others: Action | None
) -> Queued:
    """A message that waits in the chat: for `own` if one wrote it, else for `others`, None for nobody.
    Raises as `chat` does, and Http404 when nothing waits under this id."""
    found_chat = chat(request, chat_id, own)
    found = Queued.objects.select_related("person").filter(pk=id, chat=found_chat).first()
    if found is None:
        raise Http404
    if found.person_id != request.user.pk:
        if others is None:
            raise PermissionDenied
        found_chat = chat(request, chat_id, others)
    found.chat = found_chat
    return found


def unsent_attachment(request: HttpRequest, id: UUID) -> Attachment:
    """One of one's own that was not sent; Http404 for any other, sent ones of one's own too."""
    found = Attachment.objects.filter(pk=id, message=None, queued=None).first()
    if found is None:
        _look_in_vain(request)
    return _own_unsent(request, found)


def _own_unsent(request: HttpRequest, found: Attachment) -> Attachment:
    user = request.user
    is_own = isinstance(user, Person) and user.is_active and found.person_id == user.pk
    if not is_own or found.taken_at is not None:
        _look_in_vain(request)
    return found


def _look_in_vain(request: HttpRequest) -> NoReturn:
    """Raises Http404 after the queries of a file whose chat is hidden: time does not tell one from none."""
    chat(request, NO_CHAT, Action.READ)
    raise Http404
