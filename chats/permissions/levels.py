"""What another level of privacy means: which rights it gives, and which it takes, and to whom.

Owns the kinds of people that a level speaks of, each as a tie that the table of rights is asked with, so
that what is said of a change cannot differ from what it does. Relies on that table alone, and asks no
database: a chat's owner loses and gains nothing, and who the others are is the caller's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from chats.models.teams import Role
from chats.permissions.table import Action, Tie


class Kind(StrEnum):
    TEAM_ADMIN = "an owner or admin of the team"
    MATE = "a member of the team"
    VIEWER = "a viewer of the team"
    INVITED_EDITOR = "somebody invited to write"
    INVITED_READER = "somebody invited to read"
    LINK = "whoever signs in and has the link"
    SIGNED_IN = "whoever signs in"
    NAMELESS_LINK = "whoever has the link, without an account"
    NAMELESS = "whoever comes by, without an account"


TIES = {
    Kind.TEAM_ADMIN: Tie(signed_in=True, team_role=Role.ADMIN),
    Kind.MATE: Tie(signed_in=True, team_role=Role.MEMBER),
    Kind.VIEWER: Tie(signed_in=True, team_role=Role.VIEWER),
    Kind.INVITED_EDITOR: Tie(signed_in=True, invited="editor"),
    Kind.INVITED_READER: Tie(signed_in=True, invited="reader"),
    Kind.LINK: Tie(signed_in=True, link=True),
    Kind.SIGNED_IN: Tie(signed_in=True),
    Kind.NAMELESS_LINK: Tie(signed_in=False, link=True),
    Kind.NAMELESS: Tie(signed_in=False),
}
OF_TEAM = frozenset({Kind.TEAM_ADMIN, Kind.MATE, Kind.VIEWER})


class Access(NamedTuple):
    kind: Kind
    action: Action


class Change(NamedTuple):
    """What one person gains and loses."""

    gained: frozenset[Action]
    lost: frozenset[Action]


def change(tie: Tie, old: str, new: str, *, wanted: str = "") -> Change:
    """`wanted` is the level that v0 has not agreed to yet: what both it and `old` allow is what counts."""
    before, after = _allowed(tie, old, wanted), _allowed(tie, new)
    return Change(after - before, before - after)


def gives(old: str, new: str, *, wanted: str = "", in_team: bool = True) -> frozenset[Access]:
    """What somebody may do at `new` and not at `old`; people of a team are among them where the chat is
    `in_team`."""
    return frozenset(
        Access(kind, action)
        for kind in _kinds(in_team=in_team)
        for action in change(TIES[kind], old, new, wanted=wanted).gained
    )


def takes(old: str, new: str, *, wanted: str = "", in_team: bool = True) -> frozenset[Access]:
    return frozenset(
        Access(kind, action)
        for kind in _kinds(in_team=in_team)
        for action in change(TIES[kind], old, new, wanted=wanted).lost
    )


def _kinds(*, in_team: bool) -> list[Kind]:
    return [kind for kind in Kind if in_team or kind not in OF_TEAM]


def _allowed(tie: Tie, privacy: str, wanted: str = "") -> frozenset[Action]:
    return frozenset(action for action in Action if tie.allows(action, privacy, wanted=wanted))
