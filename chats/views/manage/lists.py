"""Teams and chats as staff see them: how many, whose, since when.

Owns these two lists and their filters; nothing is changed here. Of a chat they show what Django's admin
does, its metadata: never a title, a link or a text.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Chat, Guest, Membership, Message, Person, Team
from chats.models.chats import Privacy
from chats.models.teams import Role
from chats.views.access import Request, signed_in, uuid_or_none
from chats.views.manage import chosen, listed, page, typed
from chats.views.manage.overview import without_owner

TEAMS = {"": "All", "ownerless": "Without an active owner"}
OPEN = (Privacy.UNLISTED, Privacy.PUBLIC)
CHATS = {
    "": "All",
    "open": "unlisted or public",
    **{level: level for level in Privacy.values},
    "guests": "with invited people",
    "deleted": "deleted",
}


def counted(rows: QuerySet[Any], by: str) -> Coalesce:
    """How many of the rows point by `by` at the row that is asked about, without a join."""
    numbers = rows.filter(**{by: OuterRef("pk")}).order_by().values(by)
    return Coalesce(Subquery(numbers.annotate(number=Count("pk")).values("number")), 0)


@require_safe
@signed_in
def teams(request: Request, person: Person) -> HttpResponse:
    permissions.administrator(request)
    search, show = typed(request), chosen(request, "show", TEAMS)
    rows = Team.objects.filter(name__icontains=search)
    if show == "ownerless":
        rows = without_owner(rows)
    rows = rows.annotate(
        member_count=counted(Membership.objects.all(), "team"),
        chat_count=counted(Chat.objects.filter(deleted_at=None), "team"),
    ).prefetch_related(Prefetch("memberships", _owners(), to_attr="owners"))
    found = listed(request, rows.order_by("name", "pk"))
    return page(request, "teams", listed=found, search=search, show=show, choices=TEAMS)


@require_safe
@signed_in
def chats(request: Request, person: Person) -> HttpResponse:
    permissions.administrator(request)
    search, show = typed(request), chosen(request, "show", CHATS)
    rows = Chat.objects.select_related("owner", "team").defer("title", "link_slug")
    rows = rows.filter(deleted_at__isnull=show != "deleted")
    if show in Privacy.values:
        rows = rows.filter(privacy=show)
    elif show == "open":
        rows = rows.filter(privacy__in=OPEN)
    elif show == "guests":
        rows = rows.filter(Exists(Guest.objects.filter(chat=OuterRef("pk"))))
    if search:
        rows = rows.filter(_found_by(search))
    rows = rows.annotate(
        message_count=counted(Message.objects.all(), "chat"),
        guest_count=counted(Guest.objects.all(), "chat"),
    )
    found = listed(request, rows.order_by("-updated_at", "-pk"))
    numbers = _numbers()
    choices = {name: f"{words}{_in_brackets(numbers.get(name))}" for name, words in CHATS.items()}
    return page(
        request,
        "chats",
        listed=found,
        search=search,
        show=show,
        choices=choices,
        shared=numbers,
        now=timezone.now(),
    )


def _numbers() -> dict[str, int]:
    """How many chats lie open, by the names of the filters, whoever is searched for."""
    there = Chat.objects.filter(deleted_at=None)
    ended = Q(privacy=Privacy.UNLISTED, link_expires_at__lte=Now())
    invited = Exists(Guest.objects.filter(chat=OuterRef("pk")))
    found = there.annotate(invited=invited).aggregate(
        unlisted=Count("pk", filter=Q(privacy=Privacy.UNLISTED)),
        public=Count("pk", filter=Q(privacy=Privacy.PUBLIC)),
        ended=Count("pk", filter=ended),
        guests=Count("pk", filter=Q(invited=True)),
    )
    return {**found, "open": found["unlisted"] + found["public"]}


def _in_brackets(number: int | None) -> str:
    return "" if number is None else f" ({number})"


def _found_by(search: str) -> Q:
    """An id as a whole, or a part of the owner's address or of the team's name."""
    id: UUID | None = uuid_or_none(search)
    if id is not None:
        return Q(pk=id)
    return Q(owner__email__icontains=search) | Q(team__name__icontains=search)


def _owners() -> QuerySet[Membership]:
    return Membership.objects.filter(role=Role.OWNER).select_related("person").order_by("pk")
