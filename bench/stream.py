"""What one streamed answer costs the server, beside a floor that renders nothing.

    python -m bench.stream [--viewers 1,10,100] [--size 30000] [--rate 200]

Prints, for each number of viewers and for both servers: CPU seconds per 10,000 chunks, bytes to a
browser per byte of content (as sent, and deflated on the wire), the latency that was added to a
chunk (p50 and p99, from v0 saying it to a viewer having it) and the database writes of the run.
Both are measured side by side in one run; the absolute figures are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

# The environment of tests, in which the app is started here too; nothing else of it is used.
import tests.conftest  # noqa: F401
from bench.upstream import Serving, Upstream, chunks
from tests.app_server import AppServer, free_port, running_app

MARK = re.compile(r"w(\d{6})")
TICK = os.sysconf("SC_CLK_TCK")
WATCHED = 5


class Counted(ClientConnection):
    """Counts what came over the wire, before it is inflated."""

    wire = 0

    def data_received(self, data: bytes) -> None:
        self.wire += len(data)
        super().data_received(data)


@dataclass
class Viewer:
    """Reads until the last chunk is there. `late` are seconds per chunk, for the viewers watched."""

    upstream: Upstream
    watched: bool
    raw: int = 0
    wire: int = 0
    seen: int = -1
    late: list[float] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self, url: str, headers: dict[str, str]) -> None:
        async with connect(
            url,
            additional_headers=headers,
            create_connection=Counted,
            max_size=None,
            open_timeout=60,
            proxy=None,
        ) as socket:
            assert isinstance(socket, Counted)
            self.ready.set()
            start = socket.wire
            try:
                while self.seen < len(self.upstream.pieces) - 1:
                    self.take(await socket.recv())
            except websockets.ConnectionClosed as closed:
                raise SystemExit(f"a viewer lost its socket: {closed}") from None
            self.wire = socket.wire - start

    def take(self, message: str | bytes) -> None:
        text = message if isinstance(message, str) else message.decode()
        self.raw += len(text.encode())
        newest = max(map(int, MARK.findall(text)), default=-1)
        if self.watched:
            now = time.monotonic()
            self.late += [
                now - self.upstream.said[number] for number in range(self.seen + 1, newest + 1)
            ]
        self.seen = max(self.seen, newest)


@dataclass
class Figures:
    cpu: float
    raw: float
    wire: float
    p50: float
    p99: float
    writes: str

    def row(self, name: str, viewers: int) -> str:
        return (
            f"| {viewers} | {name} | {self.cpu:.2f} s | {self.raw:.2f} | {self.wire:.2f} "
            f"| {self.p50 * 1000:.0f} ms | {self.p99 * 1000:.0f} ms | {self.writes} |"
        )


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


async def watched(
    upstream: Upstream, viewers: int, pid: int, url: str, headers: dict[str, str]
) -> Figures:
    """The figures of one answer: every viewer is there before the first chunk leaves."""
    watching = [Viewer(upstream, number < WATCHED) for number in range(viewers)]
    async with asyncio.TaskGroup() as group:
        for each in watching:
            group.create_task(each.watch(url, headers))
        for each in watching:
            await each.ready.wait()
        await asyncio.sleep(1)
        before = cpu_of(pid)
        upstream.go.set()
    cpu = cpu_of(pid) - before
    content = len(upstream.text.encode())
    late = sorted(moment for each in watching for moment in each.late)
    return Figures(
        cpu=cpu * 10_000 / len(upstream.pieces),
        raw=statistics.mean(each.raw for each in watching) / content,
        wire=statistics.mean(each.wire for each in watching) / content,
        p50=late[len(late) // 2],
        p99=late[int(len(late) * 0.99)],
        writes="0",
    )


async def ours(upstream: Upstream, port: int, viewers: int, folder: Path) -> Figures:
    def start() -> AppServer:
        return running_app(
            folder,
            None,
            template=None,
            database=None,
            V0_BASE_URL=f"http://127.0.0.1:{port}/v2",
            V0_API_REVISION="ga",
            V0_SOCKETS_PER_PERSON="1000",
        )

    with await asyncio.to_thread(start) as app:
        chat = await asyncio.to_thread(ask, app)
        url = f"ws://localhost:{app.port}/ws/chats/{chat}/"
        figures = await watched(
            upstream, viewers, app.pid, url, app.headers_of("owner@example.com")
        )
        figures.writes = await asyncio.to_thread(writes, app)
    return figures


def ask(app: AppServer) -> str:
    with app.client_of("owner@example.com") as client:
        sent = client.post(
            "/chats/", data={"message": "go", "token": "00000000-0000-4000-8000-000000000001"}
        )
    return sent.headers["location"].strip("/").rpartition("/")[2]


def writes(app: AppServer) -> str:
    """Writes of the run as the relay logs them at its end."""
    for _ in range(200):
        found = re.search(r"over: \d+ events, (\d+) writes", app.log)
        if found:
            return found[1]
        time.sleep(0.05)
    return "?"


async def floor(upstream: Upstream, port: int, viewers: int) -> Figures:
    own = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(own),
        "V0_BASE_URL": f"http://127.0.0.1:{port}/v2",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.floor", env=environment
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{own}", timeout=600) as client:
            await answering(client)
            relaying = asyncio.create_task(client.post("/"))
            figures = await watched(upstream, viewers, process.pid, f"ws://127.0.0.1:{own}/", {})
            await relaying
    finally:
        process.kill()
        await process.wait()
    return figures


async def answering(client: httpx.AsyncClient) -> None:
    for _ in range(200):
        try:
            await client.get("/")
        except httpx.TransportError:
            await asyncio.sleep(0.05)
        else:
            return
    raise SystemExit("the floor did not start")


async def measure(name: str, viewers: int, options: Any) -> Figures:
    upstream = Upstream(chunks(options.size, options.chunk), options.rate)
    async with Serving(upstream.app) as port:
        if name == "floor":
            return await floor(upstream, port, viewers)
        with tempfile.TemporaryDirectory() as folder:
            return await ours(upstream, port, viewers, Path(folder))


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.stream", description=__doc__)
    parser.add_argument("--viewers", default="1,10,100", help="numbers of viewers, with commas")
    parser.add_argument("--size", type=int, default=30_000, help="characters of the answer")
    parser.add_argument("--chunk", type=int, default=24, help="characters of a chunk")
    parser.add_argument("--rate", type=float, default=200, help="chunks a second; 0: no limit")
    options = parser.parse_args()
    print(f"{options.size} characters in chunks of {options.chunk}, {options.rate:g} a second")
    print("| viewers | server | CPU per 10,000 chunks | raw | deflated | p50 | p99 | writes |")
    print("|---|---|---|---|---|---|---|---|")
    for viewers in map(int, options.viewers.split(",")):
        for name in ("floor", "v0web"):
            figures = await measure(name, viewers, options)
            print(figures.row(name, viewers), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
