"""The ledger's entries.

Owns money as whole numbers of 10^-12 credit (SQLite keeps a DecimalField as a float), so that sums
are exact in every database.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from chats.models.chats import Chat
from chats.models.teams import Team


class Entry(models.Model):
    """What one answer used: keyed by the message, which it outlives; the last write wins. Of a chat that
    was made of files `message_id` is the intent's.

    Tokens are counts; credits are whole numbers of 10^-12 credit. `delivery` is how the answer was
    asked for.
    """

    message_id = models.UUIDField(unique=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    team = models.ForeignKey(Team, models.SET_NULL, null=True)
    chat = models.ForeignKey(Chat, models.SET_NULL, null=True)
    model = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    delivery = models.CharField(max_length=10, blank=True)
    tokens_input = models.PositiveBigIntegerField(default=0)
    tokens_output = models.PositiveBigIntegerField(default=0)
    tokens_cache_read = models.PositiveBigIntegerField(default=0)
    tokens_cache_write = models.PositiveBigIntegerField(default=0)
    tokens_total = models.PositiveBigIntegerField(default=0)
    credits_input = models.BigIntegerField(default=0)
    credits_output = models.BigIntegerField(default=0)
    credits_cache_read = models.BigIntegerField(default=0)
    credits_cache_write = models.BigIntegerField(default=0)
    credits_total = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "entries"
        indexes = (
            models.Index(fields=["person", "-ended_at"], name="entry_by_person"),
            models.Index(fields=["-ended_at"], name="entry_by_time"),
        )

    def __str__(self) -> str:
        return f"usage of {self.message_id}"
