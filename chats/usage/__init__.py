"""The ledger: tokens and credits per answer, and per chat that was made without one.

Owns the conversion of v0's usage into stored whole numbers, and the entries: one per answer, keyed by
the message's id (an intent's for a chat of files), so that usage that comes late, twice or corrected is
counted once; `reconciliation` holds them against v0's bill, `budgets` holds runs against limits. An answer has
its entry once v0 has it, or may have it; what was refused or never sent has none, and cost nothing.
Relies on models and `v0api`, and never on views, the relay or rendering.
"""

from chats.usage.ledger import hear, is_told, note_restored, record, record_created
from chats.usage.money import MoneyError, credits, shown, units  # noqa: A004
from chats.usage.refusals import Refused

__all__ = [
    "MoneyError",
    "Refused",
    "credits",
    "hear",
    "is_told",
    "note_restored",
    "record",
    "record_created",
    "shown",
    "units",
]
