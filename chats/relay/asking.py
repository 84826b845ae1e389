"""The one request of a run that costs credits, built from its intent.

Owns what an intent's `payload` may hold and how that becomes a request. Relies on permissions for the
models there are, now, and on v0's client, which sends nothing until the stream is entered.

    message  text            model   a model's name    images  bool       system  text
    mcp      ids, [] is none; absent is the account's own choice          skills  wires of Skill
    files    our ids, of attachments          fix     bool
    task     a built task, for a resolve      metadata of a new chat
    restores the id at v0 of the answer whose files come back

What is in the files is given beside it, at the moment of the request.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

from chats import permissions
from chats.models.messages import OURS
from chats.relay.store import Job
from chats.v0api.client import Client
from chats.v0api.errors import InDoubt
from chats.v0api.requests import CreateChat, ResolveTask, SendMessage, Skill
from chats.v0api.stream import Event, MessageEvent
from chats.v0api.tasks import Written
from chats.v0api.types import DEFAULT_MODEL

# What a stream of v0 gives: what arrived together is given together.
Batches: TypeAlias = AsyncIterable[Sequence[Event]]


def charged(
    client: Client, job: Job, urls: tuple[str, ...]
) -> AbstractAsyncContextManager[Batches]:
    """The request of `job`; `urls` are its attachments as v0 can read them."""
    payload = job.payload
    match job.kind:
        case "create":
            given = job.title if job.title_given else None
            return client.create_stream(
                CreateChat(
                    **_options(payload),
                    attachments=urls,
                    privacy=job.privacy,
                    metadata={**payload.get("metadata", {}), OURS: str(job.intent)},
                    title=given,
                )
            )
        case "resolve":
            task = ResolveTask(
                task=Written(payload["task"]),
                model=_model(payload),
                image_generations=bool(payload.get("images")),
            )
            return client.resolve_stream(job.v0_chat, task)
        case "restore":
            return _restored(client, job)
        case _:
            return client.send_stream(
                job.v0_chat, SendMessage(**_options(payload), attachments=urls)
            )


@asynccontextmanager
async def _restored(client: Client, job: Job) -> AsyncIterator[Batches]:
    """The closing message of a restore, which v0 answers at once, as a stream of one event."""
    pair = await client.restore_message(job.v0_chat, job.payload["restores"])
    final = [message for message in pair if message.role == "assistant" and message.finish_reason]
    if not final:
        raise InDoubt("no message records the restore")

    async def batches() -> AsyncIterator[Sequence[Event]]:
        yield [MessageEvent(final[-1], list(final[-1].parts))]

    yield batches()


def _options(payload: dict[str, Any]) -> dict[str, Any]:
    mcp = payload.get("mcp")
    return {
        "message": payload["message"],
        "model": _model(payload),
        "system_prompt": payload.get("system") or "",
        "image_generations": bool(payload.get("images")),
        "mcp_server_ids": None if mcp is None else tuple(mcp),
        "skills": tuple(Skill(**skill) for skill in payload.get("skills", ())),
        "fix_with_v0": bool(payload.get("fix")),
    }


def _model(payload: dict[str, Any]) -> str:
    """The chosen model while it is allowed, else the default one: v0's own, "", if that is allowed."""
    allowed = permissions.models()
    default = "" if DEFAULT_MODEL in allowed else allowed[0]
    return permissions.model(payload.get("model")) or default
