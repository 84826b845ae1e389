"""Who was invited to a single chat, at whatever level of privacy it is.

Owns the invitations and every change of them, each one transaction with its audit entry. An address is
invited to a chat once, and counts for whoever has proved it to be theirs: then, or later
(`recognise`). Once it counts for somebody it stays theirs, whatever address they have after that. Relies on
whoever calls to have asked `chats.permissions`, and to tell the relay afterwards; what a guest may do is
decided there, too.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from chats.models.audit import Event, record
from chats.models.chats import Chat
from chats.models.people import Person

MOST_GUESTS = 50


class GuestRole(models.TextChoices):
    READER = "reader", "can read"
    EDITOR = "editor", "can read and write"


class Guest(models.Model):
    """The invitation of `email` (in small letters) to a chat. It counts for `person`, whose address that is;
    None while nobody here has proved it to be theirs."""

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="guests", db_index=False)
    email = models.EmailField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="guest_of"
    )
    role = models.CharField(max_length=10, choices=GuestRole.choices)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    invited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["chat", "email"], name="an_address_is_a_guest_once"),
            models.UniqueConstraint(
                fields=["chat", "person"],
                condition=Q(person__isnull=False),
                name="somebody_is_a_guest_once",
            ),
            models.CheckConstraint(
                condition=Q(role__in=GuestRole.values), name="guest_role_is_a_known_one"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id or 'somebody'} {self.role} of {self.chat_id}"


class NotPossible(Exception):
    """What was asked for cannot be done to a chat's invitations as they are now.

    ├─ IsOwner   the address is that of the chat's owner
    ├─ IsGuest   the address is invited already
    ├─ TooMany   a chat has at most MOST_GUESTS invitations
    └─ Changed   the chat or the invitation has become another one meanwhile, or is gone
    """


class IsOwner(NotPossible):
    pass


class IsGuest(NotPossible):
    pass


class TooMany(NotPossible):
    pass


class Changed(NotPossible):
    pass


def invite(
    chat: Chat,
    email: str,
    role: str,
    *,
    person: Person | None,
    actor: Person,
    address: str | None,
) -> Guest:
    """`person` is who has proved the address, None for nobody so far."""
    with transaction.atomic():
        _take(chat)
        if email == Person.objects.get(pk=chat.owner_id).email:
            raise IsOwner
        held = Guest.objects.filter(chat=chat)
        if held.filter(email=email).exists():
            raise IsGuest
        if held.count() >= MOST_GUESTS:
            raise TooMany
        # Whoever is a guest by another address of theirs stays that; this one waits.
        is_here = person is not None and held.filter(person=person).exists()
        made = Guest.objects.create(
            chat=chat,
            email=email,
            person=None if is_here else person,
            role=role,
            invited_by=actor,
        )
        _note(Event.SHARED, made, actor, address, new=made.get_role_display())
    return made


def change_role(guest: Guest, role: str, *, actor: Person, address: str | None) -> None:
    """Changed when it has another role than it had for whoever asks."""
    with transaction.atomic():
        old = guest.get_role_display()
        if not Guest.objects.filter(pk=guest.pk, role=guest.role).update(role=role):
            raise Changed
        guest.role = role
        _note(Event.SHARED, guest, actor, address, old=old, new=guest.get_role_display())


def withdraw(guest: Guest, *, actor: Person, address: str | None) -> None:
    """Changed when somebody has withdrawn it already."""
    with transaction.atomic():
        _withdraw([guest], actor=actor, address=address)


def withdraw_all(chat: Chat, *, actor: Person, address: str | None) -> set[int]:
    """The people for whom one of them counted."""
    with transaction.atomic():
        _take(chat)
        found = list(Guest.objects.filter(chat=chat).select_related("chat__team"))
        _withdraw(found, actor=actor, address=address)
    return {each.person_id for each in found if each.person_id is not None}


def recognise(person: Person, *, address: str | None = None) -> int:
    """Let the invitations of their address count for somebody who has proved it to be theirs; how many
    do from now on. Those of chats where they are a guest already wait: another one counts there."""
    waiting = Guest.objects.filter(email=person.email, person=None)
    found = waiting.exclude(chat__owner=person).exclude(chat__guests__person=person)
    count = sum(_recognise(id, person) for id in found.values_list("pk", flat=True))
    if count:
        # Of no chat: its owner is not told whether an address has an account.
        record(Event.INVITATION_ACCEPTED, actor=person, address=address, person=person, chats=count)
    return count


def _recognise(id: int, person: Person) -> int:
    try:
        with transaction.atomic():
            return Guest.objects.filter(pk=id, person=None).update(person=person)
    except IntegrityError:
        # Another invitation to the chat has begun to count for them in this moment.
        return 0


def _withdraw(guests: list[Guest], *, actor: Person, address: str | None) -> None:
    for guest in guests:
        if not Guest.objects.filter(pk=guest.pk).delete()[0]:
            raise Changed
        _note(Event.UNSHARED, guest, actor, address)


def _note(event: Event, guest: Guest, actor: Person, address: str | None, **details: Any) -> None:
    """By the address alone: whether somebody has it is in no entry that the chat's owner sees."""
    record(
        event,
        actor=actor,
        address=address,
        chat=guest.chat,
        team=guest.chat.team,
        invited=guest.email,
        **details,
    )


def _take(chat: Chat) -> None:
    """From here to its end this transaction is the only one that adds to the chat's guests."""
    same = Chat.objects.filter(pk=chat.pk, owner=chat.owner_id, deleted_at=None)
    if not same.update(owner=chat.owner_id):
        raise Changed
