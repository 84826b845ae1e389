"""The tokens of mails to reset a password.

Owns the one thing in which they differ from Django's own, which end with the password, the address, the
next sign-in, and after a while: whoever is deactivated has none that counts.
"""

from __future__ import annotations

from allauth.account.internal.flows.manage_email import sync_user_email_address
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from chats.models import Person


class ResetTokens(PasswordResetTokenGenerator):
    def make_token(self, user: Person) -> str:
        # A new password forgives wrong ones by the addresses that allauth has noted.
        sync_user_email_address(user)
        return super().make_token(user)

    def check_token(self, user: Person | None, token: str | None) -> bool:
        return user is not None and user.is_active and super().check_token(user, token)
