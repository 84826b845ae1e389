"""Who may do what: gives the object, or raises 404 (invisible) or 403 (visible, but not allowed).

Owns every way of asking the table of rights (`table`): for a request, a socket, a list, the people
who are connected; `doors` asks it again for sockets that are open. Relies on models alone: our database
decides, never v0's `privacy`. Never cares how something is shown, and never lets a caller name a role.

    request or socket ──► Tie (who is this person to this chat?) ──► roles ──► TABLE[action][privacy]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.http import Http404, HttpRequest
from django.utils import timezone

from chats.models import (
    Chat,
    Decision,
    Entry,
    Follow,
    Guest,
    GuestRole,
    Membership,
    Message,
    Person,
    kept,
)
from chats.models.chats import AtV0
from chats.models.messages import LIVE, MessageState, Task
from chats.models.teams import Role
from chats.permissions.sessions import LINKED, give, grants, holds_link, opened_until
from chats.permissions.table import (
    INVITED,
    MATE_ROLES,
    NAMELESS,
    OF_TEAM,
    TABLE,
    TEAM_ADMIN_ROLES,
    WRITES,
    Action,
    Tie,
    Who,
)

__all__ = [
    "MATE_ROLES",
    "TABLE",
    "TEAM_ADMIN_ROLES",
    "WRITES",
    "Action",
    "Tie",
    "Who",
]

Visitor: TypeAlias = Person | AnonymousUser | None
Grants: TypeAlias = Mapping[str, str]


def may(person: Visitor, chat: Chat, action: Action, *, grant: str | None = None) -> bool:
    """Whether `person` may do `action` to `chat`; `grant` is what their session was given for it."""
    return action in actions(person, chat, grant=grant)


def actions(person: Visitor, chat: Chat, *, grant: str | None = None) -> frozenset[Action]:
    """Everything that `person` may do to `chat`, for one query: what a page shows branches on it."""
    return allowed_by(tie_of(person, chat, _team_roles(person), grant), chat)


def actions_of(request: HttpRequest, chat: Chat) -> frozenset[Action]:
    """As `actions`, for whoever asks, without another query."""
    grant = grants(request.session).get(str(chat.pk))
    return allowed_by(tie_of(request.user, chat, _roles(request), grant), chat)


def chat(request: HttpRequest, id: UUID, action: Action) -> Chat:
    """The chat, with owner and team; Http404 when invisible, PermissionDenied when not allowed."""
    return _look_up(None, request.user, grants(request.session), id, action, _roles(request))


def memberships(request: HttpRequest) -> list[Membership]:
    """Those of whoever asks, with their teams, by name: one query for a request, however many ask."""
    found: list[Membership] | None = getattr(request, "memberships", None)
    if found is None:
        known = _known(request.user)
        found = kept.rows(("memberships", known.pk), lambda: _held_by(known)) if known else []
        setattr(request, "memberships", found)  # noqa: B010 (no attribute of Django's own)
    return found


def _held_by(person: Person) -> QuerySet[Membership]:
    rows = Membership.objects.filter(person=person).select_related("team__rules")
    return rows.order_by("team__name", "team")


def _roles(request: HttpRequest) -> dict[int, str]:
    return {held.team_id: held.role for held in memberships(request)}


def chat_for(person: Visitor, session_grants: Grants, id: UUID, action: Action) -> Chat:
    """As `chat`, for somebody without a request: a socket gives its user and its session's grants."""
    return _look_up(None, person, session_grants, id, action, _team_roles(person))


def admit(
    person: Visitor, session_grants: Grants, id: UUID
) -> tuple[Chat, frozenset[Action], Mapping[int, str]]:
    """A chat that somebody may read, everything that they may do to it, and their role in each of their
    teams; Http404 for any other."""
    roles = _team_roles(person)
    return *_find(None, person, session_grants, id, roles), roles


def deleted_chat(request: HttpRequest, id: UUID) -> Chat:
    """As `chat` for MANAGE, and also for one whose deletion can still be undone."""
    rows = Chat.objects.filter(Q(deleted_at=None) | Q(deleted_at__gt=undo_limit()))
    try:
        held = grants(request.session)
        return _look_up(rows, request.user, held, id, Action.MANAGE, _roles(request))
    except PermissionDenied:
        # To everybody else a deleted chat is none.
        return chat(request, id, Action.MANAGE)


def undo_limit() -> datetime:
    """What was deleted before this moment is gone for good."""
    return timezone.now() - timedelta(seconds=settings.V0_UNDO)


def _look_up(
    rows: QuerySet[Chat] | None,
    person: Visitor,
    session_grants: Grants,
    id: UUID,
    action: Action,
    team_roles: Mapping[int, str],
) -> Chat:
    found, allowed = _find(rows, person, session_grants, id, team_roles)
    if action not in allowed:
        raise PermissionDenied
    return found


