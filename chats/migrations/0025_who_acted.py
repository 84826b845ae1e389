"""Who gave a chat its title, and who wrote what came from v0's own pages."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def forget_the_key(apps: Any, schema_editor: Any) -> None:
    """What was written here had the id of the key's own account: nobody wrote it at v0."""
    messages = apps.get_model("chats", "Message").objects.exclude(v0_author="")
    messages.exclude(author=None).update(v0_author="")
    messages.filter(chat__copied_from__isnull=False).update(v0_author="")
    messages.filter(intent_of_message__isnull=False).update(v0_author="")


class Migration(migrations.Migration):
    dependencies = [
        ("chats", "0024_lists_and_gallery"),
    ]

    operations = [
        migrations.AddField(
            model_name="chat",
            name="renamed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="chat",
            name="renamed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="v0_person",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(forget_the_key, migrations.RunPython.noop),
    ]
