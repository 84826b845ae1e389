"""Copies of chats, as wishes: what v0 is asked, and how a copy without an answer is found.

Owns the request and the search. v0 takes no metadata with it, so what v0 lists is kept before the POST,
and ours is the one new chat with the copy's title; once found, it is marked. Relies on v0's client.
"""

from __future__ import annotations

from collections.abc import Sequence

from chats.models import Chat
from chats.models.messages import OURS
from chats.relay.threads import Threads
from chats.relay.wish_rows import Wish
from chats.v0api import types
from chats.v0api.client import Client

MOST_LISTED = 1000


class Copies:
    def __init__(self, client: Client, threads: Threads) -> None:
        self.client, self.threads = client, threads

    async def prepare(self, wish: Wish) -> None:
        wish.payload["before"] = [chat.id for chat in await self._listed()]

    async def post(self, wish: Wish) -> types.Chat:
        payload = wish.payload
        return await self.client.duplicate_chat(
            payload["source"], title=payload["title"], privacy=payload.get("privacy", "private")
        )

    async def find(self, wish: Wish) -> types.Chat | None:
        marked = await self.client.list_chats(limit=2, metadata={OURS: str(wish.intent)})
        new = [chat for chat in await self._listed() if is_new(chat, wish)]
        found = marked.chats or await self.threads.read(unknown_here, new)
        return found[0] if len(found) == 1 else None

    async def mark(self, wish: Wish) -> None:
        await self.client.update_chat(wish.v0_chat, metadata={OURS: str(wish.intent)})

    async def _listed(self) -> list[types.Chat]:
        listed: list[types.Chat] = []
        async for chat in self.client.iter_chats():
            listed.append(chat)
            if len(listed) == MOST_LISTED:
                break
        return listed


def is_new(chat: types.Chat, wish: Wish) -> bool:
    return chat.id not in wish.payload.get("before", ()) and chat.title == wish.payload["title"]


def unknown_here(chats: Sequence[types.Chat]) -> tuple[types.Chat, ...]:
    ids = [chat.id for chat in chats]
    known = set(Chat.objects.filter(v0_id__in=ids).values_list("v0_id", flat=True))
    return tuple(chat for chat in chats if chat.id not in known)
