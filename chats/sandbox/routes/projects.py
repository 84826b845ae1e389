"""What leads out of a chat: its Vercel project, its deployments, its connectors.

Owns one function for each operation. Relies on the records; `sites` serves what was deployed. There
is no Vercel behind it: projects and deployments are the sandbox's own.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from chats.sandbox import connectors, wire
from chats.sandbox import files as of_chats
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.records import DEPLOYMENT, PROJECT
from chats.sandbox.world import Call

Json = Any
Wire = dict[str, Json]

ID_LENGTH = 28


async def create_vercel_project(call: Call) -> Response:
    chat = call.writable_chat()
    if "vercelProjectId" in chat:
        raise Refusal(409, "The chat has a Vercel project already")
    return json_answer({"vercelProjectId": _project(call, chat, call.body.get("name", ""))}, 201)


async def deploy(call: Call) -> Response:
    """What there is now is what the deployment shows for good."""
    chat = call.resting_chat()
    files = call.store.files(chat["id"])
    if not files:
        raise Refusal(409, "The chat has no files to deploy")
    project = chat.get("vercelProjectId") or _project(call, chat, "")
    id = f"dpl_{wire.new_id(ID_LENGTH)}"
    deployed = {
        "id": id,
        "projectId": project,
        "chatId": chat["id"],
        "name": chat.get("title", "untitled"),
        "createdAt": wire.now(),
        "files": of_chats.to_rest(files),
    }
    call.store.records.put(call.world.id, DEPLOYMENT, id, deployed)
    return json_answer({"deploymentId": id, "vercelProjectId": project})


def _project(call: Call, chat: Wire, name: str) -> str:
    """A new one, which the chat has from now on."""
    id = f"prj_{wire.new_id(ID_LENGTH)}"
    project = {"id": id, "name": name or chat.get("title", "untitled")}
    call.store.records.put(call.world.id, PROJECT, id, project)
    call.store.save_chat(call.world.id, {**chat, "vercelProjectId": id, "updatedAt": wire.now()})
    return id


async def connect_status(call: Call) -> Response:
    chat, request = call.chat(), call.query["requestId"]
    return json_answer(connectors.status(call.store.records, call.world, chat["id"], request))
