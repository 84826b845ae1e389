"""The ledger's entries, and what v0 billed, as it says.

Owns money as whole numbers of 10^-12 credit (SQLite keeps a DecimalField as a float), so that sums
are exact in every database. Neither refers to a chat or a person in a way that keeps them, or ends with them.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from chats.models.chats import Chat
from chats.models.teams import Team

# Outcomes of answers that nobody has any use of.
WASTED = ("stopped", "failed", "restored-away")


class Entry(models.Model):
    """What one answer used: keyed by the message, which it outlives; the last write wins. Of a chat that
    was made of files `message_id` is the intent's.

    Tokens are counts; credits are whole numbers of 10^-12 credit. `delivery` is how the answer was
    asked for; `is_told` says that v0 has named what it used. `waited` are the seconds for which the chat
    waited for a person before it. `team_id` may be of a team that is gone. `charged` is what v0 billed of
    `credits_total`, None while it has billed nothing; `sources` are those it was taken from, as v0 names
    them; `waived` that it asked for less. `asked` is the model that was asked for, "" for v0's own choice,
    and stands as `model` until v0 names the one that answered. `counted` of `credits_total` are in the counters of budgets, as of the day `counted_on`.
    """

    message_id = models.UUIDField(unique=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    # Kept when the team is deleted: what was spent in it is told from what was spent in none.
    team = models.ForeignKey(Team, models.DO_NOTHING, null=True, db_constraint=False)
    chat = models.ForeignKey(Chat, models.SET_NULL, null=True)
    model = models.CharField(max_length=60, blank=True)
    asked = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    delivery = models.CharField(max_length=10, blank=True)
    v0_message = models.CharField(max_length=128, blank=True, db_index=True)
    is_told = models.BooleanField(default=True)
    waited = models.PositiveIntegerField(default=0)
    sources = models.CharField(max_length=40, blank=True)
    waived = models.BooleanField(default=False)
    charged = models.BigIntegerField(null=True, blank=True)
    counted = models.BigIntegerField(default=0)
    counted_on = models.DateField(null=True, blank=True)
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
            # What a run on a model usually costs, of somebody or of all.
            models.Index(fields=["asked", "person", "-ended_at"], name="entry_by_asked"),
            models.Index(fields=["-ended_at"], name="entry_by_time"),
            # The dearest, the median: over a million entries in 20 ms where sorting them takes 600.
            models.Index(fields=["-credits_total", "ended_at"], name="entry_by_cost"),
        )

    def __str__(self) -> str:
        return f"usage of {self.message_id}"


class Billed(models.Model):
    """One event of v0's bill. `message_id` is that of the entry it belongs to, None for what was not made
    here; the ids of v0 are "" where it does not say. `tokens_total` is None where v0 does not know."""

    v0_id = models.CharField(max_length=128, unique=True)
    type = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    v0_person = models.CharField(max_length=128, blank=True)
    v0_chat = models.CharField(max_length=128, blank=True)
    v0_message = models.CharField(max_length=128, blank=True, db_index=True)
    model = models.CharField(max_length=60, blank=True)
    sources = models.CharField(max_length=40, blank=True)
    waived = models.BooleanField(default=False)
    tokens_input = models.PositiveBigIntegerField(default=0)
    tokens_output = models.PositiveBigIntegerField(default=0)
    tokens_cache_read = models.PositiveBigIntegerField(default=0)
    tokens_cache_write = models.PositiveBigIntegerField(default=0)
    tokens_total = models.PositiveBigIntegerField(null=True)
    credits_input = models.BigIntegerField(default=0)
    credits_output = models.BigIntegerField(default=0)
    credits_cache_read = models.BigIntegerField(default=0)
    credits_cache_write = models.BigIntegerField(default=0)
    credits_total = models.BigIntegerField(default=0)
    charged = models.BigIntegerField(default=0)
    message_id = models.UUIDField(null=True, db_index=True)

    class Meta:
        verbose_name_plural = "billed"
        indexes = (models.Index(fields=["-at"], name="billed_by_time"),)

    def __str__(self) -> str:
        return self.v0_id


class Reconciliation(models.Model):
    """One comparison with v0's bill from `start` to before `end`, whose pages have been read up to `cursor`
    (None before the first). `claimed_until`: a process is at it until then. One that `is_open` goes on, and
    is the only one; it is None once `ended_at` is not. `corrected` and `added` count entries, `problem` is why
    v0's bill could not be read last.

    Totals are whole numbers of 10^-12 credit; `summary_*` is v0's own sum, from the moment `as_of`.
    """

    start = models.DateTimeField()
    end = models.DateTimeField()
    cursor = models.TextField(null=True)
    began_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    is_open = models.BooleanField(null=True, unique=True, default=True)
    problem = models.CharField(max_length=200, blank=True)
    corrected = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    summary_plan = models.BigIntegerField(null=True)
    summary_on_demand = models.BigIntegerField(null=True)
    summary_total = models.BigIntegerField(null=True)
    as_of = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"
