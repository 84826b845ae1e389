"""The wish to stop an answer, written down once; the relay tells v0 and says how it ended.

Owns who may be the one to wish it: a person, or a budget that is used up while `Levers.stops_runs` is on. v0 names
what an answer cost only at its end, so it is always by other runs that a limit is used up while one is on; what
is stopped costs what it has cost until then. Each answer is stopped for a budget once, and one that was sent after
its limit was raised is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chats.models import Levers, Message, Person, Reservation
from chats.models.chats import hold
from chats.models.messages import LIVE, StopReason
from chats.relay import store
from chats.usage import budgets
from chats.usage.budgets import Spender


def ask(answer: Message, asker: Person) -> bool:
    """Whether this was the first wish to stop a running answer."""
    return _ask(answer.id, answer.chat_id, by=asker)


def over_budget(holder: str) -> list[tuple[UUID, UUID]]:
    """Answers held here, each with its chat, that a used-up limit counts for and nobody has asked to stop. One
    query while runs are not stopped by budgets."""
    if not Levers.current().stops_runs:
        return []
    # Before the limits are read: a run that begins later may have begun because one was raised.
    running = Message.objects.filter(
        role="assistant",
        state__in=LIVE,
        holder=holder,
        stop_asked_at=None,
        stop_reason="",
        intent__kind__in=budgets.RUNS,
    )
    rows = list(
        running.values_list("id", "chat_id", "chat__team_id", "intent__person_id", "intent__id")
    )
    # A chat may have moved since: what counts is where it was sent.
    held = Reservation.objects.filter(intent__in=[intent for *_, intent in rows])
    teams = dict(held.values_list("intent", "team"))
    spenders = {
        (id, chat): Spender(person, teams.get(intent, team), chat)
        for id, chat, team, person, intent in rows
    }
    over = budgets.over_spent(set(spenders.values()), timezone.now())
    return [answer for answer, spender in spenders.items() if spender in over]


def ask_for_budget(answers: Iterable[tuple[UUID, UUID]]) -> list[UUID]:
    """Write that wish down for each that nobody was faster with; the chats that changed."""
    return [chat for id, chat in answers if _ask(id, chat, reason=StopReason.BUDGET)]


def _ask(answer: UUID, chat: UUID, *, by: Person | None = None, reason: str = "") -> bool:
    waiting = Message.objects.filter(id=answer, state__in=LIVE, stop_asked_at=None)
    with transaction.atomic():
        hold([chat])
        if not waiting.update(stop_asked_at=timezone.now(), stop_asked_by=by, stop_reason=reason):
            return False
        store.bump(chat)
    return True
