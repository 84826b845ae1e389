"""Chats. Owns what is ours about a chat (owner, team, privacy) beside what v0 told us last.

`version` rises with every durable change that readers can see, in the transaction of the change.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from chats.models.teams import Team


class Privacy(models.TextChoices):
    PRIVATE = "private"
    TEAM = "team"
    TEAM_EDIT = "team-edit"
    UNLISTED = "unlisted"
    PUBLIC = "public"


def is_wider(one: str, other: str) -> bool:
    """Whether more people may see a chat at the level `one`; a level that nobody knows is the widest."""
    levels = Privacy.values
    return one not in levels or (other in levels and levels.index(one) > levels.index(other))


def new_slug() -> str:
    """What the link to a chat ends with: nobody guesses it."""
    return secrets.token_urlsafe(24)


# As `Chat.privacy_refused` it is its owner who wants the other level no more: what that one took away comes
# back when v0 has agreed to the first.
TAKEN_BACK = "You took it back. v0 is told, and what was taken away comes back when it has agreed."


class AtV0(models.TextChoices):
    """How a chat stands at v0, as far as that keeps people from going on."""

    THERE = "", "there"
    GONE = "gone"
    OLD = "old", "made with an older API"


class Chat(models.Model):
    """A conversation with the agent, in its owner's personal space or in one team.

    `v0_id` is None until v0 has accepted it. `title_given` says that a person chose the title, so
    that v0's never replaces it, and `renamed_by` who did it last, at `renamed_at`. `rewritten` is the
    newest version at which a message that is not among the last ones changed: a page older than that
    refetches its list. `title_unsaid`: v0 has
    not been told the title yet. `privacy_at_v0` is v0's own level as last heard, which says nothing
    about people here; `privacy_unsaid`: v0 has not agreed yet to the level that was set here.
    `privacy_wanted` is a level, "" for none, that gives somebody something: it counts as soon as v0 has
    agreed to it, and until then everybody may do what both levels allow. `privacy_refused` is why v0 does
    not agree, "" while it has not said so, or TAKEN_BACK; v0 is not asked again before somebody chooses. Whoever holds
    `link_slug` may read until `link_expires_at`. `offered_to` may accept that the chat becomes theirs.
    `deleted_at`: somebody deleted it then, which can be undone for a moment; nobody sees it any more.
    `vercel_project` is the project's id at Vercel, "" while v0 has told of none. `v0_updated_at` is v0's
    own word at the last comparison, which was `compared_at`. `model` is the one that was chosen last here.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    v0_id = models.CharField(max_length=128, unique=True, null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="chats")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="chats")
    title = models.CharField(max_length=200, blank=True)
    title_given = models.BooleanField(default=False)
    renamed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    renamed_at = models.DateTimeField(null=True, blank=True)
    privacy = models.CharField(max_length=10, choices=Privacy.choices, default=Privacy.PRIVATE)
    link_slug = models.CharField(max_length=64, unique=True, null=True, blank=True)
    link_expires_at = models.DateTimeField(null=True, blank=True)
    offered_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    model = models.CharField(max_length=40, blank=True)
    write_permission = models.BooleanField(default=True)
    version = models.PositiveBigIntegerField(default=1)
    rewritten = models.PositiveBigIntegerField(default=0)
    copied_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="copies"
    )
    title_unsaid = models.BooleanField(default=False)
    privacy_at_v0 = models.CharField(max_length=20, blank=True)
    privacy_unsaid = models.BooleanField(default=False)
    privacy_wanted = models.CharField(max_length=10, blank=True)
    privacy_refused = models.CharField(max_length=200, blank=True)
    vercel_project = models.CharField(max_length=128, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, db_index=True)
    at_v0 = models.CharField(max_length=10, choices=AtV0.choices, default=AtV0.THERE, blank=True)
    v0_updated_at = models.CharField(max_length=40, blank=True)
    compared_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            models.Index(fields=["owner", "-updated_at"], name="chat_by_owner"),
            models.Index(fields=["team", "-updated_at"], name="chat_by_team"),
            # What a gallery shows of a table that is all chats.
            models.Index(
                fields=["-updated_at", "-id"],
                condition=Q(privacy=Privacy.PUBLIC),
                name="public_chats",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(privacy__in=Privacy.values), name="privacy_is_a_known_level"
            ),
            models.CheckConstraint(
                condition=~Q(privacy__in=(Privacy.TEAM, Privacy.TEAM_EDIT)) | Q(team__isnull=False),
                name="team_levels_only_in_a_team",
            ),
        )

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_wider_at_v0(self) -> bool:
        """Whether whoever has v0's link may see there what people here may not."""
        return bool(self.privacy_at_v0) and is_wider(self.privacy_at_v0, self.privacy)

    @property
    def system(self) -> str:
        """The instructions that people gave, which go with each message; "" for none."""
        found: Instructions | None = getattr(self, "instructions", None)
        return found.text if found else ""

    @property
    def team_system(self) -> str:
        """Those of its team, which go before them; "" for none."""
        found: Instructions | None = getattr(self, "instructions", None)
        return found.of_team if found else ""


class Instructions(models.Model):
    """A chat's system prompt: apart from the chat, which the admin shows, and never a text of it.

    `of_team` is what the team's settings said when the chat was made; it never changes.
    """

    chat = models.OneToOneField(Chat, models.CASCADE, related_name="instructions")
    text = models.TextField(blank=True)
    of_team = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"of chat {self.chat_id}"


def hold(chats: Collection[uuid.UUID]) -> None:
    """Take these chats' rows until the transaction ends, as everybody does before their messages."""
    for chat in sorted(chats):
        Chat.objects.filter(pk=chat).update(version=F("version"))
