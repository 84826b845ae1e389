"""Which open sockets may stay open: the rights of each, asked again.

Owns what a socket was opened by, and whether its session still stands. Relies on the table of rights,
and asks it for all open sockets at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple
from uuid import UUID
from zlib import crc32

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from chats import permissions
from chats.models import Chat, Person
from chats.permissions import (
    TABLE,
    Action,
    Visitor,
    Who,
    allowed_by,
    guest_roles,
    team_roles_of,
    tie_of,
)
from chats.permissions.proof import lacking_factor
from chats.permissions.sessions import OPENED, grants
from chats.permissions.table import Tie


class Door(NamedTuple):
    """The rights an open socket was opened by; "" for a session or a link that there was none of,
    `chat` None for the socket of a person's own marks."""

    session: str
    person: int | None
    chat: UUID | None
    grant: str = ""


class Ended(IntEnum):
    """Why a socket may not stay open, as the code to close it with."""

    SIGNED_OUT = 4401
    ACCESS_ENDED = 4403
    GONE = 4404


class Way(StrEnum):
    """By what somebody reads a chat: when it ends, that is what they are told of, and nothing more."""

    NONE = ""
    OWNER = "owner"
    GUEST = "guest"
    TEAM = "team"
    LINK = "link"
    OPENED = "opened"
    PUBLIC = "public"


WAYS: dict[Way, frozenset[Who]] = {
    Way.OWNER: frozenset({Who.OWNER}),
    Way.GUEST: frozenset({Who.INVITED_READER, Who.INVITED_EDITOR}),
    Way.TEAM: frozenset({Who.MATE, Who.VIEWER}),
    Way.PUBLIC: frozenset({Who.SIGNED_IN, Who.ANONYMOUS}),
    Way.LINK: frozenset({Who.LINK, Who.ANONYMOUS_LINK}),
    Way.OPENED: frozenset({Who.OPENED}),
}


class Held(NamedTuple):
    """What somebody behind an open socket may do now: `rights` is that of its chat as `digest` has it, 0
    without one; `teams` has the role in each of their teams; `way` is why they may read it."""

    rights: int
    teams: frozenset[tuple[int, str]]
    way: Way = Way.NONE


class Out(NamedTuple):
    """That a socket must be closed: with what code, and the teams that whoever is behind it still has."""

    code: Ended
    teams: frozenset[tuple[int, str]] = frozenset()


def digest(allowed: Iterable[Action]) -> int:
    """A number that is another one when what somebody may do is: what pages and sockets compare."""
    return crc32(" ".join(sorted(action.name for action in allowed)).encode())


def way(tie: Tie | None, chat: Chat) -> Way:
    """The first of the ways that suffices by itself, at the level in force and at one that is wanted."""
    levels = {chat.privacy, chat.privacy_wanted or chat.privacy}
    held = tie.roles() if tie else frozenset()
    for found, who in WAYS.items():
        if all(held & who & TABLE[Action.READ][level] for level in levels):
            return found
    return Way.NONE


def admit(person: Visitor, session_grants: Mapping[str, str], id: UUID) -> tuple[Chat, Held]:
    """A chat that somebody may read, and how they stand to it; Http404 for any other."""
    found, allowed, roles = permissions.admit(person, session_grants, id)
    tie = tie_of(person, found, roles, session_grants.get(str(found.pk)))
    return found, Held(digest(allowed), frozenset(roles.items()), way(tie, found))


def still_allowed(doors: Iterable[Door]) -> set[Door]:
    """Those of the open sockets that may stay open; see `codes`."""
    given = set(doors)
    return given - codes(given).keys()


def codes(doors: Iterable[Door]) -> dict[Door, Ended]:
    """Which open sockets must be closed, and with what code; see `look`."""
    return {door: found.code for door, found in look(doors).items() if isinstance(found, Out)}


def look(doors: Iterable[Door]) -> dict[Door, Out | Held]:
    """How each of the open sockets stands, in five queries for all of them; one more where second
    factors are required.

    Signed out is also who is deactivated, has changed the password elsewhere, has waited until the
    session expired, or must set up a second factor first.
    """
    given = set(doors)
    people = Person.objects.in_bulk({door.person for door in given if door.person is not None})
    chats = Chat.objects.filter(deleted_at=None).in_bulk(
        {door.chat for door in given if door.chat is not None}
    )
    team_roles, guests = team_roles_of(people), guest_roles(chats, people)
    standing = _standing({(door.session, door.person) for door in given}, people)
    lacking = lacking_factor(people.values())
    found: dict[Door, Out | Held] = {}
    for door in given:
        holder = door.session, door.person
        if holder not in standing or door.person in lacking:
            found[door] = Out(Ended.SIGNED_OUT)
            continue
        roles = team_roles.get(door.person or 0, {})
        teams = frozenset(roles.items())
        if door.chat is None:
            found[door] = Held(0, teams)
        elif door.chat not in chats:
            found[door] = Out(Ended.GONE, teams)
        else:
            chat, person = chats[door.chat], people.get(door.person or 0)
            # What was opened for a reason can be given back before its time.
            is_given_back = door.grant.startswith(OPENED) and door.grant not in standing[holder]
            grant = "" if is_given_back else door.grant
            invited = guests.get((chat.pk, door.person or 0), "")
            tie = tie_of(person, chat, roles, grant, invited=invited)
            allowed = allowed_by(tie, chat)
            if Action.READ in allowed:
                found[door] = Held(digest(allowed), teams, way(tie, chat))
            else:
                found[door] = Out(Ended.ACCESS_ENDED, teams)
    return found


def _standing(
    held: set[tuple[str, int | None]], people: Mapping[int, Person]
) -> dict[tuple[str, int | None], Collection[str]]:
    """Those pairs of session and person that belong together now, each with what the session was given."""
    keys = {session for session, _ in held if session}
    sessions = Session.objects.filter(expire_date__gt=timezone.now()).in_bulk(keys)
    data = {key: session.get_decoded() for key, session in sessions.items()}
    return {
        (session, person): grants(data.get(session, {})).values()
        for session, person in held
        if _belongs(data.get(session), person, people) or (person is None and not session)
    }


def _belongs(held: Mapping[str, Any] | None, id: int | None, people: Mapping[int, Person]) -> bool:
    """As `django.contrib.auth.get_user` would decide for a request that comes now."""
    if held is None:
        return False
    if id is None:
        return SESSION_KEY not in held
    person = people.get(id)
    if person is None or not person.is_active or held.get(SESSION_KEY) != str(id):
        return False
    if held.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    proof = held.get(HASH_SESSION_KEY, "")
    hashes = (person.get_session_auth_hash(), *person.get_session_auth_fallback_hash())
    return any(constant_time_compare(proof, hash) for hash in hashes)
