"""How far each person has read each chat, and which chats of others they follow.

Owns one row for a person and a chat of either kind. Relies on chats and people. A row of something that
somebody may not see any more says nothing: whoever reads one asks `chats.permissions` first.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from chats.models.chats import Chat


class Seen(models.Model):
    """`person` has seen the chat up to the message at `position` as it was at the moment `at`."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="seen", db_index=False
    )
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="seen")
    position = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "chat"], name="seen_once_per_chat"),
        )

    def __str__(self) -> str:
        return f"{self.person_id} up to {self.position} of {self.chat_id}"


class Follow(models.Model):
    """`person` gets notices about a chat that is not theirs, as if it were."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="follows", db_index=False
    )
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="followers")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "chat"], name="one_follow_per_chat"),
        )

    def __str__(self) -> str:
        return f"{self.person_id} follows {self.chat_id}"
