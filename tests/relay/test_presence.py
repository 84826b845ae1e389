"""Who is here: counted by person over processes, written gathered, and gone a moment after they left.

A process is a hub and its presences, two of them on one database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.live.apply import apply
from chats.live.difference import difference
from chats.live.state import State
from chats.models import Chat, Person, Presence
from chats.relay import presence
from chats.relay.hub import Hub, LiveChat, Reader
from chats.relay.presence import Presences
from chats.relay.threads import Threads
from tests.relay.inside import until

pytestmark = pytest.mark.django_db(transaction=True)


class Counted(Threads):
    """Threads that count what is written."""

    writes = 0

    async def write(self, *given: Any, **named: Any) -> Any:
        self.writes += 1
        return await super().write(*given, **named)


class Process:
    def __init__(self, threads: Threads) -> None:
        self.hub = Hub(threads)
        self.presences = Presences(self.hub.id, threads, self.hub.start, self.hub.attended)

    async def open(
        self, chat: Chat, person: Person | None = None, session: str = "", at: str = ""
    ) -> Tab:
        reader, frame = await self.hub.join(chat.pk, at, "", chat.version, asyncio.Event())
        id = person.pk if person else None
        return Tab(self, reader, frame, self.presences.come(chat.pk, id, session))

    async def shows(self, chat: Chat, words: str) -> None:
        await until(lambda: said(self.hub.chats[chat.pk]) == words)


class Tab:
    def __init__(self, process: Process, reader: Reader, frame: str, visitor: int | str) -> None:
        self.process, self.reader, self.frame, self.visitor = process, reader, frame, visitor

    def close(self) -> None:
        self.process.hub.leave(self.reader)
        self.process.presences.go(self.reader.chat.id, self.visitor)


def said(live: LiveChat) -> str:
    """What every reader sees of it; "" where it is hidden."""
    return next(node.html for node in live.state.fixed if node.id == "here")


@pytest.fixture
def chat(transactional_db: None, owner: Person) -> Chat:
    return Chat.objects.create(owner=owner, title="Tea", v0_id="abc")


@pytest.fixture
def threads() -> Iterator[Counted]:
    threads = Counted(1)
    yield threads
    threads.close()


@pytest.fixture(autouse=True)
def quick(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.V0_PRESENCE_GRACE = 0.2
    monkeypatch.setattr(presence, "GATHER", 0.1)


def play(work: Callable[[], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with asyncio.timeout(30):
            await work()

    asyncio.run(inside())


def test_everybody_counts_once_over_all_processes(
    threads: Counted, chat: Chat, owner: Person, mate: Person
) -> None:
    async def work() -> None:
        one, other = Process(threads), Process(threads)
        first = await one.open(chat, owner)
        await one.open(chat, owner)
        assert said(first.reader.chat) == ""
        await other.open(chat, owner)
        await other.open(chat, mate)
        await other.shows(chat, "2 people here")
        # It hears of those elsewhere when it compares, every few seconds.
        await one.presences.compare([chat.pk])
        assert said(first.reader.chat) == "2 people here"
        for session in ("a", "a", "b", "", ""):
            await one.open(chat, None, session)
        await one.shows(chat, "6 people here")
        for name in ("owner", "mate", "Owner", "Mate"):
            assert name not in first.frame + one.hub.chats[chat.pk].frame(first.reader)

    play(work)


def test_who_comes_back_at_once_has_never_left(
    threads: Counted, chat: Chat, owner: Person, mate: Person
) -> None:
    async def work() -> None:
        process = Process(threads)
        await process.open(chat, owner)
        tabs = [await process.open(chat, mate), await process.open(chat, None)]
        await process.shows(chat, "3 people here")
        position = process.hub.chats[chat.pk].at
        for _ in range(3):
            for tab in tabs:
                tab.close()
            tabs = [await process.open(chat, mate), await process.open(chat, None)]
        writes = threads.writes
        await process.presences.compare([chat.pk])
        assert (process.hub.chats[chat.pk].at, threads.writes) == (position, writes)
        for tab in tabs:
            tab.close()
        assert said(process.hub.chats[chat.pk]) == "3 people here"
        await process.shows(chat, "")

    play(work)
    assert [row.person_id for row in Presence.objects.all()] == [owner.pk]


def test_a_burst_of_sockets_is_no_burst_of_writes(
    threads: Counted, chat: Chat, owner: Person
) -> None:
    async def work() -> None:
        process, began = Process(threads), time.monotonic()
        for number in range(100):
            await process.open(chat, None, f"session {number % 50}")
        await process.shows(chat, "50 people here")
        assert threads.writes <= 2 + (time.monotonic() - began) / presence.GATHER

    play(work)
    assert [row.sockets for row in Presence.objects.all()] == [50]


def test_a_process_that_died_is_forgotten_and_one_that_lives_is_not(
    threads: Counted, chat: Chat, owner: Person, mate: Person, settings: Settings
) -> None:
    settings.V0_PRESENCE_KEEP = 1
    over = timezone.now() - timedelta(seconds=1)
    Presence.objects.create(process="dead", chat=chat, person=mate, sockets=1, until=over)

    async def work() -> None:
        process = Process(threads)
        await process.open(chat, owner)
        await process.open(chat, None, "a")
        await process.shows(chat, "2 people here")
        await process.presences.sweep()
        await threads.write(lambda: Presence.objects.filter(person=owner).delete())
        # A row that another process took for over is written again.
        await process.presences.renew()
        await until(lambda: len(process.presences.open[chat.pk]) == 2)
        await process.presences.compare([chat.pk])
        await process.shows(chat, "2 people here")
        await process.presences.stop()

    play(work)
    rows = Presence.objects.all()
    assert {row.person_id for row in rows} == {owner.pk, None}
    # It ends in good order: its people count until they have come to another one.
    soon = timezone.now() + timedelta(seconds=settings.V0_PRESENCE_GRACE)
    assert all(row.until <= soon for row in rows)


def test_a_page_made_from_rows_is_told_at_its_first_connection(
    threads: Counted, chat: Chat, owner: Person, mate: Person
) -> None:
    async def work() -> None:
        one, other = Process(threads), Process(threads)
        await one.open(chat, mate)
        await one.open(chat, None, "a")
        await one.shows(chat, "2 people here")
        tab = await other.open(chat, owner, at=f"v{chat.version}")
        assert '<p id="here"' in tab.frame
        assert ">2 people here</p>" in tab.frame
        assert 'id="mark-here"' in tab.frame
        alone = Chat(pk=(await threads.write(_another, owner)), version=1)
        assert "here" not in (await other.open(alone, owner, at="v1")).frame

    play(work)


def _another(owner: Person) -> Any:
    return Chat.objects.create(owner=owner).pk


def test_the_law_holds_for_who_is_here(
    threads: Counted, chat: Chat, owner: Person, mate: Person
) -> None:
    async def work() -> None:
        process = Process(threads)
        live = (await process.open(chat, owner)).reader.chat
        states: list[State] = [live.state]
        tab = await process.open(chat, mate)
        await process.shows(chat, "2 people here")
        states.append(live.state)
        tab.close()
        await process.shows(chat, "")
        states.append(live.state)
        for old in states:
            for new in states:
                assert apply(old, difference(old, new)) == new

    play(work)


def test_a_chat_that_is_gone_has_nobody(threads: Counted, chat: Chat, owner: Person) -> None:
    async def work() -> None:
        process = Process(threads)
        tab = await process.open(chat, owner)
        await threads.write(lambda: Chat.objects.filter(pk=chat.pk).delete())
        await process.open(Chat(pk=chat.pk, version=1), None, "a")
        tab.close()
        await until(lambda: len(process.presences.open.get(chat.pk, ())) == 1)

    play(work)
    assert not Presence.objects.exists()
