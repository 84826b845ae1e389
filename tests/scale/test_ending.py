"""Accounts that end at once on PostgreSQL, where nothing but rows that are held makes one wait for another."""

from __future__ import annotations

from collections.abc import Callable

from chats.models import AuditEntry, Chat, Membership, Person, Team, ending, memberships
from chats.models.teams import Role
from tests.scale.test_standing import at_once

ROUNDS = 10


def ends(person: Person, *teams: Team) -> Callable[[], None]:
    asked = [team.pk for team in teams]

    def work() -> None:
        try:
            ending.end(person, giving=asked, asked=asked, address=None)
        except (ending.NotPossible, memberships.NotPossible):
            return

    return work


def test_of_two_superusers_who_go_at_once_one_remains(transactional_db: None) -> None:
    for number in range(ROUNDS):
        Person.objects.update(is_superuser=False)
        pair = [Person.objects.create_superuser(f"{who}{number}@example.com") for who in ("a", "b")]
        at_once(*map(ends, pair))
        assert Person.objects.filter(is_superuser=True, is_active=True).count() == 1


def test_of_two_owners_of_a_team_who_go_at_once_one_remains(transactional_db: None) -> None:
    for number in range(ROUNDS):
        team = Team.objects.create(name="Both")
        pair = [Person.objects.create_user(f"{who}{number}@example.com") for who in ("a", "b")]
        for person in pair:
            Membership.objects.create(team=team, person=person, role=Role.OWNER)
            Chat.objects.create(owner=person, team=team, privacy="team")
        at_once(*(ends(person, team) for person in pair))
        left = team.memberships.get()
        assert left.person.is_active
        assert team.chats.filter(owner=left.person, deleted_at=None).count() == 2


def test_an_account_that_is_ended_twice_at_once_ends_once(transactional_db: None) -> None:
    for number in range(ROUNDS):
        person = Person.objects.create_user(f"a{number}@example.com")
        chat = Chat.objects.create(owner=person)
        at_once(ends(person), ends(person))
        assert AuditEntry.objects.filter(person=person.pk).count() == 1
        chat.refresh_from_db()
        assert chat.version == 2
