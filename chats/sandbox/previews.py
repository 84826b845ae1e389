"""Previews: a machine for each chat that somebody looked at, and the tokens that open it.

Owns which machines run and until when each token holds. Relies on the clock. Nothing is kept: when
the sandbox ends, its machines are gone, as v0's are after a while.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

HOLDS = timedelta(minutes=10)
"""How long a token opens a preview."""
REFRESH_BEFORE = timedelta(minutes=1)
"""A token that ends sooner is replaced by the next that is asked for."""
STARTS_IN = 3.0
"""Seconds until a machine answers, at pace 1."""


@dataclass(slots=True)
class Token:
    ends: datetime
    text: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def left(self) -> timedelta:
        return self.ends - datetime.now(UTC)

    def opens_for(self, text: str) -> bool:
        same = secrets.compare_digest(self.text.encode(), text.encode("utf-8", "replace"))
        return same and self.left > timedelta(0)


@dataclass(slots=True)
class Machine:
    ready_at: float
    tokens: list[Token] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        return time.monotonic() >= self.ready_at


class Previews:
    def __init__(self) -> None:
        self._machines: dict[str, Machine] = {}

    def token(self, chat_id: str, pace: float) -> Token | None:
        """Starts the machine when there is none; None while it is starting."""
        machine = self._machines.get(chat_id)
        if machine is None:
            self._machines[chat_id] = Machine(time.monotonic() + STARTS_IN * pace)
            return None
        if not machine.is_running:
            return None
        machine.tokens = [token for token in machine.tokens if token.left > timedelta(0)]
        if not machine.tokens or machine.tokens[-1].left < REFRESH_BEFORE:
            machine.tokens.append(Token(datetime.now(UTC) + HOLDS))
        return machine.tokens[-1]

    def is_running(self, chat_id: str) -> bool:
        machine = self._machines.get(chat_id)
        return machine is not None and machine.is_running

    def admitted(self, chat_id: str, text: str) -> Token | None:
        """The token with this text, while it holds."""
        machine = self._machines.get(chat_id)
        if machine is None or not machine.is_running:
            return None
        return next((token for token in machine.tokens if token.opens_for(text)), None)

    def expire(self, chat_id: str) -> None:
        """Ends every token of a chat now."""
        if chat_id in self._machines:
            self._machines[chat_id].tokens.clear()

    def stop(self, chat_id: str) -> None:
        self._machines.pop(chat_id, None)
