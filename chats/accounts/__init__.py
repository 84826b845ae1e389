"""How somebody gets in: what allauth is told about this installation.

Owns the account adapter (no enumeration, limits that lock no owner out, mail off the request's clock);
beside it `first` has the first account, `throttle` the limits, `browsers` what tells an owner's browser
from a stranger's, `oidc` the way in by a provider. Relies on allauth for every flow and on models; what
a person may do once inside is `chats.permissions`.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_login_failed
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from chats.accounts import identities, recently, sessions, throttle
from chats.accounts.browsers import remember_browser
from chats.accounts.first import (
    invitation_to_begin,
    is_new,
    make_setup_link,
    setup_link_is_open,
    use_setup_link,
)
from chats.accounts.whence import address
from chats.models import Person

__all__ = [
    "Adapter",
    "address",
    "invitation_to_begin",
    "is_new",
    "make_setup_link",
    "setup_link_is_open",
    "use_setup_link",
]

log = logging.getLogger(__name__)
# One thread: mail is rare, and sending it is the slowest thing that an account page could wait for.
_post = ThreadPoolExecutor(1, thread_name_prefix="mail")


class Adapter(DefaultAccountAdapter):
    """What differs from allauth's own ways."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The address or the password is wrong.",
        "too_many_login_attempts": "Too many wrong tries. Wait a few minutes and try again.",
        "enter_current_password": "This is not your present password.",
    }

    _attempt: throttle.Attempt | None = None

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
        if person and person.get_username() != typed:
            user_login_failed.send(__name__, credentials={"email": typed}, request=request)
            return None
        return person

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """One page of ours asks for whatever a person can prove themselves with."""
        return [{"id": "proof", "description": "", "url": reverse("account_reauthenticate")}]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In a thread: whether there is an account must show neither in time nor as an error."""
        context = {"request": self.request, "email": email, **context}
        _post.submit(_send, self.render_mail(template_prefix, email, context))

    def post_login(
        self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any
    ) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        # To have signed in is to have proved it a moment ago.
        assert isinstance(user, Person)
        recently.prove(request, user, "sign-in")
        sessions.clean()
        remember_browser(request, response, user.get_username())
        identities.connect_pending(request, user)
        return response

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        email = str(credentials.get("email", ""))
        self._attempt = throttle.attempt(request, throttle.PASSWORD, email)
        if not self._attempt:
            raise self.validation_error("too_many_login_attempts")

    def _rollback_login_failed_rl_usage(self) -> None:
        if self._attempt:
            self._attempt.forgive()

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        throttle.forget(request, str(credentials.get("email", "")))

    def send_password_reset_mail(
        self, user: AbstractBaseUser, email: str, context: dict[str, Any]
    ) -> None:
        """In silence, where many were asked for: earlier ones still work, and nobody learns of it."""
        if throttle.may_be_mailed(self.request, "reset", email):
            super().send_password_reset_mail(user, email, context)


def _send(mail: EmailMessage) -> None:
    try:
        mail.send()
    except OSError:
        log.exception("mail could not be sent")
