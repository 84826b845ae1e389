"""Who may do what: gives the object, or raises 404 (invisible) or 403 (visible, but not allowed).

Owns the whole table of rights and every way of asking it: for a request, a socket, a list, the people
who are connected; `doors` asks it again for sockets that are open. Relies on models alone: our database
decides, never v0's `privacy`. Never cares how something is shown, and never lets a caller name a role.

    request or socket ──► Tie (who is this person to this chat?) ──► roles ──► TABLE[action][privacy]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone

from chats.models import Chat, Decision, Entry, Membership, Message, Person
from chats.models.chats import AtV0, Privacy
from chats.models.messages import LIVE, MessageState, Task
from chats.models.teams import Role
from chats.permissions.sessions import LINKED, give, grants, holds_link, opened_until

Visitor: TypeAlias = Person | AnonymousUser | None
Grants: TypeAlias = Mapping[str, str]


class Action(StrEnum):
    LIST = "find it in one's own list and search"
    READ = "read page, live stream, files, attachments; export"
    DUPLICATE = "duplicate"
    SEE_COST = "see what the chat cost"
    SEND = "send, stop, answer questions, approve a plan; queue: add, edit and remove own"
    QUEUE = "queue: reorder, send now, remove another's"
    RENAME = "rename"
    GRANT = "grant a tool permission, connect services"
    SET_PRIVATE = "set back to private"
    RESTORE = "restore"
    MANAGE = "privacy, share, invite, delete, move, deploy; read the chat's audit"


class Who(StrEnum):
    """What somebody can be to a chat, several at a time: its owner is signed in, too."""

    OWNER = "owner"
    MATE = "mate"
    TEAM_ADMIN = "team owner or admin"
    VIEWER = "viewer of the team"
    INVITED_READER = "invited reader"
    INVITED_EDITOR = "invited editor"
    LINK = "signed in with the link"
    ANONYMOUS_LINK = "anonymous with the link"
    SIGNED_IN = "signed in"
    ANONYMOUS = "anonymous"
    OPENED = "superuser who has stated a reason"


def _cell(*who: Who | frozenset[Who]) -> frozenset[Who]:
    return frozenset().union(*((w,) if isinstance(w, Who) else w for w in who))


OWNER = _cell(Who.OWNER)
EDITORS = _cell(OWNER, Who.INVITED_EDITOR)
READERS = _cell(EDITORS, Who.INVITED_READER)
MATES = _cell(EDITORS, Who.MATE)
ADMINS = _cell(OWNER, Who.TEAM_ADMIN)
TEAM = _cell(READERS, Who.MATE, Who.VIEWER)
WITH_LINK = _cell(Who.LINK, Who.ANONYMOUS_LINK)
ANYONE = _cell(READERS, Who.SIGNED_IN, Who.ANONYMOUS)

# Columns: private, team, team-edit, unlisted, public.
_ROWS: dict[Action, tuple[frozenset[Who], ...]] = {
    Action.LIST: (READERS, TEAM, TEAM, READERS, READERS),
    Action.READ: tuple(
        _cell(cell, Who.OPENED) for cell in (READERS, TEAM, TEAM, _cell(READERS, WITH_LINK), ANYONE)
    ),
    Action.DUPLICATE: (EDITORS, MATES, MATES, _cell(EDITORS, Who.LINK), _cell(Who.SIGNED_IN)),
    Action.SEE_COST: (EDITORS, MATES, MATES, EDITORS, EDITORS),
    Action.SEND: (EDITORS, EDITORS, MATES, EDITORS, EDITORS),
    Action.QUEUE: (EDITORS, EDITORS, MATES, EDITORS, EDITORS),
    Action.RENAME: (EDITORS, EDITORS, MATES, EDITORS, EDITORS),
    Action.GRANT: (OWNER, OWNER, OWNER, OWNER, OWNER),
    Action.SET_PRIVATE: (OWNER, ADMINS, ADMINS, OWNER, ADMINS),
    Action.RESTORE: (OWNER, OWNER, OWNER, OWNER, OWNER),
    Action.MANAGE: (OWNER, OWNER, OWNER, OWNER, OWNER),
}
TABLE: dict[Action, dict[str, frozenset[Who]]] = {
    action: dict(zip(Privacy.values, cells, strict=True)) for action, cells in _ROWS.items()
}

# What v0 refuses to everybody in a chat whose `writePermission` is false.
WRITES = frozenset({Action.SEND, Action.QUEUE, Action.RENAME, Action.GRANT, Action.RESTORE})

MATE_ROLES = (Role.OWNER, Role.ADMIN, Role.MEMBER)
TEAM_ADMIN_ROLES = (Role.OWNER, Role.ADMIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """What connects somebody with one chat. `team_role` is their role in the chat's team, "" if none;
    `invited` is "reader", "editor" or ""; `link` says that they hold its present link, `opened` that they
    are a superuser who has stated a reason for reading it a while ago."""

    signed_in: bool
    owns: bool = False
    team_role: str = ""
    link: bool = False
    invited: str = ""
    opened: bool = False

    def roles(self) -> frozenset[Who]:
        if not self.signed_in:
            return self._anonymous_roles()
        held = {
            Who.SIGNED_IN: True,
            Who.LINK: self.link,
            Who.OWNER: self.owns,
            Who.MATE: self.team_role in MATE_ROLES,
            Who.TEAM_ADMIN: self.team_role in TEAM_ADMIN_ROLES,
            Who.VIEWER: self.team_role == Role.VIEWER,
            Who.INVITED_READER: self.invited == "reader",
            Who.INVITED_EDITOR: self.invited == "editor",
            Who.OPENED: self.opened,
        }
        return frozenset(who for who, holds in held.items() if holds)

    def _anonymous_roles(self) -> frozenset[Who]:
        if not getattr(settings, "V0_ANONYMOUS_READING", False):
            return frozenset()
        return _cell(Who.ANONYMOUS, Who.ANONYMOUS_LINK) if self.link else _cell(Who.ANONYMOUS)

    def allows(self, action: Action, privacy: str, *, write_permission: bool = True) -> bool:
        if action in WRITES and not write_permission:
            return False
        return not self.roles().isdisjoint(TABLE[action][privacy])


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
    rows = Chat.objects.filter(deleted_at=None)
    return _look_up(rows, request.user, grants(request.session), id, action, _roles(request))


def memberships(request: HttpRequest) -> list[Membership]:
    """Those of whoever asks, with their teams, by name: one query for a request, however many ask."""
    found: list[Membership] | None = getattr(request, "memberships", None)
    if found is None:
        known = _known(request.user)
        rows = Membership.objects.filter(person=known).select_related("team__rules")
        found = list(rows.order_by("team__name", "team")) if known else []
        setattr(request, "memberships", found)  # noqa: B010 (no attribute of Django's own)
    return found


def _roles(request: HttpRequest) -> dict[int, str]:
    return {held.team_id: held.role for held in memberships(request)}


def chat_for(person: Visitor, session_grants: Grants, id: UUID, action: Action) -> Chat:
    """As `chat`, for somebody without a request: a socket gives its user and its session's grants."""
    rows = Chat.objects.filter(deleted_at=None)
    return _look_up(rows, person, session_grants, id, action, _team_roles(person))


