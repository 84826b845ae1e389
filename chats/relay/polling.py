"""An answer read again and again until it is final, for when no stream brings it.

Owns the pauses between two reads: short at first, then longer and longer, never in step with others,
and never shorter than what v0 asks for. Relies on v0's client; what is read goes the way of what is
streamed. One read is under way at a time. It sends nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from django.conf import settings

from chats.relay import doubt
from chats.relay.progress import Progress
from chats.v0api import errors
from chats.v0api.client import Client
from chats.v0api.stream import Event, MessageEvent, TitleEvent
from chats.v0api.types import Message

logger = logging.getLogger(__name__)

# What does not get better by asking again: the key, the rights, the chat or the message is gone.
GIVE_UP = (errors.Unauthorized, errors.Forbidden, errors.NotFound)
# The share of a pause by which it may be shorter or longer.
JITTER = 0.2
# How often in a row v0 may say so of a message that it has accepted a moment ago.
PATIENCE = 8
Look: TypeAlias = Callable[[Client, Progress], Awaitable[Message | None]]


class Pauses:
    """The pauses of one run. `hurry` ends the one that goes on, and begins with short ones again."""

    def __init__(self) -> None:
        self._seconds = settings.V0_POLL_FIRST
        self._hurried = asyncio.Event()

    def next(self) -> float:
        """Seconds until the next read."""
        seconds = self._seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
        self._seconds = min(self._seconds * settings.V0_POLL_GROWTH, settings.V0_POLL_LONGEST)
        return seconds

    def hurry(self) -> None:
        self._seconds = settings.V0_POLL_FIRST
        self._hurried.set()

    async def pause(self, asked_for: float = 0) -> None:
        """Wait; `asked_for` are the seconds that v0 wants to be left alone, by everybody at once."""
        rest = self.next() - asked_for
        if asked_for:
            await asyncio.sleep(asked_for)
            rest = max(rest, random.uniform(0, JITTER * asked_for))  # noqa: S311
        try:
            async with asyncio.timeout(max(rest, 0)):
                await self._hurried.wait()
        except TimeoutError:
            return
        self._hurried.clear()


async def until_final(
    look: Callable[[], Awaitable[Message | None]], pauses: Pauses, *, patience: int | None
) -> Message:
    """What `look` gives once it is final. When v0 has said more than `patience` times in a row that
    it will not show the message, the last of those errors is raised (never with None); any other
    failure passes."""
    refusals, asked_for = 0, 0.0
    while True:
        await pauses.pause(asked_for)
        try:
            message = await look()
        except errors.V0Error as error:
            logger.info("reading an answer: %s", error)
            refusals = refusals + 1 if isinstance(error, GIVE_UP) else 0
            if patience is not None and refusals > patience:
                raise
            asked_for = error.retry_after or 0.0
            continue
        if message is not None and message.finish_reason is not None:
            return message
        refusals, asked_for = 0, 0.0


async def look(client: Client, progress: Progress) -> Message | None:
    """Read the answer of an accepted message, and show it as far as it has come; None while v0 does
    not list it."""
    if not progress.v0_answer:
        newest = await doubt.newest_answer(client, progress.v0_chat, progress.job)
        await progress.identify(newest)
        if not newest:
            return None
    message = await client.get_message(progress.v0_chat, progress.v0_answer)
    if message.finish_reason is None:
        events: list[Event] = [MessageEvent(message, list(message.parts), clean=True)]
        if progress.job.kind == "create" and not progress.title:
            chat = await client.get_chat(progress.v0_chat)
            events.append(TitleEvent(chat.id, chat.title))
        await progress.take(events)
    return message


async def look_for(client: Client, progress: Progress) -> Message | None:
    """As `look`, for a message of which v0 has said nothing yet."""
    if not progress.accepted:
        found = await doubt.find(client, progress.job)
        if found is None:
            return None
        await progress.accept(*found)
    return await look(client, progress)
