"""How long the review of usage takes over a ledger of a million answers: `python -m bench.usage`.

Owns a database of PostgreSQL of its own, which it makes beside the one that DATABASE_URL names (by default
`postgresql://root@127.0.0.1:5432/test`), fills, and drops at the end; `--entries` says how many, `--keep` leaves
it there and goes on with it the next time. Prints the median of five requests through the whole app, the least
CPU of app and database for one on one core (for machines that others use, too), the number of queries of
each, and what the process grows by while it streams all of it as CSV.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import psycopg

if TYPE_CHECKING:
    from django.test import Client

NAME = "bench_usage"
TIMES = 5
PEOPLE, TEAMS, CHATS = 200, 10, 20_000

# A chat lives for about a week and has its people, team and model; what an answer costs is skewed, as it is.
ENTRIES = """
INSERT INTO chats_entry (
  message_id, person_id, team_id, chat_id, model, asked, counted, outcome, delivery, v0_message, is_told, waited,
  sources, waived, charged, tokens_input, tokens_output, tokens_cache_read, tokens_cache_write,
  tokens_total, credits_input, credits_output, credits_cache_read, credits_cache_write,
  credits_total, started_at, ended_at)
SELECT gen_random_uuid(), person, team, chat, model, model, 0, outcome, 'stream', 'msg_' || number, true,
  CASE WHEN number % 9 = 0 THEN number % 900 ELSE 0 END, sources, number % 50 = 0,
  CASE WHEN sources = '' THEN NULL WHEN number % 50 = 0 THEN 0 ELSE credits END,
  tokens / 2, tokens / 4, tokens / 8, tokens / 8, tokens,
  credits / 2, credits / 4, credits / 8, credits / 8, credits, ended - interval '40 s', ended
FROM (
  SELECT number, chat.id AS chat, chat.owner_id AS person, chat.team_id AS team,
    (ARRAY['v0-auto', 'v0-mini', 'v0-pro', 'v0-max', 'v0-max-fast'])[1 + chat.place % 5] AS model,
    CASE WHEN random() < 0.9 THEN 'finished' WHEN random() < 0.5 THEN 'stopped'
      WHEN random() < 0.6 THEN 'failed' ELSE 'restored-away' END AS outcome,
    CASE WHEN random() < 0.7 THEN 'plan' WHEN random() < 0.7 THEN 'on-demand'
      WHEN random() < 0.6 THEN 'on-demand plan' ELSE '' END AS sources,
    (1000 + 90000 * random() * random())::bigint AS tokens,
    (1000000000 / (0.002 + random() * random()))::bigint AS credits,
    chat.updated_at + random() * interval '7 days' AS ended
  FROM generate_series(1, {entries}) AS number
  JOIN (SELECT *, row_number() OVER (ORDER BY updated_at) - 1 AS place FROM chats_chat) AS chat
    ON chat.place = number % {chats}
  ORDER BY ended
) AS made
"""
BILLED = """
INSERT INTO chats_billed (
  v0_id, type, at, v0_person, v0_chat, v0_message, model, sources, waived, tokens_input,
  tokens_output, tokens_cache_read, tokens_cache_write, tokens_total, credits_input,
  credits_output, credits_cache_read, credits_cache_write, credits_total, charged, message_id)
SELECT 'evt_' || id, 'message', ended_at, '', '', v0_message, model, sources, waived, tokens_input,
  tokens_output, tokens_cache_read, tokens_cache_write, tokens_total, credits_input,
  credits_output, credits_cache_read, credits_cache_write, credits_total, charged,
  CASE WHEN id % 1000 = 0 THEN NULL ELSE message_id END
