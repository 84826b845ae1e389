"""The audit log on PostgreSQL: its triggers are in place there, and its limits hold with Redis."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from chats.models import AuditEntry
from tests.accounts.test_noting import test_failed_tries_do_not_fill_the_log  # noqa: F401
from tests.test_audit import (
    entry,
    refuses,
    test_the_flush_of_tests_leaves_the_triggers_in_place,  # noqa: F401
    test_what_is_over_goes_a_little_at_a_time,  # noqa: F401
)


def test_postgresql_refuses_to_change_an_entry_and_to_remove_one_before_its_time(
    db: None,
) -> None:
    assert connection.vendor == "postgresql"
    young, over = entry(days_ago=364), entry(days_ago=366)
    for found in (young, over):
        assert refuses("UPDATE chats_auditentry SET event = 'x' WHERE id = %s", found.pk)
        assert refuses("UPDATE chats_auditentry SET kept_until = at WHERE id = %s", found.pk)
        with pytest.raises(DatabaseError), transaction.atomic():
            found.save()
        with pytest.raises(DatabaseError), transaction.atomic():
            AuditEntry.objects.bulk_create(
                [found], update_conflicts=True, unique_fields=["id"], update_fields=["event"]
            )
    assert refuses("TRUNCATE chats_auditentry")
    assert refuses("DELETE FROM chats_auditentry")
    assert refuses("DELETE FROM chats_auditentry WHERE id = %s", young.pk)
    assert AuditEntry.objects.count() == 2
    assert not refuses("DELETE FROM chats_auditentry WHERE id = %s", over.pk)
