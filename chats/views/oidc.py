"""Signing in by an OpenID Connect provider: going there, and coming back.

Owns two routes and what open pages learn of teams that a sign-in changed. Relies on `chats.accounts.oidc`;
where no provider is named, both are pages that do not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from allauth.core.ratelimit import consume, respond_429
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from chats import accounts, relay
from chats.accounts import groups, oidc
from chats.views.access import person


@never_cache
@require_POST
def go(request: HttpRequest) -> HttpResponse:
    """A page that leads on at once: the policy lets no form of ours end at another site."""
    if not oidc.is_offered():
        raise Http404
    if person(request):
        return redirect("home")
    if accounts.is_new():
        return redirect("first_visit")
    if not consume(request, action="login"):
        limited: HttpResponse = respond_429(request)
        return limited
    try:
        place = oidc.place_to_go(request)
    except oidc.BROKEN as error:
        return oidc.broken(request, error)
    return render(request, "account/oidc_go.html", {"place": place})


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    if not oidc.is_offered():
        raise Http404
    return oidc.come_back(request)


@receiver(groups.followed)
def tell_open_pages(*, chats: Iterable[UUID], **_: object) -> None:
    relay.rights_changed()
    for chat in chats:
        relay.changed(chat)
