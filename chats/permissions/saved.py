"""Who may use and change a saved prompt.

Owns these few rules beside the table of chats. Relies on models; no chat is looked at, since a prompt
belongs to a person or to a team.
"""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404

from chats.models import Membership, Person, Prompt, Team
from chats.permissions import MATE_ROLES, TEAM_ADMIN_ROLES


def prompts(person: Person) -> QuerySet[Prompt]:
    """Those that somebody may use: their own, and those of their teams."""
    teams = Membership.objects.filter(person=person).values("team")
    mine = Q(person=person, team=None) | Q(team__in=teams)
    return Prompt.objects.filter(mine).select_related("team", "person")


def teams(person: Person) -> list[Team]:
    """The teams for which somebody may save prompts: those in which they may write."""
    held = Membership.objects.filter(person=person, role__in=MATE_ROLES)
    return list(Team.objects.filter(pk__in=held.values("team")).order_by("name", "pk"))


def prompt(person: Person, id: UUID) -> Prompt:
    """One that somebody may change; Http404 when they may not see it, PermissionDenied when they may
    only use it."""
    found = prompts(person).filter(pk=id).first()
    if found is None:
        raise Http404
    if not changeable(person, [found]):
        raise PermissionDenied
    return found


def changeable(person: Person, found: list[Prompt]) -> set[UUID]:
    """Those of them that somebody may change: one's own; of a team's, all for its owner and admins,
    and what oneself saved for whoever may still write there."""
    held = Membership.objects.filter(person=person).values_list("team", "role")
    roles: dict[int | None, str] = dict(held)
    return {each.pk for each in found if _may_change(person, each, roles.get(each.team_id, ""))}


def _may_change(person: Person, found: Prompt, role: str) -> bool:
    is_saver = found.person_id == person.pk
    if found.team_id is None:
        return is_saver
    return role in TEAM_ADMIN_ROLES or (role in MATE_ROLES and is_saver)
