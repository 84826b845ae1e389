"""Files: read, change by hand, download, bring back, and the preview that shows them.

Owns one function for each operation. Relies on the store and the previews. Each change by hand is
recorded as a pair of messages, as v0 does; the words in them are this stand-in's own.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from chats.sandbox import files as of_chats
from chats.sandbox import turns, wire
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.files import Files
from chats.sandbox.store import Code
from chats.sandbox.turns import Change
from chats.sandbox.world import Call

Json = Any
Wire = dict[str, Json]


async def read(call: Call) -> Response:
    return json_answer({"files": of_chats.to_wire(call.store.files(call.chat()["id"]))})


async def download(call: Call) -> Response:
    archive = of_chats.zipped(call.store.files(call.chat()["id"]))
    headers = {"content-disposition": 'attachment; filename="files.zip"'}
    return Response(archive, media_type="application/zip", headers=headers)


async def preview(call: Call) -> Response:
    """Null while the machine is starting, which the first question makes it do."""
    chat = call.chat()
    token = call.sandbox.previews.token(chat["id"], call.sandbox.pace)
    if token is None or call.manner == "starting":
        return json_answer(None)
    url = f"{call.origin}/_preview/{chat['id']}/"
    return json_answer({"url": url, "token": token.text, "expiresAt": wire.timestamp(token.ends)})


async def update(call: Call) -> Response:
    chat, wanted = call.resting_chat(), call.body["files"]
    if not call.sandbox.previews.is_running(chat["id"]):
        raise Refusal(409, "The preview of this chat is not running")
    before = call.store.files(chat["id"])
    if issues := _issues(before, wanted):
        return json_answer({"message": "Invalid file contents", "issues": issues}, 422)
    after = {path: data for path, data in _edited(before, wanted).items() if data is not None}
    parts = [_edit(before, item["path"], item["content"] is None) for item in wanted]
    names = " and ".join(filter(None, [", ".join(_paths(wanted)[:-1]), _paths(wanted)[-1]]))
    change = Change(f"Edited {names} by hand.", f"Saved {names}.", parts)
    return _recorded(call, chat, change, Code(after, call.store.page(chat["id"])))


def _paths(wanted: list[Wire]) -> list[str]:
    return [item["path"] for item in wanted]


def _issues(before: Files, wanted: list[Wire]) -> list[Wire]:
    """Every file that cannot be written, with why."""
    issues, seen = [], set()
    for item in wanted:
        path = item["path"]
        error = of_chats.path_problem(path)
        if path in seen:
            error = "must be unique"
        elif item["content"] is None and path not in before:
            error = "is not there"
        seen.add(path)
        issues += [{"path": path, "error": error}] if error else []
    return issues


def _edited(before: Files, wanted: list[Wire]) -> dict[str, bytes | None]:
    given = {
        item["path"]: None if item["content"] is None else of_chats.of_text(item["content"])
        for item in wanted
    }
    return {**before, **given}


def _edit(before: Files, path: str, deleted: bool) -> Wire:
    now = wire.now()
    operation = "delete" if deleted else "update" if path in before else "create"
    times = {"startedAt": now, "finishedAt": now}
    return {"type": "file-edit", "operation": operation, "path": path, **times}


async def restore(call: Call) -> Response:
    chat = call.resting_chat()
    message = call.store.message(chat["id"], call.body["messageId"])
    if message is None:
        raise Refusal(404, "Message not found")
    code, before = call.store.code(message["id"]), call.store.files(chat["id"])
    if not code.files:
        raise Refusal(422, "messageId: is of a message that wrote no code")
    if not message["restorable"]:
        raise Refusal(409, "The files of this message are the latest already")
    changed = [
        path for path in {**before, **code.files} if before.get(path) != code.files.get(path)
    ]
    parts = [_edit(before, path, path not in code.files) for path in sorted(changed)]
    change = Change(
        "Restored an earlier version.",
        f"The files are as they were on {message['createdAt'][:16].replace('T', ' at ')} UTC.",
        parts,
    )
    return _recorded(call, chat, change, code)


def _recorded(call: Call, chat: Wire, change: Change, code: Code) -> Response:
    author = call.world.author_id
    messages = turns.record(call.store, call.world.id, chat, author, change, code)
    return json_answer({"messages": messages})
