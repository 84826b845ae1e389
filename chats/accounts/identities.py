"""Which account a provider's identity opens, and how the two are connected.

Owns the rows that connect them and a connection that waits for proof. An address alone opens no account:
whose it is proves that once by signing in to it, unless the installation trusts the provider. An account
has one identity of a provider, so that an address which somebody new was given there opens nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from chats.accounts import groups
from chats.accounts.whence import address
from chats.models import Event, Person, record

PROOF_WITHIN = 600
_WAITS = "identity_that_waits"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as the provider knows them: `provider` tells one issuer from another, `uid` is who they
    are there for ever, `email` is proven."""

    provider: str
    uid: str
    email: str
    groups: tuple[str, ...] = ()


def is_connected(person: Person, provider: str) -> bool:
    return SocialAccount.objects.filter(user=person, provider=provider).exists()


def connect(request: HttpRequest, person: Person, identity: Identity) -> bool:
    """Whether it is theirs now; no when another account has it, or this account another one."""
    try:
        with transaction.atomic():
            # Of two at once, the second waits here, and then finds what the first one made.
            Person.objects.filter(pk=person.pk).update(is_active=person.is_active)
            if is_connected(person, identity.provider):
                return False
            SocialAccount.objects.create(
                user=person, provider=identity.provider, uid=identity.uid, extra_data={}
            )
            record(
                Event.IDENTITY_LINKED,
                actor=person,
                address=address(request),
                person=person,
                known_there_as=identity.email,
            )
    except IntegrityError:
        return False
    return True


def let_wait(request: HttpRequest, identity: Identity) -> None:
    """It is connected when its account's owner signs in by other means, soon and in this browser."""
    request.session[_WAITS] = {
        "at": time.time(),
        "identity": [identity.provider, identity.uid, identity.email, list(identity.groups)],
    }


def connect_pending(request: HttpRequest, person: Person) -> None:
    """Called with each sign-in: what waited is over, used or not."""
    waits = request.session.pop(_WAITS, None)
    if waits is None or time.time() - waits["at"] > PROOF_WITHIN:
        return
    provider, uid, email, held = waits["identity"]
    identity = Identity(provider, uid, email, tuple(held))
    if person.email == identity.email and connect(request, person, identity):
        follow_groups(request, person, identity.groups)


def follow_groups(request: HttpRequest, person: Person, held: Iterable[str]) -> None:
    groups.follow(person, held, address=address(request))
