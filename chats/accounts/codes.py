"""The forms of second factors, counted as passwords are (`chats.accounts.throttle`), and used once.

Owns that count: allauth would have one for each account, with which whoever knows a password could keep
its owner from ever finishing a sign-in. Owns, too, that a code of an app works once for as long as it is
right at all; those for recovery do by themselves.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.cache import cache

from chats.accounts import throttle

# Seconds for which a code of an app is right: its own half minute, one before and one after.
LASTS = 3 * 30


def use_up(person: AbstractBaseUser, code: str) -> None:
    """ValidationError when the person has used this code of an app before."""
    if not cache.add(f"totp-used:{person.pk}:{normalize_user_code(code)}", True, LASTS):
        raise get_mfa_adapter().validation_error("incorrect_code")


class _Counted:
    def clean_code(self) -> str:
        form: Any = self
        attempt = throttle.attempt(context.request, throttle.CODE, form.user.email)
        if attempt is None:
            raise get_adapter().validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]
        if form.authenticator.type == Authenticator.Type.TOTP:
            use_up(form.user, code)
        attempt.forgive()
        return code


class CodeForm(_Counted, AuthenticateForm):
    """Of signing in."""


class CodeAgainForm(_Counted, ReauthenticateForm):
    """Of somebody signed in who proves again who they are."""
