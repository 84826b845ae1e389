"""How somebody gets in: what allauth is told about this installation, and the one-time link.

Owns the account adapter (no sign-up, no enumeration, throttling that locks nobody out of a browser
they know, mail off the request's clock) and the link that makes the first account. Relies on allauth
for every flow and on models; what a person may do once inside is `chats.permissions`.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from chats.models import Person, SetupLink

KNOWN_BROWSER_AGE = 365 * 24 * 3600
_KNOWN_BROWSER_SALT = "chats.accounts.known-browser"

log = logging.getLogger(__name__)
# One thread: mail is rare, and sending it is the slowest thing that an account page could wait for.
_post = ThreadPoolExecutor(1, thread_name_prefix="mail")


def address(request: HttpRequest) -> str | None:
    """The IP address that a request comes from, as far as `V0_PROXY` lets it be known."""
    found: str | None = get_adapter(request).get_client_ip(request)
    return found


class Adapter(DefaultAccountAdapter):
    """What differs from allauth's own ways."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The address or the password is wrong.",
        "too_many_login_attempts": "Too many wrong tries. Wait a few minutes and try again.",
        "enter_current_password": "This is not your present password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Nothing: each page says itself what happened, and no GET has to take a message out."""

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return f"{reverse('account_change_password')}?changed"

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """As allauth, by the person's present address only: it would take one of before, too."""
        person: AbstractBaseUser | None = super().authenticate(request, **credentials)
        typed = str(credentials.get("email", "")).lower()
        return person if person and person.get_username() == typed else None

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In a thread: whether there is an account must show neither in time nor as an error."""
        context = {"request": self.request, "email": email, **context}
        _post.submit(_send, self.render_mail(template_prefix, email, context))

    def post_login(
        self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any
    ) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        _remember_browser(request, response, user.get_username())
        return response

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What failed attempts are counted by: the account, and apart from it each browser that has
        signed in to it before, so that strangers who guess do not lock its owner out there."""
        email = str(credentials.get("email", "")).lower()
        return f"{email}:{_known_browser(request, email)}"


def _send(mail: EmailMessage) -> None:
    try:
        mail.send()
    except OSError:
        log.exception("mail could not be sent")


def known_browser_cookie() -> str:
    return "known-browser" if settings.DEBUG else "__Host-known-browser"


def _known_browser(request: HttpRequest, email: str) -> str:
    """The mark that this browser got when somebody last signed in to this account with it, or ""."""
    try:
        digest, mark = signing.loads(
            request.COOKIES.get(known_browser_cookie(), ""),
            salt=_KNOWN_BROWSER_SALT,
            max_age=KNOWN_BROWSER_AGE,
        )
    except signing.BadSignature:
        return ""
    return str(mark) if digest == _digest(email) else ""


def _remember_browser(request: HttpRequest, response: HttpResponse, email: str) -> None:
    mark = _known_browser(request, email) or secrets.token_urlsafe(16)
    response.set_cookie(
        known_browser_cookie(),
        signing.dumps([_digest(email), mark], salt=_KNOWN_BROWSER_SALT),
        max_age=KNOWN_BROWSER_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_new() -> bool:
    """Whether nobody has an account here yet."""
    return not Person.objects.exists()


def make_setup_link() -> str:
    """The token of a new one-time link, which replaces any earlier one that nobody has used."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        SetupLink.objects.filter(used_at=None).delete()
        SetupLink.objects.create(digest=_digest(token))
    return token


def setup_link_is_open(token: str) -> bool:
    return SetupLink.objects.filter(digest=_digest(token), used_at=None).exists()


def use_setup_link(token: str, *, email: str, name: str, password: str) -> Person:
    """The superuser whom the link makes; Http404 when it is unknown or used, also a moment ago."""
    with transaction.atomic():
        # The database decides who of two was first: only one of them changes the row.
        link = SetupLink.objects.filter(digest=_digest(token), used_at=None)
        if not link.update(used_at=timezone.now()):
            raise Http404
        return Person.objects.create_superuser(email, password, name=name)
