"""Entries of the ledger. Owns how the usage of one answer is written down: once, the last word wins."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from chats.models import Entry, Intent, Message
from chats.usage.money import LARGEST, MoneyError, units
from chats.v0api.types import Amounts, Usage

KINDS = ("input", "output", "cache_read", "cache_write", "total")
FIGURES = (
    *(f"tokens_{kind}" for kind in KINDS),
    *(f"credits_{kind}" for kind in KINDS),
    "model",
    "outcome",
    "started_at",
    "ended_at",
)

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


def _upsert(entry: Entry) -> Entry:
    Entry.objects.bulk_create(
        [entry], update_conflicts=True, unique_fields=["message_id"], update_fields=FIGURES
    )
    return entry


def _told(usage: Usage, key: UUID) -> dict[str, Any]:
    return {
        "model": usage.model[:60],
        **_figures("tokens", usage.tokens, key),
        **_figures("credits", usage.credits, key),
    }


def _figures(of: str, amounts: Amounts, key: UUID) -> dict[str, int]:
    held = _tokens if of == "tokens" else units
    figures = {}
    for kind in KINDS:
        try:
            figures[f"{of}_{kind}"] = held(getattr(amounts, kind))
        except MoneyError:
            log.error("%s_%s of message %s cannot be held", of, kind, key)
            figures[f"{of}_{kind}"] = 0
    return figures


def _tokens(amount: Decimal) -> int:
    if not amount.is_finite() or not 0 <= amount <= LARGEST:
        raise MoneyError(str(amount))
    return int(amount)
