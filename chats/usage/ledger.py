"""Entries of the ledger. Owns how the usage of one answer is written down: once, the last word wins."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from chats.models import Entry, Intent, Message
from chats.models.messages import MessageState
from chats.usage.money import LARGEST, MoneyError, units
from chats.v0api.types import Amounts, Usage

KINDS = ("input", "output", "cache_read", "cache_write", "total")
FIGURES = (
    *(f"tokens_{kind}" for kind in KINDS),
    *(f"credits_{kind}" for kind in KINDS),
    "model",
    "outcome",
    "is_told",
    "v0_message",
    "waited",
    "started_at",
    "ended_at",
)
AWAY = "restored-away"

log = logging.getLogger(__name__)


def record(message: Message, usage: Usage, outcome: str) -> Entry:
    """Write what an answer used, in one upsert: again for the same message replaces the figures.

    Who asked, how, the chat and its team are kept from the first time, since a chat that moves later does
    not move what was spent. `outcome` is the answer's state. A figure that no column can hold is
    written as 0 and logged: an odd number from outside must not keep an answer from ending.
    """
    intent = Intent.objects.filter(answer=message).only("person", "delivery").first()
    return _upsert(
        Entry(
            message_id=message.pk,
            person_id=intent.person_id if intent else None,
            delivery=intent.delivery if intent else "",
            team_id=message.chat.team_id,
            chat_id=message.chat_id,
            outcome=outcome[:20],
            v0_message=message.v0_id,
            is_told=is_told(usage),
            waited=_waited(message),
            started_at=message.created_at,
            ended_at=message.ended_at or timezone.now(),
            **_told(usage, message.pk),
        )
    )


def record_created(intent: Intent, usage: Usage) -> Entry | None:
    """Write what a chat cost that was made without a message, keyed by its intent; None for nothing."""
    if not usage.tokens.total and not usage.credits.total:
        return None
    return _upsert(
        Entry(
            message_id=intent.pk,
            person_id=intent.person_id,
            team_id=intent.chat.team_id,
            chat_id=intent.chat_id,
            outcome="created",
            started_at=intent.posted_at,
            ended_at=timezone.now(),
            **_told(usage, intent.pk),
        )
    )


def is_told(usage: Usage) -> bool:
    """Whether v0 has said what was used: before it knows, and where it never says, all of it is zero."""
    return bool(usage.tokens.total or usage.credits.total)


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
    away = set(states) - standing
    Entry.objects.filter(message_id__in=away).update(outcome=AWAY)
    for entry in Entry.objects.filter(message_id__in=standing, outcome=AWAY):
        Entry.objects.filter(pk=entry.pk).update(outcome=states[entry.message_id])


def _waited(message: Message) -> int:
    since = message.waited_since
    return max(0, int((message.created_at - since).total_seconds())) if since else 0


def _upsert(entry: Entry) -> Entry:
    Entry.objects.bulk_create(
        [entry], update_conflicts=True, unique_fields=["message_id"], update_fields=FIGURES
    )
    return entry


def _told(usage: Usage, key: UUID) -> dict[str, Any]:
    return {
        "model": usage.model[:60],
        **figures("tokens", usage.tokens, key),
        **figures("credits", usage.credits, key),
    }


def figures(of: str, amounts: Amounts, key: object) -> dict[str, int]:
    """The five columns of `of`, "tokens" or "credits"."""
    held = _tokens if of == "tokens" else units
    return {
        f"{of}_{kind}": figure(getattr(amounts, kind), f"{of}_{kind} of {key}", held)
        for kind in KINDS
    }


def figure(amount: Decimal, name: str, held: Callable[[Decimal], int] = units) -> int:
    """0, and an error in the log, for what no column can hold."""
    try:
        return held(amount)
    except MoneyError:
        log.error("%s cannot be held", name)
        return 0


def _tokens(amount: Decimal) -> int:
    if not amount.is_finite() or not 0 <= amount <= LARGEST:
        raise MoneyError(str(amount))
    return int(amount)
