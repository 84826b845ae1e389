"""Who else has a chat open, by name: for readers who are signed in.

Owns the fragment that is fetched when the mark `here` changes, and its words. Relies on permissions for the
chat; frames and visitors without an account have the number alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Chat, Person, Presence
from chats.permissions import Action
from chats.views.access import Request, member

# Others that are named one by one; where there are more, one fewer and how many are left.
NAMED = 3


@require_safe
def here(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.READ)
    context = {"chat": found, **who_is_here(found, member(request))}
    return render(request, "chats/_here.html", context)


def who_is_here(found: Chat, reader: Person) -> dict[str, Any]:
    """The context of `chats/_here.html`, in one query."""
    since = time.time_ns() // 1_000_000
    rows = Presence.objects.filter(chat=found, until__gt=Now()).select_related("person")
    people: dict[int, Person] = {}
    nameless = 0
    for row in rows.order_by("person"):
        if row.person is None:
            nameless += row.sockets
        elif row.person.pk != reader.pk:
            people[row.person.pk] = row.person
    listed = list(people.values())
    return {
        "here": named(listed, nameless),
        "here_names": told(listed, nameless),
        "here_is_one": len(listed) + nameless == 1,
        "here_since": since,
    }


def named(people: Sequence[Person], nameless: int) -> Sequence[Person]:
    return people[: NAMED if len(people) + nameless <= NAMED else NAMED - 1]


def told(people: Sequence[Person], nameless: int) -> str:
    """ "Ada, Ben and 2 others"; "" for one alone."""
    names = [(person.shown_name.split() or [""])[0] for person in named(people, nameless)]
    rest = len(people) + nameless - len(names)
    if not names and rest == 1:
        return "Somebody else"
    if rest:
        names.append("1 other" if rest == 1 else f"{rest} others")
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