FROM chats_entry WHERE sources <> '' ORDER BY ended_at
"""
RANGES = {"24 hours": {"range": "24h"}, "30 days": {"range": "30d"}, "90 days": {"range": "90d"}}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--entries", type=int, default=1_000_000)
    asked.add_argument("--keep", action="store_true")
    given = asked.parse_args()
    beside = os.environ.get("DATABASE_URL") or "postgresql://root@127.0.0.1:5432/test"
    own = urlsplit(beside)._replace(path=f"/{NAME}").geturl()
    is_new = _make(beside)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="v0web.settings",
        DATABASE_URL=own,
        DEBUG="1",
        SECRET_KEY="b" * 50,
        # All that the database does is then done by one process.
        PGOPTIONS="-c max_parallel_workers_per_gather=0",
    )
    try:
        import django

        django.setup()
        if is_new:
            _fill(own, given.entries)
        _measure()
    finally:
        if not given.keep:
            _drop(beside)


def _make(beside: str) -> bool:
    with psycopg.connect(beside, autocommit=True) as database:
        if database.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            return False
        database.execute(f"CREATE DATABASE {NAME}")
        return True


def _drop(beside: str) -> None:
    from django.db import connections

    connections.close_all()
    with psycopg.connect(beside, autocommit=True) as database:
        database.execute(f"DROP DATABASE IF EXISTS {NAME}")


def _fill(own: str, entries: int) -> None:
    from django.core.management import call_command

    from chats.models import Chat, Membership, Person, Reconciliation, Team

    call_command("migrate", verbosity=0)
    start = time.perf_counter()
    people = Person.objects.bulk_create(
        Person(email=f"person{number}@example.com", is_staff=number == 0)
        for number in range(PEOPLE)
    )
    teams = Team.objects.bulk_create(Team(name=f"Team {number}") for number in range(TEAMS))
    Membership.objects.bulk_create(
        Membership(team=teams[number % TEAMS], person=person, role="member")
        for number, person in enumerate(people)
    )
    now = datetime.now(UTC)
    Chat.objects.bulk_create(
        Chat(
            owner=people[number % PEOPLE],
            team=teams[number % PEOPLE % TEAMS] if number % 5 else None,
            title=f"Chat {number}",
            updated_at=now - timedelta(days=7 + 358 * number / CHATS),
        )
        for number in range(CHATS)
    )
    day = timedelta(days=1)
    Reconciliation.objects.create(
        start=now - day, end=now, ended_at=now, is_open=None, as_of=now.isoformat()
    )
    with psycopg.connect(own, autocommit=True) as database:
        database.execute(ENTRIES.format(entries=entries, chats=CHATS))
        database.execute(BILLED)
        for table in ("entry", "billed", "chat", "person"):
            database.execute(f"VACUUM ANALYZE chats_{table}")
    print(f"{entries:,} entries in {time.perf_counter() - start:.0f} s")


def _measure() -> None:
    from django.conf import settings
    from django.db import connection, reset_queries
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from chats.models import Person

    settings.ALLOWED_HOSTS.append("testserver")
    client = Client()
    client.force_login(Person.objects.get(email="person0@example.com"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    year = datetime.now(UTC) - timedelta(days=365)
    days = {"range": "custom", "from": f"{year:%Y-%m-%d}", "to": "2999-12-31"}
    for name, asked in {**RANGES, "366 days": days}.items():
        address = f"/usage/review/?{urlencode(asked)}"
        reset_queries()  # Filling has filled their log.
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        took, worked = [], []
        for _ in range(TIMES):
            start, before = time.perf_counter(), time.process_time() + _worked(backend)
            client.get(address)
            took.append(time.perf_counter() - start)
            worked.append(time.process_time() + _worked(backend) - before)
        print(
            f"{name:>10}  {statistics.median(took):6.3f} s  {min(worked):6.3f} s of CPU"
            f"  {len(queries)} queries",
            flush=True,
        )
    _stream(client, f"/usage/review/export.csv?{urlencode(days)}")


def _worked(backend: int) -> float:
    """Seconds of CPU of a process on this machine."""
    fields = Path(f"/proc/{backend}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stream(client: Client, address: str) -> None:
    """What is beyond the first thousandth is what many lines cost and few do not."""
    from django.conf import settings

    # Under DEBUG Django keeps every query.
    settings.DEBUG = False
    start, size, early = time.perf_counter(), 0, 0
    for place, piece in enumerate(client.get(address)):
        size += len(piece)
        early = early or (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if place == 2 else 0)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early
    took = time.perf_counter() - start
    print(f"{'CSV':>10}  {took:6.1f} s  {size / 10**6:,.0f} MB  {grown / 1024:.1f} MiB more memory")


if __name__ == "__main__":
    main()