def admit(
    person: Visitor, session_grants: Grants, id: UUID
) -> tuple[Chat, frozenset[Action], Mapping[int, str]]:
    """A chat that somebody may read, everything that they may do to it, and their role in each of their
    teams; Http404 for any other."""
    roles = _team_roles(person)
    rows = Chat.objects.filter(deleted_at=None)
    return *_find(rows, person, session_grants, id, roles), roles


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
    rows: QuerySet[Chat],
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
    rows: QuerySet[Chat],
    person: Visitor,
    session_grants: Grants,
    id: UUID,
    team_roles: Mapping[int, str],
) -> tuple[Chat, frozenset[Action]]:
    # Always the same queries, so that time does not tell a hidden chat from none.
    found = rows.select_related("owner", "team__rules", "instructions").filter(pk=id).first()
    if found is None:
        raise Http404
    grant = session_grants.get(str(found.pk))
    allowed = allowed_by(tie_of(person, found, team_roles, grant), found)
    if Action.READ not in allowed:
        raise Http404
    return found, allowed


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
    found = Chat.objects.filter(link_slug=slug, privacy__in=LINKED, deleted_at=None).first()
    if found is None or not may(request.user, found, Action.READ, grant=slug):
        raise Http404
    give(request.session, found, slug)
    return found


def visible_chats(person: Visitor) -> QuerySet[Chat]:
    """The chats of somebody's own list and search, in no order."""
    return _chats(Action.LIST, person, {})


def readable(person: Visitor, session_grants: Grants | None = None) -> QuerySet[Chat]:
    """Every chat that somebody may read, those of others by link or in public included."""
    return _chats(Action.READ, person, session_grants or {})


