"""Notes between people on a message or a part of it, which v0 never gets, and whom they mention.

Owns what is kept of them. Relies on chats, messages and people; who may read and write notes is
`chats.permissions`.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from chats.models.chats import Chat
from chats.models.messages import Message

LONGEST_NOTE = 4000


class Note(models.Model):
    """Plain text by `author`, None for an account that is gone. `part` is the index of the part that it is
    about, None for the message as a whole. `token` is the form's, so that a note is written once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="notes", db_index=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="notes")
    part = models.PositiveIntegerField(null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="notes"
    )
    token = models.UUIDField(default=uuid.uuid4, editable=False)
    text = models.CharField(max_length=LONGEST_NOTE)
    written_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["chat", "written_at"], name="note_by_chat"),)
        constraints = (
            models.UniqueConstraint(fields=["author", "token"], name="a_note_is_written_once"),
        )

    def __str__(self) -> str:
        return f"on {self.message_id}"


class Mention(models.Model):
    """`person` is named in `note`; `seen_at` None waits for them."""

    note = models.ForeignKey(Note, models.CASCADE, related_name="mentions", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["note", "person"], name="mentioned_once_in_a_note"),
        )

    def __str__(self) -> str:
        return f"{self.person_id} in {self.note_id}"
