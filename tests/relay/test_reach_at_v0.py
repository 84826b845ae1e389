"""All changes from one level of privacy to another, each at a v0 that refuses, hangs, is ill for a moment and
says another level: what both sides have afterwards, by a table that is written by hand.

`tests/relay/test_levels.py` tells what the dialog says, and of more ways to fail.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import product

from asgiref.sync import sync_to_async
from django.test import Client

from chats import permissions
from chats.models import Chat, Membership, Person, Team
from chats.permissions import Action
from chats.relay.relay import Relay
from tests.relay.inside import Inside
from tests.relay.test_levels import FAULTS, at_v0, made, patient
from tests.rights import LEVELS, expected

__all__ = ["patient"]

# What each change does to people: - takes alone, + gives alone, * both. From above, to the right.
KINDS = """
             private team team-edit unlisted public
private      .       +    +         +        +
team         -       .    +         *        *
team-edit    -       -    .         *        *
unlisted     -       *    *         .        +
public       -       *    *         -        .
"""
# Afterwards: which of both levels is in force here, which at v0, and how far v0 agrees.
ENDS = {
    ("-", "refuses 403"): ("new", "old", "pending"),
    ("-", "hangs"): ("new", "old", "pending"),
    ("-", "is ill"): ("new", "new", ""),
    ("-", "says another"): ("new", "new", ""),
    ("+", "refuses 403"): ("old", "old", "refused"),
    ("+", "hangs"): ("old", "old", "wanted"),
    ("+", "is ill"): ("new", "new", ""),
    ("+", "says another"): ("old", "old", "refused"),
    ("*", "refuses 403"): ("both", "old", "refused"),
    ("*", "hangs"): ("both", "old", "wanted"),
    ("*", "is ill"): ("new", "new", ""),
    ("*", "says another"): ("both", "old", "refused"),
}
READ = expected("READ")


@dataclass
class Story:
    chat: Chat
    old: str
    new: str
    v0: str

    @property
    def end(self) -> tuple[str, str, str]:
        return ENDS[kind(self.old, self.new), self.v0]

    @property
    def agreement(self) -> str:
        if self.chat.privacy_unsaid:
            return "pending"
        if not self.chat.privacy_wanted:
            return ""
        return "refused" if self.chat.privacy_refused else "wanted"

    @property
    def in_force(self) -> set[str]:
        """Those levels that have to allow what somebody does."""
        return {"new": {self.new}, "old": {self.old}, "both": {self.old, self.new}}[self.end[0]]


def kind(old: str, new: str) -> str:
    rows = {line.split()[0]: line.split()[1:] for line in KINDS.strip().splitlines()[1:]}
    return rows[old][LEVELS.index(new)]


def test_both_sides_of_every_change_end_as_the_table_says(
    patient: Inside, client: Client, mate: Person, stranger: Person
) -> None:
    team = Team.objects.create(name="Example")
    for person in (patient.person, mate):
        Membership.objects.create(team=team, person=person)
    client.force_login(patient.person)
    ways = dict.fromkeys(v0 for _, v0 in ENDS)
    changes = [(*pair, v0) for pair in product(LEVELS, LEVELS) if pair[0] != pair[1] for v0 in ways]
    chats = made(patient, team, [old for old, _, _ in changes])
    stories = [Story(chat, *change) for chat, change in zip(chats, changes, strict=True)]
    assert len(stories) == 80
    hung = [story for story in stories if story.v0 == "hangs"]
    change(patient, client, team, [story for story in stories if story not in hung])
    # An answer that comes late is one in doubt, and a fault that was to meet once has met then: there is
    # little patience for those alone that never answer.
    patient.settings.V0_HEADERS_TIMEOUT = 0.6
    change(patient, client, team, hung)
    there = at_v0(patient)
    for story in stories:
        here, at, _ = story.end
        name = f"{story.old} to {story.new}, v0 {story.v0}"
        assert story.chat.privacy == (story.new if here == "new" else story.old), name
        assert there[story.chat.v0_id or ""] == (story.new if at == "new" else story.old), name
        for who, person in (("mate", mate), ("stranger", stranger), ("owner", patient.person)):
            due = all(READ[who][level] == "+" for level in story.in_force)
            assert permissions.may(person, story.chat, Action.READ) == due, (name, who)


def change(inside: Inside, client: Client, team: Team, stories: list[Story]) -> None:
    """Asks for all of them, and waits until v0 was told each and both sides stand as they will stay."""
    for story in stories:
        fault = {"times": None, **FAULTS[story.v0]}
        inside.fault(f"/chats/{story.chat.v0_id}", fault.pop("kind"), method="PATCH", **fault)
        sent = {"privacy": story.new, "seen": f"{story.old}..{team.pk}"}
        assert client.post(f"/chats/{story.chat.pk}/share/", sent).status_code == 303
        story.chat.refresh_from_db()
        # What takes counts at once, and what gives not before v0 has agreed.
        takes = kind(story.old, story.new) == "-"
        assert story.chat.privacy == (story.new if takes else story.old)
    asked = {f"/chats/{story.chat.v0_id}" for story in stories}

    @sync_to_async
    def are_settled() -> bool:
        rows = Chat.objects.in_bulk([story.chat.pk for story in stories])
        for story in stories:
            story.chat = rows[story.chat.pk]
        return all(story.agreement == story.end[2] for story in stories)

    async def wait(held: Relay) -> None:
        while not await are_settled() or not asked <= await sync_to_async(tried)(inside):  # noqa: ASYNC110
            await asyncio.sleep(0.2)

    inside.during(wait)


def tried(inside: Inside) -> set[str]:
    return {rule["path"] for rule in inside.sandbox.faults() if rule["used"]}
