"""What a provider's groups make of somebody's teams, at each sign-in by it.

Owns the comparison of the mapping in the settings with the memberships that came from it; others, which
somebody gave, it leaves alone, and so it does teams that the mapping does not name any more. Relies on
`chats.models.memberships` for every change, and so never takes a team's last owner away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.dispatch import Signal

from chats.models import Membership, Person, Team, memberships
from chats.models.memberships import NotPossible
from chats.models.teams import Role

log = logging.getLogger(__name__)
# Somebody's memberships are others now: `chats` are those that passed to somebody else.
followed = Signal()
BY_RANK = list(Role)


def named(claim: object) -> set[str]:
    """The groups that a claim names: a list of them, or one."""
    given = claim if isinstance(claim, list) else [claim]
    return {group for group in given if isinstance(group, str)}


def follow(person: Person, groups: Iterable[str], *, address: str | None) -> None:
    teams = {name: _team(name) for _, name, _ in settings.V0_OIDC_TEAMS}
    wanted = _wanted(set(groups), teams)
    rows = Membership.objects.filter(person=person).select_related("team", "person")
    held = {row.team_id: row for row in rows}
    passed: list[UUID] = []
    changed = False
    for team in filter(None, teams.values()):
        membership, role = held.get(team.pk), wanted.get(team.pk, "")
        if membership is None and not role:
            continue
        if membership and (not membership.mapped or membership.role == role):
            continue
        try:
            passed += _settle(person, team, membership, role, address)
            changed = True
        except NotPossible as error:
            log.info("groups did not change team %s: %s", team.pk, type(error).__name__)
    if changed:
        followed.send(sender=Person, chats=passed)


def _settle(
    person: Person, team: Team, membership: Membership | None, role: str, address: str | None
) -> list[UUID]:
    """The chats that passed on."""
    if membership is None:
        with transaction.atomic():
            made = memberships.join(
                team, person, role, actor=person, address=address, by="provider's groups"
            )
            Membership.objects.filter(pk=made.pk).update(mapped=True)
        return []
    if role:
        memberships.change_role(membership, role, actor=None, address=address)
        return []
    return memberships.remove(membership, actor=None, address=address)


def _wanted(groups: set[str], teams: dict[str, Team | None]) -> dict[int, str]:
    """The highest role that the groups give in each team."""
    found: dict[int, str] = {}
    for group, name, role in settings.V0_OIDC_TEAMS:
        team = teams[name]
        if team is None or group not in groups:
            continue
        found[team.pk] = min(found.get(team.pk, role), role, key=BY_RANK.index)
    return found


def _team(name: str) -> Team | None:
    """The team of that id, or the one of that name. Anybody may call a team of theirs as they like, and
    so a name that two have is nobody's."""
    found = list(
        Team.objects.filter(pk=int(name)) if name.isdecimal() else Team.objects.filter(name=name)
    )
    if len(found) != 1:
        log.warning("V0_OIDC_TEAMS names %r, which %s teams are called", name, len(found) or "no")
        return None
    return found[0]
