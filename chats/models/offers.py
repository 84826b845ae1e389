"""Ownership of a chat, given by its owner to somebody of the same team: offered, taken back, declined, accepted.

Owns when an offer counts, and each change as one conditional UPDATE with its audit entry. Relies on whoever
calls to have asked `chats.permissions`, and to tell the relay afterwards. An offer says nothing of the chat
and gives no right to it but to accept; it ends with a membership, an account, a move and a deletion.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from chats.models.audit import Event, record
from chats.models.chats import Chat
from chats.models.guests import Guest
from chats.models.memberships import hold_team
from chats.models.people import Person
from chats.models.teams import Membership, Role


def takers(chat: Chat) -> QuerySet[Membership]:
    """The mates who may have chats of their own in the chat's team."""
    rows = Membership.objects.filter(team=chat.team_id, person__is_active=True)
    others = rows.exclude(person=chat.owner_id).exclude(role=Role.VIEWER)
    return others.select_related("person").order_by("person__name", "person__email")


def counting() -> QuerySet[Chat]:
    """The chats with an offer that can be accepted: both belong to the team, and both can sign in."""
    here = Membership.objects.filter(team=OuterRef("team"), person__is_active=True)
    owners = here.filter(person=OuterRef("owner"))
    mates = here.filter(person=OuterRef("offered_to")).exclude(role=Role.VIEWER)
    rows = Chat.objects.filter(offered_to__isnull=False, deleted_at=None)
    return rows.filter(Exists(owners), Exists(mates))


def offer(chat: Chat, person: Person, *, address: str | None) -> bool:
    """Whether it is offered now: not while somebody else could accept it, nor when it has changed hands."""
    if chat.team is None:
        return False
    with transaction.atomic():
        hold_team(chat.team)
        rows = _still(chat).exclude(pk__in=counting().values("pk"))
        mates = takers(chat).filter(person=person).values("team")
        if not rows.filter(team__in=mates).update(offered_to=person, version=F("version") + 1):
            return False
        _note(Event.CHAT_OFFERED, chat, actor=chat.owner, person=person, address=address)
    return True


def end(chat: Chat, person: Person, *, actor: Person, address: str | None) -> bool:
    """The offer to `person` is taken back by its owner, or declined by them; whether there was one."""
    with transaction.atomic():
        rows = _still(chat).filter(offered_to=person)
        if not rows.update(offered_to=None, version=F("version") + 1):
            return False
        _note(Event.CHAT_OFFER_ENDED, chat, actor=actor, person=person, address=address)
    return True


def accept(chat: Chat, person: Person, *, address: str | None) -> bool:
    """Whether the chat is theirs now. Guests, links and what waits in the queue stay as they are."""
    assert chat.team is not None
    with transaction.atomic():
        hold_team(chat.team)
        rows = _still(chat).filter(pk__in=counting().values("pk"), offered_to=person)
        if not rows.update(owner=person, offered_to=None, version=F("version") + 1):
            return False
        # An owner is nobody's guest: what they were invited to would outlive what they own.
        Guest.objects.filter(chat=chat, person=person).delete()
        _note(
            Event.CHAT_PASSED_ON,
            chat,
            actor=person,
            person=person,
            address=address,
            handed_over_by=chat.owner.email,
        )
    return True


def _still(chat: Chat) -> QuerySet[Chat]:
    """The row, while it belongs to whom it did and lies where it lay."""
    return Chat.objects.filter(pk=chat.pk, owner=chat.owner_id, team=chat.team_id, deleted_at=None)


def _note(
    event: Event, chat: Chat, *, actor: Person, person: Person, address: str | None, **details: str
) -> None:
    record(
        event,
        actor=actor,
        person=person,
        address=address,
        team=chat.team,
        chat=chat,
        **details,
    )
