"""What the dialog of a chat's sharing says below the levels: its link, who is invited, how others see it.

Owns the values of these sections, for its owner alone. Relies on permissions for what opens the chat; the
routes that change something are `links` and `guests`, and the dialog is `sharing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils import timezone

from chats.forms.sharing import GuestForm
from chats.models import Chat, Guest, GuestRole, Membership
from chats.models.chats import Privacy
from chats.models.guests import MOST_GUESTS
from chats.permissions.archetypes import is_open_by_link, is_open_to_all, kinds

DONE = {
    "invited": "Invited. It counts as soon as somebody has proved the address to be theirs.",
    "role": "Changed. It counts at once.",
    "withdrawn": "Withdrawn. Whoever had the chat open by it does not see it any more.",
    "rotated": "This is the new link. Nobody can open the chat by the old one.",
    "ends": "Saved.",
}


@dataclass(frozen=True, slots=True)
class Link:
    """How the chat is opened by its address: `url` is "" where it has no link yet, `until` None for one
    without an end. `is_public`: the address is enough, and nothing about it can be changed. `waits`: v0 has
    not agreed yet to a level that has a link."""

    url: str
    is_public: bool = False
    waits: bool = False
    until: datetime | None = None
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class Invited:
    """One row; `also` says that whoever has the address sees the chat by the team at its level, too."""

    guest: Guest
    is_editor: bool
    also: str = ""


def sections(
    request: HttpRequest, found: Chat, *, done: str = "", form: GuestForm | None = None
) -> dict[str, Any]:
    """The context of `chats/_share_link.html`, `_share_guests.html` and `_share_view_as.html`. `form` is
    what somebody filled in, and why it was refused."""
    guests = invited(found)
    return {
        "link": link(request, found),
        "guests": guests,
        "guest_form": form or GuestForm(initial={"role": GuestRole.READER}),
        "roles": GuestRole.choices,
        "is_full": len(guests) >= MOST_GUESTS,
        "most_guests": MOST_GUESTS,
        "kinds": kinds(found).items(),
        "reads_without_account": settings.V0_ANONYMOUS_READING,
        "done": done,
        "said": DONE.get(done, ""),
    }


def link(request: HttpRequest, found: Chat) -> Link | None:
    """None at a level at which nobody opens the chat by its address."""
    if is_open_to_all(found):
        return Link(request.build_absolute_uri(resolve_url("chat", found.pk)), is_public=True)
    linked = {found.privacy, found.privacy_wanted} & {Privacy.UNLISTED, Privacy.PUBLIC}
    if not linked:
        return None
    if found.privacy != Privacy.UNLISTED or (found.link_slug and not is_open_by_link(found)):
        return Link("", waits=True)
    slug, until = found.link_slug, found.link_expires_at
    url = request.build_absolute_uri(resolve_url("shared", slug)) if slug else ""
    return Link(url, until=until, has_ended=until is not None and until <= timezone.now())


def invited(found: Chat) -> Sequence[Invited]:
    """In the order in which they were invited."""
    rows = found.guests.select_related("invited_by").order_by("invited_at", "pk")
    guests, team = list(rows), found.team
    mates: set[str] = set()
    if team is not None:
        held = Membership.objects.filter(team=team, person__email__in=[g.email for g in guests])
        mates = set(held.values_list("person__email", flat=True))
    return [
        Invited(
            guest,
            guest.role == GuestRole.EDITOR,
            team.name if team is not None and guest.email in mates else "",
        )
        for guest in guests
    ]
