"""What reading one small event of a stream costs: httpx as it comes beside our way of reading.

`python -m bench.network` starts a server in a process of its own, which sends EVENTS events, one
each write, at a steady pace, and prints this process's CPU time per event. Relies on `chats.v0api`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Awaitable, Callable

import httpx

from chats.v0api.client import Client
from chats.v0api.requests import SendMessage
from chats.v0api.sse import Decoder
from chats.v0api.transport import FRESH, POOL, TIMEOUTS, Transport

EVENTS = 3000
PER_SECOND = 1000
ROUNDS = 3

Reading = Callable[[str], Awaitable[float]]


async def serve() -> None:
    """Prints its port, then answers every request with a paced stream."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    started = time.monotonic()
    for number in range(EVENTS):
        event = {"object": "message.parts.chunk", "id": "m", "delta": {"0": {"n": [number]}}}
        data = b"data: " + json.dumps(event).encode() + b"\n\n"
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        ahead = started + number / PER_SECOND - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def with_httpx(url: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await decoded(client, url)


async def with_our_backend(url: str) -> float:
    transport = Transport(TIMEOUTS, POOL, None, NO_TLS)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        return await decoded(client, url)


async def with_a_window(url: str) -> float:
    transport = Transport(TIMEOUTS, POOL, lambda: 0.016, NO_TLS)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        return await decoded(client, url)


async def decoded(client: httpx.AsyncClient, url: str) -> float:
    decoder, events = Decoder(), 0
    request = client.build_request("POST", f"{url}/chats/c1/resume", extensions={FRESH: True})
    response = await client.send(request, stream=True)
    started = time.process_time()
    async for chunk in response.aiter_raw():
        events += len(decoder.feed(chunk))
    await response.aclose()
    assert events == EVENTS, events
    return time.process_time() - started


async def with_our_client(url: str) -> float:
    """Decoded and parsed too, as the relay gets it."""
    client = Client(url, "some-key", revision="ga", read_window=lambda: 0.016)
    async with client as v0, v0.send_stream("c1", SendMessage(message="hi")) as stream:
        started = time.process_time()
        events = sum([len(batch) async for batch in stream])
        assert events == EVENTS, events
        return time.process_time() - started


READINGS: dict[str, Reading] = {
    "httpx's own backend, SSE decoded": with_httpx,
    "our backend": with_our_backend,
    "our backend, read once per 16 ms": with_a_window,
    "our client, 16 ms, events parsed too": with_our_client,
}


async def measure(reading: Reading, url: str) -> float:
    """Microseconds of CPU per event, the best of a few rounds."""
    return min([await reading(url) for _ in range(ROUNDS)]) / EVENTS * 1e6


async def main() -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.network", "serve", stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout
    try:
        url = f"http://127.0.0.1:{int(await server.stdout.readline())}/v2"
        print(f"CPU per event, {EVENTS} events at {PER_SECOND}/s, best of {ROUNDS}")
        for name, reading in READINGS.items():
            print(f"{await measure(reading, url):8.1f} µs  {name}", flush=True)
    finally:
        server.terminate()
        await server.wait()


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1:] == ["serve"] else main())