def waiting_for(person: Visitor) -> QuerySet[Message]:
    """The answers whose task waits for somebody, as one query: those longest first.

    Who may decide is who may send; what grants something waits for whoever may grant it.
    """
    later = Message.objects.filter(chat=OuterRef("chat"))
    later = later.filter(Q(position__gt=OuterRef("position")) & ~Q(v0_id="") | Q(state__in=LIVE))
    decided = Decision.objects.filter(asked=OuterRef("pk"), failed=False)
    mine = Q(asks__in=(Task.QUESTIONS, Task.PLAN), chat__in=_chats(Action.SEND, person, {}))
    mine |= Q(
        asks__in=(Task.INTEGRATION, Task.PERMISSION, Task.CONNECT),
        chat__in=_chats(Action.GRANT, person, {}),
    )
    asking = Message.objects.filter(mine, state=MessageState.FINISHED).exclude(v0_id="")
    asking = asking.filter(chat__write_permission=True, chat__at_v0=AtV0.THERE)
    asking = asking.filter(~Exists(later), ~Exists(decided))
    return asking.order_by("ended_at", "id")


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
    one query."""
    people = set(people_ids)
    concerned = Q(owner__in=people) | Q(team__memberships__person__in=people)
    rows = Chat.objects.filter(concerned, pk__in=set(chat_ids)).values_list(
        *("owner", "owner__is_active", "team", "privacy", "team__memberships__person"),
        *("team__memberships__role", "team__memberships__person__is_active"),
    )
    found: set[int] = set()
    for owner, owner_active, team, privacy, mate, role, active in rows:
        ties = {owner: Tie(signed_in=True, owns=True)} if owner_active and team is None else {}
        if mate is not None and active:
            ties[mate] = Tie(signed_in=True, owns=mate == owner, team_role=role)
        found |= {who for who, tie in ties.items() if tie.allows(Action.LIST, privacy)}
    return found & people


def readers_of(chat_id: UUID, people_ids: Iterable[int]) -> set[int]:
    """Which of these people have the chat in their list, in one query."""
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
        if tie and tie.allows(action, chat.privacy, write_permission=_is_open(chat))
    )


def _is_open(chat: Chat) -> bool:
    """Whether v0 still lets anybody write here."""
    return chat.write_permission and not chat.at_v0


def tie_of(
    person: Visitor, chat: Chat, team_roles: Mapping[int, str], grant: str | None
) -> Tie | None:
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
        opened=known.is_superuser and opened_until(grant) is not None,
    )


def _chats(action: Action, person: Visitor, session_grants: Grants) -> QuerySet[Chat]:
    """The rows of the table that `action` reaches, as one query."""
    known = _known(person)
    if known is None and isinstance(person, Person):
        return Chat.objects.none()
    linked = Q(pk__in=[])
    for id, slug in session_grants.items():
        linked |= Q(pk=id, link_slug=slug, privacy__in=LINKED)
    if known is not None:
        reach = {**_in_own_and_teams(action, known), Who.LINK: linked, Who.SIGNED_IN: Q()}
    else:
        held = Tie(signed_in=False, link=True).roles()
        reach = {Who.ANONYMOUS: Q(), Who.ANONYMOUS_LINK: linked}
        reach = {who: rows for who, rows in reach.items() if who in held}
    reached = Q(pk__in=[])
    for who, rows in reach.items():
        if levels := _levels(action, who):
            reached |= Q(privacy__in=levels) & rows
    return Chat.objects.filter(reached, deleted_at=None)


def _levels(action: Action, who: Who) -> list[str]:
    return [level for level, cell in TABLE[action].items() if who in cell]


def _in_own_and_teams(action: Action, person: Person) -> dict[Who, Q]:
    """What somebody reaches as owner and as a member. Each Q costs a page more to build than to ask:
    those that mates and viewers see alike are one."""
    own = Q(owner=person) & (Q(team=None) | _in_teams(person))
    if _levels(action, Who.MATE) == _levels(action, Who.VIEWER):
        return {Who.OWNER: own, Who.MATE: _in_teams(person)}
    viewing = {Who.VIEWER: _in_teams(person, (Role.VIEWER,))} if _levels(action, Who.VIEWER) else {}
    return {Who.OWNER: own, Who.MATE: _in_teams(person, MATE_ROLES), **viewing}


def _in_teams(person: Person, roles: Iterable[str] | None = None) -> Q:
    """`roles` None is any."""
    memberships = Membership.objects.filter(person=person)
    if roles is not None:
        memberships = memberships.filter(role__in=list(roles))
    return Q(team__in=memberships.values("team"))
