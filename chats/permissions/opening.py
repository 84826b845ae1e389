"""Breaking the glass: a superuser reads somebody's chat for a reason, for a while.

Owns who may, and the grant in their session. It gives the right to read and no other, to whoever is a
superuser at that moment; the caller has noted the reason where the chat's owner sees it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils import timezone

from chats.models import Chat, Person
from chats.permissions import Action, chat
from chats.permissions.sessions import give, grants, opened_until, opening, take

LASTS = timedelta(hours=1)


def openable(request: HttpRequest, id: UUID) -> Chat:
    """A chat that whoever asks may open for a reason; to everybody else it is as `chat` says for READ,
    and then PermissionDenied."""
    user = request.user
    if not (isinstance(user, Person) and user.is_superuser and user.is_active):
        chat(request, id, Action.READ)
        raise PermissionDenied
    found = Chat.objects.filter(pk=id, deleted_at=None).select_related("owner", "team").first()
    if found is None:
        raise Http404
    return found


def open_chat(request: HttpRequest, found: Chat) -> None:
    give(request.session, found, opening(timezone.now() + LASTS))


def close_chat(request: HttpRequest, found: Chat) -> None:
    if opened_until(grants(request.session).get(str(found.pk))):
        take(request.session, found)
        # Now, since the sockets that it opened are compared with what is stored.
        request.session.save()


def opened(request: HttpRequest, found: Chat) -> datetime | None:
    """Until when whoever asks may read the chat for the reason they stated; None when they stated none."""
    user = request.user
    if not (isinstance(user, Person) and user.is_superuser):
        return None
    return opened_until(grants(request.session).get(str(found.pk)))