def _find(
    rows: QuerySet[Chat] | None,
    person: Visitor,
    session_grants: Grants,
    id: UUID,
    team_roles: Mapping[int, str],
) -> tuple[Chat, frozenset[Action]]:
    """`rows` None are those of chats that are not deleted."""
    known = _known(person)
    who = known.pk if known else None

    def living() -> QuerySet[Chat]:
        return _with_role(Chat.objects.filter(deleted_at=None), who, id)

    # Always the same queries, so that time does not tell a hidden chat from none. Of visitors nothing is kept:
    # one would be told by it what another has just asked for.
    if rows is None:
        one = kept.rows(("chat", id, who), living) if known else living()
    else:
        one = _with_role(rows, who, id)
    # Not `first`: to put one row in an order costs a third of all this.
    found: Any = next(iter(one), None)
    if found is None:
        raise Http404
    if known:
        _remember_guest(found, known, found.guest_role or "")
    grant = session_grants.get(str(found.pk))
    allowed = allowed_by(tie_of(person, found, team_roles, grant), found)
    if Action.READ not in allowed:
        raise Http404
    return found, allowed


def _with_role(rows: QuerySet[Chat], who: int | None, id: UUID) -> QuerySet[Chat]:
    """The chat, with the role that somebody has as its guest."""
    guest = Guest.objects.filter(chat=OuterRef("pk"), person=who)
    rows = rows.select_related("owner", "team__rules", "instructions").filter(pk=id)
    return rows.annotate(guest_role=Subquery(guest.values("role")[:1]))


def administrator(request: HttpRequest) -> Person:
    """The member of the staff behind a request; Http404 for everybody else."""
    known = _known(request.user)
    if known is None or not known.is_staff:
        raise Http404
    return known


def models() -> tuple[str, ...]:
    """The models that people may choose, in the order in which they are offered; never none."""
    return tuple(dict.fromkeys(settings.V0_MODELS))


def model(wanted: object) -> str:
    """`wanted`, if people may choose it, else ""."""
    return str(wanted) if wanted in models() else ""


def message(request: HttpRequest, chat_id: UUID, message_id: UUID, action: Action) -> Message:
    """The message, looked up within its chat; raises as `chat` does."""
    found = chat(request, chat_id, action).messages.filter(pk=message_id).first()
    if found is None:
        raise Http404
    return found


def open_link(request: HttpRequest, slug: str) -> Chat:
    """The chat behind a link, whose grant is from now on in the session; Http404 if there is none."""
    found = Chat.objects.filter(_is_linked(), link_slug=slug, deleted_at=None).first()
    if found is None or not may(request.user, found, Action.READ, grant=slug):
        raise Http404
    give(request.session, found, slug)
    return found


def visible_chats(person: Visitor) -> QuerySet[Chat]:
    """The chats of somebody's own list and search, in no order."""
    return _chats(Action.LIST, person, {})


def having(action: Action, person: Visitor) -> QuerySet[Chat]:
    """Every chat to which somebody may do `action` by being who they are, without a link."""
    return _chats(action, person, {})


def readable(person: Visitor, session_grants: Grants | None = None) -> QuerySet[Chat]:
    """Every chat that somebody may read, those of others by link or in public included."""
    return _chats(Action.READ, person, session_grants or {})


def shared_with(person: Visitor, session_grants: Grants) -> QuerySet[Chat]:
    """The chats of others that somebody may read as a guest, or by a link that their session holds."""
    known = _known(person)
    if known is None:
        return Chat.objects.none()
    own_and_teams = _in_own_and_teams(Action.READ, known)
    given = {who: rows for who, rows in own_and_teams.items() if who in INVITED}
    reach = {**given, Who.LINK: _by_link(session_grants)}
    return _reached(Action.READ, reach).exclude(own_and_teams[Who.OWNER])


def seen_by_team(person: Visitor) -> QuerySet[Chat]:
    """The chats that somebody has in their list by being in a team, their own among them."""
    known = _known(person)
    if known is None:
        return Chat.objects.none()
    rows = _in_own_and_teams(Action.LIST, known)
    reach = {who: found for who, found in rows.items() if who in OF_TEAM}
    return _reached(Action.LIST, reach)


def managed(person: Visitor) -> QuerySet[Chat]:
    """The chats whose sharing is somebody's to decide, in no order."""
    return _chats(Action.MANAGE, person, {})


