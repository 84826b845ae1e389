"""What browsers say of passkeys, read with care: the forms that take it.

Owns that nothing but a passkey's own words gets through, whatever else is sent: it is as short as it may be,
and what neither allauth nor fido2 can read is refused in words. Relies on both for the check itself.
"""

from __future__ import annotations

import struct
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)

# Characters of what a browser says; a real one has less than two thousand.
LONGEST = 16_384
UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RecursionError,
    struct.error,
)


class _Guarded:
    def full_clean(self) -> None:
        form: Any = self
        try:
            if form.is_bound and len(str(form.data.get("credential", ""))) > LONGEST:
                form.data = {**form.data.dict(), "credential": ""}
            super().full_clean()  # type: ignore[misc]
        except UNREADABLE:
            form.add_error("credential", get_adapter().validation_error("incorrect_code"))


class AddForm(_Guarded, AddWebAuthnForm):
    """A new one."""


class SignInForm(_Guarded, LoginWebAuthnForm):
    """One that is all that somebody signs in with."""


class SecondForm(_Guarded, AuthenticateWebAuthnForm):
    """One after the password."""


class AgainForm(_Guarded, ReauthenticateWebAuthnForm):
    """One of somebody who is signed in already."""
