"""Many entries of the ledger, some at a time.

Owns how all of them are read in memory that does not grow with their number: each chunk is a query of its own that
begins after the last of the one before, by the index of time, so that nothing is open between two of them, however
slowly they are taken. Relies on models alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from chats.models import Entry

SIZE = 500


def newest_first(entries: QuerySet[Entry], size: int = SIZE) -> Iterator[list[Entry]]:
    """At most `size` of them at a time, none twice."""
    ordered = entries.order_by("-ended_at", "-pk")
    rows = ordered
    while chunk := list(rows[:size]):
        yield chunk
        if len(chunk) < size:
            return
        last = chunk[-1]
        # The first condition is the index's, the second is for those of the same moment.
        rows = ordered.filter(ended_at__lte=last.ended_at)
        rows = rows.exclude(ended_at=last.ended_at, pk__gte=last.pk)
