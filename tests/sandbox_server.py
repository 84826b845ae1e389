"""A sandbox as a process of its own, for tests and for recording.

Owns start, stop and kill of one stand-in on a free port. Relies on the standard library only, so
that anything may use it. It never reaches into the process: everything goes over HTTP.
"""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tests.nursery import Child, nursery

Json = Any

ROOT = Path(__file__).resolve().parent.parent
READY = "sandbox: "


@dataclass
class Sandbox:
    """A running sandbox. `base_url` includes `/v2`. Any bearer key works."""

    db: Path
    pace: float = 0
    revision: str = "ga"
    port: int = 0
    process: Child = field(init=False, repr=False)
    output: TextIO = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v2"

    def start(self) -> None:
        """Starts, or starts again on the same port and file, and returns once it answers."""
        options = ["--port", str(self.port), "--db", str(self.db), "--pace", str(self.pace)]
        options += ["--revision", self.revision]
        output, theirs = os.pipe()
        self.process = nursery().start(
            "chats.sandbox", *options, cwd=ROOT, env=os.environ, output=theirs, errors=2
        )
        os.close(theirs)
        self.output = os.fdopen(output)
        line = self.output.readline()
        assert line.startswith(READY), f"the sandbox did not start: {line!r}"
        self.port = int(line.removesuffix("/v2\n").rpartition(":")[2])

    def ledger(self, key: str | None = None) -> dict[str, Json]:
        """Of the world of `key`, or of all worlds."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        ledger: dict[str, Json] = self._ask("GET", "/_sandbox/ledger", headers=headers)
        return ledger

    def fault(self, **rule: Json) -> dict[str, Json]:
        """Adds a fault, as `docs/sandbox.md` describes: path, kind, after, times, …"""
        added: dict[str, Json] = self._ask("POST", "/_sandbox/faults", body=rule)
        return added

    def faults(self) -> list[dict[str, Json]]:
        rules: list[dict[str, Json]] = self._ask("GET", "/_sandbox/faults")["faults"]
        return rules

    def clear_faults(self) -> None:
        self._ask("DELETE", "/_sandbox/faults")

    def edit(self, chat_id: str, **wanted: Json) -> dict[str, Json]:
        """Changes a chat as somebody else does in v0's own pages: title, privacy, older, …"""
        chat: dict[str, Json] = self._ask("PATCH", f"/_sandbox/chats/{chat_id}", body=wanted)
        return chat

    def delete(self, chat_id: str) -> None:
        """Deletes a chat as somebody else does in v0's own pages."""
        self._ask("DELETE", f"/_sandbox/chats/{chat_id}")

    def write(self, chat_id: str, message: str, *, run: bool = True, before: str = "") -> str:
        """A colleague's message; the id of its answer, which runs or is there already. Both stand
        right `before` another message, or at the end."""
        body = {"message": message, "run": run} | ({"before": before} if before else {})
        answer: str = self._ask("POST", f"/_sandbox/chats/{chat_id}/messages", body=body)[
            "messageId"
        ]
        return answer

    def rewrite(self, chat_id: str, message_id: str, content: str) -> None:
        """Somebody else makes a message say something else."""
        path = f"/_sandbox/chats/{chat_id}/messages/{message_id}"
        self._ask("PATCH", path, body={"content": content})

    def remove(self, chat_id: str, message_id: str) -> None:
        """Somebody else deletes one message."""
        self._ask("DELETE", f"/_sandbox/chats/{chat_id}/messages/{message_id}")

    def set_plan(self, key: str, credits: str) -> None:
        """What a month's plan of the world of `key` includes; the rest is on demand."""
        headers = {"authorization": f"Bearer {key}"}
        self._ask("PUT", "/_sandbox/plan", body={"credits": credits}, headers=headers)

    def deliveries(self, key: str) -> list[dict[str, Json]]:
        """What became of the webhooks of the world of `key`, oldest first."""
        headers = {"authorization": f"Bearer {key}"}
        found: list[dict[str, Json]] = self._ask("GET", "/_sandbox/deliveries", headers=headers)[
            "deliveries"
        ]
        return found

    def requests(self, key: str) -> list[dict[str, Json]]:
        """The last charged requests of the world of `key`: operation, path, body."""
        headers = {"authorization": f"Bearer {key}"}
        found: list[dict[str, Json]] = self._ask("GET", "/_sandbox/requests", headers=headers)[
            "requests"
        ]
        return found

    def stop(self) -> int:
        """SIGTERM; gives the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL; gives the exit status."""
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        status = self.process.wait(timeout=10)
        self.output.close()
        return status

    def _ask(
        self, method: str, path: str, *, body: Json = None, headers: dict[str, str] | None = None
    ) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.origin + path, data, {"content-type": "application/json", **(headers or {})}
        )
        request.method = method
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())


@contextmanager
def running_sandbox(
    db: Path, *, pace: float = 0, revision: str = "ga", port: int = 0
) -> Iterator[Sandbox]:
    """A sandbox on a free port (or `port`) with its state in `db`, stopped at the end."""
    sandbox = Sandbox(db, pace=pace, revision=revision, port=port)
    try:
        yield sandbox
    finally:
        sandbox.stop()
