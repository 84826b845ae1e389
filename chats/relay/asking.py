"""The one request of a run that costs credits, built from its intent, in each way of sending.

Owns what an intent's `payload` may hold and how that becomes a request. Relies on permissions for the
models there are, now, and on v0's client, which sends nothing until it is awaited or entered.

    message  text            model   a model's name    images  bool       system  text, after the team's
    mcp      ids, [] is none; absent is the account's own choice          skills  wires of Skill
    files    our ids, of attachments          fix     bool
    task     a built task, for a resolve      metadata of a new chat
    restores the id at v0 of the answer whose files come back
    delivery stream, async or sync; absent is the server's own choice

What is in the files is given beside it, at the moment of the request: `urls` are the attachments as
v0 can read them. A restore, which writes nothing, is only ever waited for.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from chats import permissions
from chats.models.messages import OURS
from chats.relay.store import Job
from chats.v0api.client import Client
from chats.v0api.errors import InDoubt
from chats.v0api.event_stream import EventStream
from chats.v0api.requests import CreateChat, ResolveTask, SendMessage, Skill
from chats.v0api.tasks import Written
from chats.v0api.types import Chat, Message, model_among

Urls = tuple[str, ...]


def streamed(client: Client, job: Job, urls: Urls) -> AbstractAsyncContextManager[EventStream]:
    """The request whose answer comes as it is written."""
    match job.kind:
        case "create":
            return client.create_stream(_create(job, urls))
        case "resolve":
            return client.resolve_stream(job.v0_chat, _resolve(job))
        case _:
            return client.send_stream(job.v0_chat, _send(job, urls))


async def accepted(client: Client, job: Job, urls: Urls) -> tuple[str, str]:
    """The request that does not wait: the ids of the chat and of the answer to come."""
    match job.kind:
        case "create":
            made = await client.create_async(_create(job, urls))
            return made.chat_id, made.message_id
        case "resolve":
            return job.v0_chat, await client.resolve_async(job.v0_chat, _resolve(job))
        case _:
            return job.v0_chat, await client.send_async(job.v0_chat, _send(job, urls))


async def finished(client: Client, job: Job, urls: Urls) -> Chat | Message:
    """The request that waits, for minutes, until the answer is final: that answer, or the new chat
    in which it is."""
    match job.kind:
        case "create":
            return (await client.create(_create(job, urls))).chat
        case "resolve":
            return await client.resolve(job.v0_chat, _resolve(job))
        case "restore":
            return await _restored(client, job)
        case _:
            return await client.send(job.v0_chat, _send(job, urls))


def _create(job: Job, urls: Urls) -> CreateChat:
    return CreateChat(
        **_options(job),
        attachments=urls,
        privacy=job.privacy,
        metadata={**job.payload.get("metadata", {}), OURS: str(job.intent)},
        title=job.title if job.title_given else None,
    )


def _resolve(job: Job) -> ResolveTask:
    return ResolveTask(
        task=Written(job.payload["task"]),
        model=_model(job.payload),
        image_generations=bool(job.payload.get("images")),
    )


def _send(job: Job, urls: Urls) -> SendMessage:
    return SendMessage(**_options(job), attachments=urls)


async def _restored(client: Client, job: Job) -> Message:
    pair = await client.restore_message(job.v0_chat, job.payload["restores"])
    final = [message for message in pair if message.role == "assistant" and message.finish_reason]
    if not final:
        raise InDoubt("no message records the restore")
    return final[-1]


def _options(job: Job) -> dict[str, Any]:
    payload = job.payload
    mcp = payload.get("mcp")
    return {
        "message": payload["message"],
        "model": _model(payload),
        "system_prompt": "\n\n".join(filter(None, (job.team_system, payload.get("system")))),
        "image_generations": bool(payload.get("images")),
        "mcp_server_ids": None if mcp is None else tuple(mcp),
        "skills": tuple(Skill(**skill) for skill in payload.get("skills", ())),
        "fix_with_v0": bool(payload.get("fix")),
    }


def _model(payload: dict[str, Any]) -> str:
    """The chosen model while there is it here, else the default one."""
    return model_among(permissions.models(), payload.get("model"))
