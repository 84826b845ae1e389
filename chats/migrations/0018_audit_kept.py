from datetime import datetime, timedelta

from django.db import migrations, models
from django.utils import timezone

from chats.migrations import _audit_guard


def in_a_year() -> datetime:
    return timezone.now() + timedelta(days=365)


class Migration(migrations.Migration):
    dependencies = [
        ("chats", "0017_memberships_and_invitations"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="kept_until",
            field=models.DateTimeField(default=in_a_year, editable=False),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["kept_until"], name="audit_by_end"),
        ),
        migrations.RunPython(_audit_guard.install, _audit_guard.remove),
    ]
