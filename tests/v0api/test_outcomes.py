"""Whoever made a client may hear how each call ended."""

from __future__ import annotations

import pytest

from chats.v0api.client import Client
from chats.v0api.errors import InDoubt, InvalidRequest, NotFound, NotSent, V0Error
from tests.v0api.exchange import KEY, NO_TLS
from tests.v0api.operations import CREATE
from tests.v0api.test_faults import closed_port
from tests.v0api.wire_server import answer, replies, resets, serving, stream_head

pytestmark = pytest.mark.anyio

CHAT = answer(200, {"id": "c"})


async def heard(url: str) -> list[type[V0Error] | None]:
    """The outcomes of reading one chat and of opening one stream that v0 would answer with."""
    outcomes: list[type[V0Error] | None] = []
    costs: list[bool] = []

    def hear(error: V0Error | None, charged: bool) -> None:
        outcomes.append(None if error is None else type(error))
        costs.append(charged)

    async with Client(url, KEY, revision="ga", ssl_context=NO_TLS, on_outcome=hear) as v0:
        for call in (v0.get_chat("c"), opened(v0)):
            try:
                await call
            except V0Error:
                continue
    assert costs == [False, True]
    return outcomes


async def opened(v0: Client) -> None:
    async with v0.create_stream(CREATE):
        pass


async def test_successes_and_refusals_are_told() -> None:
    async with serving(replies(CHAT, stream_head())) as server:
        assert await heard(server.url) == [None, None]
    async with serving(replies(answer(404, {}))) as server:
        assert await heard(server.url) == [NotFound, NotFound]


async def test_a_repeated_call_is_told_once() -> None:
    async with serving(resets) as server:
        assert await heard(server.url) == [InDoubt, InDoubt]
        assert len(server.requests) == 4
    assert await heard(f"http://127.0.0.1:{closed_port()}/v2") == [NotSent, NotSent]


async def test_what_was_never_sent_says_nothing_of_v0() -> None:
    outcomes: list[V0Error | None] = []

    def hear(error: V0Error | None, charged: bool) -> None:
        outcomes.append(error)

    async with Client("http://127.0.0.1:1/v2", KEY, ssl_context=NO_TLS, on_outcome=hear) as v0:
        with pytest.raises(InvalidRequest):
            await v0.list_chats(limit=0)

    assert outcomes == []
