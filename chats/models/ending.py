"""The end of an account: what becomes of everything that somebody had here.

Owns the order of it, the row that stays so that what refers to it does, and the look for what came too
late to be part of it. Relies on `memberships` for what leaving does to a team's chats. One transaction
with its audit entry; v0 and storage hear of it by the errands and sweeps that exist. Whoever calls tells
the relay afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from chats.models import memberships
from chats.models.attachments import Attachment
from chats.models.audit import Event, record
from chats.models.chats import Chat, hold
from chats.models.guests import Guest
from chats.models.messages import LIVE, Message
from chats.models.notes import Mention, Note
from chats.models.notices import Mute, Notice
from chats.models.people import Composer, Person, Theme
from chats.models.prompts import Prompt
from chats.models.queue import Queued
from chats.models.seen import Follow, Seen
from chats.models.teams import Membership

# Nobody has an address there, and nothing is ever delivered to one.
NOWHERE = "deleted.invalid"
AT_ONCE = 20
IN_ONE_STATEMENT = 500


class NotPossible(Exception):
    """An account that cannot end as things are.

    ├─ StillNeeded    a team, or the installation, would have nobody left who could act for it
    └─ Changed        a team came or went since they were asked what becomes of its chats
    """


class StillNeeded(NotPossible):
    pass


class Changed(NotPossible):
    pass


@dataclass(frozen=True, slots=True)
class Parting:
    """One team: how many chats it sees and could be given, how many it does not see, to whom they
    would pass."""

    membership: Membership
    seen: int
    unseen: int
    heir: Person | None
    is_last_owner: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would happen now, as numbers. `is_last_superuser`: nobody else could administer."""

    partings: tuple[Parting, ...]
    personal: int
    running: int
    waiting: int
    prompts: int
    elsewhere: int
    notes: int
    is_last_superuser: bool

    @property
    def is_possible(self) -> bool:
        return not (self.is_last_superuser or any(each.is_last_owner for each in self.partings))


def outlook(person: Person) -> Outlook:
    """What deleting the account would do. Reads alone."""
    return Outlook(
        partings=tuple(map(_parting, _memberships(person))),
        personal=_personal(person).count(),
        running=_running(person).count(),
        waiting=Queued.objects.filter(person=person).count(),
        prompts=Prompt.objects.filter(person=person, team=None).count(),
        elsewhere=_written_for_others(person).count(),
        notes=_notes_for_others(person).count(),
        is_last_superuser=_is_last_superuser(person),
    )


def end(
    person: Person, *, giving: Collection[int], asked: Collection[int], address: str | None
) -> set[UUID]:
    """End the account; the chats that changed, none when it had ended before.

    `giving` are the teams that get the chats which they can see, `asked` all that somebody was asked
    about. Raises NotPossible, and then nothing has changed.
    """
    with transaction.atomic():
        # Two superusers who go at once would leave none.
        Person.objects.hold_standing()
        # The database decides who of two was first, and whoever lost a race finds nobody active.
        taken = Person.objects.filter(pk=person.pk, deleted_at=None)
        if not taken.update(deleted_at=timezone.now(), is_active=False):
            return set()
        found = outlook(person)
        if not found.is_possible:
            raise StillNeeded
        if {each.membership.team_id for each in found.partings} != set(asked):
            raise Changed
        changed = _let_go(person, giving=giving, address=address)
        record(
            Event.ACCOUNT_DELETED,
            actor=person,
            address=address,
            person=person,
            personal_chats=found.personal,
            teams_given=sorted(giving),
        )
        _forget(person)
    return changed


def late() -> QuerySet[Person]:
    """Deleted people of whom something came to be after all: by a request that had begun before."""
    mine = {"person": OuterRef("pk")}
    return Person.objects.filter(
        Exists(Membership.objects.filter(**mine))
        | Exists(Chat.objects.filter(owner=OuterRef("pk"), team=None, deleted_at=None))
        | Exists(Queued.objects.filter(**mine))
        | Exists(Prompt.objects.filter(**mine, team=None))
        | Exists(Guest.objects.filter(**mine))
        | Exists(Attachment.objects.filter(**mine, message=None, taken_at=None)),
        deleted_at__isnull=False,
    )


def finish() -> set[UUID]:
    """Do to what came too late as to the rest: nothing is given to anybody. The chats that changed."""
    changed: set[UUID] = set()
    for person in late()[:AT_ONCE]:
        try:
            with transaction.atomic():
                changed |= _let_go(person, giving=(), address=None)
        except memberships.NotPossible:
            # A team of which they are the only owner: it stays until somebody administers it.
            continue
    return changed


