"""The least a server of ours could do: read v0's stream and pass the new text on, unrendered.

Owns the floor that `bench.stream` measures against. Relies on the client and on the entry point of
the app, so that reading and sending cost the same in both; it renders, folds and stores nothing.
"""

from __future__ import annotations

from v0web.server import Options, Server  # isort:skip

import asyncio
import os
import sys
from typing import Any

from chats.v0api.client import Client
from chats.v0api.requests import CreateChat
from chats.v0api.stream import PartsEvent


class Floor:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.text = ""
        self.news: set[asyncio.Event] = set()

    async def start(self) -> None:
        self.client = Client(self.base_url, "key", revision="ga", read_window=lambda: 0.016)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self.viewer(send)
        elif scope["method"] == "POST":
            await self.relay()
            await self.answer(send)
        else:
            await self.answer(send)

    async def answer(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def relay(self) -> None:
        ask = CreateChat(message="go", privacy="private", metadata={})
        async with self.client.create_stream(ask) as stream:
            async for batch in stream:
                for event in batch:
                    if isinstance(event, PartsEvent) and "text" in event.delta["0"]:
                        self.text = event.delta["0"]["text"][1]
                for news in self.news:
                    news.set()

    async def viewer(self, send: Any) -> None:
        await send({"type": "websocket.accept"})
        news = asyncio.Event()
        self.news.add(news)
        sent = 0
        while True:
            await news.wait()
            news.clear()
            text = self.text[sent:]
            sent += len(text)
            await send({"type": "websocket.send", "text": text})


def main() -> int:
    floor = Floor(os.environ["V0_BASE_URL"])
    options = Options(host="127.0.0.1", port=int(os.environ["PORT"]), start=floor.start)
    return Server(floor, options).run()


if __name__ == "__main__":
    sys.exit(main())
