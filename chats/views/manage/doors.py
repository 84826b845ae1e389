"""Open sessions and invitations as staff see them, and their ends.

Owns these two lists and the pages on which one of them is ended. Relies on `accounts.standing` and
`models.invitations` for what happens. Shows no key of a session and no token of an invitation.
"""

from __future__ import annotations

from django.db.models import F, Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone
from django.views.decorators.http import require_safe

from chats import accounts, permissions, relay
from chats.accounts import standing
from chats.models import Invitation, Person, invitations
from chats.permissions import administering
from chats.views.access import Request, form_methods, signed_in
from chats.views.browsers import browser
from chats.views.manage import chosen, listed, page, typed
from chats.views.manage.acts import back

INVITATIONS = {"": "Open", "used": "Used", "expired": "Expired", "revoked": "Revoked", "all": "All"}


@require_safe
@signed_in
def sessions(request: Request, person: Person) -> HttpResponse:
    actor = permissions.administrator(request)
    search = typed(request)
    rows = standing.open_sessions().select_related("user").filter(user__email__icontains=search)
    found = listed(request, rows.order_by("-last_seen_at", "-pk"))
    told = [
        (row, browser(row.user_agent), administering.may_administer(actor, row.user))
        for row in found.rows
    ]
    return page(request, "sessions", listed=found, told=told, search=search, actor=actor)


@form_methods
@signed_in
def session_end(request: Request, person: Person, id: int) -> HttpResponse:
    permissions.administrator(request)
    row = standing.open_sessions().select_related("user").filter(pk=id).first()
    if row is None:
        raise Http404
    actor, owner = administering.administered(request, row.user_id)
    if request.method != "POST":
        return page(
            request, "session_end", session=row, told=owner, browser=browser(row.user_agent)
        )
    try:
        standing.end_session(row, actor=actor, address=accounts.address(request))
    except standing.Unchanged:
        return back(owner, "already")
    relay.rights_changed()
    return back(owner, "session")


@require_safe
@signed_in
def listed_invitations(request: Request, person: Person) -> HttpResponse:
    permissions.administrator(request)
    search, show = typed(request), chosen(request, "show", INVITATIONS)
    rows = Invitation.objects.select_related("team", "inviter").filter(_in_state(show))
    if search:
        rows = rows.filter(Q(email__icontains=search) | Q(team__name__icontains=search))
    found = listed(request, rows.order_by("-pk"))
    return page(
        request,
        "invitations",
        listed=found,
        search=search,
        show=show,
        choices=INVITATIONS,
        done=request.GET.get("done", ""),
    )


@form_methods
@signed_in
def invitation_revoke(request: Request, person: Person, id: int) -> HttpResponse:
    actor = permissions.administrator(request)
    row = Invitation.objects.select_related("team", "inviter").filter(pk=id).first()
    if row is None:
        raise Http404
    if request.method != "POST":
        return page(request, "invitation_revoke", invitation=row)
    done = "revoked"
    try:
        invitations.revoke(row, actor=actor, address=accounts.address(request))
    except invitations.Over:
        done = "over"
    place = resolve_url("manage_invitations")
    return HttpResponseRedirect(f"{place}?done={done}", status=303)


def _in_state(show: str) -> Q:
    """As `Invitation.state` would say of each row."""
    kept, unused = Q(revoked_at=None), Q(uses__lt=F("most_uses"))
    match show:
        case "revoked":
            return ~kept
        case "used":
            return kept & ~unused
        case "expired":
            return kept & unused & Q(expires_at__lte=timezone.now())
        case "all":
            return Q()
    return kept & unused & Q(expires_at__gt=timezone.now())
