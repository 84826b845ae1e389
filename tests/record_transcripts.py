"""Records what a sandbox puts on the wire, for tests that need streams and no server.

Owns `tests/transcripts`: NAME.sse holds the bytes of one stream, NAME.json the message as `GET`
gave it afterwards. Relies on `tests.sandbox_server` and the standard library. It records; it never
edits.

    python -m tests.record_transcripts
"""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sandbox_server import Sandbox, running_sandbox

Json = Any

DIRECTORY = Path(__file__).resolve().parent / "transcripts"
KEY = "v1:team_recorded:transcripts"

FIRST = "Build a landing page for a coffee roaster in green with a list of our beans"
FOLLOW_UPS = (
    "Make it dark, add a contact form and rename the heading to Bean & Co",
    "What is on the page?",
)
SCENARIOS = (
    "all-parts",
    "long chunk=400",
    "code",
    "table",
    "list",
    "rewrite",
    "unicode",
    "markdown-hostile",
    "failing-tool",
    "many-parts n=40",
    "empty",
    "refusal",
    "length",
    "content-filter",
    "error",
    "tool-calls",
    "other",
    "image n=2",
    "mcp",
    "ask-questions",
    "integration",
    "permission",
    "plan",
)
MODEL = {"modelId": "v0-pro", "imageGenerations": True}
APPROVAL = {
    "type": "plan-exit-response",
    "status": "approved",
    "content": "Proceed with this plan.",
}


@dataclass
class Recorder:
    sandbox: Sandbox

    def ask(self, method: str, path: str, body: Json = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox.port, timeout=30)
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/v2{path}", data, headers)
        answer = connection.getresponse()
        recorded = answer.read()
        connection.close()
        assert answer.status == 200, (path, answer.status, recorded)
        return recorded

    def newest(self, chat_id: str) -> bytes:
        """The newest message as `GET` gives it, byte for byte: money is exact there."""
        page = json.loads(self.ask("GET", f"/chats/{chat_id}/messages?limit=1"))
        return self.ask("GET", f"/chats/{chat_id}/messages/{page['messages'][0]['id']}")

    def streams(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Name, bytes and final message of each: created, sent, by scenario, resolved, resumed."""
        created = self.ask("POST", "/chats/stream", {"message": FIRST})
        chat_id = first_event(created)["id"]
        yield "create", created, self.newest(chat_id)
        for name, prompt in zip(("follow-up", "question"), FOLLOW_UPS, strict=True):
            sent = self.ask("POST", f"/chats/{chat_id}/messages/stream", {"message": prompt})
            yield name, sent, self.newest(chat_id)
        for scenario in SCENARIOS:
            body = {"message": f"Please.\nscenario: {scenario}", "modelConfiguration": MODEL}
            sent = self.ask("POST", f"/chats/{chat_id}/messages/stream", body)
            yield scenario.partition(" ")[0], sent, self.newest(chat_id)
        resolve = f"/chats/{chat_id}/messages/resolve/stream"
        yield "resolve", self.ask("POST", resolve, {"task": APPROVAL}), self.newest(chat_id)
        yield "resume", *self.resumed()

    def resumed(self) -> tuple[bytes, bytes]:
        """A second reader that arrives while a run is on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox.port, timeout=30)
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        body = json.dumps({"message": f"{FIRST}\npace: 0.2"})
        connection.request("POST", "/v2/chats/stream", body, headers)
        answer = connection.getresponse()
        line, chunks = answer.readline(), 0
        chat_id = first_event(line)["id"]
        while chunks < 30:
            chunks += answer.readline().startswith(b"data: ")
        recorded = self.ask("POST", f"/chats/{chat_id}/resume")
        connection.close()
        return recorded, self.newest(chat_id)


def first_event(stream: bytes) -> dict[str, Json]:
    event: dict[str, Json] = json.loads(stream.partition(b"\n")[0].removeprefix(b"data: "))
    return event


def main() -> None:
    DIRECTORY.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(Path(folder) / "sandbox.sqlite3") as sandbox,
    ):
        for name, stream, message in Recorder(sandbox).streams():
            (DIRECTORY / f"{name}.sse").write_bytes(stream)
            (DIRECTORY / f"{name}.json").write_bytes(message)
            print(f"{name:<18}{stream.count(b'data: '):>6} events {len(stream):>12,} bytes")


if __name__ == "__main__":
    main()
