"""Who may do what to a team and to its members: one table, asked by every view.

Owns the table of teams beside that of chats, which roles one may give, and whether an invitation still
counts. Relies on models alone. To somebody who is no member a team is none: one query either way.
"""

from __future__ import annotations

from enum import StrEnum

from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404

from chats.models import Invitation, Membership, Person, Team
from chats.models.memberships import left_behind
from chats.models.teams import Inviters, Role


class TeamAction(StrEnum):
    SEE = "see its name and its members"
    INVITE = "invite, and see who is invited"
    MANAGE = "change roles and remove members"
    CONFIGURE = "change its settings"
    TAKE_OVER = "take over what those who left have left behind"
    HAND_OVER = "hand it over to another member"
    DELETE = "delete it"


OWNERS = frozenset({Role.OWNER})
ADMINS = OWNERS | {Role.ADMIN}
MEMBERS = ADMINS | {Role.MEMBER}
EVERYBODY = MEMBERS | {Role.VIEWER}

TABLE: dict[TeamAction, frozenset[Role]] = {
    TeamAction.SEE: EVERYBODY,
    # As far as `who_may_invite` lets them.
    TeamAction.INVITE: MEMBERS,
    TeamAction.MANAGE: ADMINS,
    TeamAction.CONFIGURE: ADMINS,
    TeamAction.TAKE_OVER: OWNERS,
    TeamAction.HAND_OVER: OWNERS,
    TeamAction.DELETE: OWNERS,
}
INVITERS: dict[str, frozenset[Role]] = {
    Inviters.OWNERS: OWNERS,
    Inviters.ADMINS: ADMINS,
    Inviters.MEMBERS: MEMBERS,
}
# Which roles each may give, take away and remove: never one above those below their own.
BELOW: dict[str, tuple[Role, ...]] = {
    Role.OWNER: (Role.OWNER, Role.ADMIN, Role.MEMBER, Role.VIEWER),
    Role.ADMIN: (Role.MEMBER, Role.VIEWER),
    Role.MEMBER: (Role.MEMBER, Role.VIEWER),
    Role.VIEWER: (),
}


def membership(person: Person, team_id: int, action: TeamAction) -> Membership:
    """The person's own one, with its team; Http404 where there is none, PermissionDenied where it does
    not allow the action."""
    rows = Membership.objects.select_related("team", "person")
    found = rows.filter(team=team_id, person=person, person__is_active=True).first()
    if found is None:
        raise Http404
    if action not in actions(found):
        raise PermissionDenied
    return found


def actions(own: Membership) -> frozenset[TeamAction]:
    """Everything that somebody may do by this membership: what a page shows branches on it."""
    allowed = {action for action, roles in TABLE.items() if own.role in roles}
    if own.role not in INVITERS.get(own.team.who_may_invite, OWNERS):
        allowed.discard(TeamAction.INVITE)
    return frozenset(allowed)


def memberships(person: Person) -> QuerySet[Membership]:
    """Somebody's own ones, by the names of the teams."""
    rows = Membership.objects.filter(person=person, person__is_active=True)
    return rows.select_related("team").order_by("team__name", "pk")


def member(own: Membership, id: int) -> Membership:
    """Another membership in the same team, or the same one; else Http404."""
    rows = Membership.objects.select_related("team", "person")
    found = rows.filter(team=own.team_id, pk=id).first()
    if found is None:
        raise Http404
    return found


def managed(own: Membership, id: int) -> Membership:
    """As `member`, one that somebody may change or remove; else PermissionDenied."""
    found = member(own, id)
    if not may_manage(own, found):
        raise PermissionDenied
    return found


def may_manage(own: Membership, other: Membership) -> bool:
    """Whether somebody may change or remove this one. Nobody removes themself: they leave."""
    return TeamAction.MANAGE in actions(own) and other.role in BELOW[own.role]


def roles_to_give(own: Membership) -> tuple[Role, ...]:
    return BELOW[own.role]


def invitation(own: Membership, id: int) -> Invitation:
    """An invitation into the team of somebody who may invite; Http404 for any other."""
    rows = Invitation.objects.select_related("team", "inviter")
    found = rows.filter(team=own.team_id, pk=id).first()
    if found is None:
        raise Http404
    if found.role not in roles_to_give(own):
        raise PermissionDenied
    return found


def installation_invitation(id: int) -> Invitation:
    """One to an account and to no team, for the staff; Http404 for any other."""
    rows = Invitation.objects.select_related("team", "inviter")
    found = rows.filter(team=None, pk=id).first()
    if found is None:
        raise Http404
    return found


def still_counts(found: Invitation) -> bool:
    """Whether it is open, and whoever invites might still do so: the right ends with their own."""
    return counted([found], found.team)[0][1]


def counted(found: list[Invitation], team: Team | None) -> list[tuple[Invitation, bool]]:
    """Invitations into one team, each with whether it `still_counts`, in one query."""
    inviters = {each.inviter_id for each in found}
    rows = Membership.objects.filter(team=team, person__in=inviters).select_related("team")
    held = {own.person_id: own for own in rows} if team else {}
    return [(each, _counts(each, held.get(each.inviter_id or 0))) for each in found]


def _counts(found: Invitation, own: Membership | None) -> bool:
    """`own` is the inviter's membership in the team."""
    inviter = found.inviter
    if found.state != "open" or inviter is None or not inviter.is_active:
        return False
    if found.team_id is None:
        return inviter.is_staff
    return (
        own is not None and TeamAction.INVITE in actions(own) and found.role in roles_to_give(own)
    )


def open_invitations(team: Team | None) -> QuerySet[Invitation]:
    """Those into a team, or to an account alone, that can be accepted, revoked or sent again: the newest
    first."""
    rows = Invitation.objects.filter(team=team, revoked_at=None, uses__lt=F("most_uses"))
    return rows.select_related("inviter", "team").order_by("-pk")


def people_left_behind(team: Team) -> QuerySet[Person]:
    """Who has left chats in the team that nobody sees."""
    owners = left_behind(team).values("owner")
    return Person.objects.filter(pk__in=owners).order_by("pk")
