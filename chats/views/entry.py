"""What every request of somebody who is signed in passes.

Owns two middlewares: the session that notes now and then that it is in use, and the gate for whoever must
have a second factor and has none; and what stands around the pages behind which they get. Relies on `chats.accounts.sessions` and on permissions; a socket is asked
in the consumer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.deprecation import MiddlewareMixin
from django_htmx.http import HttpResponseClientRedirect

from chats.accounts import sessions
from chats.models import Person
from chats.permissions.proof import lacking_factor
from chats.views.shell import shell

# What somebody needs who has to set up a second factor first.
OPEN = frozenset(
    (
        "security",
        "mfa_activate_totp",
        "mfa_view_recovery_codes",
        "download_recovery_codes",
        "mfa_add_webauthn",
        "passkey_add_challenge",
        "passkey_challenge",
        "account_reauthenticate",
        "account_logout",
        "account_change_password",
        "favicon",
        "healthz",
        "readyz",
    )
)


# What a page posts by itself, for as long as somebody has left it open.
BY_PAGES = frozenset(("seen",))


class InUse(MiddlewareMixin):
    """Prolongs the session of a request. Belongs behind SessionMiddleware, which saves what it changes.

    The one thing that a GET writes about somebody who is signed in, every five minutes at most. What an
    open page fetches by itself is no use of it by anybody.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        # After an error the session may be what cannot be read, and it is not saved either.
        is_broken = response.status_code >= 500
        if is_broken or not hasattr(request, "session") or not request.session.accessed:
            return response
        if request.method == "GET" and request.headers.get("HX-Request"):
            return response
        if request.resolver_match and request.resolver_match.url_name in BY_PAGES:
            return response
        if sessions.is_to_be_seen(request.session) and isinstance(request.user, Person):
            sessions.see(request, request.user)
        return response


def setting_up(request: HttpRequest, person: Person) -> dict[str, Any]:
    """What stands around a page of OPEN: nothing of anybody's chats, and no socket, for whoever has to set
    up a second factor first."""
    return {"is_lacking": True} if lacking_factor([person]) else {**shell(request)}


class Gate(MiddlewareMixin):
    """Leads whoever must have a second factor to where one is set up, before anything else. Belongs
    behind AuthenticationMiddleware."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *_: object
    ) -> HttpResponse | None:
        if settings.V0_REQUIRE_MFA == "nobody" or not isinstance(request.user, Person):
            return None
        match = request.resolver_match
        if (match and match.url_name in OPEN) or not lacking_factor([request.user]):
            return None
        place = f"{resolve_url('security')}?required"
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(place)
        return HttpResponseRedirect(place, status=303)
