"""What an answer cost, in words.

Owns the sentence and the table behind it. Relies on the ledger's entries and its way of writing
credits; whether somebody may see them is the caller's question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from chats.models import Entry
from chats.usage import money


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    tokens: str
    credits: str


@dataclass(frozen=True, slots=True)
class Cost:
    """An entry in words: `summary` and the rows behind it."""

    summary: str
    model: str
    rows: tuple[Row, ...]


def exact(units: int) -> str:
    """Credits to their last digit: 42_100_000_000 is "0.0421"."""
    return f"{money.credits(units).normalize():,f}"


def cost(entry: Entry) -> Cost:
    kinds = (
        ("Input", entry.tokens_input, entry.credits_input),
        ("Output", entry.tokens_output, entry.credits_output),
        ("Cache read", entry.tokens_cache_read, entry.credits_cache_read),
        ("Cache write", entry.tokens_cache_write, entry.credits_cache_write),
        ("Total", entry.tokens_total, entry.credits_total),
    )
    rows = tuple(
        Row(name, f"{tokens:,}", exact(credits))
        for name, tokens, credits in kinds
        if name == "Total" or tokens or credits
    )
    summary = f"{money.shown(entry.credits_total)} credits · {entry.tokens_total:,} tokens"
    return Cost(summary, entry.model, rows)


def costs(answers: Iterable[UUID]) -> dict[UUID, Cost]:
    """The cost of each answer of which v0 has named one, in one query."""
    entries = Entry.objects.filter(message_id__in=list(answers), is_told=True)
    return {entry.message_id: cost(entry) for entry in entries}
