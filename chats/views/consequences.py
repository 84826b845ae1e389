"""What follows from another level of privacy, in words: who gains, who loses, and what v0 makes of it.

Owns these words and the names of a team's people in them. Relies on `permissions.levels` for who may do
what; whom it names are the mates of the chat's owner, to the owner alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chats import permissions
from chats.models import Chat
from chats.models.chats import Privacy
from chats.permissions import Action, Tie, levels, spaces
from chats.permissions.levels import TIES, Change, Kind

OF_TEAMS = (Privacy.TEAM, Privacy.TEAM_EDIT)
# Names in a line; the rest are a number.
NAMED = 20
TITLES: dict[str, str] = {
    Privacy.PRIVATE: "Private",
    Privacy.TEAM: "Team can read",
    Privacy.TEAM_EDIT: "Team can read and write",
    Privacy.UNLISTED: "Unlisted",
    Privacy.PUBLIC: "Public",
}
# At v0 the scope of the installation's key is what a level is about.
AT_V0: dict[str, str] = {
    Privacy.PRIVATE: "only the account behind this installation can open it",
    Privacy.TEAM: "everybody in the Vercel team behind this installation can read it",
    Privacy.TEAM_EDIT: "everybody in the Vercel team behind this installation can read and change it",
    Privacy.UNLISTED: "whoever has the link of v0 to it can read it",
    Privacy.PUBLIC: "anybody can read it, and v0 and search engines may show it",
}
# A part of a sentence after "can", for what somebody may do who could open the chat before, or still can.
PARTS = (
    (Action.SEND, "write in it"),
    (Action.LIST, "find it in their lists, with its notes and costs"),
    (Action.DUPLICATE, "copy it"),
    (Action.SET_PRIVATE, "set it back to private"),
)


@dataclass(frozen=True, slots=True)
class Line:
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Consequences:
    """`gains` count when v0 agrees unless `is_at_once`, `losses` always at once."""

    gains: tuple[Line, ...]
    losses: tuple[Line, ...]
    is_at_once: bool
    at_v0: str


def in_words(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def consequences(found: Chat, new: str) -> Consequences:
    wanted, privacy = found.privacy_wanted, found.privacy
    kinds = {kind: levels.change(tie, privacy, new, wanted=wanted) for kind, tie in TIES.items()}
    gains, losses = _of_names(found, new, kinds[Kind.SIGNED_IN])
    return Consequences(
        gains=(*gains, *_gains_of_all(kinds)),
        losses=(*losses, *_losses_of_all(kinds, found, new)),
        is_at_once=not levels.gives(privacy, new, in_team=found.team is not None),
        at_v0=AT_V0[new],
    )


def sentences(found: Chat) -> dict[str, str]:
    """Each level that the chat can have where it is, in one sentence."""
    is_open = TIES[Kind.NAMELESS].allows(Action.READ, Privacy.PUBLIC)
    told = {
        Privacy.PRIVATE: "Only you can see it, and people you invite.",
        Privacy.TEAM: "Everybody in {} can read it. You write.",
        Privacy.TEAM_EDIT: "Everybody in {} can read it, and all but viewers can write in it.",
        Privacy.UNLISTED: "Whoever has its link can read it, also without an account."
        if is_open
        else "Whoever has its link and signs in can read it.",
        Privacy.PUBLIC: "Everybody can read it, also without an account."
        if is_open
        else "Everybody who signs in can read it.",
    }
    name = found.team.name if found.team else ""
    return {
        str(level): words.format(name)
        for level, words in told.items()
        if found.team or level not in OF_TEAMS
    }


def _gains_of_all(kinds: Mapping[Kind, Change]) -> Iterator[Line]:
    """Of those whom nobody can name."""
    if kinds[Kind.SIGNED_IN].gained:
        yield Line("Everybody who signs in", _gaining(kinds[Kind.SIGNED_IN].gained))
    elif kinds[Kind.LINK].gained:
        yield Line("Whoever has its link and signs in", _gaining(kinds[Kind.LINK].gained))
    if kinds[Kind.NAMELESS].gained:
        yield Line("People without an account", _gaining(kinds[Kind.NAMELESS].gained))
    elif kinds[Kind.NAMELESS_LINK].gained:
        yield Line("Whoever has its link, also without an account", "can read it")


def _losses_of_all(kinds: Mapping[Kind, Change], found: Chat, new: str) -> Iterator[Line]:
    if lost := kinds[Kind.SIGNED_IN].lost:
        keeps_link = not kinds[Kind.LINK].lost
        who = "Everybody without its link" if keeps_link else "Everybody else"
        if found.team and new in OF_TEAMS:
            who = f"Everybody who is not in {found.team.name}"
        yield Line(who, _losing(lost))
    elif lost := kinds[Kind.LINK].lost:
        yield Line("Whoever has only its link", _losing(lost))


def _of_names(found: Chat, new: str, of_all: Change) -> tuple[list[Line], list[Line]]:
    """The team's people by name, but for what happens to everybody anyway."""
    gaining: dict[str, list[str]] = {}
    losing: dict[str, list[str]] = {}
    for name, each in _changes(found, new):
        if gained := each.gained - of_all.gained:
            gaining.setdefault(_gaining(gained), []).append(name)
        if each.lost and Action.READ not in of_all.lost & each.lost:
            losing.setdefault(_losing(each.lost), []).append(name)
    return _lines(gaining), _lines(losing)


def _lines(names: Mapping[str, Sequence[str]]) -> list[Line]:
    return [Line(in_words(who), what) for what, who in names.items()]


def _changes(found: Chat, new: str) -> Iterator[tuple[str, Change]]:
    if found.team is None:
        return
    mates = spaces.mates([found.team])[found.team.pk]
    invited = permissions.guest_roles([found.pk], [each.person_id for each in mates])
    for each in mates:
        if each.person_id == found.owner_id:
            continue
        guest = invited.get((found.pk, each.person_id), "")
        tie = Tie(signed_in=True, team_role=each.role, invited=guest)
        yield (
            each.person.shown_name,
            levels.change(tie, found.privacy, new, wanted=found.privacy_wanted),
        )


def _gaining(gained: Collection[Action]) -> str:
    if Action.READ in gained:
        if Action.SEND in gained:
            return "can read it and write in it"
        return "can read and copy it" if Action.DUPLICATE in gained else "can read it"
    return "can " + _listed(gained, "and")


def _losing(lost: Collection[Action]) -> str:
    return (
        "cannot open it any more" if Action.READ in lost else "can no longer " + _listed(lost, "or")
    )


def _listed(actions: Collection[Action], word: str) -> str:
    parts = [words for action, words in PARTS if action in actions]
    return f", {word} ".join(parts)
