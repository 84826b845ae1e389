"""The books: what was posted, what was charged and to which credits, and who was active when.

Owns the ledger, the billing events and the log of answers, which all outlive the chats they speak
of. Relies on `database` and on `rates` for amounts. A world's credits of the month go first; what
is more than they hold is on demand. Amounts are kept as whole picocredits, so sums are exact.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from chats.sandbox import rates, wire
from chats.sandbox.database import Database, packed

Json = Any
Wire = dict[str, Json]

PLACES = 12
PICO = Decimal(10) ** PLACES
COUNTS = ("posts", "user_messages", "stops", "resolves")


@dataclass(frozen=True, slots=True)
class Bill:
    """What one answer cost: (type, `usage`) for each kind of work, whose sum the message tells.

    A waived one is free. `author` is who asked.
    """

    author: str
    model: str
    lines: list[tuple[str, Wire]] = field(default_factory=list)
    waived: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Which rows of the books: from `start` up to before `end`, of all or of these."""

    start: str
    end: str
    author: str | None = None
    chat: str | None = None
    message: str | None = None

    def check(self) -> None:
        """Raises `TypeError` when it was made of anything but text."""
        values = (self.start, self.end, self.author or "", self.chat or "", self.message or "")
        if not all(isinstance(value, str) for value in values):
            raise TypeError

    def condition(self) -> tuple[str, list[str]]:
        wanted = {"author": self.author, "chat": self.chat, "message": self.message}
        given = {column: value for column, value in wanted.items() if value is not None}
        words = "".join(f" AND {column} = ?" for column in given)
        return f"at >= ? AND at < ?{words}", [self.start, self.end, *given.values()]


def in_credits(pico: int) -> Decimal:
    return rates.plain(Decimal(pico).scaleb(-PLACES))


class Books:
    def __init__(self, database: Database) -> None:
        self._database = database

    # The ledger

    def count(self, world: str, chat_id: str, what: str, by: int = 1) -> None:
        assert what in (*COUNTS, "picocredits")
        with self._database.transaction():
            self._database.run(
                f"INSERT INTO ledger (world, chat, {what}) VALUES (?, ?, ?)"  # noqa: S608
                f" ON CONFLICT DO UPDATE SET {what} = {what} + excluded.{what}",
                world,
                chat_id,
                by,
            )

    def adopt_post(self, world: str, chat_id: str) -> None:
        """The POST that made a chat counts as the chat's."""
        with self._database.transaction():
            self.count(world, "", "posts", -1)
            self.count(world, chat_id, "posts")

    def ledger(self, world: str | None) -> list[sqlite3.Row]:
        """One row for each world and chat; the chat "" is for requests that made none."""
        return self._database.rows(
            "SELECT * FROM ledger WHERE ? IS NULL OR world = ? ORDER BY rowid", world, world
        )

    # Credits

    def set_plan(self, world: str, amount: Decimal) -> None:
        """How many credits a month's plan of this world includes."""
        with self._database.transaction():
            self._database.run(
                "INSERT INTO plans VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET picocredits = excluded.picocredits",
                world,
                int(amount * PICO),
            )

    def plan_left(self, world: str, at: str) -> int:
        """Picocredits of the plan that are left in the month (UTC) of `at`."""
        row = self._database.row("SELECT picocredits FROM plans WHERE world = ?", world)
        included = int(row["picocredits"]) if row else int(rates.PLAN_CREDITS * PICO)
        used = self._database.number(
            "SELECT ifnull(sum(plan), 0) FROM usage WHERE world = ? AND at >= ? AND at <= ?",
            world,
            at[:7],
            at,
        )
        return max(0, included - used)

    def charge(self, world: str, message: Wire, bill: Bill) -> None:
        chat_id, at = message["chatId"], message["updatedAt"]
        with self._database.transaction():
            for type, usage in bill.lines:
                pico = int(usage["creditsCost"]["total"] * PICO)
                self.count(world, chat_id, "picocredits", pico)
                due = 0 if bill.waived else pico
                from_plan = min(due, self.plan_left(world, at))
                self._database.run(
                    "INSERT INTO usage (id, world, author, chat, message, type, model, at, plan,"
                    " on_demand, waived, usage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    f"evt_{wire.new_id(24)}",
                    world,
                    bill.author,
                    chat_id,
                    message["id"],
                    type,
                    bill.model,
                    at,
                    from_plan,
                    due - from_plan,
                    bill.waived,
                    packed(usage),
                )

    def events(self, world: str, span: Span, before: int | None, limit: int) -> list[sqlite3.Row]:
        """Newest first, starting before the event with the number `before`."""
        condition, values = span.condition()
        return self._database.rows(
            "SELECT *, EXISTS (SELECT 1 FROM messages WHERE id = usage.message) AS has_message"  # noqa: S608
            f" FROM usage WHERE world = ? AND {condition}"
            " AND (? IS NULL OR number < ?) ORDER BY number DESC LIMIT ?",
            world,
            *values,
            before,
            before,
            limit,
        )

    def by_day(self, world: str, span: Span) -> list[tuple[str, int, int]]:
        """(date, picocredits of the plan, picocredits on demand) of each day that has any."""
        condition, values = span.condition()
        rows = self._database.rows(
            "SELECT substr(at, 1, 10) AS day, sum(plan) AS plan, sum(on_demand) AS on_demand"  # noqa: S608
            f" FROM usage WHERE world = ? AND {condition}"
            " GROUP BY day ORDER BY day",
            world,
            *values,
        )
        return [(row["day"], row["plan"], row["on_demand"]) for row in rows]

    # Activity

    def log_answer(self, world: str, author: str, message: Wire) -> None:
        with self._database.transaction():
            self._database.run(
                "INSERT INTO activity VALUES (?, ?, ?, ?, ?)",
                message["id"],
                world,
                author,
                message["chatId"],
                message["createdAt"],
            )

    def answers(self, world: str, span: Span) -> list[sqlite3.Row]:
        """`chat`, `author` and `at` of each answer, oldest first."""
        condition, values = span.condition()
        return self._database.rows(
            f"SELECT chat, author, at FROM activity WHERE world = ? AND {condition}"  # noqa: S608
            " ORDER BY at, rowid",
            world,
            *values,
        )
