"""The audit log: who changed what for whom, and when.

Owns the words for what is noted, the one way of noting it, and the entries. An entry refers to nothing by
foreign key, so that it outlives what it speaks of; it holds names, never what somebody wrote. There is no
way to change one, here or anywhere: triggers refuse it (`migrations/_audit_guard.py`), and so they do
with removing one before the time that was its own when it was made.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from chats.models.chats import Chat
from chats.models.people import Person
from chats.models.teams import Team


class Event(models.TextChoices):
    """What happened, as `area.what`; the areas are what one filters by."""

    SIGNED_IN = "sign-in.done", "signed in"
    SIGN_IN_FAILED = "sign-in.failed", "failed to sign in"
    SIGNED_OUT = "sign-in.out", "signed out"
    SESSIONS_ENDED = "sign-in.sessions-ended", "ended sessions"
    ACCOUNT_MADE = "account.made", "made an account"
    ACCOUNT_DELETED = "account.deleted", "deleted an account"
    ACCOUNT_DEACTIVATED = "account.deactivated", "deactivated an account"
    ACCOUNT_REACTIVATED = "account.reactivated", "reactivated an account"
    RIGHTS_CHANGED = "account.rights", "changed somebody's rights"
    PASSWORD_CHANGED = "account.password", "changed a password"
    RESET_SENT = "account.reset-sent", "sent a mail to reset a password"
    EMAIL_CHANGED = "account.email", "changed an e-mail address"
    IDENTITY_LINKED = "account.identity", "linked an account elsewhere"
    MFA_ADDED = "mfa.added", "added a second factor"
    MFA_REMOVED = "mfa.removed", "removed a second factor"
    RECOVERY_CODES_MADE = "mfa.recovery-codes", "made recovery codes"
    RECOVERY_CODE_USED = "mfa.recovery-code-used", "used a recovery code"
    TEAM_MADE = "team.made", "made a team"
    TEAM_CHANGED = "team.changed", "changed a team's settings"
    TEAM_DELETED = "team.deleted", "deleted a team"
    JOINED = "team.joined", "joined a team"
    LEFT = "team.left", "left a team"
    REMOVED = "team.removed", "removed somebody from a team"
    ROLE_CHANGED = "team.role", "changed a role"
    OWNERSHIP_TRANSFERRED = "team.transferred", "handed a team over"
    INVITED = "invitation.made", "invited somebody"
    INVITATION_RESENT = "invitation.resent", "sent an invitation again"
    INVITATION_REVOKED = "invitation.revoked", "revoked an invitation"
    INVITATION_ACCEPTED = "invitation.accepted", "accepted an invitation"
    PRIVACY_CHANGED = "chat.privacy", "changed who may see a chat"
    SHARED = "chat.shared", "shared a chat"
    UNSHARED = "chat.unshared", "ended a share"
    CHAT_MOVED = "chat.moved", "moved a chat"
    CHAT_OFFERED = "chat.offered", "offered a chat to somebody else"
    CHAT_OFFER_ENDED = "chat.offer-ended", "ended the offer of a chat"
    CHAT_PASSED_ON = "chat.passed-on", "gave a chat to somebody else"
    CHAT_TAKEN_OVER = "chat.taken-over", "took over a chat of somebody who left"
    CHAT_ADOPTED = "chat.adopted", "brought in a chat from v0"
    CHAT_DELETED = "chat.deleted", "deleted a chat"
    CHAT_UNDELETED = "chat.undeleted", "brought a deleted chat back"
    CHAT_EXPORTED = "chat.exported", "exported a chat"
    CHAT_OPENED = "chat.opened", "opened somebody else's chat for a reason"
    DATA_EXPORTED = "account.exported", "exported an account's data"
    TOOL_PERMITTED = "tool.permitted", "granted a permission to the agent"
    TOOL_REFUSED = "tool.refused", "refused a permission to the agent"
    SERVICE_CONNECTED = "tool.connected", "connected a service"
    LIMIT_SET = "limit.set", "set a limit of credits"
    LIMIT_CHANGED = "limit.changed", "changed a limit of credits"
    LIMIT_REMOVED = "limit.removed", "removed a limit of credits"
    LIMIT_RAISED = "limit.raised", "raised a limit of credits for a time"
    LIMIT_RAISE_ENDED = "limit.raise-ended", "ended the raise of a limit early"
    LEVERS_CHANGED = "limit.levers", "changed what holds runs back"
    RUNS_CLOSED = "limit.closed", "stopped new runs"
    RUNS_OPENED = "limit.opened", "let new runs begin again"
    SETTINGS_CHANGED = "settings.changed", "changed settings of the installation"
    AUDIT_EXPORTED = "settings.audit-exported", "exported the audit log"


class AuditEntry(models.Model):
    """`actor` did `event`, from `address`, to `person`, in `team`, on `chat`: ids that may be gone by
    now, each with its name at that time. `details` are words and numbers that the event needs. Before
    `kept_until` the database does not let it go."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    kept_until = models.DateTimeField(editable=False)
    event = models.CharField(max_length=40, choices=Event.choices)
    actor = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254, blank=True)
    address = models.GenericIPAddressField(null=True)
    person = models.BigIntegerField(null=True)
    person_name = models.CharField(max_length=254, blank=True)
    team = models.BigIntegerField(null=True)
    team_name = models.CharField(max_length=100, blank=True)
    chat = models.UUIDField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = (
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["chat", "at"], name="audit_by_chat"),
            models.Index(fields=["kept_until"], name="audit_by_end"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name or 'nobody'} {self.event}"


def record(
    event: Event,
    *,
    actor: Person | None = None,
    address: str | None = None,
    person: Person | None = None,
    team: Team | None = None,
    chat: Chat | None = None,
    **details: Any,
) -> AuditEntry:
    """Notes what has just happened: to be called in the transaction that does it, so that neither is
    without the other. `address` is an IP address; `details` hold no text of a chat and no secret."""
    now = timezone.now()
    return AuditEntry.objects.create(
        at=now,
        kept_until=now + timedelta(days=settings.V0_AUDIT_KEEP),
        event=event,
        actor=actor.pk if actor else None,
        actor_name=actor.email if actor else "",
        address=address or None,
        person=person.pk if person else None,
        person_name=person.email if person else "",
        team=team.pk if team else None,
        team_name=team.name if team else "",
        chat=chat.pk if chat else None,
        details=details,
    )


def forget(most: int) -> int:
    """Removes entries, `most` at once, whose time is over: theirs, and that of the present setting if it
    is longer by now."""
    limit = Now() - timedelta(days=settings.V0_AUDIT_KEEP)
    over = AuditEntry.objects.filter(kept_until__lt=Now(), at__lt=limit).order_by("kept_until")
    removed, _ = AuditEntry.objects.filter(
        pk__in=list(over.values_list("pk", flat=True)[:most])
    ).delete()
    return removed
