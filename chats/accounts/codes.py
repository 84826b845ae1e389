"""The forms of second factors, counted as passwords are (`chats.accounts.throttle`).

Owns nothing but that count: allauth would have one for each account, with which whoever knows a
password could keep its owner from ever finishing a sign-in.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm

from chats.accounts import throttle


class _Counted:
    def clean_code(self) -> str:
        form: Any = self
        attempt = throttle.attempt(context.request, throttle.CODE, form.user.email)
        if attempt is None:
            raise get_adapter().validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]
        attempt.forgive()
        return code


class CodeForm(_Counted, AuthenticateForm):
    """Of signing in."""


class CodeAgainForm(_Counted, ReauthenticateForm):
    """Of somebody signed in who proves again who they are."""
