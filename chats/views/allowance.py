"""What may still be spent where somebody writes: warnings above the composer, what a message usually costs, and
what a chat has cost so far.

Owns these fragments, on the page and as they are fetched again. Relies on `chats.usage` for limits and amounts, and
on permissions for who may know them; it never refuses anything, which the transaction of a send does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Chat, Entry, Levers, Limit, Person, Team
from chats.models.budgets import Scope
from chats.permissions import Action
from chats.permissions.amounts import may_know
from chats.usage import budgets, money, reports, words
from chats.usage.refusals import Standing
from chats.usage.typical import typical
from chats.v0api.types import DEFAULT_MODEL
from chats.views.access import Request, signed_in
from chats.views.costs import exact


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone` is "danger" where nothing can be sent, else "warn"."""

    words: str
    tone: str


def in_chat(request: HttpRequest, found: Chat, allowed: Collection[Action]) -> dict[str, Any]:
    """The context of `chats/_allowance.html` for who may send in the chat, and of `chats/_spent.html` for who
    sees what it cost."""
    person = request.user
    may_send, sees_cost = Action.SEND in allowed, Action.SEE_COST in allowed
    if not isinstance(person, Person) or not (may_send or sees_cost):
        return {"allowance": []}
    applied = budgets.standings(person, found)
    return {
        "allowance": _notices(request, person, applied, allowed) if may_send else [],
        "spent": spent(found, applied) if sees_cost else None,
    }


def of_new(request: HttpRequest, person: Person, team: Team | None) -> dict[str, Any]:
    """As `in_chat`, for a new chat."""
    applied = budgets.applying(person, team.pk if team else None, None, timezone.now())
    return {"allowance": _notices(request, person, applied, ())}


def _notices(
    request: HttpRequest,
    person: Person,
    applied: Sequence[Standing],
    allowed: Collection[Action],
) -> list[Notice]:
    held = Levers.current()
    if held.is_closed:
        said = f"Nothing can be sent now. {words.CLOSED} {held.closed_words}"
        return [Notice(said.strip(), "danger")]
    roles = {held.team_id: held.role for held in permissions.memberships(request)}

    def knows(limit: Limit) -> bool:
        return may_know(person, limit, roles, sees_cost=Action.SEE_COST in allowed)

    for each in applied:
        if each.is_used_up:
            who = words.raised_by(each, is_staff=person.is_staff, manages=Action.MANAGE in allowed)
            why = words.used_up(each, knows_amounts=knows(each.limit))
            return [Notice(f"Nothing can be sent now. {why} {words.anew(each)} {who}", "danger")]
    near = [each for each in applied if each.is_near and knows(each.limit)]
    return [Notice(words.near(each), "warn") for each in near]


def spent(found: Chat, applied: Sequence[Standing]) -> dict[str, Any]:
    """What all answers of the chat have cost so far, and what is left of its own budgets."""
    total = reports.in_all(Entry.objects.filter(chat=found)).credits
    own = [each for each in applied if each.limit.scope == Scope.CHAT]
    return {"total": money.shown(total), "exact": exact(total), "left": [*map(words.left, own)]}


def usual_of(person: Person, model: str) -> str:
    return words.usual(typical(person.pk, model), model)


@require_safe
@signed_in
def usual(request: Request, person: Person) -> HttpResponse:
    """What a message to the model that was just chosen usually costs."""
    model = permissions.model(request.GET.get("model")) or DEFAULT_MODEL
    response = render(request, "chats/_usual.html", {"usual": usual_of(person, model)})
    response["Cache-Control"] = "no-store"
    return response
