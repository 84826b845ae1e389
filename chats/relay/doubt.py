"""Whether v0 has a message, found out by reading.

Owns what counts as ours: a created chat by the intent's id in its metadata, a sent message by its
text, a decision by the answer to it, a restore by the pair that records it, after the newest message known before the POST and matching no
stored one. Relies on v0's
client; compares no clocks, sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from django.conf import settings

from chats.models.messages import OURS
from chats.relay.store import Job
from chats.v0api.client import Client
from chats.v0api.types import Message


def pauses() -> Iterator[float]:
    """Seconds to wait before each look: soon at first, then now and then for ten minutes."""
    waited = last = 0.0
    for moment in settings.V0_CHECK_AFTER:
        yield moment - waited
        last, waited = moment - waited, moment
    while waited < settings.V0_CHECK_FOR:
        yield max(last, 0.01)
        waited += max(last, 0.01)


async def find(client: Client, job: Job) -> tuple[str, str] | None:
    """The chat's and the answer's id at v0 ("" while the answer is not listed); None when absent.

    More than one candidate is as good as none: a person has to choose.
    """
    if job.kind == "create":
        return await _created(client, job)
    candidates = new((await client.list_messages(job.v0_chat, limit=20)).messages, job)
    if job.kind == "restore":
        return await _restored(client, job, candidates)
    if job.kind == "resolve":
        # v0 may record no message for a decision: any answer after the one that asked is ours.
        answer = _answer(candidates)
        return (job.v0_chat, answer) if answer else None
    found = [
        index
        for index, message in enumerate(candidates)
        if message.role == "user" and message.content.strip() == job.text.strip()
    ]
    if len(found) != 1:
        return None
    return job.v0_chat, _answer(candidates[: found[0]])


async def _restored(
    client: Client, job: Job, candidates: Sequence[Message]
) -> tuple[str, str] | None:
    """One new pair of messages, and the files that were to come back are v0's now."""
    answers = [
        later.id
        for later, earlier in pairwise(candidates)
        if (later.role, earlier.role) == ("assistant", "user")
    ]
    if len(answers) != 1 or not job.payload["restores"]:
        return None
    target = await client.get_message(job.v0_chat, job.payload["restores"])
    return None if target.restorable else (job.v0_chat, answers[0])


async def _created(client: Client, job: Job) -> tuple[str, str] | None:
    page = await client.list_chats(limit=2, metadata={OURS: str(job.intent)})
    if len(page.chats) != 1:
        return None
    chat = page.chats[0].id
    messages = (await client.list_messages(chat, limit=20)).messages
    return chat, _answer(messages)


def new(messages: Sequence[Message], job: Job) -> list[Message]:
    """Messages, newest first, that are later than the baseline and that we have not stored."""
    later = []
    for message in messages:
        if message.id == job.baseline:
            break
        if message.id not in job.known:
            later.append(message)
    return later


async def newest_answer(client: Client, chat: str, job: Job) -> str:
    """The id of the newest answer after the baseline; "" when v0 does not list one yet."""
    return _answer(new((await client.list_messages(chat, limit=20)).messages, job))


def _answer(messages: Sequence[Message]) -> str:
    """The id of the first answer that follows, of messages that are listed newest first."""
    answers = [message.id for message in messages if message.role == "assistant"]
    return answers[-1] if answers else ""
