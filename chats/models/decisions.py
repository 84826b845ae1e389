"""Decisions: what somebody answered to an agent that waited.

Owns the record of who decided what and when, and the constraint that one task is decided once. It
says nothing about what v0 made of it: that is the answer which followed.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chats.models.messages import Message, Task


class Decision(models.Model):
    """`asked` is the answer that waited and `part` the index of the part that asks; `digest` says
    what that part was. `said` is the message that tells of the decision; its intent has the answer
    that followed. `choice` is one word of those that `relay.decisions` lists, `task` what v0 was
    sent as it was sent ({} for a refused permission, which is an ordinary message), and `given` what
    was filled in, as `relay.decisions` keeps it. `failed`: v0 did not take it, and somebody may
    decide again, beginning with what was filled in.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked = models.ForeignKey(Message, models.CASCADE, related_name="decisions")
    part = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=20, choices=Task.choices)
    choice = models.CharField(max_length=20)
    task = models.JSONField(default=dict)
    given = models.JSONField(default=dict)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="decisions"
    )
    said = models.OneToOneField(Message, models.CASCADE, related_name="decision")
    failed = models.BooleanField(default=False)
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["asked"], condition=Q(failed=False), name="one_decision_per_task"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind}: {self.choice}"
