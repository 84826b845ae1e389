"""Chats: made in seven ways, read, listed, changed, copied and deleted.

Owns these operations and their answers. Relies on `calls` for the way and on `requests` for what is
asked. Every create and the copy cost credits and go out once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from chats.v0api import limits
from chats.v0api.answers import an_object, done, json_value, with_id, with_list, with_text
from chats.v0api.calls import Calls, segment
from chats.v0api.event_stream import EventStream
from chats.v0api.paging import Cursor, every
from chats.v0api.requests import CreateChat, CreateFromFiles, CreateFromRepo, CreateFromZip
from chats.v0api.types import PRIVACIES, Chat, ChatPage, Json, Usage, Wire


@dataclass(frozen=True, slots=True)
class CreatedChat:
    """A new chat and what it cost; its messages are listed."""

    chat: Chat
    usage: Usage
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Json) -> CreatedChat:
        found = an_object(wire)
        chat = Chat.from_wire(with_id(found.get("chat")))
        return cls(chat, Usage.from_wire(found.get("usage")), found)


@dataclass(frozen=True, slots=True)
class AcceptedChat:
    """A chat whose answer is being generated: its message is read until it has a finish reason."""

    chat_id: str
    message_id: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Json) -> AcceptedChat:
        found = with_text(wire, "chatId", "messageId")
        return cls(found["chatId"], found["messageId"], found)


class Chats(Calls):
    async def create(self, chat: CreateChat) -> CreatedChat:
        """Creates a chat and waits, for minutes, until its first answer is final.

        Costs credits: sent once.
        """
        return CreatedChat.from_wire(await self._ask("/chats", chat, wait=self._timeouts.model))

    def create_stream(self, chat: CreateChat) -> AbstractAsyncContextManager[EventStream]:
        """Creates a chat and streams its first answer. Costs credits: sent once."""
        return self._stream("/chats/stream", chat)

    async def create_async(self, chat: CreateChat) -> AcceptedChat:
        """Creates a chat and does not wait for its answer. Costs credits: sent once."""
        return AcceptedChat.from_wire(await self._ask("/chats/async", chat))

    async def create_from_files(self, chat: CreateFromFiles) -> CreatedChat:
        """Creates a chat of given files. Counts as a create: sent once."""
        return CreatedChat.from_wire(
            await self._ask("/chats/from-files", chat, wait=self._timeouts.files)
        )

    async def create_from_zip(self, chat: CreateFromZip) -> CreatedChat:
        """Creates a chat of an archive. Counts as a create: sent once."""
        return CreatedChat.from_wire(
            await self._ask("/chats/from-zip", chat, wait=self._timeouts.files)
        )

    async def create_from_repo(self, chat: CreateFromRepo) -> CreatedChat:
        """Creates a chat of a repository. Counts as a create: sent once."""
        return CreatedChat.from_wire(
            await self._ask("/chats/from-repo", chat, wait=self._timeouts.files)
        )

    async def duplicate_chat(
        self, chat_id: str, *, privacy: str = "private", title: str | None = None
    ) -> Chat:
        """Copies a chat; without a title, v0 makes one from the old. Costs credits: sent once."""
        body = {"privacy": limits.word("privacy", privacy, PRIVACIES)}
        if title is not None:
            body["title"] = title
        found = await self._charge(f"/chats/{segment(chat_id)}/duplicate", body)
        return Chat.from_wire(with_id(found))

    def resume(self, chat_id: str) -> AbstractAsyncContextManager[EventStream]:
        """Streams the answer that is being generated, from its beginning."""
        return self._stream(f"/chats/{segment(chat_id)}/resume", None)

    async def get_chat(self, chat_id: str) -> Chat:
        return Chat.from_wire(with_id(await self._get(f"/chats/{segment(chat_id)}")))

    async def list_chats(
        self,
        *,
        limit: int = 20,
        cursor: str | None = None,
        metadata: Mapping[str, str] | None = None,
        author_id: str | None = None,
        vercel_project_id: str | None = None,
    ) -> ChatPage:
        """Chats that carry all of `metadata`, at most 100 at a time."""
        query = {
            "limit": str(limits.number("limit", limit, least=1, most=limits.PAGE)),
            "cursor": cursor,
            "authorId": author_id,
            "vercelProjectId": vercel_project_id,
        }
        for key, value in (metadata or {}).items():
            limits.text("metadata", value, most=limits.METADATA_VALUE)
            query[f"metadata[{key}]"] = value
        return ChatPage.from_wire(with_list(await self._get("/chats", query), "chats"))

    def iter_chats(
        self,
        *,
        page: int = limits.PAGE,
        metadata: Mapping[str, str] | None = None,
        author_id: str | None = None,
        vercel_project_id: str | None = None,
    ) -> AsyncGenerator[Chat]:
        """All chats that `list_chats` would give, `page` in memory at a time."""

        async def fetch(cursor: Cursor) -> tuple[tuple[Chat, ...], Cursor]:
            found = await self.list_chats(
                limit=page,
                cursor=cursor,
                metadata=metadata,
                author_id=author_id,
                vercel_project_id=vercel_project_id,
            )
            return found.chats, found.cursor

        return every(fetch)

    async def update_chat(
        self,
        chat_id: str,
        *,
        title: str | None = None,
        privacy: str | None = None,
        metadata: Mapping[str, str | None] | None = None,
        clear_metadata: bool = False,
    ) -> Chat:
        """Changes what is given; a metadata value of None removes that key.

        `clear_metadata` removes all keys, and then `metadata` is not looked at.
        """
        body: dict[str, Json] = {}
        if title is not None:
            body["title"] = title
        if privacy is not None:
            body["privacy"] = limits.word("privacy", privacy, PRIVACIES)
        if clear_metadata:
            body["metadata"] = None
        elif metadata is not None:
            body["metadata"] = limits.metadata(metadata, key=limits.CHANGED_METADATA_KEY)
        found = await self._change("PATCH", f"/chats/{segment(chat_id)}", body, read=json_value)
        return Chat.from_wire(with_id(found))

    async def delete_chat(self, chat_id: str) -> None:
        """Deletes a chat with its messages."""
        await self._change("DELETE", f"/chats/{segment(chat_id)}", read=done)