def waiting_for(person: Visitor, *, with_followed: bool = False) -> QuerySet[Message]:
    """The answers whose task waits for somebody, as one query: those longest first.

    Who may decide is who may send; what grants something waits for whoever may grant it. Those of chats
    that somebody follows, and has in their list, may wait for others.
    """
    mine = Q(asks__in=(Task.QUESTIONS, Task.PLAN), chat__in=_chats(Action.SEND, person, {}))
    mine |= Q(
        asks__in=(Task.INTEGRATION, Task.PERMISSION, Task.CONNECT),
        chat__in=_chats(Action.GRANT, person, {}),
    )
    if with_followed:
        followed = Follow.objects.filter(person=_known(person)).values("chat")
        mine |= Q(chat__in=_chats(Action.LIST, person, {}).filter(pk__in=followed))
    later = Message.objects.filter(chat=OuterRef("chat"))
    later = later.filter(Q(position__gt=OuterRef("position")) & ~Q(v0_id="") | Q(state__in=LIVE))
    decided = Decision.objects.filter(asked=OuterRef("pk"), failed=False)
    asking = Message.objects.filter(mine, state=MessageState.FINISHED).exclude(v0_id="")
    asking = asking.filter(chat__write_permission=True, chat__at_v0=AtV0.THERE)
    asking = asking.filter(~Exists(later), ~Exists(decided))
    return asking.order_by("ended_at", "id")


def own_entries(person: Person) -> QuerySet[Entry]:
    """What somebody's own answers used, wherever they asked."""
    return Entry.objects.filter(person=person)


def visible_entries(person: Visitor) -> QuerySet[Entry]:
    """The usage somebody may see: their own, of teams they own or administer, as staff everybody's."""
    known = _known(person)
    if known is None:
        return Entry.objects.none()
    if known.is_staff:
        return Entry.objects.all()
    return Entry.objects.filter(Q(person=known) | _in_teams(known, TEAM_ADMIN_ROLES))


def listeners(chat_ids: Iterable[UUID], people_ids: Iterable[int]) -> set[int]:
    """Which of these people have one of the chats in their list, or had it until it was deleted, in
    two queries."""
    chats, people = set(chat_ids), set(people_ids)
    concerned = Q(owner__in=people) | Q(team__memberships__person__in=people)
    rows = Chat.objects.filter(concerned, pk__in=chats).values_list(
        *("owner", "owner__is_active", "team", "privacy", "privacy_wanted"),
        *("team__memberships__person", "team__memberships__role"),
        "team__memberships__person__is_active",
    )
    found: set[int] = set()
    for owner, owner_active, team, privacy, wanted, mate, role, active in rows:
        ties = {owner: Tie(signed_in=True, owns=True)} if owner_active and team is None else {}
        if mate is not None and active:
            ties[mate] = Tie(signed_in=True, owns=mate == owner, team_role=role)
        found |= {
            who for who, tie in ties.items() if tie.allows(Action.LIST, privacy, wanted=wanted)
        }
    guests = Guest.objects.filter(chat__in=chats, person__in=people, person__is_active=True)
    found |= set(guests.values_list("person", flat=True))  # At every level.
    return found & people


def readers_of(chat_id: UUID, people_ids: Iterable[int]) -> set[int]:
    """Which of these people have the chat in their list, in two queries."""
    return listeners([chat_id], people_ids)


def _known(person: Visitor) -> Person | None:
    """The person, unless anonymous or deactivated: those are nobody."""
    return person if isinstance(person, Person) and person.is_active else None


def _team_roles(person: Visitor) -> dict[int, str]:
    known = _known(person)
    return team_roles_of([known.pk]).get(known.pk, {}) if known else {}


def team_roles_of(people: Iterable[int]) -> dict[int, dict[int, str]]:
    held: dict[int, dict[int, str]] = {}
    rows = Membership.objects.filter(person__in=list(people))
    for person, team, role in rows.values_list("person_id", "team_id", "role"):
        held.setdefault(person, {})[team] = role
    return held


def allowed_by(tie: Tie | None, chat: Chat) -> frozenset[Action]:
    """What somebody with this tie to the chat may do to it."""
    return frozenset(
        action
        for action in Action
        if tie
        and tie.allows(
            action, chat.privacy, wanted=chat.privacy_wanted, write_permission=_is_open(chat)
        )
    )


def _is_open(chat: Chat) -> bool:
    """Whether v0 still lets anybody write here."""
    return chat.write_permission and not chat.at_v0


def tie_of(
    person: Visitor,
    chat: Chat,
    team_roles: Mapping[int, str],
    grant: str | None,
    *,
    invited: str | None = None,
) -> Tie | None:
    """`invited` is their role as a guest of the chat, None where the caller has not looked."""
    known, link = _known(person), holds_link(chat, grant)
    if known is None:
        # A deactivated person has fewer rights than a passer-by, as long as they are named.
        return None if isinstance(person, Person) else Tie(signed_in=False, link=link)
    team_role = team_roles.get(chat.team_id, "") if chat.team_id is not None else ""
    return Tie(
        signed_in=True,
        # Who has left the team is a stranger to all of its chats, to those they owned too.
        owns=chat.owner_id == known.pk and (chat.team_id is None or bool(team_role)),
        team_role=team_role,
        link=link,
        invited=_guest_role(known, chat) if invited is None else invited,
        opened=known.is_superuser and opened_until(grant) is not None,
    )


