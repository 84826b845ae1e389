"""A small ASGI application behind our server, in a process of its own.

Owns what the tests of this folder ask for by path. Run as `python -m tests.server.application
PORT KEY=VALUE…`, where the keys are fields of `Options`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
from typing import Any

from v0web.server import Options, Server

Json = Any
sent = {"bytes": 0}
events: list[str] = []
seen: list[str] = []


async def application(scope: Json, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await http(scope, receive, send)
    else:
        await websocket(scope, receive, send)


async def http(scope: Json, receive: Any, send: Any) -> None:
    seen.append(scope["path"].strip("/"))
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    if scope["path"].startswith("/pieces/"):
        await pieces(send, scope["path"].split("/")[2])
        return
    answer = {
        "length": len(body),
        "begins": body[:64].decode("latin-1"),
        "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
        "root_path": scope["root_path"],
        "sent": sent["bytes"],
        "events": events,
        "seen": seen,
    }
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


async def pieces(send: Any, end: str) -> None:
    """50 MB in pieces of 64 KiB, or one of them and then an error."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1 if end == "broken" else 800):
        body = noise(64 * 1024).encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        sent["bytes"] += len(body)
    if end == "broken":
        raise RuntimeError("the source of it is gone")
    await send({"type": "http.response.body"})


async def websocket(scope: Json, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    match scope["path"].split("/")[1:]:
        case ["close", code]:
            await send({"type": "websocket.close", "code": int(code), "reason": "a word"})
        case ["message", size]:
            await send({"type": "websocket.send", "text": noise(int(size))})
        case ["flood"]:
            await flood(receive, send, close_after=None)
        case ["flood", seconds, code]:
            await flood(receive, send, close_after=float(seconds), code=int(code))
        case ["alike"]:
            for index in range(1000):
                await send({"type": "websocket.send", "text": like_a_frame(index)})
    while (message := await receive())["type"] != "websocket.disconnect":
        events.append(f"receive {len(message.get('text') or '')}")
    events.append(f"disconnect {message.get('code')}")


async def flood(receive: Any, send: Any, *, close_after: float | None, code: int = 0) -> None:
    """Sends 50 MB in pieces of 64 KiB; after `close_after` seconds of waiting, closes with `code`."""
    text = noise(64 * 1024)
    for _ in range(800):
        try:
            async with asyncio.timeout(close_after):
                await send({"type": "websocket.send", "text": text})
        except TimeoutError:
            await send({"type": "websocket.close", "code": code})
            return
        sent["bytes"] += len(text)


def noise(size: int) -> str:
    """Text that does not compress to nothing."""
    return random.Random(size).randbytes(size // 2 + 1).hex()[:size]


def like_a_frame(index: int) -> str:
    return (
        f'<p id="m0f9d7c52-6a0e-4f7b-9b64-1c7a7d1c2b1d-p3-b{index}" '
        f'hx-swap-oob="put:#m0f9d7c52-6a0e-4f7b-9b64-1c7a7d1c2b1d-p3-b">{noise(20 + index % 40)}</p>'
        f'<i id="at" data-at="f2c0a9.{index}" hx-swap-oob="attrs"></i>'
    )


async def start() -> None:
    events.append("start")


async def stop() -> None:
    print("stop was called", flush=True)


def main() -> int:
    logging.basicConfig(level=logging.INFO)
    port, *given = sys.argv[1:]
    fields = {name: json.loads(value) for name, value in (item.split("=", 1) for item in given)}
    options = Options(host="127.0.0.1", port=int(port), start=start, stop=stop, **fields)
    return Server(application, options).run()


if __name__ == "__main__":
    sys.exit(main())
