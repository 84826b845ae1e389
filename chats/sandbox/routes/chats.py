"""Chats: create in three ways, read, list, change, delete, duplicate, resume.

Owns one function for each operation. Relies on the store and the runs. Bodies and parameters have
passed the spec before anything here sees them.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from chats.sandbox import cursors, streams, wire
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.routes.messages import asked
from chats.sandbox.runs import Run
from chats.sandbox.store import Code
from chats.sandbox.world import Call

Json = Any
Wire = dict[str, Json]

MOST_METADATA = 50
PAGE = 200
"""Rows looked at in one go while a filter is being applied."""
NUMBERED = re.compile(r"(.*) \((\d+)\)", re.DOTALL)


async def create(call: Call) -> Response:
    """Answers once the model is done; the chat has its title by then."""
    chat, run = _create(call)
    await run.over.wait()
    created = call.store.chat(call.world.id, chat["id"]) or chat
    return json_answer({"chat": created, "usage": run.message["usage"]})


async def create_stream(call: Call) -> Response:
    chat, run = _create(call)
    return await streams.chat_stream(call.store, run, chat)


async def create_async(call: Call) -> Response:
    chat, run = _create(call)
    return json_answer({"chatId": chat["id"], "messageId": run.message["id"]}, 202)


def _create(call: Call) -> tuple[Wire, Run]:
    ask = asked(call)
    chat = new_chat(call)
    run = call.begin(chat, ask)
    call.store.books.count(call.world.id, chat["id"], "user_messages")
    return chat, run


def new_chat(call: Call, code: Code | None = None, *, title: str = "") -> Wire:
    """A chat with the fields of the body, and its POST counted as its own.

    `title` is one that nobody gave, so that the agent may find a better one.
    """
    given = call.body.get("title", "")
    metadata = _checked(call.body.get("metadata", {}))
    chat = _chat(call, given or title, call.body.get("privacy", "private"), metadata)
    call.store.add_chat(call.world.id, chat, titled=bool(given), code=code)
    call.store.books.adopt_post(call.world.id, chat["id"])
    return chat


def _chat(call: Call, title: str, privacy: str, metadata: dict[str, str]) -> Wire:
    now = wire.now()
    return {
        "id": wire.new_id(wire.CHAT_ID_LENGTH),
        **({"title": title} if title else {}),
        "privacy": privacy,
        "createdAt": now,
        "updatedAt": now,
        "authorId": call.world.author_id,
        "metadata": metadata,
        "writePermission": True,
    }


async def duplicate(call: Call) -> Response:
    """A copy of the messages, the files and the metadata; never of the project."""
    chat = call.chat()
    title = call.body.get("title") or _next_title(chat.get("title", ""))
    copy = _chat(call, title, call.body["privacy"], chat["metadata"])
    call.store.copy_chat(chat["id"], call.world.id, copy)
    return json_answer(copy, 201)


def _next_title(title: str) -> str:
    """`Page` → `Page (2)` → `Page (3)`."""
    numbered = NUMBERED.fullmatch(title)
    if numbered:
        return f"{numbered[1]} ({int(numbered[2]) + 1})"
    return f"{title} (2)" if title else ""


async def resume(call: Call) -> Response:
    chat = call.chat()
    run = call.sandbox.runs.of_chat(chat["id"])
    if run is None or call.manner == "only-chat":
        return streams.closing_chat(chat)
    return streams.resumed_stream(call.store, run, chat, replay=call.manner == "replay")


async def read(call: Call) -> Response:
    return json_answer(call.chat())


async def list_all(call: Call) -> Response:
    if call.query.get("authorId", call.world.author_id) not in call.world.members:
        raise Refusal(422, "authorId: must be a member of this scope")
    limit, before = call.query.get("limit", 20), cursors.read(call.query.get("cursor"))
    found: list[tuple[int, Wire]] = []
    while len(found) <= limit:
        rows = call.store.chats(call.world.id, before=before, limit=PAGE)
        found += [row for row in rows if _fits(row[1], call.query)]
        if len(rows) < PAGE:
            break
        before = rows[-1][0]
    more = len(found) > limit
    cursor = cursors.write(found[limit - 1][0]) if more else None
    return json_answer({"chats": [chat for _, chat in found[:limit]], "cursor": cursor})


def _fits(chat: Wire, query: Any) -> bool:
    wanted = query.get("metadata", {})
    return all(
        chat.get(name) == query[name] for name in ("authorId", "vercelProjectId") if name in query
    ) and all(chat["metadata"].get(key) == value for key, value in wanted.items())


async def update(call: Call) -> Response:
    chat, body = call.writable_chat(), call.body
    given = {name: body[name] for name in ("title", "privacy") if name in body}
    if call.manner == "other-privacy" and "privacy" in given:
        given["privacy"] = "unlisted" if given["privacy"] == "private" else "private"
    if "metadata" in body:
        given["metadata"] = _checked(_merged(chat["metadata"], body["metadata"]))
    changed = {**chat, **given, "updatedAt": wire.now()}
    call.store.save_chat(call.world.id, changed, titled=True if "title" in body else None)
    return json_answer(changed)


def _checked(metadata: dict[str, str]) -> dict[str, str]:
    if len(metadata) > MOST_METADATA:
        raise Refusal(422, f"metadata: must hold at most {MOST_METADATA} entries")
    return metadata


def _merged(old: dict[str, str], new: dict[str, str | None] | None) -> dict[str, str]:
    """Null deletes a key; null for the whole clears it."""
    if new is None:
        return {}
    return {key: value for key, value in {**old, **new}.items() if value is not None}


async def delete(call: Call) -> Response:
    chat = call.writable_chat()
    await call.sandbox.forget(call.world, chat["id"])
    return json_answer({"chatId": chat["id"]})
