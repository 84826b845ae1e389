"""Saved prompts: texts that somebody asks for again and again, with blanks to fill in.

Owns the record. A prompt is its author's own, or a team's: that one stays when its author leaves. Who
may read and change it is `chats.permissions`.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chats.models.teams import Team


class Prompt(models.Model):
    """`text` may hold blanks, {{like this}}, which the composer leads through."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="prompts"
    )
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="prompts")
    name = models.CharField(max_length=80)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name", "created_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(person__isnull=False) | Q(team__isnull=False),
                name="a_prompt_is_somebodys",
            ),
        )

    def __str__(self) -> str:
        return f"prompt {self.id}"
