"""Bringing in chats that were made at v0: for staff, who see titles, dates and authors, never text.

Owns the page and its form. Relies on the relay for v0's list and for fetching what was chosen; what
comes back from the form is believed only where it is signed.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url

from chats import accounts, permissions, relay
from chats.forms.adopt import AdoptForm
from chats.models import Person
from chats.relay import adoption
from chats.relay.adoption import Offer
from chats.v0api.errors import V0Error
from chats.views.access import Request, form_methods, signed_in
from chats.views.shell import shell

NOTHING_CHOSEN = "Choose at least one chat."
EXPIRED = "This list was too old. Choose again."


@form_methods
@signed_in
def adopt(request: Request, person: Person) -> HttpResponse:
    permissions.administrator(request)
    if request.method != "POST":
        return _page(request)
    form = AdoptForm(request.POST)
    tokens = request.POST.getlist("chat")
    offers = [Offer.of_token(token) for token in tokens]
    if not form.is_valid() or not offers or None in offers:
        refusal = form.sentence or (NOTHING_CHOSEN if not offers else EXPIRED)
        return _page(request, refusal=refusal, status=422)
    made = [
        adoption.adopt(offer, form.person, actor=person, address=accounts.address(request))
        for offer in offers
        if offer is not None
    ]
    for id in made:
        if id is not None:
            relay.opened(id, None)
    place = f"{resolve_url('adopt')}?of={sum(id is not None for id in made)}"
    return HttpResponseRedirect(place, status=303)


def _page(request: HttpRequest, *, refusal: str = "", status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "refusal": refusal,
        "owner": request.POST.get("owner", ""),
        "unfinished": adoption.unfinished(),
        "chosen": request.GET.get("of", ""),
        "is_first": not request.GET.get("cursor"),
    }
    try:
        context["offers"] = relay.adoptable(request.GET.get("cursor") or None)
    except (V0Error, TimeoutError):
        context["offers"] = None
    return render(request, "chats/adopt.html", {**context, **shell(request)}, status=status)
