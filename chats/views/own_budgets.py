"""One's own budgets on the page of one's usage: every limit that counts for somebody, wherever they write.

Owns their names and their order. How far a limit is used is shown to those who may know it; of others it is said
only that nothing more, or not much more, can be spent. Relies on `chats.usage.budgets` and on permissions.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone

from chats import permissions
from chats.models import Limit, Membership, Person
from chats.models.budgets import Scope
from chats.permissions.amounts import may_know
from chats.usage import budgets, words
from chats.usage.refusals import Standing
from chats.views.meters import Meter, meter

ORDER = (Scope.PERSON, Scope.ROLE, Scope.TEAM, Scope.INSTALLATION)


@dataclass(frozen=True, slots=True)
class OwnBudget:
    """`meter` is None where whoever asks may not know the amounts; then `words` say how it stands."""

    name: str
    meter: Meter | None
    words: str


def own_budgets(request: HttpRequest, person: Person) -> list[OwnBudget]:
    """One's own first; in three queries, and one without limits."""
    held = permissions.memberships(request)
    roles = {each.team_id: each.role for each in held}
    found = budgets.of_person(person, roles, timezone.now())
    found.sort(key=lambda each: (ORDER.index(Scope(each.limit.scope)), each.limit.period))
    told = (_told(person, each, roles, held) for each in found)
    return [each for each in told if each.meter or each.words]


def _told(
    person: Person, standing: Standing, roles: dict[int, str], held: list[Membership]
) -> OwnBudget:
    name = _name(standing.limit, held)
    if may_know(person, standing.limit, roles, sees_cost=False):
        return OwnBudget(name, meter(standing), "")
    when = words.WHEN[standing.limit.period]
    if standing.is_used_up:
        return OwnBudget(name, None, f"Used up {when}. {words.anew(standing)}")
    return OwnBudget(name, None, f"Nearly used up {when}." if standing.is_near else "")


def _name(limit: Limit, held: list[Membership]) -> str:
    match limit.scope:
        case Scope.PERSON:
            return "You"
        case Scope.ROLE if limit.key == Limit.PERSONAL:
            return "You, in your own space and as a guest"
        case Scope.ROLE:
            teams = [each.team.name for each in held if each.role == limit.key]
            return f"You, as {limit.key} of {', '.join(teams)}"
        case Scope.TEAM:
            team = next(each.team for each in held if str(each.team_id) == limit.key)
            return f"The team {team.name}"
        case _:
            return "This installation"
