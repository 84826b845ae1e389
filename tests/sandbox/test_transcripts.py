"""The recorded streams are what a sandbox sends today, and their chunks add up to their message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.record_transcripts import DIRECTORY, SCENARIOS, Recorder
from tests.sandbox.asking import events, folded
from tests.sandbox_server import Sandbox

Json = Any

RECORDED = sorted(DIRECTORY.glob("*.sse"))
OTHERS = {"create", "follow-up", "question", "resolve", "resume"}


def test_everything_is_there() -> None:
    names = {path.stem for path in RECORDED}
    assert names == {scenario.partition(" ")[0] for scenario in SCENARIOS} | OTHERS


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_chunks_of_a_transcript_add_up_to_its_message(path: Path) -> None:
    stream = list(events(iter([path.read_bytes()])))
    message = json.loads(path.with_suffix(".json").read_bytes())
    assert folded(stream) == message["parts"]
    if stream[-1]["object"] == "message":
        assert stream[-1] == {"object": "message", **message}


def test_a_sandbox_of_today_says_the_same(sandbox: Sandbox) -> None:
    """Apart from ids and times, and from where a resumed reader happens to come in."""
    for name, _, message in Recorder(sandbox).streams():
        kept = json.loads((DIRECTORY / f"{name}.json").read_bytes())
        assert told(json.loads(message)) == told(kept), name


def told(message: dict[str, Json]) -> list[dict[str, Json]]:
    times = {"startedAt", "finishedAt"}
    return [
        {key: value for key, value in part.items() if key not in times} for part in message["parts"]
    ]
