"""An entry of the audit log in words: who did what, as somebody would say it.

Owns the sentences, one for each event, and the facts beside them. Relies on what an entry keeps by itself,
so that it reads the same when its people, team and chat are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chats.models import AuditEntry, Event
from chats.relay.rows import utc

# `whom` is somebody, `whose` is theirs; `team` begins with "in", `way` is from one thing to another. One's
# own is "themselves" and "their".
SENTENCES: dict[str, str] = {
    Event.SIGN_IN_FAILED: "failed to sign in as {typed}",
    Event.SESSIONS_ENDED: "ended sessions of {whom}",
    Event.ACCOUNT_MADE: "made an account for {whom}",
    Event.ACCOUNT_DELETED: "deleted {whose} account",
    Event.ACCOUNT_DEACTIVATED: "deactivated {whose} account",
    Event.ACCOUNT_REACTIVATED: "reactivated {whose} account",
    Event.RIGHTS_CHANGED: "changed {whose} rights",
    Event.PASSWORD_CHANGED: "changed {whose} password",
    Event.RESET_SENT: "had a mail sent to {whom} to reset the password",
    Event.EMAIL_CHANGED: "changed {whose} e-mail address{way}",
    Event.IDENTITY_LINKED: "linked {whose} account with one elsewhere",
    Event.MFA_ADDED: "added a second factor to {whose} account",
    Event.MFA_REMOVED: "removed a second factor from {whose} account",
    Event.RECOVERY_CODES_MADE: "made {whose} recovery codes",
    Event.RECOVERY_CODE_USED: "used a recovery code",
    Event.DATA_EXPORTED: "exported {whose} data",
    Event.TEAM_MADE: "made the team {name}",
    Event.TEAM_CHANGED: "changed the settings of {name}",
    Event.TEAM_DELETED: "deleted the team {name}",
    Event.REMOVED: "removed {whom} from {name}",
    Event.JOINED: "joined {name}",
    Event.LEFT: "left {name}",
    Event.ROLE_CHANGED: "changed {whose} role{team}{way}",
    Event.OWNERSHIP_TRANSFERRED: "handed {name} over to {whom}",
    Event.INVITED: "invited {invited}{into}",
    Event.INVITATION_RESENT: "sent the invitation of {invited} again",
    Event.INVITATION_REVOKED: "revoked the invitation of {invited}",
    Event.INVITATION_ACCEPTED: "accepted an invitation{into}",
    Event.PRIVACY_CHANGED: "changed who may see a chat{way}",
    Event.SHARED: "shared a chat{sharing}",
    Event.UNSHARED: "ended a share of a chat{sharing}",
    Event.CHAT_MOVED: "moved a chat{places}",
    Event.CHAT_OFFERED: "offered {whom} a chat{team}",
    Event.CHAT_OFFER_ENDED: "took the offer of a chat to {whom} back{team}",
    Event.CHAT_PASSED_ON: "passed a chat on to {whom}{team}",
    Event.CHAT_TAKEN_OVER: "took over a chat that {whom} had left{team}",
    Event.CHAT_ADOPTED: "brought in a chat from v0 for {whom}",
    Event.CHAT_EXPORTED: "exported a chat",
    Event.CHAT_OPENED: "opened a chat of {whom} to read it",
    Event.TOOL_PERMITTED: "let the agent use {names}",
    Event.TOOL_REFUSED: "did not let the agent use {names}",
    Event.SERVICE_CONNECTED: "connected {names}",
    Event.LIMIT_SET: "set {budget} to {most}",
    Event.LIMIT_CHANGED: "changed {budget} from {least} to {most}",
    Event.LIMIT_REMOVED: "removed {budget} of {least}",
    Event.LIMIT_RAISED: "raised {budget} from {least} to {most} for a time",
    Event.LIMIT_RAISE_ENDED: "ended early that {budget} was {least} for a time",
    Event.SETTINGS_CHANGED: "changed {what}",
}
# Where somebody else did it for them.
OF_OTHERS: dict[str, str] = {
    Event.JOINED: "brought {whom} into {name}",
    Event.LEFT: "ended the membership of {whom} in {name}",
}
OWN: dict[str, str] = {
    Event.ACCOUNT_MADE: "made an account",
    Event.CHAT_OFFER_ENDED: "declined the offer of a chat{team}",
    Event.CHAT_PASSED_ON: "became the owner of a chat{team}",
}
# Details that a sentence has already.
SAID = ("typed", "old", "new", "invited", "names", "link", "budget")
LABELS = {"by": "By", "is_staff": "Administrator", "is_superuser": "Superuser", "kind": "Kind"}
PERIODS = {"day": "daily budget", "month": "monthly budget"}

NameOf = Callable[[int | None, str], str]


@dataclass(frozen=True, slots=True)
class Told:
    """An entry as a page shows it: `facts` are labels with their words."""

    entry: AuditEntry
    at: str
    actor: str
    sentence: str
    facts: tuple[tuple[str, str], ...]


def told(entries: Iterable[AuditEntry], name_of: NameOf) -> list[Told]:
    """`name_of` gives the name to show for an id and the name that was noted with it."""
    return [
        Told(
            entry,
            utc(entry.at),
            name_of(entry.actor, entry.actor_name) or "Somebody",
            sentence(entry, name_of(entry.person, entry.person_name)),
            facts(entry.details),
        )
        for entry in entries
    ]


def noted_name(id: int | None, name: str) -> str:
    return name


def sentence(entry: AuditEntry, person: str) -> str:
    """What was done, as it follows the name of who did it."""
    is_own = entry.person is not None and entry.person == entry.actor
    found = SENTENCES.get(entry.event)
    if is_own:
        found = OWN.get(entry.event, found)
    elif entry.person is not None:
        found = OF_OTHERS.get(entry.event, found)
    if found is None:
        return entry.get_event_display()
    return found.format_map(_words(entry, person or "somebody", is_own=is_own))


def _words(entry: AuditEntry, person: str, *, is_own: bool) -> Mapping[str, str]:
    details, team = entry.details, entry.team_name
    old, new = _word(details.get("old", "")), _word(details.get("new", ""))
    whose = "their" if is_own else f"{person}\N{RIGHT SINGLE QUOTATION MARK}s"
    return {
        "whom": "themselves" if is_own else person,
        "whose": whose,
        "budget": _budget(details.get("budget", {}), whose, team),
        "least": _credits(old),
        "most": _credits(new),
        "name": team or "a team",
        "team": f" in {team}" if team else "",
        "into": f" to {team}" if team else "",
        "way": f" from {old or 'nothing'} to {new or 'nothing'}" if old or new else "",
        "places": f" from {old or 'a personal space'} to {new or 'a personal space'}",
        "sharing": _sharing(details, old, new),
        "typed": _word(details.get("typed", "")) or person,
        "invited": _word(details.get("invited", "")) or "somebody by a link",
        "names": _word(details.get("names", "")) or "something",
        "what": f"the {_word(details['what'])}" if details.get("what") else "the settings",
    }


def _sharing(details: Mapping[str, Any], old: str, new: str) -> str:
    """With whom, or what became of its link."""
    match details:
        case {"invited": invited}:
            way = f", who {new}" if new else ""
            return f" with {_word(invited)}{way}{f' instead of {old}' if old else ''}"
        case {"link": "rotated" | "ended"}:
            return ": nobody can open its old link"
        case {"link": _}:
            return f" by a link that ends {new}{f' instead of {old}' if old else ''}"
        case _:
            return ""


def _budget(budget: Mapping[str, Any], whose: str, team: str) -> str:
    """Whose, and whether it is of a day or a month."""
    words = PERIODS.get(budget.get("period", ""), "budget")
    match budget:
        case {"scope": "team"}:
            return f"the {words} of {team or 'a team'}"
        case {"scope": "person"}:
            return f"{whose} {words}"
        case {"scope": "role", "role": "personal"}:
            return f"the {words} of everybody in their own space"
        case {"scope": "role", "role": role}:
            return f"the {words} of each {role} of a team"
        case {"scope": "chat"}:
            return f"the {words} of a chat"
        case _:
            return f"the {words} of the installation"


def _credits(amount: str) -> str:
    return f"{amount or 'no'} credit{'' if amount == '1' else 's'}"


def facts(details: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    rest = {name: value for name, value in details.items() if name not in SAID}
    labelled = (
        (LABELS.get(name, name.replace("_", " ").capitalize()), _word(value))
        for name, value in rest.items()
    )
    return tuple((label, word) for label, word in labelled if word)


def _word(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return ""
        case list():
            return ", ".join(map(_word, value))
        case {"old": old, "new": new}:
            return f"from {_word(old) or 'nothing'} to {_word(new) or 'nothing'}"
        case dict():
            return ", ".join(f"{name}: {_word(each)}" for name, each in value.items())
        case _:
            return str(value)
