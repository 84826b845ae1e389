"""Webhooks: who is told of what, and the deliveries.

Owns the queue of each webhook and a log of what became of each delivery. Relies on the records.
Only addresses on this machine are called, once and once more when that failed, beside the requests
and never in their way; a queue that is full loses its oldest. What v0 sends is documented nowhere:
this is a stand-in's guess.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chats.sandbox import wire
from chats.sandbox.records import HOOK, Records
from chats.sandbox.store import News

Json = Any
Wire = dict[str, Json]

TIMEOUT = 2.0
"""Seconds for one try."""
PAUSE = 0.5
"""Seconds between the try and the second one."""
LARGEST_ANSWER = 65_536
"""Bytes that are read of what a listener answers, for its sake."""
LONGEST_QUEUE = 200
LOGGED = 500


@dataclass(slots=True)
class Delivery:
    """`status` is pending, success, error or skipped; `code` the last answer's, 0 without one."""

    world: str
    hook_id: str
    url: str
    body: Wire
    status: str = "pending"
    tries: int = 0
    code: int = 0

    def to_wire(self) -> Wire:
        shown = {"hookId": self.hook_id, "url": self.url, "status": self.status}
        return {**self.body, **shown, "tries": self.tries, "code": self.code}


class Hooks:
    def __init__(self, records: Records) -> None:
        self._records = records
        self._waiting: dict[str, deque[Delivery]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._log: deque[Delivery] = deque(maxlen=LOGGED)

    def hear(self, news: News) -> None:
        """Queues a delivery for every webhook that listens to this."""
        for hook in self._records.all(news.world, HOOK):
            if news.event in hook["events"] and hook["chatId"] in (None, news.chat_id):
                self._queue(Delivery(news.world, hook["id"], hook["url"], _body(news)))

    def log(self, world: str) -> list[Wire]:
        """The last deliveries of a world, oldest first."""
        return [delivery.to_wire() for delivery in self._log if delivery.world == world]

    async def stop(self) -> None:
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _queue(self, delivery: Delivery) -> None:
        self._log.append(delivery)
        waiting = self._waiting.setdefault(delivery.hook_id, deque())
        if len(waiting) == LONGEST_QUEUE:
            waiting.popleft().status = "skipped"
        waiting.append(delivery)
        if delivery.hook_id not in self._workers:
            self._workers[delivery.hook_id] = asyncio.create_task(self._work(delivery.hook_id))

    async def _work(self, hook_id: str) -> None:
        """One at a time and in order, for as long as there are any."""
        waiting = self._waiting[hook_id]
        try:
            while waiting:
                await _deliver(waiting.popleft())
        finally:
            del self._workers[hook_id]


def _body(news: News) -> Wire:
    about = {"chatId": news.chat_id} | ({"messageId": news.message_id} if news.message_id else {})
    return {
        "id": f"evt_{wire.new_id(24)}",
        "object": "hook_event",
        "event": news.event,
        "createdAt": wire.now(),
        **about,
    }


async def _deliver(delivery: Delivery) -> None:
    if not _is_on_this_machine(delivery.url):
        delivery.status = "skipped"
        return
    body = wire.dumps(delivery.body).encode()
    for pause in (0.0, PAUSE):
        await asyncio.sleep(pause)
        delivery.tries += 1
        try:
            delivery.code = await _post(delivery.url, body)
        except (OSError, ValueError):
            delivery.code = 0
        if 200 <= delivery.code < 300:
            delivery.status = "success"
            return
    delivery.status = "error"


def _is_on_this_machine(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "http":
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


async def _post(url: str, body: bytes) -> int:
    """The status of the answer. Plain sockets: whatever hangs can be cancelled."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = (
        f"POST {target} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    async with asyncio.timeout(TIMEOUT):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        try:
            writer.write(head.encode() + body)
            status = (await reader.readline()).split()
            await reader.read(LARGEST_ANSWER)
            return int(status[1]) if len(status) > 1 else 0
        finally:
            writer.close()
