"""The gallery: the chats that are public now, for whom an installation shows them to.

Owns who may look at it. Relies on the table of rights for what is public: what somebody without any tie to a
chat may read by signing in alone, at its level and at the one that it is to have.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404

from chats.models import Chat
from chats.models.chats import Privacy
from chats.permissions.table import TABLE, Action, Tie, Who

# Those of the table at which everybody reads who signs in.
OPEN = tuple(level for level in Privacy if Who.SIGNED_IN in TABLE[Action.READ][level])


def is_shown(*, signed_in: bool) -> bool:
    """Whether there is a gallery for somebody who is signed in, or for somebody who is not."""
    return settings.V0_GALLERY and (signed_in or settings.V0_ANONYMOUS_READING)


def is_public(chat: Chat) -> bool:
    stranger = Tie(signed_in=True)
    return stranger.allows(Action.READ, chat.privacy, wanted=chat.privacy_wanted)


def chats() -> QuerySet[Chat]:
    """Every public chat, in no order. Raises Http404 where there is no gallery at all."""
    if not settings.V0_GALLERY:
        raise Http404
    rows = Chat.objects.filter(privacy__in=OPEN, privacy_wanted__in=("", *OPEN))
    return rows.filter(deleted_at=None)
