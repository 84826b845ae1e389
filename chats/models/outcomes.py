"""How calls to v0 went, counted by day: what an admin reads of v0 and of the key.

Owns the counts alone, which all processes add to; what they mean is `chats.relay.outcomes`. Holds no
word of v0's, no address and no key.
"""

from __future__ import annotations

from django.db import models


class Outcome(models.Model):
    """`kind` is "answered" or "charged" for what went well, else the class of an error; `last_at` is
    when it was so last on that day (UTC)."""

    day = models.DateField()
    kind = models.CharField(max_length=20)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["day", "kind"], name="one_outcome_per_day_and_kind"),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.kind}: {self.count}"
