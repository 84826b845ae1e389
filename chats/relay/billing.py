"""What answers cost, where v0 says it late: asked for a while after they ended, and compared with v0's bill once an hour.

Owns when v0 is asked. Relies on `chats.usage` for the ledger and the comparison; every request is a GET and
may be repeated, by several processes at once too: the last word about an answer wins.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from chats import usage
from chats.models import Entry, Message, Reconciliation
from chats.relay.threads import Threads
from chats.usage import budgets
from chats.usage.reconciliation import reconcile
from chats.v0api import errors, types
from chats.v0api.client import Client

logger = logging.getLogger(__name__)

# How long an answer whose cost v0 has not named is asked about; after that the bill tells.
ASKED_FOR = timedelta(hours=1)
# Of so many at most some at once, and not the same ones always.
MOST, AT_ONCE = 500, 20
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
# What the first comparison goes back, and the next ones before the end of the last: v0 may bill late.
FIRST, OVERLAP = timedelta(days=30), timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Untold:
    """An answer whose cost v0 has not named, with v0's own ids."""

    message: UUID
    v0_chat: str
    v0_message: str


class Billing:
    def __init__(self, client: Client, threads: Threads) -> None:
        self.client, self.threads = client, threads
        # When each answer is asked about again, and the pause after that.
        self._pauses: dict[UUID, tuple[float, float]] = {}

    async def look(self) -> None:
        """Ask about the answers whose cost is due, each time after twice as long."""
        found = await self.threads.read(untold)
        self._pauses = {each.message: self._pauses.get(each.message, (0, 0)) for each in found}
        now = time.monotonic()
        for each in [each for each in found if self._pauses[each.message][0] <= now][:AT_ONCE]:
            _, pause = self._pauses[each.message]
            pause = min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
            self._pauses[each.message] = time.monotonic() + pause, pause
            try:
                told = await self.client.get_message(each.v0_chat, each.v0_message)
            except errors.V0Error as error:
                logger.info("the cost of %s: %s", each.message, error)
            else:
                await self.threads.write(note, each.message, told)

    async def sweep(self) -> None:
        """Give back what was put aside for runs that were never settled."""
        await self.threads.write(budgets.sweep)

    async def compare(self) -> None:
        """Compare the ledger with v0's bill, if that is due and nobody else is at it."""
        since = await self.threads.read(due_since)
        if since is None:
            return
        try:
            await reconcile(self.client, self.threads, since)
        except errors.V0Error as error:
            logger.info("v0's bill cannot be read now: %s", error)


def untold() -> list[Untold]:
    """Those that ended last first."""
    since = timezone.now() - ASKED_FOR
    entries = Entry.objects.filter(is_told=False, ended_at__gte=since).exclude(v0_message="")
    ids = list(entries.order_by("-ended_at").values_list("message_id", flat=True)[:MOST])
    rows = Message.objects.filter(id__in=ids, chat__v0_id__isnull=False)
    named = {id: rest for id, *rest in rows.values_list("id", "chat__v0_id", "v0_id")}
    return [Untold(id, *(text or "" for text in named[id])) for id in ids if id in named]


def note(message: UUID, told: types.Message) -> None:
    """v0's word about what the answer used, if it says anything by now."""
    row = Message.objects.select_related("chat").filter(id=message).first()
    if row is not None and usage.is_told(told.usage):
        usage.hear(row, told.usage)


def due_since() -> datetime | None:
    """From when on the bill is to be compared now; None while it is not due."""
    now = timezone.now()
    if Reconciliation.objects.filter(is_open=True).exists():
        return now
    last = Reconciliation.objects.order_by("-ended_at").first()
    if last is None or last.ended_at is None:
        return now - FIRST
    pause = timedelta(seconds=settings.V0_RECONCILE_EVERY)
    return last.end - OVERLAP if last.ended_at < now - pause else None
