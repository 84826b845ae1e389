"""What kinds of people a chat can be looked at as: what each of them would be to it.

Owns the kinds and their ties. Relies on the table of rights for what follows from a tie, as for everybody
who is really there; nobody is signed in for it, and no session gets anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from chats.models import Chat, GuestRole
from chats.models.teams import Role
from chats.permissions import Action, Tie, allowed_by
from chats.permissions.sessions import holds_link


@dataclass(frozen=True, slots=True)
class Kind:
    """`words` follow "as"; `who` begins a sentence about them."""

    words: str
    who: str
    tie: Callable[[Chat], Tie]
    of_a_team: bool = False


def _link(chat: Chat) -> bool:
    """Whether who has the chat's address as it is now has it by a link that works."""
    return holds_link(chat, chat.link_slug)


KINDS = {
    "mate": Kind(
        "a member of the team",
        "Members of the team",
        lambda chat: Tie(signed_in=True, team_role=Role.MEMBER),
        of_a_team=True,
    ),
    "viewer": Kind(
        "a viewer of the team",
        "Viewers of the team",
        lambda chat: Tie(signed_in=True, team_role=Role.VIEWER),
        of_a_team=True,
    ),
    "reader": Kind(
        "somebody invited to read",
        "People who are invited to read",
        lambda chat: Tie(signed_in=True, invited=GuestRole.READER),
    ),
    "link": Kind(
        "somebody with the link",
        "Whoever has the link and is signed in",
        lambda chat: Tie(signed_in=True, link=_link(chat)),
    ),
    "stranger": Kind(
        "a stranger",
        "Whoever is signed in, and has nothing to do with the chat,",
        lambda chat: Tie(signed_in=True),
    ),
    "visitor-with-link": Kind(
        "a visitor with the link",
        "Whoever has the link, and no account here,",
        lambda chat: Tie(signed_in=False, link=_link(chat)),
    ),
    "visitor": Kind(
        "a visitor",
        "Whoever has no account here",
        lambda chat: Tie(signed_in=False),
    ),
}


def kinds(chat: Chat) -> dict[str, Kind]:
    """Those that there are for this chat; who has no account is one kind where they may read nothing."""
    return {
        name: kind
        for name, kind in KINDS.items()
        if (chat.team_id is not None or not kind.of_a_team)
        and (settings.V0_ANONYMOUS_READING or name != "visitor-with-link")
    }


def allowed(chat: Chat, kind: Kind) -> frozenset[Action]:
    return allowed_by(kind.tie(chat), chat)


def is_open_by_link(chat: Chat) -> bool:
    """Whether somebody who has the chat's link may read it by that, if it has not ended."""
    tie = Tie(signed_in=True, link=bool(chat.link_slug))
    return Action.READ in allowed_by(tie, chat)


def is_open_to_all(chat: Chat) -> bool:
    """Whether everybody who signs in may read it."""
    return Action.READ in allowed_by(Tie(signed_in=True), chat)
