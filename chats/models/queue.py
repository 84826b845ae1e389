"""Messages that wait for the answer before them.

Owns the rows of a chat's queue and their order. It says nothing of why they wait: that is read from
the chat's newest answer by `relay.queue`. What has gone out is no row here any more, but an intent.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from chats.models.chats import Chat


class Hindrance(models.TextChoices):
    """Why a message was not sent when it was its turn. What is behind it waits, too."""

    NONE = "", "nothing"
    ACCOUNT = "account", "its author may not sign in any more"
    RIGHTS = "rights", "its author may not write in the chat any more"
    MODEL = "model", "its author may not use its model in this team any more"
    BUDGET = "budget", "a budget that it counts for is used up"
    FILES = "files", "a file of it is gone"
    USED = "used", "its form was used for something else"


class Queued(models.Model):
    """`token`, `digest` and `payload` are those of the intent that it becomes, `fields` the chat's that
    it sets. The lower `position` is sent first, before all others what is urgent: somebody wants that
    one to be sent now, however the answer before it ends. `problem` says why it was not.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="queue")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="queued")
    token = models.UUIDField()
    digest = models.CharField(max_length=64)
    payload = models.JSONField(default=dict)
    fields = models.JSONField(default=dict)
    position = models.IntegerField()
    is_urgent = models.BooleanField(default=False)
    problem = models.CharField(
        max_length=10, choices=Hindrance.choices, default=Hindrance.NONE, blank=True
    )
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "queued"
        ordering = ("-is_urgent", "position", "created_at")
        constraints = (
            models.UniqueConstraint(fields=["person", "token"], name="one_queued_per_token"),
        )

    def __str__(self) -> str:
        return f"queued message {self.id}"

    @property
    def text(self) -> str:
        return str(self.payload["message"])
