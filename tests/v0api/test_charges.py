"""What costs credits leaves once, on a connection of its own, whatever happens; what does not, and
changes nothing, is repeated when the connection failed."""

from __future__ import annotations

import asyncio

import pytest

from chats.v0api.calls import TRIES
from chats.v0api.client import Client
from chats.v0api.errors import InDoubt, NotSent
from chats.v0api.transport import Timeouts
from tests.v0api.exchange import NO_TLS, accepted
from tests.v0api.operations import CHARGED, LEAST, REPEATED
from tests.v0api.spec import operations
from tests.v0api.test_faults import BROKEN, SLOW, closed_port
from tests.v0api.wire_server import Request, Server, pace, serving

pytestmark = pytest.mark.anyio

KEY = "v1:team_1:canary-key"
ONCE = sorted(set(LEAST) - REPEATED)

# Long for what must happen, however busy the machine is, and short for what must not.
CALM = Timeouts(pool=20, connect=20, model=0, files=0)
BRIEF = Timeouts(
    pool=1, connect=1, write=1, headers=0.3, model=0, files=0, between_bytes=0.3, call=3, download=3
)
TIMES = {**dict.fromkeys(BROKEN, CALM), **dict.fromkeys(SLOW, BRIEF)}
FAULTS = BROKEN | SLOW


def client(url: str, timeouts: Timeouts = CALM) -> Client:
    return Client(url, KEY, revision="ga", timeouts=timeouts, ssl_context=NO_TLS)


async def arrived(operations: list[str], fault: str) -> list[Server]:
    """What arrived of each operation when its server failed in some way."""

    async def ask(operation_id: str) -> Server:
        async with (
            serving(FAULTS[fault]) as server,
            client(server.url, TIMES[fault]) as v0,
        ):
            with pytest.raises(InDoubt):
                await LEAST[operation_id](v0)
            return server

    return await asyncio.gather(*map(ask, operations))


def test_each_kind_of_operation_is_there() -> None:
    assert (len(CHARGED), len(ONCE), len(REPEATED)) == (15, 26, 18)


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_charged_operation_and_no_change_is_repeated(fault: str) -> None:
    servers = await arrived(ONCE, fault)

    assert [len(server.requests) for server in servers] == [1] * len(ONCE)
    assert [server.connections for server in servers] == [1] * len(ONCE)


@pytest.mark.parametrize("fault", BROKEN)
async def test_reads_and_what_is_as_harmless_are_repeated_twice(fault: str) -> None:
    servers = await arrived(sorted(REPEATED), fault)

    assert TRIES == 3
    assert [len(server.requests) for server in servers] == [TRIES] * len(REPEATED)


@pytest.mark.parametrize("fault", SLOW)
async def test_nothing_is_repeated_because_it_is_slow(fault: str) -> None:
    servers = await arrived(sorted(REPEATED), fault)

    assert [len(server.requests) for server in servers] == [1] * len(REPEATED)


async def test_a_connection_that_is_refused_proves_of_each_that_nothing_was_sent() -> None:
    async with client(f"http://127.0.0.1:{closed_port()}/v2") as v0:

        async def ask(operation_id: str) -> None:
            with pytest.raises(NotSent):
                await LEAST[operation_id](v0)

        await asyncio.gather(*map(ask, LEAST))


async def test_each_charged_operation_has_a_fresh_connection_and_other_calls_share_one() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(replies[0])
        await writer.drain()

    replies = [b""]
    connections: dict[str, int] = {}
    async with serving(handler) as server, client(server.url) as v0:
        for operation in operations().values():
            replies[0] = accepted(operation)
            await LEAST[operation.id](v0)
            connections[operation.id] = server.requests[-1].connection

    own = {*CHARGED, "chats.resume", "chats.downloadFiles"}
    shared = {connections[name] for name in set(LEAST) - own}
    assert len(shared) == 1
    assert len({connections[name] for name in own} - shared) == len(own)


@pytest.mark.parametrize("operation_id", ["chats.create", "messages.send", "messages.resolve"])
async def test_an_answer_that_begins_when_the_model_has_ended_is_waited_for(
    operation_id: str,
) -> None:
    reply = accepted(operations()[operation_id])

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        await pace(0.3)
        writer.write(reply)
        await writer.drain()

    patient, hasty = Timeouts(headers=0.1, model=20), Timeouts(headers=0.1, model=0.05)
    async with serving(handler) as server, client(server.url, patient) as v0:
        await LEAST[operation_id](v0)
        async with client(server.url, hasty) as other:
            with pytest.raises(InDoubt):
                await LEAST[operation_id](other)

        assert len(server.requests) == 2


async def test_an_answer_that_does_not_wait_for_the_model_is_given_up_sooner() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    brief = Timeouts(headers=0.05, model=3600)
    async with serving(handler) as server, client(server.url, brief) as v0:
        for operation_id in ("chats.createAsync", "messages.sendAsync", "chats.deploy"):
            with pytest.raises(InDoubt, match="ReadTimeout"):
                await LEAST[operation_id](v0)


async def test_a_cancelled_charge_is_not_made_again() -> None:
    came = asyncio.Event()

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        came.set()
        await asyncio.Event().wait()

    async with serving(handler) as server, client(server.url, Timeouts()) as v0:
        task = asyncio.ensure_future(LEAST["chats.duplicate"](v0))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert len(server.requests) == 1
