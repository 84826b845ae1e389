"""What it costs to hold a send against budgets: `python -m bench.budgets`.

Owns a new SQLite file and, where a server answers at DATABASE_URL (by default
`postgresql://root@127.0.0.1:5432/test`), a database of PostgreSQL beside that one, each in a process of its own,
and removes both. Prints the CPU of one send's transaction without budgets, with them and no limits, and with
eight limits that apply, turn by turn in one run; then how many 50 senders at once get through in a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from threading import Thread
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

NAME = "bench_budgets"
TURNS, SENDS = 12, 25
SENDERS, EACH = 50, 3
MODEL = "v0-mini"
PAYLOAD = {"message": "Hello", "model": MODEL}
Send = Callable[[], None]


def main() -> None:
    beside = os.environ.get("DATABASE_URL") or "postgresql://root@127.0.0.1:5432/test"
    if len(sys.argv) > 1:
        _measure()
        return
    with tempfile.TemporaryDirectory() as folder:
        _run(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
    try:
        with _database(beside) as own:
            _run(own)
    except psycopg.OperationalError as error:
        print(f"PostgreSQL: {error}")


@contextmanager
def _database(beside: str) -> Iterator[str]:
    with psycopg.connect(beside, autocommit=True) as database:
        database.execute(f"DROP DATABASE IF EXISTS {NAME}")
        database.execute(f"CREATE DATABASE {NAME}")
        try:
            yield urlsplit(beside)._replace(path=f"/{NAME}").geturl()
        finally:
            database.execute(f"DROP DATABASE {NAME}")


def _run(url: str) -> None:
    settings = {"DATABASE_URL": url, "DEBUG": "1", "SECRET_KEY": "b" * 50}
    # Remembering each query would be most of the work.
    settings |= {"DJANGO_SETTINGS_MODULE": "v0web.settings"}
    command = [sys.executable, "-m", "bench.budgets", "measure"]
    subprocess.run(command, env={**os.environ, **settings}, check=True)


def _measure() -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    settings.DEBUG = False
    call_command("migrate", verbosity=0)
    crowd = Crowd()
    kinds = {"without": crowd.without, "no limits": crowd.held, "8 limits": crowd.held}
    cost: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(TURNS):
        for kind, send in kinds.items():
            with crowd.limits() if kind == "8 limits" else crowd.none():
                cost[kind] += [_timed(send) for _ in range(SENDS)]
    for kind, taken in cost.items():
        print(f"{connection.vendor}, {kind}: {1000 * median(taken):.2f} ms of CPU a send")
    for kind, send in kinds.items():
        with crowd.limits() if kind == "8 limits" else crowd.none():
            print(
                f"{connection.vendor}, {kind}, {SENDERS} at once: {_throughput(send):.0f} a second"
            )


def _timed(send: Send) -> float:
    start = time.thread_time()
    send()
    return time.thread_time() - start


def _throughput(send: Send) -> float:
    from django.db import connections

    def work() -> None:
        for _ in range(EACH):
            send()
        connections.close_all()

    threads = [Thread(target=work) for _ in range(SENDERS)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return SENDERS * EACH / (time.monotonic() - start)


class Crowd:
    """People of one team, each send by the next of them in a chat that is there, whose runs have cost something."""

    def __init__(self) -> None:
        from chats.models import Chat, Entry, Membership, Person, Team

        self.team = Team.objects.create(name="Team")
        self.people = Person.objects.bulk_create(
            Person(email=f"person{at}@example.com", password="!") for at in range(SENDERS)
        )
        Membership.objects.bulk_create(
            Membership(team=self.team, person=person, role="member") for person in self.people
        )
        Entry.objects.bulk_create(
            Entry(message_id=uuid4(), person=person, asked=MODEL, credits_total=10**9 + at)
            for person in self.people
            for at in range(30)
        )
        number = 3 * (TURNS * SENDS + SENDERS * EACH)
        self.chats = Chat.objects.bulk_create(
            Chat(owner=self.people[at % SENDERS], team=self.team, v0_id=f"chat_{at}")
            for at in range(number)
        )
        self.next = count()

    def held(self) -> None:
        self._send(is_admitted=False)

    def without(self) -> None:
        """The same transaction, as if budgets had let it begin before."""
        self._send(is_admitted=True)

    def _send(self, *, is_admitted: bool) -> None:
        from chats.relay import intents

        chat = self.chats[next(self.next)]
        intents._write(chat.owner, uuid4(), PAYLOAD, chat, {}, is_admitted=is_admitted)

    @contextmanager
    def none(self) -> Iterator[None]:
        yield

    @contextmanager
    def limits(self) -> Iterator[None]:
        """Of a day and a month for everybody, the team, each person and each chat; far off."""
        from chats.models import Limit
        from chats.models.budgets import Period, Scope

        keys = [(Scope.INSTALLATION, ""), (Scope.TEAM, self.team.pk)]
        keys += [(Scope.PERSON, person.pk) for person in self.people]
        keys += [(Scope.CHAT, chat.pk) for chat in self.chats]
        Limit.objects.bulk_create(
            Limit(scope=scope, key=str(key), period=period, credits=10**18)
            for scope, key in keys
            for period in Period
        )
        try:
            yield
        finally:
            Limit.objects.all().delete()


if __name__ == "__main__":
    main()
