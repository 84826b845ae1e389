"""The threads in which the relay meets the database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from chats.models import Chat
from chats.relay.threads import Threads


@contextmanager
def opened() -> Iterator[list[BaseDatabaseWrapper]]:
    """The connections that are opened meanwhile."""
    found: list[BaseDatabaseWrapper] = []

    def note(sender: object, connection: BaseDatabaseWrapper, **kwargs: object) -> None:
        found.append(connection)

    connection_created.connect(note)
    try:
        yield found
    finally:
        connection_created.disconnect(note)


async def counts(threads: Threads, times: int) -> list[int]:
    return [await threads.read(Chat.objects.count) for _ in range(times)]


def test_a_thread_keeps_its_connection(transactional_db: None) -> None:
    threads = Threads(readers=1)
    with opened() as found:
        assert asyncio.run(counts(threads, 5)) == [0] * 5
    threads.close()
    assert len(found) == 1
    assert connection.settings_dict["CONN_MAX_AGE"] == 0


def test_every_thread_closes_its_connection_in_the_end(transactional_db: None) -> None:
    threads, together = Threads(readers=3), Barrier(3)

    def meet() -> None:
        together.wait()
        connection.ensure_connection()

    async def all_of_them() -> None:
        await asyncio.gather(*(threads.read(meet) for _ in range(3)))

    with opened() as found:
        asyncio.run(all_of_them())
    threads.close()
    assert [each.connection for each in found] == [None] * 3


def test_a_connection_that_broke_is_opened_anew(transactional_db: None) -> None:
    threads = Threads(readers=1)

    def breaks() -> None:
        connection.ensure_connection()
        connection.close()

    with opened() as found:
        asyncio.run(threads.read(breaks))
        assert asyncio.run(counts(threads, 2)) == [0, 0]
    threads.close()
    assert len(found) == 2
