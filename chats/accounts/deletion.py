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
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

from chats.models import Person, ending

WAYS_IN = (EmailAddress, Authenticator, SocialAccount, UserSession)


def delete(
    person: Person, *, giving: Collection[int], asked: Collection[int], address: str | None
) -> set[UUID]:
    """As `ending.end`; sessions end with it."""
    with transaction.atomic():
        changed = ending.end(person, giving=giving, asked=asked, address=address)
        # Nobody gets in by any of them any more; what is in them is of somebody who is gone.
        keys = UserSession.objects.filter(user=person).values_list("session_key", flat=True)
        Session.objects.filter(session_key__in=list(keys)).delete()
        for way in WAYS_IN:
            way._base_manager.filter(user=person).delete()
    return changed
