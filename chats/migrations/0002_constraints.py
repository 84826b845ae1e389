"""Constraints and indexes of the first tables, in a file of their own for its length."""

import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chats", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="email_in_lower_case",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    ("role", "assistant"), ("state__in", ("sending", "checking", "streaming"))
                ),
                fields=["lease_until"],
                name="live_answers_by_lease",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                fields=("chat", "position"), name="one_message_per_position"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("role", "assistant"), ("state__in", ("sending", "checking", "streaming"))
                ),
                fields=("chat",),
                name="one_live_answer_per_chat",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("v0_id", ""), _negated=True),
                fields=("chat", "v0_id"),
                name="one_row_per_v0_message",
            ),
        ),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.UniqueConstraint(
                fields=("person", "token"), name="one_intent_per_token"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                fields=("team", "person"), name="one_membership_per_team"
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["person", "-ended_at"], name="entry_by_person"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["-ended_at"], name="entry_by_time"),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(fields=["owner", "-updated_at"], name="chat_by_owner"),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(fields=["team", "-updated_at"], name="chat_by_team"),
        ),
        migrations.AddConstraint(
            model_name="chat",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("privacy__in", ["private", "team", "team-edit", "unlisted", "public"])
                ),
                name="privacy_is_a_known_level",
            ),
        ),
        migrations.AddConstraint(
            model_name="chat",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("privacy__in", ("team", "team-edit")), _negated=True),
                    ("team__isnull", False),
                    _connector="OR",
                ),
                name="team_levels_only_in_a_team",
            ),
        ),
    ]
