"""Which answers have files that can come back, as v0 lists them.

Owns that one mark of our rows, which changes for old answers whenever newer code is written. Relies on
models; called within the transaction that takes over what v0 said, and raises no version itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chats.models import Message
from chats.v0api import types


def note(chat: UUID, listed: Sequence[types.Message]) -> bool:
    """Make the rows of these messages say whether they can be restored; whether that is news."""
    changed = 0
    for can_be in (True, False):
        ids = [message.id for message in listed if message.restorable is can_be]
        stale = Message.objects.filter(chat=chat, v0_id__in=ids, restorable=not can_be)
        changed += stale.update(restorable=can_be)
    return bool(changed)
