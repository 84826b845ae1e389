"""The second factors of people: what allauth is told of them, and the way out for who lost them all.

Owns the adapter (names, secrets that the database holds only encrypted), the form that adds an app, and
the reset. Relies on allauth for every check of a code or a passkey.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret, validate_totp_code
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, QueryDict
from qrcode.main import QRCode

from chats.accounts import address, standing, throttle
from chats.accounts.codes import use_up
from chats.models import Event, Person, record

NAME = "v0web"
# Seconds for which a secret that is shown can be confirmed.
SECRET_LASTS = 3600
_SECRET_SALT = "chats.accounts.factors.secret"  # noqa: S105


class Factors(DefaultMFAAdapter):
    """What differs from allauth's own ways."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This was not right. Codes change every 30 seconds, and each works once.",
    }

    def get_totp_issuer(self) -> str:
        return NAME

    def _get_site_name(self) -> str:
        return NAME

    def generate_authenticator_name(self, user: AbstractBaseUser, type: str) -> str:
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # Of another SECRET_KEY: a new one each time, which no code fits. The person needs a reset.
            return generate_totp_secret()


def _cipher() -> MultiFernet:
    """A key of its own, made of SECRET_KEY; those before it can still be read."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(f"chats.accounts.factors:{key!s}".encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


class AppForm(forms.Form):
    """An app that makes codes is added: with a secret that it was shown, and a first code of it. The secret
    travels in the form, signed for its person, so that showing it writes nothing."""

    secret = forms.CharField(widget=forms.HiddenInput)
    code = forms.CharField(
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        )
    )

    def __init__(self, person: Person, data: QueryDict | None = None) -> None:
        self.person = person
        held = _opened(person, data.get("secret")) if data else None
        self.shown = held or generate_totp_secret()
        self.is_old = data is not None and held is None
        super().__init__(data)

    @property
    def sealed(self) -> str:
        return signing.dumps([self.person.pk, self.shown], salt=_SECRET_SALT)

    @property
    def link(self) -> str:
        """What a QR code says to an app."""
        return Factors().build_totp_url(self.person, self.shown)

    def clean_code(self) -> str:
        attempt = throttle.attempt(context.request, throttle.CODE, self.person.email)
        if attempt is None:
            raise get_adapter().validation_error("too_many_login_attempts")
        code: str = self.cleaned_data["code"]
        if self.is_old or not validate_totp_code(self.shown, code):
            raise Factors().validation_error("incorrect_code")
        use_up(self.person, code)
        attempt.forgive()
        return code


def _opened(person: Person, sealed: object) -> str | None:
    try:
        whose, secret = signing.loads(str(sealed), salt=_SECRET_SALT, max_age=SECRET_LASTS)
    except signing.BadSignature:
        return None
    return str(secret) if whose == person.pk else None


def qr_code(text: str) -> tuple[int, str]:
    """A QR code as the width of a square, and the path in it of what is dark."""
    code: QRCode[Any] = QRCode(border=2)
    code.add_data(text)
    rows = code.get_matrix()
    marks = (
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return len(rows), "".join(marks)


def reset_second_factor(request: HttpRequest, person: Person) -> int:
    """Take away every second factor of somebody who has lost them, and end their sessions: the password
    alone signs in then. Gives how many factors there were. The caller has proved its right to do so, and
    tells the relay (`relay.rights_changed`) after it."""
    actor = request.user if isinstance(request.user, Person) else None
    with transaction.atomic():
        removed: int = Authenticator.objects.filter(user=person).delete()[0]
        if not removed:
            return 0
        standing.delete_sessions(person)
        record(
            Event.MFA_REMOVED,
            actor=actor,
            address=address(request),
            person=person,
            all=True,
        )
    get_adapter(request).send_mail("account/email/second_factor_reset", person.email, {})
    return removed
