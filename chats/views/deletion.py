"""Deleting one's own account: the page that first says what will happen, and the end.

Owns both, and the page for whoever has no account any more. Relies on `accounts.deletion` for everything
that happens; tells the relay of it afterwards, so that pages and sockets follow at once.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_safe

from chats import accounts, relay
from chats.accounts import deletion
from chats.forms.deletion import GIVE, DeletionForm, name_of
from chats.models import Person, ending, memberships
from chats.views.access import Request, form_methods, recently_authenticated, signed_in
from chats.views.shell import shell

CHANGED = "Something changed while you were reading. Nothing was deleted: look at the list again."


@form_methods
@signed_in
def delete_account(request: Request, person: Person) -> HttpResponseBase:
    """What will happen is for whoever is signed in to read; a proof of who it is comes before the end."""
    if request.method == "POST":
        return _delete(request, person)
    return _page(request, ending.outlook(person))


@recently_authenticated
def _delete(request: Request, person: Person) -> HttpResponse:
    found = ending.outlook(person)
    form = DeletionForm(request.POST, person, (each.membership.team_id for each in found.partings))
    if form.errors or not found.is_possible:
        return _page(request, found, form)
    try:
        changed = deletion.delete(
            person, giving=form.giving, asked=form.choices, address=accounts.address(request)
        )
    except (ending.NotPossible, memberships.NotPossible):
        return _page(request, ending.outlook(person), form, refusal=CHANGED)
    logout(request)
    relay.rights_changed()
    relay.wake()
    for chat in changed:
        relay.changed(chat)
    response = HttpResponseRedirect(resolve_url("account_deleted"), status=303)
    # Pages and drafts of theirs are on this device, too.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@require_safe
def account_deleted(request: HttpRequest) -> HttpResponse:
    return render(request, "account/deleted.html")


def _page(
    request: Request,
    found: ending.Outlook,
    form: DeletionForm | None = None,
    *,
    refusal: str = "",
) -> HttpResponse:
    context = {
        "outlook": found,
        "teams": [_team(parting, form) for parting in found.partings],
        "last_owner_of": [each.membership.team for each in found.partings if each.is_last_owner],
        "typed": form.typed if form else "",
        "errors": form.errors if form else {},
        "refusal": refusal,
        "audit_days": settings.V0_AUDIT_KEEP,
        **shell(request),
    }
    return render(request, "settings/delete.html", context, status=422 if form else 200)


def _team(parting: ending.Parting, form: DeletionForm | None) -> dict[str, Any]:
    team = parting.membership.team
    return {
        "team": team,
        "name": name_of(team.pk),
        "seen": parting.seen,
        "unseen": parting.unseen,
        "heir": parting.heir,
        # What can be brought back by others is what happens to whoever does not choose.
        "choice": form.choices.get(team.pk, GIVE) if form else GIVE,
        "error": form.errors.get(name_of(team.pk), "") if form else "",
    }
