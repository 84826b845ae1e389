"""Messages: sent, answered to, listed, read and stopped.

Owns these operations. Relies on `calls` for the way, on `requests` and `tasks` for what is asked.
Sending and resolving cost credits and go out once; what they answer is the agent's message.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager

from chats.v0api import limits
from chats.v0api.answers import done, with_id, with_list, with_text
from chats.v0api.calls import TRIES, Calls, segment
from chats.v0api.errors import Oversize
from chats.v0api.event_stream import EventStream
from chats.v0api.paging import Cursor, every
from chats.v0api.requests import Asked, ResolveTask, SendMessage
from chats.v0api.types import Message, MessagePage

# A list of more bytes than are read at once is asked for in pages of so many.
SMALLER = (20, 5, 1)


class Messages(Calls):
    async def send(self, chat_id: str, message: SendMessage) -> Message:
        """Sends a message and waits, for minutes, for the final answer.

        Costs credits: sent once.
        """
        return await self._answer(_of(chat_id), message)

    def send_stream(
        self, chat_id: str, message: SendMessage
    ) -> AbstractAsyncContextManager[EventStream]:
        """Sends a message and streams the answer. Costs credits: sent once."""
        return self._stream(f"{_of(chat_id)}/stream", message)

    async def send_async(self, chat_id: str, message: SendMessage) -> str:
        """Sends a message and gives the id of the answer to come. Costs credits: sent once."""
        return await self._accepted(f"{_of(chat_id)}/async", message)

    async def resolve(self, chat_id: str, task: ResolveTask) -> Message:
        """Answers what the newest message waits for, and waits, for minutes, for what follows.

        Conflict when it does not wait for that. Costs credits: sent once.
        """
        return await self._answer(f"{_of(chat_id)}/resolve", task)

    def resolve_stream(
        self, chat_id: str, task: ResolveTask
    ) -> AbstractAsyncContextManager[EventStream]:
        """As `resolve`, streaming a message that has an id of its own. Sent once."""
        return self._stream(f"{_of(chat_id)}/resolve/stream", task)

    async def resolve_async(self, chat_id: str, task: ResolveTask) -> str:
        """As `resolve`, giving the id of the message to come. Sent once."""
        return await self._accepted(f"{_of(chat_id)}/resolve/async", task)

    async def stop(self, chat_id: str, message_id: str) -> None:
        """Asks v0 to stop; the message ends some time later. Conflict when nothing is running."""
        path = f"{_of(chat_id)}/{segment(message_id)}/stop"
        await self._change("POST", path, read=done, tries=TRIES)

    async def list_messages(
        self, chat_id: str, *, limit: int = 20, cursor: str | None = None
    ) -> MessagePage:
        """A chat's messages, newest first, at most 100 at a time; fewer where they have so many bytes,
        since files that people attached may be in them, that they cannot be read at once."""
        limits.number("limit", limit, least=1, most=limits.PAGE)
        smaller = [size for size in SMALLER if size < limit]
        try:
            found = await self._get(_of(chat_id), {"limit": str(limit), "cursor": cursor})
        except Oversize:
            if not smaller:
                raise
            return await self.list_messages(chat_id, limit=smaller[0], cursor=cursor)
        return MessagePage.from_wire(with_list(found, "messages"))

    def iter_messages(self, chat_id: str, *, page: int = limits.PAGE) -> AsyncGenerator[Message]:
        """All messages of a chat, newest first, `page` in memory at a time."""

        async def fetch(cursor: Cursor) -> tuple[tuple[Message, ...], Cursor]:
            found = await self.list_messages(chat_id, limit=page, cursor=cursor)
            return found.messages, found.cursor

        return every(fetch)

    async def get_message(self, chat_id: str, message_id: str) -> Message:
        return Message.from_wire(with_id(await self._get(f"{_of(chat_id)}/{segment(message_id)}")))

    async def _answer(self, path: str, asked: Asked) -> Message:
        return Message.from_wire(with_id(await self._ask(path, asked, wait=self._timeouts.model)))

    async def _accepted(self, path: str, asked: Asked) -> str:
        return str(with_text(await self._ask(path, asked), "messageId")["messageId"])


def _of(chat_id: str) -> str:
    return f"/chats/{segment(chat_id)}/messages"
