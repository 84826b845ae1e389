"""Words that a password must not lean on, because whoever guesses here tries them first.

Owns the list: names of this product, of what it speaks to, and the words in the names of the hosts that the
installation answers to; `V0_PASSWORD_WORDS` adds an organisation's own. Django's validators check the rest:
length, likeness to the person, and 20,000 passwords that were found in breaches.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError

OURS = ("v0web", "vercel", "password", "chat")
# What has to be left of a password when these words are taken out of it.
LEFT = 8


def words() -> set[str]:
    hosts = (word for host in settings.ALLOWED_HOSTS for word in re.split(r"\W+", host))
    return {word.lower() for word in (*OURS, *hosts, *settings.V0_PASSWORD_WORDS) if len(word) > 2}


class OwnWords:
    """A validator for AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        left = password.lower()
        for word in sorted(words(), key=len, reverse=True):
            left = left.replace(word, "")
        if left != password.lower() and len(left) < LEFT:
            raise ValidationError("This password leans on a name of this installation.")

    def get_help_text(self) -> str:
        return "Your password must not lean on names of this installation."
