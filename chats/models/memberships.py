"""Who belongs to a team and as what: every way of joining, leaving and changing a role.

Owns what each of them does to the team's chats, and that a team keeps an owner. Each is one transaction
with its audit entry. Relies on whoever calls to have asked `chats.permissions`, and to tell the relay
afterwards (`relay.rights_changed`, `relay.changed` for the chats that are returned).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from chats.models.audit import Event, record
from chats.models.chats import Chat
from chats.models.people import Person
from chats.models.teams import SEEN_BY_TEAM, Membership, Role, Team


class NotPossible(Exception):
    """What was asked for cannot be done to the team as it is now.

    ├─ LastOwner       nobody else could act for the team
    ├─ AlreadyMember   a person belongs to a team once
    ├─ Changed         the membership has ended or become another one meanwhile
    └─ HasChats        a team with chats cannot be deleted
    """


class LastOwner(NotPossible):
    pass


class AlreadyMember(NotPossible):
    pass


class Changed(NotPossible):
    pass


class HasChats(NotPossible):
    pass


def make_team(name: str, *, owner: Person, address: str | None) -> Team:
    with transaction.atomic():
        team = Team.objects.create(name=name)
        Membership.objects.create(team=team, person=owner, role=Role.OWNER)
        record(Event.TEAM_MADE, actor=owner, address=address, team=team)
    return team


def join(
    team: Team,
    person: Person,
    role: str,
    *,
    actor: Person | None,
    address: str | None,
    **details: Any,
) -> Membership:
    """AlreadyMember leaves everything as it is, the role too. `details` say by what way."""
    try:
        with transaction.atomic():
            hold_team(team)
            made = Membership.objects.create(team=team, person=person, role=role)
            record(
                Event.JOINED,
                actor=actor,
                address=address,
                person=person,
                team=team,
                role=role,
                **details,
            )
    except IntegrityError:
        raise AlreadyMember from None
    return made


def leave(membership: Membership, *, actor: Person | None, address: str | None) -> list[UUID]:
    """The chats that passed to the team's owner."""
    return _end(membership, Event.LEFT, actor, address)


def remove(membership: Membership, *, actor: Person | None, address: str | None) -> list[UUID]:
    """As `leave`, by somebody else's will."""
    return _end(membership, Event.REMOVED, actor, address)


def change_role(
    membership: Membership, role: str, *, actor: Person | None, address: str | None
) -> None:
    with transaction.atomic():
        held = _held(membership)
        if held.role == Role.OWNER != role and not other_owners(held).exists():
            raise LastOwner
        _set_role(held, role, actor=actor, address=address)
    membership.role = role


def hand_over(own: Membership, other: Membership, *, address: str | None) -> None:
    """The other one becomes an owner, and who was it an admin."""
    with transaction.atomic():
        giver, taker = _held(own), _held(other)
        if giver.role != Role.OWNER or not taker.person.is_active:
            raise Changed
        _set_role(taker, Role.OWNER, actor=giver.person, address=address)
        _set_role(giver, Role.ADMIN, actor=giver.person, address=address)
        record(
            Event.OWNERSHIP_TRANSFERRED,
            actor=giver.person,
            address=address,
            person=taker.person,
            team=giver.team,
        )


def delete_team(team: Team, *, actor: Person, address: str | None) -> None:
    """Ends it for all of its members; what was used in it stays in the ledger."""
    with transaction.atomic():
        hold_team(team)
        if Chat.objects.filter(team=team).exists():
            raise HasChats
        record(
            Event.TEAM_DELETED,
            actor=actor,
            address=address,
            team=team,
            members=team.memberships.count(),
        )
        Team.objects.filter(pk=team.pk).delete()


def other_owners(membership: Membership) -> QuerySet[Membership]:
    """Those who could act for the team without this one; somebody deactivated could not."""
    owners = Membership.objects.filter(team=membership.team_id, role=Role.OWNER)
    return owners.filter(person__is_active=True).exclude(pk=membership.pk).order_by("pk")


