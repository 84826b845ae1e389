"""Messages: send and resolve in three ways each, list, read and stop.

Owns one function for each operation. Relies on the store, the runs and `tasks`. Bodies and
parameters have passed the spec before anything here sees them.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from chats.sandbox import connectors, cursors, rates, streams, tasks, wire
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.records import MCP_SERVER
from chats.sandbox.runs import Run
from chats.sandbox.turns import Ask
from chats.sandbox.world import Call

Json = Any
Wire = dict[str, Json]

FIX = {"type": "fix-with-v0"}


def asked(call: Call) -> Ask:
    """What the body of a create or a send asks for."""
    body = call.body
    model = body.get("modelConfiguration", {})
    return Ask(
        author=call.world.author_id,
        said=body["message"],
        text=body["message"],
        attachments=body.get("attachments", []),
        model=model.get("modelId", rates.DEFAULT_MODEL),
        images=model.get("imageGenerations", False),
        tools=_tools(call, body.get("mcpServerIds")),
        waived=body.get("action") == FIX,
    )


def _tools(call: Call, wanted: list[str] | None) -> list[str]:
    """Names of the MCP servers with these ids; of those that are enabled when none are given."""
    servers = {server["id"]: server for server in call.store.records.all(call.world.id, MCP_SERVER)}
    if wanted is None:
        return [server["name"] for server in servers.values() if server["enabled"]]
    for at, id in enumerate(wanted):
        if id not in servers:
            raise Refusal(422, f"mcpServerIds[{at}]: is not one of your MCP servers")
    return [servers[id]["name"] for id in wanted]


async def send(call: Call) -> Response:
    return await _finished(_send(call))


async def send_stream(call: Call) -> Response:
    return await streams.message_stream(_send(call))


async def send_async(call: Call) -> Response:
    return json_answer({"messageId": _send(call).message["id"]}, 202)


def _send(call: Call) -> Run:
    chat, ask = call.resting_chat(), asked(call)
    run = call.begin(chat, ask)
    call.store.books.count(call.world.id, chat["id"], "user_messages")
    call.store.save_chat(call.world.id, {**chat, "updatedAt": wire.now()})
    return run


async def resolve(call: Call) -> Response:
    return await _finished(_resolve(call))


async def resolve_stream(call: Call) -> Response:
    return await streams.message_stream(_resolve(call))


async def resolve_async(call: Call) -> Response:
    return json_answer({"messageId": _resolve(call).message["id"]}, 202)


def _resolve(call: Call) -> Run:
    """The answer to what the newest message waits for, as a turn of its own.

    The agent plays the scenario of the message that waits, so it is given that one's words.
    """
    chat, task = call.resting_chat(), call.body["task"]
    newest = call.store.newest(chat["id"])
    part = tasks.pending(newest, task["type"])
    tasks.check(task, part)
    if task["type"] in tasks.CONNECTS:
        connectors.attach(call.store.records, call.world, chat["id"], part["data"]["requestId"])
    order = call.store.order(newest["id"]) if newest else None
    before = order or {}
    model = call.body.get("modelConfiguration", {})
    if newest is not None and task["type"] == "confirmed-permissions":
        call.store.save_message(call.world.id, tasks.granted(newest))
    run = call.begin(
        chat,
        Ask(
            author=call.world.author_id,
            said=tasks.said(task),
            text=before.get("text", ""),
            model=model.get("modelId", before.get("model", rates.DEFAULT_MODEL)),
            images=model.get("imageGenerations", before.get("images", False)),
            tools=before.get("tools", []),
            task=task,
        ),
    )
    call.store.books.count(call.world.id, chat["id"], "resolves")
    call.store.save_chat(call.world.id, {**chat, "updatedAt": wire.now()})
    return run


async def _finished(run: Run) -> Response:
    """Whoever asked is answered once it is over; whoever leaves meanwhile changes nothing."""
    await run.over.wait()
    return json_answer(run.message)


async def list_all(call: Call) -> Response:
    chat, limit = call.chat(), call.query.get("limit", 20)
    before = cursors.read(call.query.get("cursor"))
    rows = call.store.messages(chat["id"], before=before, limit=limit + 1)
    page = [call.sandbox.runs.current(message) for _, message in rows[:limit]]
    cursor = cursors.write(rows[limit - 1][0]) if len(rows) > limit else None
    return json_answer({"messages": page, "cursor": cursor})


async def read(call: Call) -> Response:
    return json_answer(call.message(call.chat()))


async def stop(call: Call) -> Response:
    """Answers at once; the run ends at its next step, and its stream then closes."""
    message = call.message(call.writable_chat())
    run = call.sandbox.runs.by_message.get(message["id"])
    if run is None or run.over.is_set():
        raise Refusal(409, "Nothing is being generated")
    if not run.stopping.is_set():
        run.stopping.set()
        call.store.books.count(call.world.id, message["chatId"], "stops")
    return json_answer({"messageId": message["id"]})
