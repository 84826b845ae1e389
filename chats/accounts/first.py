"""The first account of an installation, made with a token that only its server's terminal shows.

Owns the one-time links. Each start of a server prints one of its own, so that several are open at once;
the first that is used closes all of them, and none opens anything once anybody has an account.
"""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from chats.models import Event, Person, SetupLink, record


def is_new() -> bool:
    """Whether nobody has an account here yet."""
    return not Person.objects.exists()


def make_setup_link() -> str:
    """The token of a new one-time link."""
    token = secrets.token_urlsafe(32)
    SetupLink.objects.create(digest=_digest(token))
    return token


def invitation_to_begin() -> str:
    """What a server or a command prints while nobody has an account: a line with a new link, else ""."""
    if not is_new():
        return ""
    link = f"{settings.V0_ORIGINS[0]}/setup/{make_setup_link()}/"
    return f"Nobody has an account yet. The owner makes theirs here: {link}"


def setup_link_is_open(token: str) -> bool:
    return is_new() and SetupLink.objects.filter(digest=_digest(token), used_at=None).exists()


def use_setup_link(
    token: str, *, email: str, name: str, password: str, address: str | None = None
) -> Person:
    """The superuser whom the link makes; Http404 when it is unknown or used, also a moment ago.

    Two at once, by one token or by two, change the same rows: the database lets one of them through, and
    the other finds that somebody has an account.
    """
    with transaction.atomic():
        if not setup_link_is_open(token):
            raise Http404
        if not SetupLink.objects.filter(used_at=None).update(used_at=timezone.now()):
            raise Http404
        if not is_new():
            raise Http404
        person = Person.objects.create_superuser(email, password, name=name)
        record(Event.ACCOUNT_MADE, actor=person, address=address, person=person, by="first visit")
        return person


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
