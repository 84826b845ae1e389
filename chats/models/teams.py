"""Teams and who belongs to them.

Owns roles as words, and which chats a team sees; what a role may do is `chats.permissions`, and how
somebody comes to one or loses it, with what becomes of their chats, is `chats.models.memberships`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

SEEN_BY_TEAM = ("team", "team-edit", "public")


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Inviters(models.TextChoices):
    """Who may invite, each with those before them."""

    OWNERS = "owners"
    ADMINS = "admins"
    MEMBERS = "members"


class Team(models.Model):
    """`default_privacy` and `default_model` are where a new chat begins; no model is v0's own choice.
    `version` rises with every change of who belongs to it: whoever raises it has the team to themselves
    until their transaction ends."""

    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)
    default_privacy = models.CharField(max_length=10, default="private")
    default_model = models.CharField(max_length=40, blank=True)
    who_may_invite = models.CharField(
        max_length=10, choices=Inviters.choices, default=Inviters.ADMINS
    )
    version = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return self.name

    @property
    def models_by_role(self) -> dict[str, list[str]]:
        found: TeamRules | None = getattr(self, "rules", None)
        return found.models_by_role if found else {}

    @property
    def system_prompt(self) -> str:
        found: TeamRules | None = getattr(self, "rules", None)
        return found.system_prompt if found else ""


class TeamRules(models.Model):
    """What holds for the chats of a team: apart from the team, which the admin shows.

    `models_by_role` has the models of each role that may not have all; a new chat takes `system_prompt`
    along as it is then.
    """

    team = models.OneToOneField(Team, models.CASCADE, related_name="rules")
    models_by_role = models.JSONField(default=dict)
    system_prompt = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"of team {self.team_id}"


class Membership(models.Model):
    """`mapped`: it came from a group of the provider that the person signs in with, and goes with it.
    `joined_at` is None where nobody noted it; `last_privacy` is what they chose last for a new chat there,
    "" for the team's default. They are changed by `chats.models.memberships`."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    mapped = models.BooleanField(default=False)
    last_privacy = models.CharField(max_length=10, blank=True)
    joined_at = models.DateTimeField(default=timezone.now, null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["team", "person"], name="one_membership_per_team"),
        )

    def __str__(self) -> str:
        return f"{self.person} is {self.role} of {self.team}"
