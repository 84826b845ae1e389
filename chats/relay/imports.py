"""Chats that begin with files, as wishes: texts, an archive, or a repository that v0 reads itself.

Owns the request for each and what of the files is read for it, at the moment of the POST. A created
chat carries the intent's id in its metadata, by which it is found. Relies on v0's client and on
`uploads`; an address that somebody gave is never asked for from here.

    attachments  ids of ours, of texts or of one archive    url     of an archive or a repository
    branch       of the repository, "" for its own default  title   privacy   team
"""

from __future__ import annotations

from typing import Any

from chats.models.messages import OURS
from chats.relay import uploads
from chats.relay.threads import Threads
from chats.relay.wish_rows import Wish
from chats.v0api import types
from chats.v0api.client import Client
from chats.v0api.requests import CreateFromFiles, CreateFromRepo, CreateFromZip


class Imports:
    def __init__(self, client: Client, threads: Threads) -> None:
        self.client, self.threads = client, threads

    async def prepare(self, wish: Wish) -> None:
        ids = wish.payload.get("attachments", ())
        if wish.kind == "files":
            wish.content = await self.threads.read(uploads.texts, ids)
        elif ids:
            (wish.content,) = await self.threads.read(uploads.urls, ids)

    async def post(self, wish: Wish) -> types.Chat:
        payload = wish.payload
        around: dict[str, Any] = {
            "privacy": payload.get("privacy", "private"),
            "metadata": {OURS: str(wish.intent)},
            "title": payload.get("title") or None,
        }
        match wish.kind:
            case "files":
                made = await self.client.create_from_files(
                    CreateFromFiles(files=wish.content, **around)
                )
            case "zip":
                url = wish.content or payload["url"]
                made = await self.client.create_from_zip(CreateFromZip(url=url, **around))
            case _:
                repository = CreateFromRepo(
                    url=payload["url"], branch=payload.get("branch", ""), **around
                )
                made = await self.client.create_from_repo(repository)
        wish.usage = made.usage
        return made.chat

    async def find(self, wish: Wish) -> types.Chat | None:
        page = await self.client.list_chats(limit=2, metadata={OURS: str(wish.intent)})
        return page.chats[0] if len(page.chats) == 1 else None

    async def mark(self, wish: Wish) -> None:
        """It was created with its mark."""
