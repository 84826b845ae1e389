"""Teams and chats as staff see them: how many, whose, since when.

Owns these two lists and their filters; nothing is changed here. Of a chat they show what Django's admin
does, its metadata: never a title, a link or a text.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Chat, Membership, Message, Person, Team
from chats.models.chats import Privacy
from chats.models.teams import Role
from chats.views.access import Request, signed_in, uuid_or_none
from chats.views.manage import chosen, listed, page, typed
from chats.views.manage.overview import without_owner

TEAMS = {"": "All", "ownerless": "Without an active owner"}
CHATS = {"": "All", **{level: level for level in Privacy.values}, "deleted": "deleted"}


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
    if search:
        rows = rows.filter(_found_by(search))
    rows = rows.annotate(message_count=counted(Message.objects.all(), "chat"))
    found = listed(request, rows.order_by("-updated_at", "-pk"))
    return page(request, "chats", listed=found, search=search, show=show, choices=CHATS)


def _found_by(search: str) -> Q:
    """An id as a whole, or a part of the owner's address or of the team's name."""
    id: UUID | None = uuid_or_none(search)
    if id is not None:
        return Q(pk=id)
    return Q(owner__email__icontains=search) | Q(team__name__icontains=search)


def _owners() -> QuerySet[Membership]:
    return Membership.objects.filter(role=Role.OWNER).select_related("person").order_by("pk")
