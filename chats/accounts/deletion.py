"""Deleting an account: what was theirs here, and all by which somebody could still sign in to it.

Owns the one transaction of both. Relies on `models.ending` for the first and on allauth's tables for the
second; that it was really them who asked is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from chats.accounts import addresses
from chats.accounts.standing import delete_sessions
from chats.models import Person, ending

WAYS_IN = (EmailAddress, Authenticator, SocialAccount)


def delete(
    person: Person, *, giving: Collection[int], asked: Collection[int], address: str | None
) -> set[UUID]:
    """As `ending.end`; sessions end with it."""
    with transaction.atomic():
        changed = ending.end(person, giving=giving, asked=asked, address=address)
        delete_sessions(person)
        # Nobody gets in by any of them any more; what is in them is of somebody who is gone.
        for way in WAYS_IN:
            way._base_manager.filter(user=person).delete()
        addresses.cancel(person)
    return changed