def _let_go(person: Person, *, giving: Collection[int], address: str | None) -> set[UUID]:
    """Everything that was theirs and is nobody's now, in an order in which nothing is left over."""
    changed = set(_running(person).values_list("chat_id", flat=True))
    changed |= set(Queued.objects.filter(person=person).values_list("chat_id", flat=True))
    hold(changed)
    _running(person).update(stop_asked_at=timezone.now(), stop_asked_by=person)
    _take_back(person)
    held = list(_memberships(person))
    doomed = set(_personal(person).values_list("pk", flat=True))
    for membership in held:
        doomed |= set(_doomed(membership, is_given=membership.team_id in giving))
    _delete(doomed)
    for membership in held:
        # What somebody gave to others, a link or an invitation, was theirs to give.
        Guest.objects.filter(chat__in=memberships.passing_on(membership)).delete()
        memberships.passing_on(membership).update(link_slug=None, link_expires_at=None)
        changed |= set(memberships.leave(membership, actor=person, address=address))
    Attachment.objects.filter(person=person, message=None, taken_at=None).update(
        taken_at=timezone.now()
    )
    Prompt.objects.filter(person=person, team=None).delete()
    Prompt.objects.filter(person=person).update(person=None)
    Guest.objects.filter(invited_by=person).update(invited_by=None)
    for kept in (Mute, Notice, Mention, Composer, Seen, Follow, Guest):
        kept.objects.filter(person=person).delete()
    for some in _batches(changed - doomed):
        Chat.objects.filter(pk__in=some).update(version=F("version") + 1)
    return changed | doomed


def _take_back(person: Person) -> None:
    """What waits to be sent is not sent."""
    rows = Queued.objects.filter(person=person)
    # First the files, which the next sweep takes: with the row, what held them is gone.
    Attachment.objects.filter(queued__in=rows).update(queued=None, taken_at=timezone.now())
    rows.delete()


def _doomed(membership: Membership, *, is_given: bool) -> Iterator[UUID]:
    """The chats in a team that end with the account: all, or those that the team could never see."""
    rows = [memberships.staying(membership)]
    if not is_given:
        rows.append(memberships.passing_on(membership))
    for found in rows:
        yield from found.values_list("pk", flat=True)


def _delete(chats: Collection[UUID]) -> None:
    """As when the owner deletes them: gone for everybody now, and in a moment here and at v0."""
    for some in _batches(chats):
        Chat.objects.filter(pk__in=some, deleted_at=None).update(
            deleted_at=timezone.now(), version=F("version") + 1
        )


def _batches(chats: Collection[UUID]) -> Iterator[list[UUID]]:
    """A statement takes only so many values."""
    rest = list(chats)
    while rest:
        yield rest[:IN_ONE_STATEMENT]
        del rest[:IN_ONE_STATEMENT]


def _forget(person: Person) -> None:
    """The row says nothing of anybody any more, and the address is free for a new account."""
    Person.objects.filter(pk=person.pk).update(
        email=f"{uuid4().hex}@{NOWHERE}",
        name="",
        password=make_password(None),
        is_staff=False,
        is_superuser=False,
        last_login=None,
        theme=Theme.UNSAID,
        time_zone="",
        notices_in_browser=False,
        notices_by_mail=False,
    )
    person.groups.clear()
    person.user_permissions.clear()


def _memberships(person: Person) -> QuerySet[Membership]:
    rows = Membership.objects.filter(person=person).select_related("team", "person")
    return rows.order_by("team__name", "pk")


def _parting(membership: Membership) -> Parting:
    heir = memberships.other_owners(membership).select_related("person").first()
    return Parting(
        membership,
        memberships.passing_on(membership).count(),
        memberships.staying(membership).count(),
        heir.person if heir else None,
        memberships.is_last_owner(membership),
    )


def _personal(person: Person) -> QuerySet[Chat]:
    return Chat.objects.filter(owner=person, team=None, deleted_at=None)


def _running(person: Person) -> QuerySet[Message]:
    """Their answers that run, and those in chats that end with them."""
    mine = Q(intent__person=person) | Q(chat__owner=person, chat__team=None)
    return Message.objects.filter(mine, role="assistant", state__in=LIVE, stop_asked_at=None)


def _written_for_others(person: Person) -> QuerySet[Message]:
    return Message.objects.filter(author=person, chat__deleted_at=None).exclude(chat__owner=person)


def _notes_for_others(person: Person) -> QuerySet[Note]:
    return Note.objects.filter(author=person, chat__deleted_at=None).exclude(chat__owner=person)


def _is_last_superuser(person: Person) -> bool:
    others = Person.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    return person.is_superuser and not others.exists()
