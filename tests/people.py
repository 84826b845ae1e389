"""Everybody who can be to a chat what design §5 names, with one chat of each level.

Owns the arrangement that the tests of rights share: functions, routes, sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import AnonymousUser

from chats.models import Chat, Guest, GuestRole, Membership, Person, Team
from tests.rights import LEVELS

OWNERS = ("owner", "owner who left", "deactivated owner")
SLUG, OLD_SLUG = "new-slug", "old-slug"


@dataclass
class Cast:
    """`chats` by level; `people` by the names of `tests.rights`, None for nobody signed in."""

    team: Team
    chats: dict[str, Chat] = field(default_factory=dict)
    people: dict[str, Person | None] = field(default_factory=dict)

    def visitor(self, who: str) -> Person | AnonymousUser:
        return self.people[who] or AnonymousUser()

    def chat(self, who: str, level: str) -> Chat:
        """The chat of a level: each of the owners has their own, the others see the owner's."""
        return self.chats[f"{level} of {who if who in OWNERS else 'owner'}"]

    def grants(self, who: str) -> Mapping[str, str]:
        slug = OLD_SLUG if "old link" in who else SLUG if "link" in who else None
        return {str(chat.pk): f"{chat.pk}-{slug}" for chat in self.chats.values() if slug}


def cast() -> Cast:
    made = Cast(Team.objects.create(name="Team"))
    for who, role in (
        ("owner", "member"),
        ("mate", "member"),
        ("team owner", "owner"),
        ("team admin", "admin"),
        ("team viewer", "viewer"),
        ("deactivated owner", "member"),
        ("deactivated mate", "member"),
        ("mate who left", "member"),
        ("owner who left", "member"),
        ("stranger", None),
        ("admin", None),
        ("superuser", None),
        ("invited reader", None),
        ("invited editor", None),
    ):
        person = Person.objects.create_user(f"{who.replace(' ', '-')}@cast.example.com")
        made.people[who] = person
        if role:
            Membership.objects.create(team=made.team, person=person, role=role)
    for who in ("stranger with link", "stranger with old link"):
        made.people[who] = made.people["stranger"]
    for who in ("anonymous", "anonymous with link", "reader", "reader with link"):
        made.people[who] = None
    for level in LEVELS:
        for owner in OWNERS:
            chat = Chat(owner=made.people[owner], team=made.team, privacy=level)
            chat.link_slug = f"{chat.pk}-{SLUG}"
            chat.save()
            made.chats[f"{level} of {owner}"] = chat
            for role in GuestRole:
                guest = made.people[f"invited {role}"]
                assert guest
                Guest.objects.create(chat=chat, email=guest.email, person=guest, role=role)
    # By query, so that what becomes of chats then is not what is tested here.
    leavers = [made.people["mate who left"], made.people["owner who left"]]
    Membership.objects.filter(person__in=leavers).delete()
    deactivated = [made.people[who] for who in made.people if who.startswith("deactivated")]
    Person.objects.filter(pk__in=[person.pk for person in deactivated if person]).update(
        is_active=False
    )
    Person.objects.filter(email="admin@cast.example.com").update(is_staff=True)
    Person.objects.filter(email="superuser@cast.example.com").update(
        is_staff=True, is_superuser=True
    )
    for someone in filter(None, made.people.values()):
        someone.refresh_from_db()
    return made
