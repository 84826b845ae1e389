"""How an account stands: active or not, of what rank, with which sessions.

Owns every change of that by somebody else, each one transaction with its audit entry, in which the right
to make it is asked again. Relies on `chats.permissions.administering` for the right; sockets that end
with it are closed by whoever calls, after the commit. One change of standing happens at a time: of two
superusers who act on each other at once the second finds out that they are none any more, and so one
always remains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from allauth.account.internal.flows import password_reset
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from chats.models import Chat, Event, Person, record
from chats.permissions.administering import may_administer, may_rank

Right = Callable[[Person, Person], bool]


class Rank(StrEnum):
    PERSON = "person"
    STAFF = "staff"
    SUPERUSER = "superuser"


class Unchanged(Exception):
    """It stands so already: nothing was written."""


def rank(person: Person) -> Rank:
    if person.is_superuser:
        return Rank.SUPERUSER
    return Rank.STAFF if person.is_staff else Rank.PERSON


def deactivate(person: Person, *, actor: Person, address: str | None) -> None:
    """They are signed out everywhere and cannot sign in until somebody reactivates them."""
    with _changing(person, actor, may_administer) as found:
        if not found.is_active:
            raise Unchanged
        Person.objects.filter(pk=found.pk).update(is_active=False)
        Chat.objects.filter(offered_to=found).update(offered_to=None)
        ended = delete_sessions(found)
        record(
            Event.ACCOUNT_DEACTIVATED, actor=actor, address=address, person=found, sessions=ended
        )


def reactivate(person: Person, *, actor: Person, address: str | None) -> None:
    """They can sign in again. A session that was begun meanwhile, and opened nothing, comes to no life."""
    with _changing(person, actor, may_administer) as found:
        if found.is_active:
            raise Unchanged
        Person.objects.filter(pk=found.pk).update(is_active=True)
        delete_sessions(found)
        record(Event.ACCOUNT_REACTIVATED, actor=actor, address=address, person=found)


def set_rank(person: Person, wanted: Rank, *, actor: Person, address: str | None) -> None:
    """Sessions of before end: what they were opened with is not what they would be now."""
    with _changing(person, actor, may_rank) as found:
        before = rank(found)
        if before == wanted:
            raise Unchanged
        Person.objects.filter(pk=found.pk).update(
            is_staff=wanted is not Rank.PERSON, is_superuser=wanted is Rank.SUPERUSER
        )
        delete_sessions(found)
        record(
            Event.RIGHTS_CHANGED,
            actor=actor,
            address=address,
            person=found,
            before=str(before),
            after=str(wanted),
        )


def end_sessions(person: Person, *, actor: Person, address: str | None) -> None:
    with _changing(person, actor, may_administer) as found:
        ended = delete_sessions(found)
        record(Event.SESSIONS_ENDED, actor=actor, address=address, person=found, sessions=ended)


def end_session(session: UserSession, *, actor: Person, address: str | None) -> None:
    """Unchanged when it has ended meanwhile."""
    with _changing(session.user, actor, may_administer) as found:
        Session.objects.filter(pk=session.session_key).delete()
        deleted, _ = UserSession.objects.filter(pk=session.pk, user=found).delete()
        if not deleted:
            raise Unchanged
        record(Event.SESSIONS_ENDED, actor=actor, address=address, person=found, sessions=1)


def send_reset(request: HttpRequest, person: Person, *, actor: Person, address: str | None) -> None:
    """The mail that they would get by asking for it themselves; Unchanged for who may not sign in."""
    with _changing(person, actor, may_administer) as found:
        if not found.is_active:
            raise Unchanged
        record(Event.RESET_SENT, actor=actor, address=address, person=found)
    password_reset.request_password_reset(request, found.email, [found], None)


def open_sessions() -> QuerySet[UserSession]:
    """Those that have been told of and can still be used, as far as one query can know."""
    kept = Session.objects.filter(pk=OuterRef("session_key"), expire_date__gt=timezone.now())
    return UserSession.objects.filter(Exists(kept), user__is_active=True)


@contextmanager
def _changing(person: Person, actor: Person, right: Right) -> Iterator[Person]:
    """The person as they are now, in a transaction that no other change of standing overlaps."""
    with transaction.atomic():
        Person.objects.hold_standing()
        now = Person.objects.in_bulk([person.pk, actor.pk])
        if not right(now[actor.pk], now[person.pk]):
            raise PermissionDenied
        yield now[person.pk]


def delete_sessions(person: Person) -> int:
    """Every session of theirs, also one that nothing but its own content tells of; how many."""
    rows = Session.objects.filter(expire_date__gt=timezone.now())
    keys = [
        row.pk for row in rows.iterator() if row.get_decoded().get(SESSION_KEY) == str(person.pk)
    ]
    Session.objects.filter(pk__in=keys).delete()
    UserSession.objects.filter(user=person).delete()
    return len(keys)
