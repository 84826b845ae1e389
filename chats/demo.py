"""The people of the demo.

Owns their names, addresses and team. They exist only where nothing is at stake: with DEBUG, and with
the sandbox as the upstream.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings

from chats.models import Membership, Person, Team
from chats.models.teams import Role

PASSWORD = "demo"  # noqa: S105 (printed by `make run`; refused outside DEBUG)
TEAM = "Example"
NAMES = {
    "owner@example.com": "Olivia Owner",
    "mate@example.com": "Mateo Mate",
    "stranger@example.com": "Sasha Stranger",
    "admin@example.com": "Ada Admin",
}


def is_demo() -> bool:
    return bool(settings.DEBUG) and settings.UPSTREAM == "sandbox"


def make_people() -> None:
    """Make those of the demo people who do not exist, the owner and the mate in one team. Their addresses
    are as good as proved, so that they can be invited.

    A person who exists keeps their password and their rights.
    """
    if not is_demo():
        raise RuntimeError("Demo people exist only with DEBUG and the sandbox.")
    for email, name in NAMES.items():
        if not Person.objects.filter(email=email).exists():
            staff = email.startswith("admin@")
            person = Person.objects.create_user(email, PASSWORD, name=name, is_staff=staff)
            EmailAddress.objects.create(user=person, email=email, primary=True, verified=True)
    join_team()


def join_team() -> None:
    if Team.objects.exists():
        return
    team = Team.objects.create(name=TEAM)
    for email, role in (("owner@example.com", Role.OWNER), ("mate@example.com", Role.MEMBER)):
        Membership.objects.create(team=team, person=Person.objects.get(email=email), role=role)