def is_last_owner(membership: Membership) -> bool:
    return membership.role == Role.OWNER and not other_owners(membership).exists()


def passing_on(membership: Membership) -> QuerySet[Chat]:
    """The chats that pass to the team's owner when this ends: those that the team can see."""
    return _chats(membership).filter(privacy__in=SEEN_BY_TEAM)


def staying(membership: Membership) -> QuerySet[Chat]:
    """The chats that nobody sees when this ends, until an owner takes them over."""
    return _chats(membership).exclude(privacy__in=SEEN_BY_TEAM)


def left_behind(team: Team) -> QuerySet[Chat]:
    """The chats of people who do not belong to the team any more."""
    members = Membership.objects.filter(team=team).values("person")
    return Chat.objects.filter(team=team, deleted_at=None).exclude(owner__in=members)


def take_over(team: Team, person: Person, *, actor: Person, address: str | None) -> list[UUID]:
    """What `person` left behind becomes the actor's; the chats, none if they have joined again."""
    with transaction.atomic():
        hold_team(team)
        chats = list(left_behind(team).filter(owner=person))
        _give(chats, actor)
        for chat in chats:
            record(
                Event.CHAT_TAKEN_OVER,
                actor=actor,
                address=address,
                person=person,
                team=team,
                chat=chat,
            )
    return [chat.pk for chat in chats]


def _end(
    membership: Membership, event: Event, actor: Person | None, address: str | None
) -> list[UUID]:
    with transaction.atomic():
        held = _held(membership)
        heir = other_owners(held).select_related("person").first()
        if held.role == Role.OWNER and heir is None:
            raise LastOwner
        passed = list(passing_on(held)) if heir else []
        if heir:
            _give(passed, heir.person)
            for chat in passed:
                record(
                    Event.CHAT_PASSED_ON,
                    actor=actor,
                    address=address,
                    person=heir.person,
                    team=held.team,
                    chat=chat,
                )
        record(
            event,
            actor=actor,
            address=address,
            person=held.person,
            team=held.team,
            role=held.role,
            passed_on=len(passed),
            left_behind=staying(held).count(),
        )
        _end_offers(Q(offered_to=held.person_id) | Q(owner=held.person_id), held)
        Membership.objects.filter(pk=held.pk).delete()
    return [chat.pk for chat in passed]


def hold_team(team: Team) -> None:
    """From here to its end this transaction is the only one that changes the team's members."""
    if not Team.objects.filter(pk=team.pk).update(version=F("version") + 1):
        raise Changed


def _held(membership: Membership) -> Membership:
    """The membership as it is now, while nobody else can change it; Changed when that is not what the
    caller was allowed to change."""
    hold_team(membership.team)
    rows = Membership.objects.select_related("team", "person")
    found = rows.filter(pk=membership.pk, role=membership.role).first()
    if found is None:
        raise Changed
    return found


def _set_role(held: Membership, role: str, *, actor: Person | None, address: str | None) -> None:
    record(
        Event.ROLE_CHANGED,
        actor=actor,
        address=address,
        person=held.person,
        team=held.team,
        old=held.role,
        new=role,
    )
    if role == Role.VIEWER:
        _end_offers(Q(offered_to=held.person_id), held)
    Membership.objects.filter(pk=held.pk).update(role=role)


def _end_offers(concerned: Q, held: Membership) -> None:
    """What was offered to somebody, or by them, is not when they come back."""
    offered = Chat.objects.filter(concerned, team=held.team_id, offered_to__isnull=False)
    offered.update(offered_to=None, version=F("version") + 1)


def _chats(membership: Membership) -> QuerySet[Chat]:
    return Chat.objects.filter(team=membership.team_id, owner=membership.person_id, deleted_at=None)


def _give(chats: list[Chat], person: Person) -> None:
    Chat.objects.filter(pk__in=[chat.pk for chat in chats]).update(
        owner=person, offered_to=None, version=F("version") + 1
    )
