"""Who may accept a chat that is offered, and what whoever gives it away may do in it afterwards.

Owns the one right that an offer gives, which is no right to the chat: to everybody else, and as soon as it
ends, there is none. Relies on `chats.models.offers` for which offers count, and on the table of rights.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from chats.models import Chat, Person
from chats.models.offers import counting
from chats.permissions import Action, Tie, allowed_by, guest_roles, team_roles_of


def offers_to(person: Person) -> QuerySet[Chat]:
    """The chats that somebody may accept, in no order."""
    return counting().filter(offered_to=person, offered_to__is_active=True)


def offered(person: Person, id: UUID) -> Chat:
    """A chat that is offered to this person, with its owner and team; Http404 for any other."""
    found = offers_to(person).filter(pk=id).select_related("owner", "team").first()
    if found is None:
        raise Http404
    return found


def left_to_owner(chat: Chat) -> frozenset[Action]:
    """What its owner may still do when the chat is somebody else's."""
    roles = team_roles_of([chat.owner_id]).get(chat.owner_id, {})
    invited = guest_roles([chat.pk], [chat.owner_id]).get((chat.pk, chat.owner_id), "")
    role = roles.get(chat.team_id or 0, "")
    return allowed_by(Tie(signed_in=True, team_role=role, invited=invited), chat)
