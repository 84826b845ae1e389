"""Who has a chat open, as each process has said last.

Owns rows that say nothing after `until`. Relies on chats and people; written by the relay alone, never by
a page.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from chats.models.chats import Chat


class Presence(models.Model):
    """`person`, None for all without an account, has a chat open in the process `process`. `sockets` is how
    many are counted: 1 for a person, who is one in many tabs."""

    process = models.CharField(max_length=16)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="presence")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+"
    )
    sockets = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["process", "chat", "person"], name="present_once_per_process"
            ),
            models.UniqueConstraint(
                fields=["process", "chat"],
                condition=Q(person=None),
                name="the_nameless_once_per_process",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id} at {self.chat_id}"
