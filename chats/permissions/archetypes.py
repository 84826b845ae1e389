"""What kinds of people a chat can be looked at as: what each of them would be to it.

Owns which kinds are offered, and the words for them. Relies on `levels` for what ties them to a chat and on the
table of rights for what follows from that, as for everybody who is really there; nobody is signed in for it,
and no session gets anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.conf import settings

from chats.models import Chat
from chats.permissions import Action, Tie, allowed_by, levels
from chats.permissions.sessions import holds_link


@dataclass(frozen=True, slots=True)
class Kind:
    """`words` follow "as"; `who` begins a sentence about them."""

    of: levels.Kind
    words: str
    who: str


KINDS = {
    "mate": Kind(levels.Kind.MATE, "a member of the team", "Members of the team"),
    "viewer": Kind(levels.Kind.VIEWER, "a viewer of the team", "Viewers of the team"),
    "reader": Kind(
        levels.Kind.INVITED_READER,
        "somebody invited to read",
        "People who are invited to read",
    ),
    "link": Kind(
        levels.Kind.LINK, "somebody with the link", "Whoever has the link and is signed in"
    ),
    "stranger": Kind(
        levels.Kind.SIGNED_IN,
        "a stranger",
        "Whoever is signed in, and has nothing to do with the chat,",
    ),
    "visitor-with-link": Kind(
        levels.Kind.NAMELESS_LINK,
        "a visitor with the link",
        "Whoever has the link, and no account here,",
    ),
    "visitor": Kind(levels.Kind.NAMELESS, "a visitor", "Whoever has no account here"),
}


def kinds(chat: Chat) -> dict[str, Kind]:
    """Those that there are for this chat; who has no account is one kind where they may read nothing."""
    return {
        name: kind
        for name, kind in KINDS.items()
        if (chat.team_id is not None or kind.of not in levels.OF_TEAM)
        and (settings.V0_ANONYMOUS_READING or name != "visitor-with-link")
    }


def allowed(chat: Chat, kind: Kind) -> frozenset[Action]:
    return allowed_by(tie(chat, kind), chat)


def tie(chat: Chat, kind: Kind) -> Tie:
    """As `levels` has it; a link that does not work, or is none yet, is no tie."""
    held = levels.TIES[kind.of]
    return replace(held, link=held.link and holds_link(chat, chat.link_slug))


def is_open_by_link(chat: Chat) -> bool:
    """Whether somebody who has the chat's link may read it by that, if it has not ended."""
    tie = Tie(signed_in=True, link=bool(chat.link_slug))
    return Action.READ in allowed_by(tie, chat)


def is_open_to_all(chat: Chat) -> bool:
    """Whether everybody who signs in may read it."""
    return Action.READ in allowed_by(Tie(signed_in=True), chat)
