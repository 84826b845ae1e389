"""The audit log: what is noted, and that nothing changes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import AuditEntry, Event, Person, Team, record
from chats.models.audit import forget


def test_an_entry_keeps_the_names_of_what_it_speaks_of(owner: Person, mate: Person) -> None:
    team = Team.objects.create(name="Web")
    record(
        Event.ROLE_CHANGED,
        actor=owner,
        address="203.0.113.7",
        person=mate,
        team=team,
        before="member",
        after="viewer",
    )
    team.delete()
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.actor, entry.actor_name) == ("team.role", owner.pk, owner.email)
    assert (entry.person, entry.person_name, entry.team_name) == (mate.pk, mate.email, "Web")
    assert entry.address == "203.0.113.7"
    assert entry.details == {"before": "member", "after": "viewer"}
    assert entry.chat is None


def entry(*, days_ago: float = 0, kept_for: float = 365) -> AuditEntry:
    at = timezone.now() - timedelta(days=days_ago)
    return AuditEntry.objects.create(
        at=at, kept_until=at + timedelta(days=kept_for), event=Event.SIGNED_IN
    )


def refuses(sql: str, *values: int) -> bool:
    """Whether the database itself says no to a statement."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except DatabaseError:
        return True
    return False


def test_the_database_refuses_to_change_an_entry_and_to_remove_one_before_its_time(
    db: None,
) -> None:
    young, over = entry(days_ago=364), entry(days_ago=366)
    for found in (young, over):
        assert refuses("UPDATE chats_auditentry SET event = 'x' WHERE id = %s", found.pk)
        assert refuses("UPDATE chats_auditentry SET kept_until = at WHERE id = %s", found.pk)
        with pytest.raises(DatabaseError), transaction.atomic():
            found.save()
    assert refuses("DELETE FROM chats_auditentry")
    assert refuses("DELETE FROM chats_auditentry WHERE id = %s", young.pk)
    columns = "id, at, kept_until, event, actor_name, person_name, team_name, details"
    again = f"INTO chats_auditentry ({columns}) VALUES (%s, '2026-01-01', '2026-01-02', '', '', '', '', '{{}}')"
    assert refuses(f"INSERT OR REPLACE {again}", young.pk)
    assert AuditEntry.objects.count() == 2
    assert not refuses("DELETE FROM chats_auditentry WHERE id = %s", over.pk)


def test_what_is_over_goes_a_little_at_a_time(db: None, settings: Settings) -> None:
    settings.V0_AUDIT_KEEP = 30
    for days in (10, 40, 50, 60):
        entry(days_ago=days, kept_for=30)
    entry(days_ago=40, kept_for=365)
    assert [forget(2), forget(2), forget(2)] == [2, 1, 0]
    settings.V0_AUDIT_KEEP = 7
    assert forget(9) == 0, "what was to be kept for 30 days is"


def test_an_entry_is_kept_for_as_long_as_the_setting_says(db: None, settings: Settings) -> None:
    settings.V0_AUDIT_KEEP = 30
    found = record(Event.SIGNED_IN)
    assert found.kept_until - found.at == timedelta(days=30)


def test_the_flush_of_tests_leaves_the_triggers_in_place(transactional_db: None) -> None:
    entry()
    case: Any = TransactionTestCase()
    case._fixture_teardown()
    assert not AuditEntry.objects.exists()
    entry()
    assert refuses("DELETE FROM chats_auditentry")
