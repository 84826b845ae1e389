"""Who may have which note, and who is to hear of one that names them.

Owns these few lookups. Relies on the table of rights for the chat of each, asked again wherever a mention is
listed, counted or mailed: a row of somebody who has lost the chat says nothing.
"""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from chats.models import Chat, Mention, Note, Person, kept
from chats.permissions import (
    Action,
    Visitor,
    actions_of,
    allowed_by,
    guest_roles,
    having,
    team_roles_of,
    tie_of,
)

# More people of one team than these are not offered to be named.
MOST = 500


def readers(chat: Chat) -> list[Person]:
    """Who may read the notes of a chat, by name."""
    concerned = Q(pk=chat.owner_id) | Q(guest_of__chat=chat)
    if chat.team_id is not None:
        concerned |= Q(memberships__team=chat.team_id)
    people = list(Person.objects.filter(concerned, is_active=True).distinct()[:MOST])
    ids = [person.pk for person in people]
    roles, guests = team_roles_of(ids), guest_roles([chat.pk], ids)
    found = []
    for person in people:
        invited = guests.get((chat.pk, person.pk), "")
        tie = tie_of(person, chat, roles.get(person.pk, {}), None, invited=invited)
        if Action.NOTE in allowed_by(tie, chat):
            found.append(person)
    return sorted(found, key=lambda person: (person.shown_name.casefold(), person.pk))


def note(chat: Chat, id: UUID) -> Note | None:
    """A note in a chat whose notes somebody may read."""
    return Note.objects.select_related("author", "message").filter(chat=chat, pk=id).first()


def check_edit(request: HttpRequest, found: Note) -> None:
    """PermissionDenied for what somebody else has written."""
    if found.author_id is None or found.author_id != request.user.pk:
        raise PermissionDenied


def check_delete(request: HttpRequest, found: Note, chat: Chat) -> None:
    """PermissionDenied for what somebody else has written, in a chat that one does not decide about."""
    if Action.MANAGE not in actions_of(request, chat):
        check_edit(request, found)


def mentions(person: Visitor) -> QuerySet[Mention]:
    """Where somebody is named and has not looked yet, in chats whose notes they may read now: the oldest
    first."""
    if not isinstance(person, Person):
        return Mention.objects.none()
    # Most people are named nowhere, and the table of rights then need not be asked.
    unseen = Mention.objects.filter(person=person, seen_at=None)
    chats = kept.rows(
        ("named in", person.pk),
        lambda: unseen.values_list("note__chat", flat=True).distinct(),
    )
    if not chats:
        return Mention.objects.none()
    may_read = having(Action.NOTE, person).filter(pk__in=chats).values("pk")
    return unseen.filter(note__chat__in=may_read).order_by("note__written_at", "pk")
