"""Browsers that have signed in to an account before, each by a mark in a signed cookie.

Owns that cookie. A mark opens nothing: it only sets such a browser apart from strangers who guess
(`chats.accounts.throttle`). Never names the account in a form that could be read.
"""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

KEPT_FOR = 365 * 24 * 3600
_SALT = "chats.accounts.known-browser"


def cookie_name() -> str:
    return "known-browser" if settings.DEBUG else "__Host-known-browser"


def known_browser(request: HttpRequest, email: str) -> str:
    """The mark that this browser got when somebody last signed in to this account with it, or ""."""
    try:
        digest, mark = signing.loads(
            request.COOKIES.get(cookie_name(), ""), salt=_SALT, max_age=KEPT_FOR
        )
    except signing.BadSignature:
        return ""
    return str(mark) if digest == _digest(email) else ""


def remember_browser(request: HttpRequest, response: HttpResponse, email: str) -> None:
    mark = known_browser(request, email) or secrets.token_urlsafe(16)
    response.set_cookie(
        cookie_name(),
        signing.dumps([_digest(email), mark], salt=_SALT),
        max_age=KEPT_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _digest(email: str) -> str:
    return hashlib.sha256(email.lower().encode()).hexdigest()
