"""The wish to stop an answer, written down once; the relay tells v0 and says how it ended."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from chats.models import Message, Person
from chats.models.messages import LIVE
from chats.relay import store


def ask(answer: Message, asker: Person) -> bool:
    """Whether this was the first wish to stop a running answer."""
    waiting = Message.objects.filter(id=answer.id, state__in=LIVE, stop_asked_at=None)
    with transaction.atomic():
        if not waiting.update(stop_asked_at=timezone.now(), stop_asked_by=asker):
            return False
        store.bump(answer.chat_id)
    return True
