"""Signing up without an invitation, where the installation is open for it.

Owns the link that proves an address, which is all that a stranger gets before it is opened: no account, no
password and no row. Relies on the adapter for its mails, whose words differ for who has an account and
who has not, so that the pages need not.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse

from chats.accounts import throttle
from chats.accounts.first import is_new
from chats.models import Event, Person, record

LINK_HOLDS = 24 * 3600
_SALT = "chats.accounts.sign-up"


class LinkOver(Exception):
    """The link has expired, was made up, or there is an account with its address by now."""


def is_open() -> bool:
    return settings.V0_SIGN_UP == "open" and not is_new()


def may_sign_up(email: str) -> bool:
    """Whether the address is one of the domain for which the installation is open."""
    return within(settings.V0_SIGN_UP_DOMAIN, email)


def within(domain: str, email: str) -> bool:
    """Whether the address is of `domain` itself; "" is every domain."""
    return not domain or email.rpartition("@")[2].lower() == domain.lower().removeprefix("@")


def send_link(request: HttpRequest, email: str) -> None:
    """To who has no account, a link that makes one; to who has, a word that they have."""
    email = email.lower()
    if not throttle.may_be_mailed(request, "sign-up", email):
        return
    adapter = get_adapter(request)
    person = Person.objects.filter(email=email).first()
    path = reverse("sign_up_link", args=[signing.dumps(email, salt=_SALT)])
    if person is None:
        adapter.send_mail("account/email/sign_up", email, {"link": _absolute(path)})
    elif person.is_active:
        place = {
            "sign_in": _absolute(reverse("account_login")),
            "reset": _absolute(reverse("account_reset_password")),
        }
        adapter.send_mail("account/email/sign_up_known", email, place)


def proven(token: str) -> str:
    """The address that the link was sent to; LinkOver."""
    try:
        email = str(signing.loads(token, salt=_SALT, max_age=LINK_HOLDS))
    except signing.BadSignature:
        raise LinkOver from None
    if not is_open() or not may_sign_up(email) or Person.objects.filter(email=email).exists():
        raise LinkOver
    return email


def make_account(
    email: str, *, name: str, password: str | None, address: str | None, by: str = "sign-up"
) -> Person:
    """Somebody whose address is proven; LinkOver when another request was first. No password is one that
    nothing matches."""
    try:
        with transaction.atomic():
            person = Person.objects.create_user(email, password, name=name)
            EmailAddress.objects.create(
                user=person, email=person.email, primary=True, verified=True
            )
            record(Event.ACCOUNT_MADE, actor=person, address=address, person=person, by=by)
    except IntegrityError:
        raise LinkOver from None
    return person


def _absolute(path: str) -> str:
    return f"{settings.V0_ORIGINS[0]}{path}"
