"""How v0 has answered this process lately, and how it is noticed that it answers again.

Owns what is told of it: since when it fails, how it failed last, when it last answered. Relies on
the client, which notes the outcome of each call, and asks by itself only while v0 fails: the cheapest
GET there is, a page of one chat. An answer that refuses (a limit, a right, a chat that is gone) is an
answer: only what says that v0 cannot be used counts. Each process knows of its own calls alone, so
that two may tell different things for a moment; pages that show a failure ask again by themselves.

    NotSent      v0 cannot be reached            ServerError   it has errors of its own
    InDoubt      it gives no answer, or no       Redirected    it is not at this address
                 answer that is v0's             Unauthorized  it does not take the key
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from chats.v0api import errors
from chats.v0api.client import Client

logger = logging.getLogger(__name__)

DOWN = (
    errors.NotSent,
    errors.InDoubt,
    errors.ServerError,
    errors.Redirected,
    errors.Unauthorized,
)
# One failure may be one request's own; it is told of when the next call has failed, too.
LEAST = 2


@dataclass(frozen=True, slots=True)
class Health:
    """`failing_since` is None while v0 answers; `failures` count the calls since then in a row.

    `error` is the problem code of the last failure ("unsent", "unknown", "upstream" for v0 being
    down, "unauthorized" for a key that it does not take), "" when the last call went well; `kind`
    names its class and status, for who runs this installation.
    """

    failing_since: datetime | None = None
    failures: int = 0
    error: str = ""
    last_success: datetime | None = None
    kind: str = ""

    @property
    def trouble(self) -> str:
        """What people are told of: the code of the last failure once there were enough, else ""."""
        return self.error if self.failures >= LEAST else ""

    def after(self, outcome: errors.V0Error | None) -> Health:
        """The health after one more call, whose error is `outcome`."""
        now = timezone.now()
        if not isinstance(outcome, DOWN):
            return Health(last_success=now)
        status = f" {outcome.status}" if outcome.status is not None else ""
        return replace(
            self,
            failing_since=self.failing_since or now,
            failures=self.failures + 1,
            error=outcome.problem,
            kind=f"{type(outcome).__name__}{status}",
        )


@dataclass(frozen=True, slots=True)
class KeyTrouble:
    """How the key itself fails, as a class of errors, and when it did last; "" while it does not."""

    kind: str = ""
    last_at: datetime | None = None


class Watch:
    """The Health of this process; `changed` is called when what people are told of it changes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.health = Health()
        self._changed = changed

    def note(self, outcome: errors.V0Error | None) -> None:
        before = self.health.trouble
        self.health = self.health.after(outcome)
        if self.health.trouble != before:
            logger.warning("v0: %s", self.health.kind or "answers again")
            self._changed()

    async def probe_forever(self, client: Client) -> None:
        """Ask, while v0 fails, whether it answers: nobody else may want anything of it.

        Not all processes at the same moment, and the next one only after the last has its answer.
        """
        while True:
            spread = random.uniform(0.75, 1.25)  # noqa: S311
            await asyncio.sleep(settings.V0_HEALTH_EVERY * spread)
            if self.health.failing_since is None:
                continue
            try:
                await client.list_chats(limit=1)
            except errors.V0Error as error:
                logger.info("v0 still fails: %s", error)
