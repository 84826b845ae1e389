"""The table of teams, cell by cell, against the one written by hand in `tests.team_rights`."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from chats.models import Membership, Person, Team
from chats.models.teams import Role
from chats.permissions import teams
from chats.permissions.teams import TABLE, TeamAction
from tests.team_rights import COLUMNS, GIVING, INVITERS, MANAGING, TEAM_TABLE, rows

MARKS = {Http404: "4", PermissionDenied: "3"}


@pytest.fixture
def people(db: None) -> dict[str, Person]:
    team, other = Team.objects.create(name="Team"), Team.objects.create(name="Other")
    found = {}
    for who in COLUMNS:
        person = Person.objects.create_user(f"{who}@example.com")
        role = {"stranger": "owner", "deactivated": "owner"}.get(who, who)
        at = other if who == "stranger" else team
        Membership.objects.create(team=at, person=person, role=role)
        found[who] = person
    Person.objects.filter(email="deactivated@example.com").update(is_active=False)
    return found


def outcome(person: Person, team: Team, action: TeamAction) -> str:
    try:
        own = teams.membership(person, team.pk, action)
    except (Http404, PermissionDenied) as error:
        return MARKS[type(error)]
    assert (own.person, own.team) == (person, team)
    return "+"


def test_every_cell_is_as_written_by_hand(people: dict[str, Person]) -> None:
    team = Team.objects.get(name="Team")
    got = {action.name: [outcome(people[who], team, action) for who in COLUMNS] for action in TABLE}
    assert got == rows(TEAM_TABLE)
    assert set(got) == {action.name for action in TeamAction}


def test_who_invites_is_the_teams_own_setting(people: dict[str, Person]) -> None:
    team = Team.objects.get(name="Team")
    got = {}
    for setting in ("owners", "admins", "members"):
        Team.objects.filter(pk=team.pk).update(who_may_invite=setting)
        got[setting] = [outcome(people[who], team, TeamAction.INVITE) for who in COLUMNS]
    assert got == rows(INVITERS)


def test_nobody_gives_or_changes_what_is_above_them(people: dict[str, Person]) -> None:
    team = Team.objects.get(name="Team")
    own = {each.role: each for each in team.memberships.filter(person__is_active=True)}
    giving = {
        role: ["+" if other in teams.roles_to_give(own[role]) else "3" for other in Role]
        for role in Role.values
    }
    managing = {
        role: ["+" if teams.may_manage(own[role], own[other]) else "3" for other in Role]
        for role in Role.values
    }
    assert giving == rows(GIVING)
    assert managing == rows(MANAGING)


def test_a_team_of_others_and_none_at_all_are_asked_for_alike(people: dict[str, Person]) -> None:
    seen = []
    for id in (Team.objects.get(name="Team").pk, 987_654):
        with CaptureQueriesContext(connection) as queries, pytest.raises(Http404) as error:
            teams.membership(people["stranger"], id, TeamAction.SEE)
        seen.append(
            ([query["sql"].replace(f'"team_id" = {id}', "") for query in queries], str(error.value))
        )
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 1
