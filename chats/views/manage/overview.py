"""How the installation is: what needs an administrator, how v0 and the key are, and how much there is.

Owns the choice of what is worth an administrator's while. Relies on the counts that all processes keep
and on what the relay of this one knows; never shows the key, or a word that v0 said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from chats import permissions, relay
from chats.accounts import standing
from chats.models import Chat, Invitation, Levers, Membership, Message, Person, Team
from chats.models.messages import LIVE
from chats.models.teams import Role
from chats.relay import outcomes
from chats.relay.outcomes import Told
from chats.views.access import Request, signed_in
from chats.views.manage import page
from chats.views.manage.spending import spending

# Every class of errors, in the order in which they are listed.
ERRORS = {
    "unauthorized": ("401", "The key was refused"),
    "credits": ("402", "Out of credits, or past a limit of the plan"),
    "forbidden": ("403", "The key may not do this"),
    "rate-limit": ("429", "Too many requests"),
    "upstream": ("5xx", "v0 failed, or redirected"),
    "timeout": ("", "No answer in time"),
    "unknown": ("", "The connection broke, or what came was not from v0"),
    "unsent": ("", "No connection"),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """One class of errors as it is listed; `told` is None when it was not seen lately."""

    status: str
    words: str
    told: Told | None


@require_safe
@signed_in
def overview(request: Request, person: Person) -> HttpResponse:
    actor = permissions.administrator(request)
    return page(
        request,
        "overview",
        counts=_counts(),
        needs=_needs(),
        v0=_v0(),
        levers=Levers.current(),
        spending=spending(actor),
    )


def _v0() -> dict[str, Any]:
    told = outcomes.told()
    return {
        "answered": told.get(outcomes.ANSWERED),
        "errors": [Counted(*words, told.get(kind)) for kind, words in ERRORS.items()],
        "address": settings.V0_BASE_URL,
        "key_from": settings.V0_API_KEY_FROM,
        "revision": settings.V0_API_REVISION,
        "revision_found": relay.revision_found(),
        "delivery": settings.V0_DELIVERY,
        "trouble": relay.key_trouble(),
        "kept": outcomes.KEPT.days,
    }


def _counts() -> dict[str, int]:
    people = Person.objects.filter(deleted_at=None).aggregate(
        people=Count("pk", filter=Q(is_active=True)),
        inactive=Count("pk", filter=Q(is_active=False)),
        staff=Count("pk", filter=Q(is_staff=True, is_active=True)),
    )
    open_ones = Q(revoked_at=None, expires_at__gt=timezone.now(), uses__lt=F("most_uses"))
    return people | {
        "teams": Team.objects.count(),
        "chats": Chat.objects.filter(deleted_at=None).count(),
        "running": Message.objects.filter(state__in=LIVE, role="assistant").count(),
        "sessions": standing.open_sessions().count(),
        "invitations": Invitation.objects.filter(open_ones).count(),
    }


def _needs() -> dict[str, int]:
    """What only an administrator can put right, beside v0 and the key."""
    return {
        "staff_without_factor": without_factor(
            Person.objects.filter(is_staff=True, is_active=True)
        ).count(),
        "teams_without_owner": without_owner(Team.objects.all()).count(),
    }


def without_factor(people: QuerySet[Person]) -> QuerySet[Person]:
    """Those who sign in by a password alone. Recovery codes are made with a factor, and go with it."""
    held = Authenticator.objects.filter(user=OuterRef("pk"))
    return people.filter(~Exists(held))


def without_owner(teams: QuerySet[Team]) -> QuerySet[Team]:
    """Those of which no owner can sign in."""
    owners = Membership.objects.filter(team=OuterRef("pk"), role=Role.OWNER, person__is_active=True)
    return teams.filter(~Exists(owners))
