"""The one SQLite file: its tables, its transactions, and how JSON is kept in it.

Owns the schema. Relies on `sqlite3` and `wire`. All calls are short transactions made from the one
event loop, so there is one writer and no waiting; one begun inside another is part of it. JSON is
kept as ASCII text, so that lone surrogates and NUL survive. A file of an earlier sandbox is given
the columns that came since.
"""

from __future__ import annotations

import codecs
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chats.sandbox.wire import dumps

Json = Any

TABLES = """
CREATE TABLE IF NOT EXISTS chats (
    id TEXT PRIMARY KEY, world TEXT NOT NULL, touched INTEGER NOT NULL, wire TEXT NOT NULL,
    titled INTEGER NOT NULL, files TEXT NOT NULL, page TEXT NOT NULL,
    older INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS chats_by_touch ON chats (world, touched);
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, chat TEXT NOT NULL REFERENCES chats ON DELETE CASCADE,
    place INTEGER NOT NULL, wire TEXT NOT NULL, running INTEGER NOT NULL,
    order_ TEXT NOT NULL, steps INTEGER NOT NULL, files TEXT NOT NULL,
    page TEXT NOT NULL DEFAULT 'null',
    UNIQUE (chat, place)
);
CREATE INDEX IF NOT EXISTS messages_running ON messages (running) WHERE running;
CREATE TABLE IF NOT EXISTS ledger (
    world TEXT NOT NULL, chat TEXT NOT NULL, posts INTEGER NOT NULL DEFAULT 0,
    user_messages INTEGER NOT NULL DEFAULT 0, stops INTEGER NOT NULL DEFAULT 0,
    resolves INTEGER NOT NULL DEFAULT 0, picocredits INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (world, chat)
);
CREATE TABLE IF NOT EXISTS usage (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, world TEXT NOT NULL,
    author TEXT NOT NULL, chat TEXT NOT NULL, message TEXT NOT NULL, type TEXT NOT NULL,
    model TEXT NOT NULL, at TEXT NOT NULL, plan INTEGER NOT NULL, on_demand INTEGER NOT NULL,
    waived INTEGER NOT NULL, usage TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS usage_by_time ON usage (world, at);
CREATE TABLE IF NOT EXISTS activity (
    message TEXT PRIMARY KEY, world TEXT NOT NULL, author TEXT NOT NULL, chat TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS activity_by_time ON activity (world, at);
CREATE TABLE IF NOT EXISTS plans (world TEXT PRIMARY KEY, picocredits INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
    world TEXT NOT NULL, wire TEXT NOT NULL, UNIQUE (kind, id)
);
"""
SINCE = {
    "chats": "older INTEGER NOT NULL DEFAULT 0",
    "messages": "page TEXT NOT NULL DEFAULT 'null'",
}
"""Table → a column that a file of an earlier sandbox does not have."""


def packed(value: Json) -> str:
    """JSON in ASCII with exact decimals; equal values give equal text."""
    text = dumps(value)
    return text if text.isascii() else text.encode("ascii", "json_escape").decode()


def _json_escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("json_escape", _json_escape)


class Database:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        self._connection.row_factory = sqlite3.Row
        for setting in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.executescript(TABLES)
        for table, column in SINCE.items():
            self._add(table, column)

    def _add(self, table: str, column: str) -> None:
        known = [row["name"] for row in self.rows(f"PRAGMA table_info({table})")]
        if column.split()[0] not in known:
            self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def run(self, statement: str, *values: Json) -> int:
        """How many rows changed."""
        return self._connection.execute(statement, values).rowcount

    def rows(self, statement: str, *values: Json) -> list[sqlite3.Row]:
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Json) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
        return found

    def number(self, statement: str, *values: Json) -> int:
        return int(self._connection.execute(statement, values).fetchone()[0])
