"""Where somebody's chats can be, their own space and their teams, and what holds there.

Owns which of these places the sidebar shows and whose chats in it, and the models that a role may use. Relies
on the memberships of a request; what a chat then allows is the table of rights.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpRequest

from chats import permissions
from chats.models import Chat, Membership, Person, Team
from chats.models.people import Whose
from chats.models.teams import Role
from chats.permissions import MATE_ROLES


def teams(request: HttpRequest) -> list[Team]:
    """The teams in which somebody may have chats: those in which they may write."""
    return [held.team for held in permissions.memberships(request) if held.role in MATE_ROLES]


def shown_team(request: HttpRequest, person: Person) -> Membership | None:
    """The membership whose team the sidebar shows alone."""
    held = permissions.memberships(request)
    return next((each for each in held if each.pk == person.shows_team_id), None)


def shown_chats(person: Person, session_grants: permissions.Grants) -> QuerySet[Chat]:
    """What of somebody's own list is in the space that they look at; `session_grants` are the links
    that their session holds, which only the list of what is shared with them has."""
    rows = _whose(person, session_grants)
    if person.shows_team_id is not None:
        held = Membership.objects.filter(pk=person.shows_team_id, person=person)
        return rows.filter(team__in=held.values("team"))
    return rows.filter(team=None) if person.shows_personal else rows


def _whose(person: Person, session_grants: permissions.Grants) -> QuerySet[Chat]:
    match person.shows_whose:
        case Whose.MINE:
            return permissions.visible_chats(person).filter(owner=person)
        case Whose.TEAM:
            return permissions.seen_by_team(person)
        case Whose.SHARED:
            return permissions.shared_with(person, session_grants)
        case _:
            return permissions.visible_chats(person)


def models(person: Person, team: Team | None) -> tuple[str, ...]:
    """The models that somebody may use in a team's chats, or in their own space; never none. Where
    nothing is left of what a team names, all that there are are its."""
    offered = permissions.models()
    if team is None or not team.models_by_role:
        return offered
    held = Membership.objects.filter(person=person, team=team).values_list("role", flat=True)
    # Who was invited to a single chat writes there as a member would.
    named = team.models_by_role.get(held.first() or Role.MEMBER, ())
    return tuple(model for model in offered if model in named) or offered


def mates(of: Iterable[Team]) -> dict[int, list[Membership]]:
    """The active people of each team, by name."""
    ids = [team.pk for team in of]
    rows = Membership.objects.filter(team__in=ids, person__is_active=True)
    found: dict[int, list[Membership]] = {id: [] for id in ids}
    for each in rows.select_related("person").order_by("person__name", "person__email"):
        found[each.team_id].append(each)
    return found