def guest_roles(chats: Iterable[UUID], people: Iterable[int]) -> dict[tuple[UUID, int], str]:
    """The role of each of these people who is a guest of one of these chats."""
    rows = Guest.objects.filter(chat__in=list(chats), person__in=list(people))
    held = rows.values_list("chat_id", "person_id", "role")
    return {(chat, person): role for chat, person, role in held if person is not None}


def _guest_role(person: Person, chat: Chat) -> str:
    looked_up: tuple[int, str] | None = getattr(chat, "as_guest", None)
    if looked_up is None or looked_up[0] != person.pk:
        role = guest_roles([chat.pk], [person.pk]).get((chat.pk, person.pk), "")
        return _remember_guest(chat, person, role)
    return looked_up[1]


def _remember_guest(chat: Chat, person: Person, role: str) -> str:
    setattr(chat, "as_guest", (person.pk, role))  # noqa: B010 (no attribute of the model's own)
    return role


def _is_linked() -> Q:
    """As `sessions.holds_link`, for rows."""
    lasts = Q(link_expires_at=None) | Q(link_expires_at__gt=Now())
    return Q(lasts, privacy__in=LINKED)


def _chats(action: Action, person: Visitor, session_grants: Grants) -> QuerySet[Chat]:
    """The rows of the table that `action` reaches, as one query."""
    known = _known(person)
    if known is None and isinstance(person, Person):
        return Chat.objects.none()
    linked = _by_link(session_grants)
    if known is not None:
        reach = {**_in_own_and_teams(action, known), Who.LINK: linked, Who.SIGNED_IN: Q()}
    else:
        held = Tie(signed_in=False, link=True).roles()
        reach = {Who.ANONYMOUS: Q(), Who.ANONYMOUS_LINK: linked}
        reach = {who: rows for who, rows in reach.items() if who in held}
    return _reached(action, reach)


def _by_link(session_grants: Grants) -> Q:
    linked = Q(pk__in=[])
    for id, slug in session_grants.items():
        linked |= Q(_is_linked(), pk=id, link_slug=slug)
    return linked


def _reached(action: Action, reach: Mapping[Who, Q]) -> QuerySet[Chat]:
    """Of what somebody reaches by being each of these, the rows at whose level that may do it."""
    reached = Q(pk__in=[])
    for who, rows in reach.items():
        if levels := _levels(action, who):
            # While v0 has not agreed to another level, both have to allow it.
            reached |= Q(privacy__in=levels, privacy_wanted__in=["", *levels]) & rows
    return Chat.objects.filter(reached, deleted_at=None)


def _levels(action: Action, who: Who) -> list[str]:
    """Those at which somebody may do it by being `who`, who is signed in besides."""
    held = {who, Who.SIGNED_IN} if who not in NAMELESS else {who, Who.ANONYMOUS}
    own = [level for level, cell in TABLE[action].items() if who in cell]
    return own and [level for level, cell in TABLE[action].items() if held & cell]


def _in_own_and_teams(action: Action, person: Person) -> dict[Who, Q]:
    """What somebody reaches as owner, as a guest and as a member. Each Q costs a page more to build than
    to ask: those of people who see alike are one."""
    found = {Who.OWNER: Q(owner=person) & (Q(team=None) | _in_teams(person))}
    if _alike(action, Who.INVITED_EDITOR, Who.INVITED_READER):
        found[Who.INVITED_EDITOR] = _as_guest(person)
    else:
        found[Who.INVITED_EDITOR] = _as_guest(person, GuestRole.EDITOR)
        found[Who.INVITED_READER] = _as_guest(person, GuestRole.READER)
    if _alike(action, Who.MATE, Who.VIEWER):
        found[Who.MATE] = _in_teams(person)
    else:
        found[Who.MATE] = _in_teams(person, MATE_ROLES)
        found[Who.VIEWER] = _in_teams(person, (Role.VIEWER,))
    return found


def _alike(action: Action, one: Who, other: Who) -> bool:
    return _levels(action, one) == _levels(action, other)


def _as_guest(person: Person, role: str | None = None) -> Q:
    """`role` None is either."""
    guest = Guest.objects.filter(person=person)
    if role is not None:
        guest = guest.filter(role=role)
    return Q(pk__in=guest.values("chat"))


def _in_teams(person: Person, roles: Iterable[str] | None = None) -> Q:
    """`roles` None is any."""
    memberships = Membership.objects.filter(person=person)
    if roles is not None:
        memberships = memberships.filter(role__in=list(roles))
    return Q(team__in=memberships.values("team"))
