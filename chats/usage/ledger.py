"""Entries of the ledger. Owns how the usage of one answer is written down: once, the last word wins.

Relies on `budgets`, which counts each change of an entry in the transaction that makes it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from chats.models import Entry, Intent, Message
from chats.models.messages import MessageState
from chats.usage import budgets
from chats.usage.money import PLACES, MoneyError, units
from chats.v0api.types import Amounts, Usage

KINDS = ("input", "output", "cache_read", "cache_write", "total")
# What any word about an answer says anew, and what only one that names its cost does.
STANDING = ("outcome", "v0_message", "waited", "started_at", "ended_at")
FIGURES = (
    *(f"tokens_{kind}" for kind in KINDS),
    *(f"credits_{kind}" for kind in KINDS),
    *("model", "is_told"),
    *STANDING,
)
AWAY = "restored-away"
# More than one answer can use, and so little that no sum over what a column holds becomes too large for one.
MOST_CREDITS, MOST_TOKENS = 1_000_000 * 10**PLACES, 10**12

log = logging.getLogger(__name__)


def record(message: Message, usage: Usage, outcome: str) -> Entry:
    """Write what an answer used, in one upsert: again for the same message replaces the figures, unless
    v0 says nothing of the cost this time. The budgets are settled by it.

    Who asked, how, for which model, the chat and its team are kept from the first time, since a chat that
    moves later does not move what was spent. `outcome` is the answer's state. A figure that no answer can
    have is written as 0 and logged: an odd number from outside must not keep an answer from ending.
    """
    told = is_told(usage)
    intent = Intent.objects.filter(answer=message).only("person", "delivery", "payload").first()
    asked = intent.payload.get("model", "") if intent else ""
    return _write(
        Entry(
            message_id=message.pk,
            person_id=intent.person_id if intent else None,
            delivery=intent.delivery if intent else "",
            asked=asked[:60],
            team_id=budgets.team_of(intent, message.chat) if intent else message.chat.team_id,
            chat_id=message.chat_id,
            outcome=outcome[:20],
            v0_message=message.v0_id,
            is_told=told,
            waited=_waited(message),
            started_at=message.created_at,
            ended_at=message.ended_at or timezone.now(),
            **_told(usage, message.pk, asked),
        ),
        intent,
        FIGURES if told else STANDING,
    )


def hear(message: Message, usage: Usage) -> None:
    """v0 says once more what has become of an answer, and perhaps by now what it used: that counts only
    where nothing was known, since its bill may have said more."""
    entry = Entry.objects.filter(message_id=message.pk).only("is_told", "outcome").first()
    is_known = entry is not None and entry.is_told
    is_away = entry is not None and entry.outcome == AWAY
    record(message, Usage() if is_known else usage, AWAY if is_away else message.state)


def record_created(intent: Intent, usage: Usage) -> Entry | None:
    """Write what a chat cost that was made without a message, keyed by its intent; None for nothing."""
    if not usage.tokens.total and not usage.credits.total:
        return None
    return _write(
        Entry(
            message_id=intent.pk,
            person_id=intent.person_id,
            team_id=intent.chat.team_id,
            chat_id=intent.chat_id,
            outcome="created",
            started_at=intent.posted_at,
            ended_at=timezone.now(),
            **_told(usage, intent.pk),
        ),
        intent,
        FIGURES,
    )


def is_told(usage: Usage) -> bool:
    """Whether v0 has said what was used: before it knows, and where it never says, all of it is zero. What
    no answer can cost is not said."""
    try:
        cost(usage.credits.total)
    except MoneyError:
        return False
    return usage.is_priced and bool(usage.tokens.total or usage.credits.total)


def note_restored(chat: UUID) -> None:
    """Makes the outcome of a chat's answers say which of them the last restore has left behind.

    An answer stands on those before it; a restore to it leads back to just these. Who restores again to
    what was left behind has it back.
    """
    rows = Message.objects.filter(chat=chat, role="assistant").order_by("position")
    stood_on: dict[str, frozenset[UUID]] = {}
    standing: frozenset[UUID] = frozenset()
    states: dict[UUID, str] = {}
    for id, state, restored in rows.values_list("id", "state", "restored"):
        target = stood_on.get(str(restored.get("message"))) if restored else None
        if target is not None and state == MessageState.FINISHED:
            standing = target
        states[id] = state
        standing |= {id}
        stood_on[str(id)] = standing
    is_away = Q(message_id__in=set(states) - standing)
    wrong = (is_away & ~Q(outcome=AWAY)) | (~is_away & Q(message_id__in=states, outcome=AWAY))
    # In one order, since others may be at several of them.
    for row, message in Entry.objects.filter(wrong).order_by("pk").values_list("pk", "message_id"):
        Entry.objects.filter(pk=row).update(
            outcome=states[message] if message in standing else AWAY
        )


def _waited(message: Message) -> int:
    since = message.waited_since
    return max(0, int((message.created_at - since).total_seconds())) if since else 0


def _write(entry: Entry, intent: Intent | None, fields: Sequence[str]) -> Entry:
    """The entry, and the budgets of the person, team and chat that it was first written for."""
    with transaction.atomic():
        Entry.objects.bulk_create(
            [entry], update_conflicts=True, unique_fields=["message_id"], update_fields=fields
        )
        budgets.count(entry.message_id, intent.pk if intent else None)
    return entry


def _told(usage: Usage, key: UUID, asked: str = "") -> dict[str, Any]:
    return {
        "model": (usage.model or asked)[:60],
        **figures("tokens", usage.tokens, key, count),
        **figures("credits", usage.credits, key, cost),
    }


def figures(
    of: str, amounts: Amounts, key: object, held: Callable[[Decimal], int]
) -> dict[str, int]:
    """The five columns of `of`, "tokens" or "credits", as `held` keeps them."""
    return {
        f"{of}_{kind}": figure(getattr(amounts, kind), f"{of}_{kind} of {key}", held)
        for kind in KINDS
    }


def figure(amount: Decimal, name: str, held: Callable[[Decimal], int]) -> int:
    """0, and an error in the log, for what cannot be."""
    try:
        return held(amount)
    except MoneyError:
        log.error("%s cannot be held", name)
        return 0


def amount(of: Decimal) -> int:
    """Credits that an event of a bill can be about, a refund too. Raises MoneyError for others."""
    held = units(of)
    if abs(held) > MOST_CREDITS:
        raise MoneyError(str(of))
    return held


def cost(of: Decimal) -> int:
    """Credits that an answer can cost. Raises MoneyError for others: none costs less than nothing."""
    held = amount(of)
    if held < 0:
        raise MoneyError(str(of))
    return held


def count(of: Decimal) -> int:
    """Tokens that an answer can use. Raises MoneyError for others."""
    if not of.is_finite() or not 0 <= of <= MOST_TOKENS:
        raise MoneyError(str(of))
    return int(of)
