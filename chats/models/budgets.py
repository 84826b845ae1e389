"""Budgets: who may spend how much, what of it is spent or put aside, and what else holds runs back.

Owns the limits, their exceptions for a time, the counters that sends are held against, what each run that is
not paid yet has put aside, and the levers of the installation. All amounts are whole numbers of 10^-12
credit. Nothing here refers to what it counts by foreign key, so that a counter outlives whom it counted;
how they change is `chats.usage.budgets`.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from chats.models import kept


class Scope(models.TextChoices):
    """Whose spending a limit is for. `ROLE` is what each person of that role may spend who has no limit of
    their own."""

    INSTALLATION = "installation"
    TEAM = "team"
    PERSON = "person"
    ROLE = "role"
    CHAT = "chat"


class Period(models.TextChoices):
    """Days and months of UTC."""

    DAY = "day"
    MONTH = "month"


class Limit(models.Model):
    """`credits` at most in each `period`. `key` says which of its scope: the id of a team, a person or a
    chat, a role (one of a team, or PERSONAL in one's own space and as a guest), "" for the installation."""

    PERSONAL = "personal"

    scope = models.CharField(max_length=12, choices=Scope.choices)
    key = models.CharField(max_length=40, blank=True)
    period = models.CharField(max_length=5, choices=Period.choices)
    credits = models.BigIntegerField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["scope", "key", "period"], name="one_limit_for_each_period"
            ),
            models.CheckConstraint(
                condition=models.Q(credits__gte=0), name="limit_is_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.scope} {self.key} {self.period}"


class Override(models.Model):
    """Until `until`, `credits` count in place of those of the limit, where they are more; `note` says why."""

    limit = models.ForeignKey(Limit, models.CASCADE, related_name="overrides")
    credits = models.BigIntegerField()
    until = models.DateTimeField()
    note = models.CharField(max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"of limit {self.limit_id} until {self.until:%Y-%m-%d %H:%M}"


class Counter(models.Model):
    """What was spent on `day` and in its `month` (its first day) by `name`, as `usage.budgets` forms it;
    an earlier day or month than now's counts as nothing. `reserved` is put aside for runs that are on."""

    name = models.CharField(max_length=60, unique=True)
    day = models.DateField()
    day_spent = models.BigIntegerField(default=0)
    month = models.DateField()
    month_spent = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Reservation(models.Model):
    """What `intent` has put aside since `made_at`, of the budgets of `day`, until it is known what it cost. The
    ids say whose counters hold it, and may be of what is gone."""

    intent = models.UUIDField(unique=True)
    credits = models.BigIntegerField()
    person = models.BigIntegerField(null=True)
    team = models.BigIntegerField(null=True)
    chat = models.UUIDField(null=True)
    day = models.DateField()
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"for {self.intent}"


class Levers(models.Model):
    """What holds runs back beside credits; one row, with all its fields, or none as long as nothing was set.

    0 sends a minute, or runs at once, of one person are as many as one likes. `is_closed`: no new runs, and
    `closed_words` say why. `stops_runs`: what runs when a budget is used up is stopped. `default_model` is
    where a new chat begins in one's own space, "" for v0's own choice.
    """

    sends_per_minute = models.PositiveIntegerField(default=0)
    runs_at_once = models.PositiveIntegerField(default=0)
    is_closed = models.BooleanField(default=False)
    closed_words = models.CharField(max_length=500, blank=True)
    stops_runs = models.BooleanField(default=False)
    default_model = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name_plural = "levers"

    def __str__(self) -> str:
        return "of the installation"

    @classmethod
    def current(cls) -> Levers:
        return next(iter(kept.rows("levers", lambda: cls.objects.filter(pk=1))), None) or cls(pk=1)


class Alert(models.Model):
    """Something about spending that people are told of once: `name` says what, of which day or month, and
    `details` the same in words and amounts as text.

    `mailed_at` is None until everybody was written to whom it concerns, `posted_at` until the webhook took it,
    which is tried at `post_again_at` (None: no more) and was refused `post_failures` times.
    """

    name = models.CharField(max_length=120, unique=True)
    details = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=timezone.now, db_index=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)
    post_failures = models.PositiveIntegerField(default=0)
    post_again_at = models.DateTimeField(null=True, blank=True, db_index=True)

    def __str__(self) -> str:
        return self.name


def counter_name(scope: str, key: int | UUID | str = "") -> str:
    """The name of a counter: "installation", "team 4", "person 7", "chat 1b4e…"."""
    return f"{scope} {key}".strip()
