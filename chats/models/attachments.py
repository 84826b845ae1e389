"""Attachments: files that people uploaded, and addresses that they gave.

Owns the record and where its file lies; the name is a label and never a path. Relies on Django's
storage. An attachment belongs to whoever uploaded it until it is sent, and to the chat afterwards.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chats.models.messages import Message
from chats.models.queue import Queued

# Beside the databases, or in the bucket that STORAGES names. No name of a person's is in a path.
FOLDER = "attachments"


class Attachment(models.Model):
    """`content_type` is what the bytes were found to be, "" for an address; `width` and `height`
    are an image's. `taken_at` is when it was sent or taken away: nobody can send it after that. One
    that was taken and has no message is not needed any more, and is swept with its file, unless
    another one has the same file. `queued` is the message that waits with it: until that goes out it is
    neither swept nor anybody else's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="attachments"
    )
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="files")
    queued = models.ForeignKey(Queued, models.SET_NULL, null=True, related_name="files")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=60, blank=True)
    size = models.PositiveIntegerField(default=0)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    file = models.FileField(upload_to=FOLDER, max_length=100, blank=True, db_index=True)
    url = models.CharField(max_length=2048, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (
            models.Index(
                fields=["created_at"], condition=Q(message=None), name="attachments_without_message"
            ),
        )

    def __str__(self) -> str:
        return f"attachment {self.id}"

    @property
    def is_image(self) -> bool:
        return self.content_type.startswith("image/") and self.width is not None

    def drop_file(self) -> None:
        """Delete the bytes of a row that is gone, unless another row has the same."""
        name = self.file.name
        if name and not Attachment.objects.filter(file=name).exists():
            self.file.storage.delete(name)
