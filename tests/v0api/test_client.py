"""The client against a server that answers: what goes over the wire, and what comes of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from chats.v0api.client import Client
from chats.v0api.errors import (
    Conflict,
    InDoubt,
    NotFound,
    OutOfCredits,
    RateLimited,
    Redirected,
    V0Error,
)
from chats.v0api.requests import CreateChat, SendMessage
from chats.v0api.revisions import revision_of
from chats.v0api.stream import Event, Fold, UnknownEvent, fold
from chats.v0api.transport import Timeouts
from tests.v0api.wire_server import (
    END,
    Request,
    answer,
    chunk,
    frame,
    replies,
    serving,
    stream_head,
)

pytestmark = pytest.mark.anyio

KEY = "v1:team_1:canary-key"
CREATE = CreateChat(message="Make a page", privacy="private", metadata={"ours": "7"})
SEND = SendMessage(message="More")
CHAT = {"id": "c1", "title": "A page", "privacy": "private", "metadata": {"ours": "7"}}
MESSAGE = {"id": "m1", "chatId": "c1", "role": "assistant", "parts": [], "finishReason": "stop"}
SPEC_GA: dict[str, Any] = {
    "paths": {
        "/chats/stream": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"properties": {"skills": {}}}}}
                }
            }
        }
    }
}
OK_STREAM = stream_head() + chunk(frame({"object": "chat", **CHAT})) + END


async def events(stream: Any) -> list[Event]:
    return [event async for batch in stream for event in batch]


def client(url: str, **options: Any) -> Client:
    return Client(url, KEY, **{"revision": "ga", **options})


async def test_every_operation_goes_to_its_path() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if "stream" in request.path or request.path.endswith("resume"):
            writer.write(OK_STREAM)
        elif request.path.endswith("stop"):
            writer.write(answer(body={"messageId": "m1"}))
        elif "/messages?" in request.path:
            writer.write(answer(body={"messages": [MESSAGE], "cursor": None}))
        elif "/messages/" in request.path:
            writer.write(answer(body=MESSAGE))
        elif request.path.startswith("/v2/chats?"):
            writer.write(answer(body={"chats": [CHAT], "cursor": "next"}))
        else:
            writer.write(answer(body=CHAT))
        await writer.drain()

    async with serving(handler) as server, client(server.url) as v0:
        async with v0.create_stream(CREATE) as stream:
            await events(stream)
        async with v0.send_stream("c1", SEND) as stream:
            await events(stream)
        async with v0.resume("c1") as stream:
            await events(stream)
        await v0.stop("c1", "m1")
        chat = await v0.get_chat("c1")
        page = await v0.list_chats(limit=5, cursor="a/b", metadata={"ours": "7&8"}, author_id="u")
        await v0.update_chat("c1", title="B", privacy="team", metadata={"a": None})
        await v0.delete_chat("c1")
        messages = await v0.list_messages("c1", limit=3, cursor="z")
        message = await v0.get_message("c1", "m1")

        assert server.paths == [
            "POST /v2/chats/stream",
            "POST /v2/chats/c1/messages/stream",
            "POST /v2/chats/c1/resume",
            "POST /v2/chats/c1/messages/m1/stop",
            "GET /v2/chats/c1",
            "GET /v2/chats?limit=5&cursor=a%2Fb&authorId=u&metadata%5Bours%5D=7%268",
            "PATCH /v2/chats/c1",
            "DELETE /v2/chats/c1",
            "GET /v2/chats/c1/messages?limit=3&cursor=z",
            "GET /v2/chats/c1/messages/m1",
        ]
        assert {request.headers["authorization"] for request in server.requests} == {
            f"Bearer {KEY}"
        }
        assert server.requests[0].json == CREATE.wire("ga")
        assert server.requests[1].json == SEND.wire("ga")
        assert server.requests[2].body == b""
        assert server.requests[6].json == {"title": "B", "privacy": "team", "metadata": {"a": None}}
    assert (chat.id, chat.metadata) == ("c1", {"ours": "7"})
    assert ([chat.id for chat in page.chats], page.cursor) == (["c1"], "next")
    assert ([message.id for message in messages.messages], messages.cursor) == (["m1"], None)
    assert message.finish_reason == "stop"


async def test_events_of_a_stream_fold() -> None:
    body = (
        frame({"object": "message", **MESSAGE, "finishReason": None})
        + b": ping\n\n"
        + frame(
            {"object": "message.parts.chunk", "id": "m1", "delta": {"_t": "a", "0": [{"n": 1}]}}
        )
        + frame({"object": "message.sound"})
    )
    handler = replies(stream_head() + chunk(body) + END)
    async with serving(handler) as server, client(server.url) as v0:
        state = Fold()
        async with v0.send_stream("c1", SEND) as stream:
            async for batch in stream:
                for event in batch:
                    state = fold(state, event)

    assert state.parts == ({"n": 1},)
    assert not stream.incomplete
    assert stream.events == 3


async def test_what_arrives_together_is_given_together() -> None:
    frames = [frame({"object": f"x{number}"}) for number in range(6)]
    proceed = asyncio.Event()

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        # Three HTTP chunks in one write, one of them cut in the middle of a frame.
        first, rest = frames[2][:9], frames[2][9:]
        writer.write(stream_head() + chunk(frames[0] + frames[1]) + chunk(first) + chunk(rest))
        await proceed.wait()
        writer.write(b"".join(map(chunk, frames[3:])) + END)
        await writer.drain()

    async with serving(handler) as server, client(server.url) as v0, v0.resume("c1") as stream:
        batches = []
        async for batch in stream:
            batches.append([event.object for event in batch if isinstance(event, UnknownEvent)])
            proceed.set()

    assert batches == [["x0", "x1", "x2"], ["x3", "x4", "x5"]]


@pytest.mark.parametrize("body", [{"messageId": "m1"}, {"success": True}], ids=str)
async def test_stop_takes_both_shapes_of_its_reply(body: Any) -> None:
    async with serving(replies(answer(body=body))) as server, client(server.url) as v0:
        await v0.stop("c1", "m1")


async def test_ids_are_opaque() -> None:
    async with serving(replies(answer(body=CHAT))) as server, client(server.url) as v0:
        await v0.get_chat("a/b?c#d%2F..é")

        assert server.paths == ["GET /v2/chats/a%2Fb%3Fc%23d%252F..%C3%A9"]
        for id in ("", ".", ".."):
            with pytest.raises(ValueError, match="segment"):
                await v0.get_chat(id)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "no"}, "no"),
        ({"error": {"type": "x", "message": "no"}}, "no"),
        ({"error": {"userMessage": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"message": {"a": 1}}, ""),
        ([], ""),
        (b"<h1>no</h1>", ""),
        (b"", ""),
        (b"\xff\xfe", ""),
        (b"[" * 50_000, ""),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_an_error_carries_the_words_of_v0_and_nothing_else(body: Any, words: str) -> None:
    handler = replies(answer(402, body))
    async with serving(handler) as server, client(server.url) as v0:
        with pytest.raises(OutOfCredits) as caught:
            async with v0.create_stream(CREATE):
                pass

    assert caught.value.message == words
    assert caught.value.problem == "credits"


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("99999999999999999999", 86400, 86400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
async def test_retry_after_is_read(header: str, least: float, most: float) -> None:
    handler = replies(answer(429, {"message": "slow"}, headers={"Retry-After": header}))
    async with serving(handler) as server, client(server.url) as v0:
        with pytest.raises(RateLimited) as caught:
            await v0.get_chat("c1")

        assert caught.value.retry_after is not None
        assert least <= caught.value.retry_after <= most
        assert len(server.requests) == 1


async def test_retry_after_may_be_a_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    handler = replies(answer(429, {}, headers={"Retry-After": moment}))
    async with serving(handler) as server, client(server.url) as v0:
        with pytest.raises(RateLimited) as caught:
            await v0.get_chat("c1")

    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 30


@pytest.mark.parametrize("header", ["", "soon", "-1", "1.5", "٣"])
async def test_a_retry_after_without_meaning_is_none(header: str) -> None:
    headers = {"Retry-After": header.encode().decode("latin-1")} if header else {}
    async with (
        serving(replies(answer(429, {}, headers=headers))) as server,
        client(server.url) as v0,
    ):
        with pytest.raises(RateLimited) as caught:
            await v0.get_chat("c1")

    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer(body=b"<p>hi</p>", content_type="text/html"), id="a page"),
        pytest.param(answer(body=CHAT), id="JSON"),
        pytest.param(answer(202, {"chatId": "c1"}), id="202"),
        pytest.param(answer(201, b"", content_type="text/event-stream"), id="a stream as 201"),
        pytest.param(stream_head("Content-Encoding: gzip\r\n") + END, id="a compressed stream"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="204"),
        pytest.param(stream_head() + END, id="a stream without an event"),
        pytest.param(stream_head() + chunk(b": ping\n\ndata: {") + END, id="a stream of pings"),
    ],
)
async def test_a_success_that_is_no_stream_is_in_doubt_and_not_repeated(reply: bytes) -> None:
    async with serving(replies(reply)) as server, client(server.url) as v0:
        with pytest.raises(InDoubt) as caught:
            async with v0.create_stream(CREATE) as stream:
                await events(stream)

        assert caught.value.status in (200, 201, 202, 204)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer(body=b"<p>", content_type="text/html"), id="a page"),
        pytest.param(answer(body=b"{"), id="broken JSON"),
        pytest.param(answer(body=b"[]"), id="a list"),
        pytest.param(answer(body=b"[" * 50_000), id="deep JSON"),
        pytest.param(answer(body={}), id="nothing in it"),
        pytest.param(answer(body={"messages": {}, "id": 1}), id="the wrong things in it"),
        pytest.param(answer(body=b"x", headers={"Content-Encoding": "gzip"}), id="no gzip"),
    ],
)
async def test_an_answer_that_is_not_what_was_asked_for_is_believed_in_no_case(
    reply: bytes,
) -> None:
    async with serving(replies(reply)) as server, client(server.url) as v0:
        for call in (v0.list_messages("c1"), v0.list_chats(), v0.get_message("c1", "m1")):
            with pytest.raises(InDoubt):
                await call

        assert len(server.requests) == 3


async def test_answers_are_repaired() -> None:
    body = b'{"id":"c1","title":"a\\u0000\\ud83d","metadata":{"\\ud83d":"\\u0000"}}'
    async with serving(replies(answer(body=body))) as server, client(server.url) as v0:
        chat = await v0.get_chat("c1")

    assert chat.title == "a\ufffd\ufffd"
    assert chat.metadata == {"\ufffd": "\ufffd"}


async def test_an_answer_without_an_end_is_given_up() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        status = "200 OK" if request.path.endswith("c1") else "500 No"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n".encode())
        while True:
            writer.write(b" " * 1024 * 1024)
            await writer.drain()

    async with serving(handler) as server, client(server.url) as v0:
        with pytest.raises(InDoubt, match="too large"):
            await v0.get_chat("c1")
        with pytest.raises(V0Error) as caught:
            await v0.get_chat("c2")

    assert caught.value.status == 500


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_error_and_leads_nowhere(status: int) -> None:
    async with serving(replies(answer(body=CHAT))) as other:
        headers = {"Location": f"{other.url}/chats/c1"}
        handler = replies(answer(status, {}, headers=headers))
        async with serving(handler) as server, client(server.url) as v0:
            with pytest.raises(Redirected):
                await v0.get_chat("c1")
            with pytest.raises(Redirected) as caught:
                async with v0.create_stream(CREATE):
                    pass

            assert len(server.requests) == 2
    assert caught.value.in_doubt
    assert other.requests == []


async def test_each_charged_post_has_a_fresh_connection_and_reads_share_one() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(OK_STREAM if request.method == "POST" else answer(body=CHAT))
        await writer.drain()

    async with serving(handler) as server, client(server.url) as v0:
        for _ in range(2):
            await v0.get_chat("c1")
            async with v0.create_stream(CREATE) as stream:
                await events(stream)
            async with v0.send_stream("c1", SEND) as stream:
                await events(stream)

        connections = [(request.method, request.connection) for request in server.requests]

    assert connections == [
        ("GET", 1), ("POST", 2), ("POST", 3), ("GET", 1), ("POST", 4), ("POST", 5),
    ]  # fmt: skip


async def test_cookies_are_not_kept() -> None:
    handler = replies(answer(body=CHAT, headers={"Set-Cookie": "a=b; Path=/"}))
    async with serving(handler) as server, client(server.url) as v0:
        await v0.get_chat("c1")
        await v0.get_chat("c1")

        assert all("cookie" not in request.headers for request in server.requests)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        serving(replies(answer(502, {}))) as proxy,
        serving(replies(answer(body=CHAT))) as server,
    ):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v2"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with client(server.url) as v0:
            await v0.get_chat("c1")

    assert proxy.requests == []


async def test_refusals_of_reads_and_stop_are_not_repeated() -> None:
    async with serving(replies(answer(404, {}), answer(409, {}), answer(500, {}))) as server:
        async with client(server.url) as v0:
            with pytest.raises(NotFound):
                await v0.get_message("c1", "m1")
            with pytest.raises(Conflict):
                await v0.stop("c1", "m1")
            with pytest.raises(V0Error):
                async with v0.resume("c1"):
                    pass

        assert len(server.requests) == 3


async def test_the_revision_is_read_once_from_the_spec() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(body=SPEC_GA) if "openapi" in request.path else OK_STREAM)
        await writer.drain()

    async with serving(handler) as server, client(server.url, revision="auto") as v0:

        async def create() -> None:
            async with v0.create_stream(CREATE) as stream:
                await events(stream)

        await asyncio.gather(create(), create())
        await create()

        assert server.paths.count("GET /v2/openapi/json") == 1
        assert len(server.requests) == 4
        assert all("type" not in request.json for request in server.requests[1:])


@pytest.mark.parametrize(
    "reply",
    [answer(404, {}), answer(body={}), answer(body=b"<p>", content_type="text/html")],
    ids=["404", "no spec", "a page"],
)
async def test_a_spec_that_cannot_be_read_means_reference_for_this_once(reply: bytes) -> None:
    specs = [reply, answer(body=SPEC_GA)]

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(specs.pop(0) if "openapi" in request.path else OK_STREAM)
        await writer.drain()

    async with serving(handler) as server, client(server.url, revision="auto") as v0:
        for _ in range(3):
            async with v0.create_stream(CREATE) as stream:
                await events(stream)

        posted = [request.json for request in server.requests if request.method == "POST"]
        assert posted == [CREATE.wire("reference"), CREATE.wire("ga"), CREATE.wire("ga")]


async def test_a_spec_that_does_not_come_holds_no_message_up() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if "openapi" in request.path:
            await asyncio.Event().wait()
        writer.write(OK_STREAM)
        await writer.drain()

    options = {"revision": "auto", "timeouts": Timeouts(spec=0.05)}
    async with serving(handler) as server, client(server.url, **options) as v0:
        async with v0.create_stream(CREATE) as stream:
            await events(stream)

        assert server.requests[-1].json == CREATE.wire("reference")


def spec(schema: Any, **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"paths": {"/chats/stream": {"post": {"requestBody": {"content": content}}}}, **more}


@pytest.mark.parametrize(
    ("published", "revision"),
    [
        (SPEC_GA, "ga"),
        (spec({"properties": {"skillIds": {}}}), "reference"),
        (
            spec(
                {"$ref": "#/components/schemas/Body"},
                components={"schemas": {"Body": {"properties": {"skills": {}}}}},
            ),
            "ga",
        ),
        (spec({"$ref": "#/nowhere"}), None),
        (spec({}), None),
        (spec([]), None),
        ({}, None),
        ([], None),
        (None, None),
    ],
    ids=str,
)
def test_the_revision_of_a_spec(published: Any, revision: str | None) -> None:
    assert revision_of(published) == revision
