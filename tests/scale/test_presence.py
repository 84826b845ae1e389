"""Who is here where several processes write it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

from django.db import connections

from chats.models import Chat, Person, Presence
from chats.relay import presence, reading

PROCESSES, ROUNDS = 4, 10


def test_processes_that_write_at_once_add_up(transactional_db: None) -> None:
    people = [Person.objects.create_user(f"p{number}@example.com") for number in range(PROCESSES)]
    chat: UUID = Chat.objects.create(owner=people[0]).pk
    for _ in range(ROUNDS):
        together = Barrier(PROCESSES)

        def write(number: int, together: Barrier = together) -> None:
            try:
                together.wait()
                # Everybody is in all of them, and one more without an account is.
                present: dict[int | None, int] = {person.pk: 1 for person in people}
                presence.put(f"process {number}", {chat: {**present, None: 1}})
                presence.renew(f"process {number}")
                presence.sweep()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(PROCESSES) as pool:
            list(pool.map(write, range(PROCESSES)))
        here = reading.here([chat])[chat]
        assert here == (frozenset(person.pk for person in people), PROCESSES)
        assert here.number == 2 * PROCESSES
    presence.put("process 0", {chat: {}})
    assert Presence.objects.count() == (PROCESSES - 1) * (PROCESSES + 1)
