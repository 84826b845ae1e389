"""Moving a chat: to a team, or back to its owner's personal space.

Owns the form, who gains and who loses by each place it offers, and the rows that change, in one conditional
UPDATE. Relies on permissions for the chat and for the teams in which somebody may have chats; what v0 has
not agreed to yet counts here when the relay has told it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.http import HttpResponse

from chats import permissions, relay
from chats.forms.acts import PERSONAL, PlaceForm, sentence
from chats.models import Chat, Event, Membership, Person, Team
from chats.models.chats import Privacy
from chats.permissions import Action, spaces
from chats.views.access import Request, form_methods, note, see_chat
from chats.views.acts import shown_act
from chats.views.consequences import OF_TEAMS, in_words

CHANGED = (
    "The chat has changed meanwhile. This is how it is now: move it again if you still mean it."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A place to move to. `team` None is the personal space; `gains` and `loses` are names."""

    team: Team | None
    is_here: bool
    gains: Sequence[str] = ()
    loses: Sequence[str] = ()

    @property
    def value(self) -> str:
        return str(self.team.pk) if self.team else PERSONAL

    @property
    def gaining(self) -> str:
        return in_words(self.gains)

    @property
    def losing(self) -> str:
        return in_words(self.loses)


@form_methods
def move(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.MANAGE)
    form = PlaceForm(request.POST, spaces.teams(request))
    if request.method != "POST":
        return _form(request, found, form.teams)
    if not form.is_valid():
        return _form(request, found, form.teams, sentence(form), status=422)
    if form.team != found.team:
        before = _seen_by(found)
        if not _move(request, found, form.team):
            found = permissions.chat(request, id, Action.MANAGE)
            return _form(request, found, form.teams, CHANGED, status=409)
        relay.rights_changed(before)
    relay.changed(found.id)
    return see_chat(found.id)


def _seen_by(found: Chat) -> list[int]:
    """Those in whose lists the chat is by its team."""
    if found.team is None or found.privacy not in OF_TEAMS:
        return []
    return list(found.team.memberships.values_list("person", flat=True))


def _move(request: Request, found: Chat, team: Team | None) -> bool:
    """Whether it was moved. A level of teams goes along into another team, and ends in the personal
    space. What it takes away counts at once, what it gives once v0 has agreed to that level."""
    is_of_teams = found.privacy in OF_TEAMS
    fields: dict[str, Any] = {"team": team, "offered_to": None}
    if is_of_teams and not (team and _has_agreed(found)):
        fields["privacy"] = Privacy.PRIVATE
        fields |= {"privacy_unsaid": team is None, "privacy_wanted": found.privacy if team else ""}
        fields["privacy_refused"] = ""
    elif team is None and found.privacy_wanted in OF_TEAMS:
        # v0 may have heard of it.
        fields |= {"privacy_wanted": "", "privacy_refused": "", "privacy_unsaid": True}
    new = fields.get("privacy_wanted") or fields.get("privacy", found.privacy)
    now = {"owner": found.owner_id, "team": found.team_id, "privacy": found.privacy}
    with transaction.atomic():
        rows = Chat.objects.filter(id=found.id, privacy_wanted=found.privacy_wanted, **now)
        if not rows.update(**fields, version=F("version") + 1):
            return False
        old, place = (each.name if each else "" for each in (found.team, team))
        note(request, Event.CHAT_MOVED, chat=found, team=team or found.team, old=old, new=place)
        if is_of_teams and team is None:
            note(
                request,
                Event.PRIVACY_CHANGED,
                chat=found,
                team=found.team,
                old=found.privacy,
                new=str(new),
            )
    return True


def _has_agreed(found: Chat) -> bool:
    """Whether v0 has the chat at the level that it has here."""
    return found.privacy_at_v0 == found.privacy and not found.privacy_unsaid


def _form(
    request: Request, found: Chat, teams: Sequence[Team], refusal: str = "", *, status: int = 200
) -> HttpResponse:
    context = {
        "offers": _offers(found, teams),
        "refusal": refusal,
        "guests": found.guests.count(),
        "becomes_private": found.privacy in OF_TEAMS,
        "has_agreed": _has_agreed(found),
        "stays_private": found.privacy == Privacy.PRIVATE,
    }
    return shown_act(request, found, "move", context, status=status)


def _offers(found: Chat, teams: Sequence[Team]) -> list[Offer]:
    """The personal space and each team, with who would begin and who would cease to see the chat."""
    own = [found.team] if found.team else []
    mates = spaces.mates([*teams, *own]) if found.privacy in OF_TEAMS else {}
    before = _people(mates, found.team, found)
    offers = []
    for team in (None, *teams):
        after = _people(mates, team, found)
        gains = [name for id, name in after.items() if id not in before]
        loses = [name for id, name in before.items() if id not in after]
        offers.append(Offer(team, team == found.team, gains, loses))
    return offers


def _people(mates: dict[int, list[Membership]], team: Team | None, found: Chat) -> dict[int, str]:
    """Who sees the chat as it is by being in this team, but for its owner."""
    people: list[Person] = [each.person for each in mates.get(team.pk, ())] if team else []
    return {each.pk: each.shown_name for each in people if each.pk != found.owner_id}
