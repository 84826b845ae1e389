"""What the sandbox keeps besides chats: MCP servers, hosts, webhooks, projects and the like.

Owns one table of JSON objects by kind and id, and its kinds. Relies on `database`. A record
belongs to a world; only what is served to browsers is found without one.
"""

from __future__ import annotations

from typing import Any

from chats.sandbox.database import Database, packed
from chats.sandbox.wire import loads

Json = Any
Wire = dict[str, Json]

CONNECT = "connect"
DEPLOYMENT = "deployment"
HOOK = "hook"
HOSTS = "preview-hosts"
MCP_SERVER = "mcp-server"
PROJECT = "project"


class Records:
    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, world: str, kind: str, id: str, wire: Wire) -> None:
        with self._database.transaction():
            self._database.run(
                "INSERT INTO records (kind, id, world, wire) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET wire = excluded.wire",
                kind,
                id,
                world,
                packed(wire),
            )

    def get(self, world: str, kind: str, id: str) -> Wire | None:
        row = self._database.row(
            "SELECT wire FROM records WHERE world = ? AND kind = ? AND id = ?", world, kind, id
        )
        return loads(row["wire"]) if row else None

    def find(self, kind: str, id: str) -> tuple[str, Wire] | None:
        """Whoever it belongs to: its world and the record."""
        row = self._database.row(
            "SELECT world, wire FROM records WHERE kind = ? AND id = ?", kind, id
        )
        return (row["world"], loads(row["wire"])) if row else None

    def all(self, world: str, kind: str) -> list[Wire]:
        """Oldest first."""
        rows = self._database.rows(
            "SELECT wire FROM records WHERE world = ? AND kind = ? ORDER BY number", world, kind
        )
        return [loads(row["wire"]) for row in rows]

    def remove(self, world: str, kind: str, id: str) -> bool:
        with self._database.transaction():
            return bool(
                self._database.run(
                    "DELETE FROM records WHERE world = ? AND kind = ? AND id = ?", world, kind, id
                )
            )
