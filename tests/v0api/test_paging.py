"""Lists that are read to their end, however long, and never past it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chats.v0api import answers
from chats.v0api.client import Client
from chats.v0api.errors import InDoubt, InvalidRequest, NotFound, RateLimited
from chats.v0api.types import Chat, Message
from chats.v0api.usage import UsageEvent
from tests.v0api.exchange import KEY, NO_TLS
from tests.v0api.wire_server import Request, Server, answer, serving

pytestmark = pytest.mark.anyio

Pages = Callable[[str | None], bytes]
Page = Callable[..., bytes]
Every = Callable[..., AsyncGenerator[Any]]


def query(request: Request) -> dict[str, str]:
    found = parse_qs(urlsplit(request.path).query)
    return {name: value for name, [value] in found.items()}


@asynccontextmanager
async def paged(pages: Pages) -> AsyncIterator[tuple[Client, Server]]:
    """A server whose every answer is the page that the cursor stands for."""

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(pages(query(request).get("cursor")))
        await writer.drain()

    async with (
        serving(handler) as server,
        Client(server.url, KEY, revision="ga", ssl_context=NO_TLS) as v0,
    ):
        yield v0, server


def chats(*ids: str, cursor: str | None = None) -> bytes:
    return answer(200, {"chats": [{"id": id} for id in ids], "cursor": cursor})


def messages(*ids: str, cursor: str | None = None) -> bytes:
    return answer(200, {"messages": [{"id": id} for id in ids], "cursor": cursor})


def usage(*ids: str, cursor: str | None = None, more: bool | None = None) -> bytes:
    has_more = cursor is not None if more is None else more
    pagination = {"hasMore": has_more, "cursor": cursor}
    return answer(200, {"data": [{"id": id} for id in ids], "pagination": pagination})


EVERY: dict[str, tuple[Page, Every]] = {
    "chats": (chats, lambda v0, **options: v0.iter_chats(**options)),
    "messages": (messages, lambda v0, **options: v0.iter_messages("c", **options)),
    "usage": (usage, lambda v0, **options: v0.iter_usage_events(**options)),
}
each_list = pytest.mark.parametrize(("page", "every"), EVERY.values(), ids=EVERY)


@each_list
async def test_all_pages_come_in_order_also_through_empty_ones(page: Page, every: Every) -> None:
    pages = {
        None: page("1", "2", cursor="a"),
        "a": page(cursor="b"),
        "b": page("3", cursor="c"),
        "c": page(),
    }
    async with paged(pages.__getitem__) as (v0, server):
        assert [item.id async for item in every(v0, page=2)] == ["1", "2", "3"]

        assert [query(request).get("cursor") for request in server.requests] == [
            None, "a", "b", "c",
        ]  # fmt: skip
        assert {query(request)["limit"] for request in server.requests} == {"2"}


@each_list
async def test_a_page_is_asked_for_when_it_is_needed_and_not_before(
    page: Page, every: Every
) -> None:
    pages = {None: page("1", "2", cursor="a"), "a": page("3", "4", cursor="b")}
    async with paged(pages.__getitem__) as (v0, server):
        asked = []
        found = every(v0)
        async for item in found:
            asked.append((item.id, len(server.requests)))
            if item.id == "3":
                break
        await found.aclose()

        assert asked == [("1", 1), ("2", 1), ("3", 2)]
        assert len(server.requests) == 2


@pytest.mark.parametrize("length", [1, 2, 3, 7, 20])
@each_list
async def test_cursors_that_go_in_circles_end_in_doubt(
    page: Page, every: Every, length: int
) -> None:
    def pages(cursor: str | None) -> bytes:
        number = int(cursor or 0)
        return page("x", cursor=str(5 + (number - 4) % length if number >= 5 else number + 1))

    async with paged(pages) as (v0, server):
        with pytest.raises(InDoubt, match="circles"):
            async for _ in every(v0):
                pass

        assert len(server.requests) <= 3 * (length + 5) + 2


@each_list
async def test_memory_stays_flat(page: Page, every: Every) -> None:
    def pages(cursor: str | None) -> bytes:
        number = int(cursor or 0) + 1
        ids = [f"{number}-{at}" for at in range(50)]
        return page(*ids, cursor=str(number) if number < 40 else None)

    most = count = 0
    async with paged(pages) as (v0, _):
        async for _ in every(v0, page=50):
            count += 1
            if count in (75, 1025, 1975):
                most = max(most, alive())

    assert count == 2000
    assert 50 <= most <= 100


def alive() -> int:
    # Not collected first: nothing of a page may need that to go.
    kinds = (Chat, Message, UsageEvent)
    return sum(issubclass(type(one), kinds) for one in gc.get_objects())


async def test_an_error_in_the_middle_is_the_callers() -> None:
    pages = {None: chats("1", cursor="a"), "a": answer(429, {"message": "slow"})}
    async with paged(pages.__getitem__) as (v0, server):
        found = v0.iter_chats()
        assert (await anext(found)).id == "1"
        with pytest.raises(RateLimited):
            await anext(found)

        assert len(server.requests) == 2


async def test_filters_of_chats_are_said_with_every_page() -> None:
    pages = {None: chats("1", cursor="a"), "a": chats("2")}
    async with paged(pages.__getitem__) as (v0, server):
        options: Any = {"metadata": {"a": "b"}, "author_id": "u", "vercel_project_id": "p"}
        assert [chat.id async for chat in v0.iter_chats(**options)] == ["1", "2"]

        for request in server.requests:
            said = query(request)
            said.pop("cursor", None)
            assert said == {
                "limit": "100",
                "metadata[a]": "b",
                "authorId": "u",
                "vercelProjectId": "p",
            }


async def test_filters_of_usage_are_in_the_cursor() -> None:
    pages = {None: usage("1", cursor="a"), "a": usage("2", cursor="not this one", more=False)}
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    async with paged(pages.__getitem__) as (v0, server):
        found = v0.iter_usage_events(
            start=start, end=end, user_id="u", chat_id="c", message_id="m", page=7
        )
        assert [event.id async for event in found] == ["1", "2"]

        assert [query(request) for request in server.requests] == [
            {
                "start": "2026-01-01T00:00:00.000Z",
                "end": "2026-02-01T00:00:00.000Z",
                "userId": "u",
                "chatId": "c",
                "messageId": "m",
                "limit": "7",
            },
            {"limit": "7", "cursor": "a"},
        ]


async def test_more_usage_without_a_way_to_it_is_not_passed_over() -> None:
    async with paged(lambda _: usage("1", more=True)) as (v0, _):
        with pytest.raises(InDoubt, match="no way"):
            async for _event in v0.iter_usage_events():
                pass


async def test_messages_with_more_bytes_than_are_read_come_in_smaller_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "JSON_LIMIT", 1000)
    asked: list[tuple[str, str | None]] = []

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        said = query(request)
        asked.append((said["limit"], said.get("cursor")))
        size, first = int(said["limit"]), int(said.get("cursor", "0"))
        cursor = str(first + size) if first + size < 12 else None
        ids = (f"{each}".rjust(100) for each in range(first, min(first + size, 12)))
        writer.write(messages(*ids, cursor=cursor))
        await writer.drain()

    async with (
        serving(handler) as server,
        Client(server.url, KEY, revision="ga", ssl_context=NO_TLS) as v0,
    ):
        found = [int(message.id) async for message in v0.iter_messages("c")]
        assert found == [*range(12)]
        assert asked[:3] == [("100", None), ("20", None), ("5", None)]
        monkeypatch.setattr(answers, "JSON_LIMIT", 10)
        with pytest.raises(InDoubt, match="too large"):
            await v0.list_messages("c")


async def test_a_page_that_is_none_is_in_doubt_and_a_missing_chat_is_gone() -> None:
    async with paged(lambda _: answer(200, {"cursor": None})) as (v0, _):
        for _, every in EVERY.values():
            with pytest.raises(InDoubt):
                await anext(every(v0))
    async with paged(lambda _: answer(404, {})) as (v0, _):
        with pytest.raises(NotFound):
            await anext(v0.iter_messages("c"))


@pytest.mark.parametrize("limit", [-1, 0, 101])
async def test_a_page_has_from_1_to_100_entries(limit: int) -> None:
    async with paged(lambda _: chats()) as (v0, server):
        for call in (
            v0.list_chats(limit=limit),
            v0.list_messages("c", limit=limit),
            v0.list_usage_events(limit=limit),
        ):
            with pytest.raises(InvalidRequest, match="limit"):
                await call

        assert server.requests == []
