"""People who send, and a v0 that takes, ends, loses and bills their runs, without a wire between.

Owns the steps of a run as the relay takes them, by the relay's own functions, and the books: what counters
have to be by the entries and reservations that there are. Relies on rows alone, and on one database with
several threads as well as on a test's own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from uuid import UUID, uuid4

from django.db import connections
from django.db.models import Model
from django.utils import timezone

from chats.models import Billed, Chat, Counter, Entry, Message, Person, Reservation, Team
from chats.models.budgets import Scope
from chats.models.messages import IntentState
from chats.relay import billing, intents, store
from chats.relay.store import Job
from chats.usage import budgets, reconciliation
from chats.v0api import types
from chats.v0api.types import Number
from chats.v0api.usage import UsageSummary

CREDIT = 10**12
MODEL = "v0-mini"


def send(person: Person, chat: Chat | None = None) -> Message:
    payload = {"message": "Hello", "model": MODEL}
    if chat is None:
        return intents.create(person, uuid4(), payload)
    return intents.send(person, uuid4(), payload, chat)


def claim(holder: str = "test", limit: int = 20) -> list[Job]:
    return store.claim(holder, 600, limit)


def accept(job: Job) -> None:
    """v0 has it, and the answer runs."""
    store.posting(job)
    store.accepted(job, v0_chat=job.v0_chat or f"chat-{job.chat}", v0_answer=str(job.answer))


def end(job: Job, cost: int, reason: str = "stop") -> None:
    """v0 has ended the answer, and says what it cost; it does not say it for 0."""
    store.finish(job, said(job.answer, cost, reason), user=None)


def tell(answer: UUID, cost: int) -> None:
    """v0 says late, or anew, what an answer cost."""
    billing.note(answer, said(answer, cost))


def said(answer: UUID, cost: int, reason: str = "stop") -> types.Message:
    credits = {"total": Number(f"{Decimal(cost) / CREDIT:f}")}
    usage = {"tokens": {"total": Number("9")}, "creditsCost": credits, "model": MODEL}
    wire = {"id": str(answer), "role": "assistant", "content": "Done.", "finishReason": reason}
    return types.Message.from_wire({**wire, "parts": [], "usage": usage if cost else None})


def lose(job: Job) -> None:
    """v0 had taken it, and has it no more."""
    store.refused(job, state=IntentState.ACCEPTED, problem="gone")


def refuse(job: Job, state: str) -> None:
    """v0 said no, never got it, or nobody can tell."""
    store.posting(job)
    store.refused(job, state=state, problem="upstream")


def bill(costs: dict[UUID, int], *, waived: bool = False) -> None:
    """v0's bill names what these answers cost, and is compared with the ledger."""
    now = timezone.now()
    Billed.objects.bulk_create(
        [
            Billed(
                v0_id=f"event-{answer}",
                at=now - timedelta(hours=1),
                v0_message=str(answer),
                credits_total=cost,
                tokens_total=9,
                charged=0 if waived else cost,
                waived=waived,
            )
            for answer, cost in costs.items()
        ],
        update_conflicts=True,
        unique_fields=["v0_id"],
        update_fields=["at", "credits_total", "charged", "waived"],
    )
    run = reconciliation.begin(now - timedelta(days=1))
    if run is not None:
        reconciliation.settle(run, UsageSummary.from_wire({"daily": []}))


# The books


def check_books() -> None:
    """Each counter is what the entries and the reservations of its own say, and nothing is owed."""
    rows = {each.name: each for each in Counter.objects.all()}
    spent, reserved = _spent(), _reserved()
    assert set(spent) | set(reserved) <= set(rows)
    for name, row in rows.items():
        assert (name, row.reserved) == (name, reserved.get(name, 0))
        assert min(row.day_spent, row.month_spent, row.reserved) >= 0, name
        if not _is_there(name):
            # What is gone is named by no entry any more.
            continue
        of_it = spent.get(name, [])
        day = sum(cost for on, cost in of_it if on == row.day)
        month = sum(cost for on, cost in of_it if on.replace(day=1) == row.month)
        assert (name, row.day_spent, row.month_spent) == (name, day, month)


def _is_there(name: str) -> bool:
    scope, _, key = name.partition(" ")
    kinds: dict[str, type[Model]] = {Scope.CHAT: Chat, Scope.TEAM: Team, Scope.PERSON: Person}
    return scope == Scope.INSTALLATION or kinds[scope]._base_manager.filter(pk=key).exists()


def _spent() -> dict[str, list[tuple[date, int]]]:
    found: dict[str, list[tuple[date, int]]] = {}
    for entry in Entry.objects.all():
        assert entry.counted == entry.credits_total
        if entry.counted_on is None or not entry.counted:
            continue
        for name in budgets._names(entry.person_id, entry.team_id, entry.chat_id):
            found.setdefault(name, []).append((entry.counted_on, entry.counted))
    return found


def _reserved() -> dict[str, int]:
    found: dict[str, int] = {}
    for held in Reservation.objects.all():
        for name in budgets._names(held.person, held.team, held.chat):
            found[name] = found.get(name, 0) + held.credits
    return found


def used(scope: str, key: object = "") -> int:
    """What is spent today and put aside of a counter."""
    row = Counter.objects.filter(name=f"{scope} {key}".strip()).first()
    return row.day_spent + row.reserved if row else 0


# At once


def at_once(works: Sequence[Callable[[], None]]) -> None:
    """Each in a thread with a connection of its own, all let go at the same moment; what one of them raises
    is raised here."""
    together = Barrier(len(works))
    raised: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            connections["default"].ensure_connection()
            together.wait()
            work()
        except BaseException as error:
            raised.append(error)
            # Nobody waits for it at the start.
            together.abort()
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
