"""Who is told of what: chats that somebody wants to hear nothing of, and mails that went out.

Owns the constraints that a chat is muted once and that somebody is written to once about one task, about
one note that names them, and about one alert.
What a person wants in general stands with the person.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chats.models.budgets import Alert
from chats.models.chats import Chat
from chats.models.messages import Message
from chats.models.notes import Mention


class Mute(models.Model):
    """`person` gets no notices about `chat`; it goes on waiting for them on their page."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="mutes", db_index=False
    )
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="mutes")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "chat"], name="one_mute_per_chat"),
        )

    def __str__(self) -> str:
        return f"{self.person_id} not about {self.chat_id}"


class Notice(models.Model):
    """A mail to `person` about the task of `asked`, a `mention` of them or an `alert`, written down before
    it is sent.

    `again_at`: the mail server did not take it, and whoever comes first after this moment tries
    again; None when it went out, was given up, or is on its way.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices", db_index=False
    )
    asked = models.ForeignKey(Message, models.CASCADE, null=True, related_name="notices")
    mention = models.OneToOneField(Mention, models.CASCADE, null=True, related_name="notice")
    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="notices")
    failures = models.PositiveIntegerField(default=0)
    again_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "asked"], name="one_notice_per_task"),
            models.UniqueConstraint(fields=["person", "alert"], name="one_notice_per_alert"),
            models.CheckConstraint(
                condition=Q(asked__isnull=False, mention=None, alert=None)
                | Q(asked=None, mention__isnull=False, alert=None)
                | Q(asked=None, mention=None, alert__isnull=False),
                name="a_notice_is_about_one_thing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id} about {self.asked_id or self.mention_id or self.alert_id}"
