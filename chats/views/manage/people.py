"""People as staff see them: a list that can be searched, and one person.

Owns what is told of somebody: identity, rank, teams, sessions, whether there is a second factor, and how
many chats. What can be done to them is `acts`; which of it is offered, `permissions.administering` says.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from chats import permissions
from chats.accounts import standing
from chats.models import Chat, Membership, Person
from chats.permissions import administering
from chats.views.access import Request, signed_in
from chats.views.browsers import browser
from chats.views.manage import PAGE, chosen, listed, page, typed
from chats.views.manage.acts import offered
from chats.views.manage.lists import counted
from chats.views.manage.overview import without_factor

SHOWN = {
    "": "All",
    "active": "Active",
    "inactive": "Deactivated",
    "staff": "Staff",
    "exposed": "Staff without a second factor",
    "deleted": "Deleted",
}
DONE = {
    "deactivate": "Deactivated. Every session has ended.",
    "reactivate": "Reactivated. They can sign in again.",
    "reset": "The mail is on its way. Of more than five within an hour none is sent.",
    "sessions": "Their sessions have ended.",
    "session": "The session has ended.",
    "rank": "Saved. They have to sign in again.",
    "factor": "Their second factor is gone. The password alone signs in now.",
    "already": "That was so already: nothing has changed.",
}


@require_safe
@signed_in
def people(request: Request, person: Person) -> HttpResponse:
    permissions.administrator(request)
    search, show = typed(request), chosen(request, "show", SHOWN)
    rows = _shown(show).filter(Q(email__icontains=search) | Q(name__icontains=search))
    found = listed(request, _told(rows).order_by("email"))
    return page(request, "people", listed=found, search=search, show=show, choices=SHOWN)


@require_safe
@signed_in
def one(request: Request, person: Person, id: int) -> HttpResponse:
    actor, found = administering.somebody(request, id)
    told = _told(Person.objects.filter(pk=found.pk)).get()
    sessions = standing.open_sessions().filter(user=found).order_by("-last_seen_at", "-pk")
    factors = Authenticator.objects.filter(user=found).order_by("type")
    return page(
        request,
        "person",
        told=told,
        rank=standing.rank(found),
        factors=_factor_words(list(factors.values_list("type", flat=True))),
        sessions=[(row, browser(row.user_agent)) for row in sessions[:PAGE]],
        offered=offered(actor, found),
        may_end=administering.may_administer(actor, found),
        is_self=actor.pk == found.pk,
        done=DONE.get(request.GET.get("done", ""), ""),
    )


def _shown(show: str) -> QuerySet[Person]:
    rows = Person.objects.filter(deleted_at__isnull=show != "deleted")
    match show:
        case "active" | "inactive":
            return rows.filter(is_active=show == "active")
        case "staff":
            return rows.filter(Q(is_staff=True) | Q(is_superuser=True))
        case "exposed":
            return without_factor(rows.filter(is_staff=True, is_active=True))
    return rows


def _told(rows: QuerySet[Person]) -> QuerySet[Person]:
    """With what the list and the page of one tell of each: two queries for however many."""
    memberships = Membership.objects.select_related("team").order_by("team__name", "pk")
    return rows.annotate(
        session_count=counted(standing.open_sessions(), "user"),
        chat_count=counted(Chat.objects.filter(deleted_at=None), "owner"),
        has_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))),
    ).prefetch_related(Prefetch("memberships", memberships, to_attr="held"))


def _factor_words(types: list[str]) -> str:
    words = {"totp": "codes of an app", "webauthn": "a passkey", "recovery_codes": "recovery codes"}
    return ", ".join(words.get(each, each) for each in dict.fromkeys(types))
