"""Vercel Connect: setups that an answer asked for, and how far somebody has come with each.

Owns the life of a setup: asked for, opened in a browser, done or failed there; one with `polls`
gets there by itself after so many questions. Relies on the records. A setup is forgotten an hour
after it was asked for.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chats.sandbox import wire
from chats.sandbox.answers import Refusal
from chats.sandbox.records import CONNECT, Records
from chats.sandbox.world import World

Json = Any
Wire = dict[str, Json]

LASTS = timedelta(hours=1)
FAILED = "Linear refused the connection."
STEPS = ("Waiting for Linear", "Creating the connector", "Attaching it to the project")


def find(records: Records, world: World, key: str) -> Wire:
    """The setup with the key `CHAT/REQUEST`; refuses with 404."""
    setup = records.get(world.id, CONNECT, key)
    if setup is None or datetime.now(UTC) - wire.moment(setup["startedAt"]) > LASTS:
        raise Refusal(404, "Connect request not found")
    return setup


def status(records: Records, world: World, chat_id: str, request_id: str) -> Wire:
    """What `connect/status` answers; counts a question towards `polls`."""
    key = f"{chat_id}/{request_id}"
    setup = find(records, world, key)
    if not setup["result"] and setup["polls"] >= 0:
        left = setup["polls"]
        advanced = {"polls": left - 1, "opened": True} if left else {"result": setup["end"]}
        setup = {**setup, **advanced}
        records.put(world.id, CONNECT, key, setup)
    match setup["result"]:
        case "ready":
            return {"status": "ready", "connector": _connector(setup)}
        case "error":
            return {"status": "error", "message": FAILED}
        case _:
            return {"status": "pending"} | (
                {"progress": _progress(setup)} if setup["opened"] else {}
            )


def _progress(setup: Wire) -> str:
    left = max(0, setup["polls"])
    return STEPS[max(0, len(STEPS) - 1 - left)] if setup["polls"] >= 0 else STEPS[0]


def _connector(setup: Wire) -> Wire:
    return {
        "id": f"con_{setup['requestId'].removeprefix('req_')}",
        "name": "Linear",
        "service": "linear",
        "type": "oauth",
        "supportedSubjectTypes": ["app", "user"],
        "supportsInstallation": True,
        "attachedToProject": setup.get("attached", False),
    }


def attach(records: Records, world: World, chat_id: str, request_id: str) -> None:
    """Uses a setup that is ready; refuses with 404 and 409 as v0 documents it."""
    key = f"{chat_id}/{request_id}"
    setup = find(records, world, key)
    if not (setup["opened"] or setup["result"]):
        raise Refusal(404, "The setup has not been started")
    if setup["result"] != "ready":
        raise Refusal(409, "The setup has failed" if setup["result"] else "The setup is pending")
    records.put(world.id, CONNECT, key, {**setup, "attached": True})


def advance(records: Records, key: str, result: str) -> bool:
    """What somebody did in the browser: "" opened the page. Whether there is such a setup."""
    found = records.find(CONNECT, key)
    if found is None:
        return False
    world, setup = found
    records.put(world, CONNECT, key, {**setup, "opened": True, "result": result or setup["result"]})
    return True
