"""What happens to accounts, noted in the audit log: who came in, who tried to, and what they come in by.

Owns the receivers of Django's and allauth's signals, which `chats.apps` connects by importing this. Relies
on `models.record`. Notes what was typed as an address and never a password; failed tries are as many as the
limits of signing in let through, and MOST_FAILURES in an hour at most, whoever fails.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as elsewhere
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest

from chats import accounts
from chats.models import Event, Person, record

MOST_FAILURES = 1000
HOUR = 3600
LONGEST = 254


def note(event: Event, request: HttpRequest, person: Person, **details: Any) -> None:
    """What somebody did to their own account; it may be another's, as far as the session goes."""
    actor = request.user if isinstance(request.user, Person) else person
    record(event, actor=actor, address=accounts.address(request), person=person, **details)


@receiver(account.user_logged_in)
def signed_in(request: HttpRequest, user: Person, **more: object) -> None:
    methods = [each.get("method", "") for each in get_authentication_records(request, user)]
    note(Event.SIGNED_IN, request, user, by=list(dict.fromkeys(filter(None, methods))))


@receiver(user_logged_out)
def signed_out(request: HttpRequest | None, user: Person | None, **more: object) -> None:
    if request is not None and user is not None:
        note(Event.SIGNED_OUT, request, user)


@receiver(user_login_failed)
def failed_to_sign_in(
    credentials: dict[str, Any], request: HttpRequest | None = None, **more: object
) -> None:
    if request is None:
        return
    typed = str(credentials.get("email") or credentials.get("username") or "")[:LONGEST]
    person = Person.objects.filter(email=typed.lower()).first()
    failed(request, person, typed=typed, by="password")


@receiver(mfa.authentication_failed)
def failed_second_factor(
    request: HttpRequest, user: Person, authenticator: Authenticator, **more: object
) -> None:
    failed(request, user, by=authenticator.type)


def failed(request: HttpRequest, person: Person | None, **details: Any) -> None:
    """Notes it, unless so many failed within this hour that the log tells of them already."""
    cache.add("failures-noted", 0, HOUR)
    try:
        count = cache.incr("failures-noted")
    except ValueError:
        # The hour has ended just now.
        count = 1
    if count > MOST_FAILURES:
        return
    if count == MOST_FAILURES:
        details["rest"] = "more are not noted for an hour"
    address = accounts.address(request)
    record(Event.SIGN_IN_FAILED, address=address, person=person, **details)


@receiver(account.password_changed)
@receiver(account.password_set)
def changed_password(request: HttpRequest, user: Person, **more: object) -> None:
    note(Event.PASSWORD_CHANGED, request, user)


@receiver(account.password_reset)
def reset_password(request: HttpRequest, user: Person, **more: object) -> None:
    note(Event.PASSWORD_CHANGED, request, user, by="a link in a mail")


@receiver(account.email_changed)
def changed_email(
    request: HttpRequest,
    user: Person,
    from_email_address: Any,
    to_email_address: Any,
    **more: object,
) -> None:
    old = from_email_address.email if from_email_address else ""
    note(Event.EMAIL_CHANGED, request, user, old=old, new=to_email_address.email)


@receiver(mfa.authenticator_added)
def added_factor(
    request: HttpRequest, user: Person, authenticator: Authenticator, **more: object
) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        note(Event.RECOVERY_CODES_MADE, request, user)
    else:
        note(Event.MFA_ADDED, request, user, kind=authenticator.type)


@receiver(mfa.authenticator_reset)
def reset_factor(request: HttpRequest, user: Person, **more: object) -> None:
    note(Event.RECOVERY_CODES_MADE, request, user)


@receiver(mfa.authenticator_removed)
def removed_factor(
    request: HttpRequest, user: Person, authenticator: Authenticator, **more: object
) -> None:
    # Whose it was: somebody else may take it away, to let them in again.
    note(Event.MFA_REMOVED, request, authenticator.user, kind=authenticator.type)


@receiver(mfa.authenticator_used)
def used_factor(
    request: HttpRequest, user: Person, authenticator: Authenticator, **more: object
) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        note(Event.RECOVERY_CODE_USED, request, user)


@receiver(elsewhere.social_account_added)
def linked_elsewhere(request: HttpRequest, sociallogin: Any, **more: object) -> None:
    note(Event.IDENTITY_LINKED, request, sociallogin.user, provider=sociallogin.account.provider)


@receiver(elsewhere.social_account_removed)
def unlinked_elsewhere(request: HttpRequest, socialaccount: Any, **more: object) -> None:
    details = {"provider": socialaccount.provider, "ended": True}
    note(Event.IDENTITY_LINKED, request, socialaccount.user, **details)
