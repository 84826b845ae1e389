"""Where a request comes from. Owns nothing; relies on what allauth believes of a proxy's headers."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def address(request: HttpRequest) -> str | None:
    """The IP address that a request comes from, as far as `V0_PROXY` lets it be known."""
    try:
        found: str | None = get_adapter(request).get_client_ip(request)
    except PermissionDenied:
        # It came by no network.
        return None
    return found
