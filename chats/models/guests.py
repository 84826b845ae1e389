"""Who was invited to a single chat, at whatever level of privacy it is.

Owns the constraint that an address is invited to a chat once. Relies on chats and people; what a guest may do
is `chats.permissions`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chats.models.chats import Chat


class GuestRole(models.TextChoices):
    READER = "reader", "can read"
    EDITOR = "editor", "can read and write"


class Guest(models.Model):
    """The invitation of `email` (in small letters) to a chat. It counts for `person`, whose address that is;
    None while nobody here has proved it to be theirs."""

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="guests", db_index=False)
    email = models.EmailField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="guest_of"
    )
    role = models.CharField(max_length=10, choices=GuestRole.choices)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    invited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["chat", "email"], name="an_address_is_a_guest_once"),
            models.UniqueConstraint(
                fields=["chat", "person"],
                condition=Q(person__isnull=False),
                name="somebody_is_a_guest_once",
            ),
            models.CheckConstraint(
                condition=Q(role__in=GuestRole.values), name="guest_role_is_a_known_one"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id or 'somebody'} {self.role} of {self.chat_id}"
