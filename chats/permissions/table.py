"""The table of rights: what each kind of person may do to a chat at each level of privacy.

Owns the words for actions and people, the cells, and how a tie between somebody and a chat is read in
them. Relies on the levels alone; asks no database: who is what to a chat is found out by whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from chats.models.chats import Privacy
from chats.models.teams import Role


class Action(StrEnum):
    LIST = "find it in one's own list and search"
    READ = "read page, live stream, files, attachments; export"
    DUPLICATE = "duplicate"
    NOTE = "read notes between people and write some"
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
INVITED = _cell(Who.INVITED_READER, Who.INVITED_EDITOR)
OF_TEAM = _cell(Who.MATE, Who.VIEWER)
NAMELESS = _cell(Who.ANONYMOUS, Who.ANONYMOUS_LINK)
ANYONE = _cell(READERS, Who.SIGNED_IN, Who.ANONYMOUS)

# Columns: private, team, team-edit, unlisted, public.
_ROWS: dict[Action, tuple[frozenset[Who], ...]] = {
    Action.LIST: (READERS, TEAM, TEAM, READERS, READERS),
    Action.READ: tuple(
        _cell(cell, Who.OPENED) for cell in (READERS, TEAM, TEAM, _cell(READERS, WITH_LINK), ANYONE)
    ),
    Action.DUPLICATE: (EDITORS, MATES, MATES, _cell(EDITORS, Who.LINK), _cell(Who.SIGNED_IN)),
    # Notes are between those who have the chat in a list: no link shows them, and no level shows them to all.
    Action.NOTE: (READERS, TEAM, TEAM, READERS, READERS),
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

    def allows(
        self, action: Action, privacy: str, *, wanted: str = "", write_permission: bool = True
    ) -> bool:
        """`wanted` is the level that a chat is to have once v0 agrees: till then both have to allow it."""
        if action in WRITES and not write_permission:
            return False
        held = self.roles()
        return all(
            not held.isdisjoint(TABLE[action][level]) for level in (privacy, wanted or privacy)
        )
