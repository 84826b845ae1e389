"""Compare the ledger with v0's bill, and say what is different and why.

Owns its arguments and what it prints. Relies on `chats.usage.reconciliation`, which it runs by itself beside a
server that may be up; reads at v0 only.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chats.models import Reconciliation
from chats.relay.billing import FIRST
from chats.relay.relay import REVISIONS
from chats.relay.threads import Threads
from chats.usage import money
from chats.usage.reconciliation import differences, reconcile, totals
from chats.v0api import errors
from chats.v0api.client import Client

MOST = 1000


class Command(BaseCommand):
    help = (
        "Compare what the ledger has with what v0 billed, correct the ledger by it, and list what is"
        " left. Safe to repeat; one that was broken off is gone on with."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            type=_day,
            metavar="YYYY-MM-DD",
            help="from this day on, in UTC; the last 30 days without it",
        )

    def handle(self, *args: Any, since: datetime | None, **options: Any) -> None:
        try:
            run = asyncio.run(_reconcile(since or timezone.now() - FIRST))
        except errors.V0Error as error:
            raise CommandError(
                f"v0's bill cannot be read: {error}. What was read is kept; the next run goes on there."
            ) from error
        if run is None:
            raise CommandError("Another process compares the ledger with v0's bill right now.")
        self._print(run)

    def _print(self, run: Reconciliation) -> None:
        say = self.stdout.write
        say(f"From {run.start:%Y-%m-%d %H:%M} to {run.end:%Y-%m-%d %H:%M} UTC, in credits:")
        found = totals(run.start, run.end)
        for name, amount in (
            ("in the ledger", found.ledger),
            ("billed by v0, and in the ledger", found.billed_here),
            ("billed by v0, and not in the ledger", found.billed_elsewhere),
            ("charged for both", found.charged_here + found.charged_elsewhere),
            ("v0's own sum", run.summary_total or 0),
        ):
            say(f"  {money.credits(amount):>24,f}  {name}")
        say(f"  of {run.as_of or 'now'}; {run.added} entries added, {run.corrected} corrected")
        number = 0
        for number, each in enumerate(differences(run.start, run.end), start=1):
            if number <= MOST:
                what = f"{money.credits(each.credits):f} credits, {each.event or each.v0_message}"
                say(f"{each.at:%Y-%m-%d %H:%M:%S}  {what}: {each.cause}")
        say(f"{number} differences" if number != 1 else "1 difference")


async def _reconcile(since: datetime) -> Reconciliation | None:
    revision = cast("REVISIONS", settings.V0_API_REVISION)
    client = Client(settings.V0_BASE_URL, settings.V0_API_KEY, revision=revision)
    threads = Threads(readers=1)
    try:
        return await reconcile(client, threads, since)
    finally:
        await client.aclose()
        await asyncio.get_running_loop().run_in_executor(None, threads.close)


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
