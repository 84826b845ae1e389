"""The API key goes to v0 in one header, and nowhere else."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from chats.v0api.client import Client
from chats.v0api.errors import V0Error
from chats.v0api.requests import CreateChat
from chats.v0api.secrecy import LOGGERS, BearerKey
from chats.v0api.transport import Timeouts
from tests.v0api.wire_server import (
    END,
    Handler,
    Request,
    answer,
    chunk,
    hangs,
    replies,
    resets,
    serving,
    stream_head,
)

pytestmark = pytest.mark.anyio

SECRETS = {
    "of the usual shape": "v1:team_1:canary-3c9f",
    "of another shape": "sk+canary-3c9f/with=signs",
}
CREATE = CreateChat(message="Make a page", privacy="private", metadata={})
QUICK = Timeouts(headers=0.2, between_bytes=0.2)


def everything_said(error: BaseException) -> Iterator[str]:
    """All that a log, a debugger or an error page would print of an error and its causes."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from (str(one), repr(one), str(one.args), str(vars(one)))
        yield "".join(traceback.format_exception(one))
        waiting += [one.__cause__, one.__context__]


def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", *LOGGERS):
        caplog.set_level(logging.DEBUG, logger=name)


async def create(v0: Client) -> Any:
    async with v0.create_stream(CREATE) as stream:
        return [batch async for batch in stream]


async def get(v0: Client) -> Any:
    return await v0.get_chat("c1")


def echoes(status: int) -> Handler:
    """Says back what it was told, in a header, in its words and in the words of an error."""

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        header = request.headers["authorization"]
        words = {"message": f"I do not know {header.split()[1]} ({header})"}
        writer.write(answer(status, words, headers={"X-Echo": header}))
        await writer.drain()

    return handler


async def echoes_in_a_stream(request: Request, writer: asyncio.StreamWriter) -> None:
    header = request.headers["authorization"]
    writer.write(stream_head(f"X-Echo: {header}\r\n"))
    writer.write(chunk(b"data: " + header.encode() + b"\n\n") + END)


FAULTS: dict[str, Handler] = {
    "reset": resets,
    "hang": hangs,
    "401 with an echo": echoes(401),
    "500 with an echo": echoes(500),
    "200 with an echo": echoes(200),
    "a stream with an echo": echoes_in_a_stream,
    "a redirect": replies(answer(307, {}, headers={"Location": "http://127.0.0.1:1/"})),
    "nonsense": replies(b"\x00\x01\x02\r\n\r\n"),
}


@pytest.mark.parametrize("operation", [create, get])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("key", SECRETS.values(), ids=SECRETS)
async def test_the_key_is_in_no_error_and_no_log(
    key: str,
    fault: Handler,
    operation: Callable[[Client], Awaitable[Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_everything(caplog)
    said: list[str] = []
    async with (
        serving(fault) as server,
        Client(server.url, key, revision="ga", timeouts=QUICK) as v0,
    ):
        try:
            await operation(v0)
        except V0Error as error:
            said += everything_said(error)
        said += (repr(v0), str(v0), repr(vars(v0)))

        assert server.requests[0].headers["authorization"] == f"Bearer {key}"
    logged = [record for record in caplog.records if record.name.startswith("httpcore")]
    assert any("receive_response_headers" in record.getMessage() for record in logged)
    for record in caplog.records:
        said += (record.getMessage(), str(record.args), str(record.msg), str(record.exc_info))
    said.append(caplog.text)
    assert not [text for text in said if "canary" in text]


async def test_an_error_has_no_cause_that_holds_the_request() -> None:
    async with serving(resets) as server, Client(server.url, "some-key", revision="ga") as v0:
        with pytest.raises(V0Error) as caught:
            await create(v0)

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "a\r\nX-Evil: 1", "ключ", "a\0", "canary\t"])
def test_a_key_that_no_header_can_hold_is_refused_unsaid(key: str) -> None:
    with pytest.raises(ValueError, match="API key") as caught:
        Client("http://localhost/v2", key)

    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "localhost/v2", "ftp://localhost/v2", "http:///v2", "http://user:canary@localhost/v2"],
)
def test_a_base_url_that_is_none_is_refused_unsaid(url: str) -> None:
    with pytest.raises(ValueError, match="base URL") as caught:
        Client(url, "some-key")

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "has_key"),
    [
        ("https://api.example.com/v2/chats", True),
        ("https://api.example.com/elsewhere", True),
        ("http://api.example.com/v2/chats", False),
        ("https://api.example.com:8443/v2/chats", False),
        ("https://example.com/v2/chats", False),
        ("https://api.example.com.evil.com/v2", False),
        ("https://api.example.com@evil.com/v2", False),
    ],
)
def test_the_key_is_given_to_its_origin_only(url: str, has_key: bool) -> None:
    key = BearerKey("v1:team:canary", httpx.URL("https://api.example.com/v2"))
    request = next(key.auth_flow(httpx.Request("GET", url)))

    assert ("authorization" in request.headers) is has_key


async def test_a_closed_client_leaves_no_filter_behind() -> None:
    before = {name: list(logging.getLogger(name).filters) for name in LOGGERS}

    async with Client("http://localhost/v2", "some-key"):
        pass

    assert {name: list(logging.getLogger(name).filters) for name in LOGGERS} == before


async def test_a_short_word_as_a_key_is_left_in_sentences() -> None:
    handler = replies(answer(404, {"message": "no such chat in the sandbox"}))
    async with serving(handler) as server, Client(server.url, "sandbox") as v0:
        with pytest.raises(V0Error, match="in the sandbox"):
            await v0.get_chat("c1")


async def test_two_clients_keep_both_keys_quiet(caplog: pytest.LogCaptureFixture) -> None:
    log_everything(caplog)
    async with serving(echoes(401)) as server:
        one, other = (Client(server.url, f"canary-key-number-{n}") for n in (1, 2))
        async with one, other:
            for v0 in (one, other):
                with pytest.raises(V0Error):
                    await v0.get_chat("c1")

    assert "canary" not in caplog.text
