"""Invitations: into a team in a role, or to an account alone; by e-mail to one address, or as a link.

Owns the token (only the SHA-256 of it is kept), how long and how often it counts, and every change of
an invitation, each one transaction with its audit entry. Whether the inviter may still invite is
`chats.permissions.teams`.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from chats.models.audit import Event, record
from chats.models.memberships import join
from chats.models.people import Person
from chats.models.teams import Membership, Role, Team


class Over(Exception):
    """The invitation has expired, was revoked, or has been accepted as often as it may be."""


class Invitation(models.Model):
    """`email` is "" for a link. `team` is None, and `role` "", for an account and nothing more."""

    team = models.ForeignKey(
        Team, models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    role = models.CharField(max_length=10, choices=Role.choices, blank=True)
    email = models.EmailField(blank=True)
    digest = models.CharField(max_length=64, unique=True)
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="invitations"
    )
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    most_uses = models.PositiveIntegerField(default=1)
    uses = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["team", "-id"], name="invitation_by_team"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(uses__lte=F("most_uses")), name="no_more_uses_than_were_given"
            ),
            models.CheckConstraint(
                condition=Q(team=None, role="") | Q(team__isnull=False) & ~Q(role=""),
                name="a_role_and_its_team",
            ),
        )

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @property
    def days(self) -> int:
        """For how long it was made, or sent last."""
        return max(1, round((self.expires_at - self.made_at) / timedelta(days=1)))

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        if self.uses >= self.most_uses:
            return "used"
        return "open" if self.expires_at > timezone.now() else "expired"

    @property
    def uses_left(self) -> int:
        return self.most_uses - self.uses


def invite(
    team: Team | None,
    role: str,
    *,
    inviter: Person,
    email: str = "",
    days: int = 7,
    uses: int = 1,
    address: str | None,
) -> tuple[Invitation, str]:
    """The invitation and its token, which can never be read again."""
    token, now = secrets.token_urlsafe(32), timezone.now()
    with transaction.atomic():
        made = Invitation.objects.create(
            team=team,
            role=role if team else "",
            email=email.lower(),
            digest=digest(token),
            inviter=inviter,
            made_at=now,
            expires_at=now + timedelta(days=days),
            most_uses=1 if email else uses,
        )
        _record(Event.INVITED, made, inviter, address, days=days, uses=made.most_uses)
    return made, token


def renew(invitation: Invitation, *, actor: Person, address: str | None) -> str:
    """A new token for as many days as before; the old one is nobody's any more. The actor is from now on
    who invites. Over when it was revoked or used up."""
    token, now = secrets.token_urlsafe(32), timezone.now()
    ends = now + timedelta(days=invitation.days)
    with transaction.atomic():
        rows = _unrevoked(invitation).filter(digest=invitation.digest)
        if not rows.update(digest=digest(token), inviter=actor, made_at=now, expires_at=ends):
            raise Over
        _record(Event.INVITATION_RESENT, invitation, actor, address, days=invitation.days)
    return token


def revoke(invitation: Invitation, *, actor: Person, address: str | None) -> None:
    """Over when it was no more to be revoked."""
    with transaction.atomic():
        if not _unrevoked(invitation).update(revoked_at=timezone.now()):
            raise Over
        _record(Event.INVITATION_REVOKED, invitation, actor, address)


def find(token: str) -> Invitation | None:
    rows = Invitation.objects.select_related("team", "inviter")
    return rows.filter(digest=digest(token)).first()


def accept(invitation: Invitation, person: Person, *, address: str | None) -> Membership | None:
    """The membership that `person` has by it, None where it gives none. Over, and AlreadyMember which
    uses nothing up."""
    with transaction.atomic():
        # The database counts: of two at once who want the last use, one changes no row.
        rows = _unrevoked(invitation).filter(
            digest=invitation.digest, expires_at__gt=timezone.now()
        )
        if not rows.update(uses=F("uses") + 1):
            raise Over
        _record(Event.INVITATION_ACCEPTED, invitation, person, address)
        if invitation.team is None:
            return None
        return join(
            invitation.team,
            person,
            invitation.role,
            actor=person,
            address=address,
            invitation=invitation.pk,
        )


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_invited(email: str) -> bool:
    """Whether an invitation to this address is open."""
    rows = Invitation.objects.filter(email=email.lower(), revoked_at=None, uses__lt=F("most_uses"))
    return rows.filter(expires_at__gt=timezone.now()).exists()


def _unrevoked(invitation: Invitation) -> models.QuerySet[Invitation]:
    return Invitation.objects.filter(pk=invitation.pk, revoked_at=None, uses__lt=F("most_uses"))


def _record(
    event: Event,
    invitation: Invitation,
    actor: Person,
    address: str | None,
    **details: Any,
) -> None:
    record(
        event,
        actor=actor,
        address=address,
        team=invitation.team,
        invitation=invitation.pk,
        role=invitation.role,
        invited=invitation.email,
        **details,
    )
