"""Who writes at v0: the people here whom this installation's owner has named for accounts there.

Owns the one place where an id of v0's becomes a person. Relies on the setting alone: v0 tells no names, and
what is sent from here all has the account of the key.
"""

from __future__ import annotations

from django.conf import settings

from chats.models import Person


def person(v0_author: str) -> Person | None:
    email = settings.V0_AUTHORS.get(v0_author)
    return Person.objects.filter(email=email.lower()).first() if email else None
