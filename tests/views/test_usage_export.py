"""Usage as CSV and JSON: exactly what is filtered, exact, for whom, in memory that does not grow."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Chat, Entry, Membership, Person, Team
from chats.usage import chunks
from chats.views import sheets
from chats.views.usage_export import COLUMNS, as_csv
from tests.views.conftest import ClientOf, no_writes

CREDIT = 10**12
OWN, REVIEW = "/usage/export", "/usage/review/export"


def spend(person: Person | None, credits: int = CREDIT, **fields: Any) -> Entry:
    given = {"model": "v0-pro", "outcome": "finished", "tokens_total": 1000, **fields}
    return Entry.objects.create(message_id=uuid4(), person=person, credits_total=credits, **given)


def fetched(client: Client, place: str, **given: str) -> str:
    answer = cast("StreamingHttpResponse", client.get(place, given))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"].startswith('attachment; filename="usage-')
    return b"".join(cast("Iterator[bytes]", answer)).decode()


def rows(client: Client, place: str = REVIEW, **given: str) -> list[dict[str, str]]:
    found = list(csv.DictReader(io.StringIO(fetched(client, f"{place}.csv", **given), newline="")))
    assert all(tuple(row) == COLUMNS for row in found)
    return found


def told(client: Client, place: str = REVIEW, **given: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fetched(client, f"{place}.json", **given))
    return found


@pytest.fixture
def staff(admin: Person, client_of: ClientOf) -> Client:
    return client_of(admin)


def test_both_files_say_the_same_to_the_last_digit(
    staff: Client, owner: Person, team: Team
) -> None:
    chat = Chat.objects.create(owner=owner, team=team, title="Coal mine")
    entry = spend(
        owner,
        42_100_000_000_001,
        chat=chat,
        team=team,
        asked="v0-auto",
        delivery="stream",
        waited=61,
        credits_input=1,
        credits_output=42_100_000_000_000,
        tokens_input=999,
        tokens_output=1,
        started_at=datetime(2026, 11, 20, 23, 59, 59, 5000, UTC),
        charged=0,
        sources="on-demand plan",
        waived=True,
    )
    bare = spend(None, 0, outcome="failed", is_told=False, model="")
    with no_writes():
        newest, oldest = rows(staff)
        whole = told(staff)
    assert (newest["message"], oldest["message"]) == (str(bare.message_id), str(entry.message_id))
    assert oldest["credits_total"] == "42.100000000001"
    assert (oldest["credits_input"], oldest["credits_charged"]) == ("0.000000000001", "0")
    assert oldest["started_at"] == "2026-11-20T23:59:59.005Z"
    assert (oldest["person"], oldest["person_id"]) == ("Olivia Owner", str(owner.pk))
    assert (oldest["team"], oldest["chat"]) == (team.name, str(chat.pk))
    assert (oldest["outcome"], oldest["waited_seconds"]) == ("finished", "61")
    assert (newest["person"], newest["person_id"], newest["chat"]) == ("Deleted person", "", "")
    assert (newest["credits_charged"], newest["is_told"]) == ("", "False")
    for row, entry_told in zip((newest, oldest), whole["entries"], strict=True):
        assert row == {name: "" if each is None else str(each) for name, each in entry_told.items()}
    assert (whole["format"], whole["version"]) == ("v0web usage", 1)
    assert (whole["count"], whole["credits_total"]) == (2, "42.100000000001")


def test_exactly_what_is_filtered_is_there(staff: Client, owner: Person, mate: Person) -> None:
    old = spend(owner, ended_at=timezone.now() - timedelta(days=40))
    stopped, mini = spend(owner, outcome="stopped"), spend(mate, model="v0-mini")
    usual = spend(owner)

    def found(**given: str) -> set[str]:
        in_csv = {row["message"] for row in rows(staff, **given)}
        in_json = told(staff, **given)
        assert in_csv == {each["message"] for each in in_json["entries"]}
        assert in_json["count"] == len(in_csv)
        return in_csv

    def ids(*entries: Entry) -> set[str]:
        return {str(entry.message_id) for entry in entries}

    assert found() == ids(stopped, mini, usual)
    assert found(range="90d") == ids(old, stopped, mini, usual)
    assert found(outcome="wasted") == ids(stopped)
    assert found(person=str(mate.pk)) == found(model="v0-mini") == ids(mini)
    assert found(person=str(owner.pk), outcome="finished") == ids(usual)
    assert found(person="nonsense") == set()
    assert told(staff, outcome="wasted", range="7d")["filters"] == {"outcome": "wasted"}


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_days_that_are_none_give_no_file(staff: Client, ending: str) -> None:
    answer = staff.get(f"{REVIEW}.{ending}", {"range": "custom", "from": "2026-02-30"})
    assert answer.status_code == 422
    assert not answer.streaming
    assert answer.content


def test_ones_own_has_nothing_of_others(
    client_of: ClientOf, owner: Person, mate: Person, team: Team
) -> None:
    mine = spend(mate, team=team)
    spend(owner, team=team)
    assert [row["message"] for row in rows(client_of(mate), OWN)] == [str(mine.message_id)]
    assert told(client_of(mate), OWN, person=str(owner.pk))["count"] == 0


def test_titles_are_for_those_who_may_read_the_chat(
    client_of: ClientOf, owner: Person, mate: Person, admin: Person, team: Team
) -> None:
    Membership.objects.filter(person=mate).update(role="admin")
    shown = Chat.objects.create(owner=owner, team=team, title="Coal mine", privacy="team")
    hidden = Chat.objects.create(owner=owner, team=team, title="Hidden mine")
    own = Chat.objects.create(owner=owner, title="Own mine")
    spend(owner, chat=shown, team=team)
    spend(owner, chat=hidden, team=team)
    spend(owner, chat=own)
    for who, titles, count in ((mate, {"Coal mine"}, 2), (admin, set(), 3)):
        found = rows(client_of(who))
        assert {row["chat_title"] for row in found} - {""} == titles
        assert len(found) == count
        text = json.dumps(told(client_of(who)))
        assert ("Coal mine" in text) == ("Coal mine" in titles)
        assert "Hidden mine" not in text
        assert "Own mine" not in text
    assert {row["chat_title"] for row in rows(client_of(owner), OWN)} == {
        *("Coal mine", "Hidden mine", "Own mine")
    }


def test_no_cell_is_taken_for_a_formula(client_of: ClientOf, owner: Person) -> None:
    evil = ("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "a,=1", '"=1')
    for text in evil:
        spend(owner, -1, chat=Chat.objects.create(owner=owner, title=text), model=text)
    found = rows(client_of(owner), OWN)
    for row in found:
        assert row["chat_title"] == row["model"]
        assert not row["model"].startswith(sheets.FORMULAS)
        assert row["credits_total"] == "-0.000000000001"
    assert {row["model"].removeprefix("'") for row in found} == set(evil)
    assert sheets.lines([["-1", "-1.5", None]]) == "-1,-1.5,\r\n"


def test_the_address_of_another_month_is_another_file(staff: Client, owner: Person) -> None:
    days = {"range": "custom", "from": "2026-01-01", "to": "2026-01-31"}
    spend(owner, ended_at=datetime(2026, 1, 31, 23, 59, 59, 999999, UTC))
    spend(owner, ended_at=datetime(2026, 2, 1, tzinfo=UTC))
    whole = told(staff, **days)
    assert (whole["from"], whole["until"], whole["count"]) == (
        *("2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"),
        1,
    )


def fill(person: Person, count: int) -> None:
    """Many that ended at the same moment, so that chunks also break between those."""
    now, chat = timezone.now(), Chat.objects.create(owner=person, title="One")
    Entry.objects.bulk_create(
        Entry(
            message_id=uuid4(),
            person=person,
            chat=chat,
            model="v0-pro",
            outcome="finished",
            credits_total=number,
            ended_at=now - timedelta(minutes=number // 700),
        )
        for number in range(count)
    )


def test_every_entry_is_in_a_chunk_once_newest_first(owner: Person) -> None:
    fill(owner, 1500)
    everything = Entry.objects.all()
    sizes = [len(chunk) for chunk in chunks.newest_first(everything, 400)]
    assert sizes == [400, 400, 400, 300]
    found = [row.pk for chunk in chunks.newest_first(everything, 400) for row in chunk]
    assert found == list(everything.order_by("-ended_at", "-pk").values_list("pk", flat=True))
    # A whole number of chunks ends, too.
    assert [len(chunk) for chunk in chunks.newest_first(everything, 750)] == [750, 750]


def test_what_is_added_meanwhile_is_not_in_it_and_moves_nothing(owner: Person) -> None:
    fill(owner, 30)
    read = chunks.newest_first(Entry.objects.all(), 20)
    first = next(read)
    spend(owner)
    assert len(next(read)) == 10
    assert len(first) == 20


def test_memory_and_queries_of_a_chunk_do_not_grow(owner: Person) -> None:
    peaks, queries = [], []
    for count in (1000, 1000):
        fill(owner, count)
        with CaptureQueriesContext(connection) as captured:
            for _ in as_csv(Entry.objects.all(), owner):
                pass
        queries.append(len(captured))
        tracemalloc.start()
        for _ in as_csv(Entry.objects.all(), owner):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # What is kept as a whole takes twice as much for twice as many.
    assert peaks[1] < 1.2 * peaks[0]
    # As many for each chunk, and one more for the end.
    assert (queries[1] - 1) == 2 * (queries[0] - 1) <= 16


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_file_that_is_taken_slowly_ends_with_the_right_to_it(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    team: Team,
    settings: Settings,
    ending: str,
) -> None:
    settings.V0_RIGHTS_CHECK = 0
    Membership.objects.filter(person=mate).update(role="admin")
    fill(owner, 600)
    Entry.objects.update(team=team)
    answer = cast("StreamingHttpResponse", client_of(mate).get(f"{REVIEW}.{ending}"))
    pieces = iter(answer)
    taken = next(pieces) + next(pieces)
    assert taken.count(b"v0-pro") == 500
    Membership.objects.filter(person=mate).update(role="member")
    assert b"".join(pieces).decode() == "\nThis file is not complete: access to it has ended.\n"
    answer = cast("StreamingHttpResponse", client_of(owner).get(f"{OWN}.{ending}"))
    pieces = iter(answer)
    next(pieces)
    Person.objects.filter(pk=owner.pk).update(is_active=False)
    assert b"not complete" in next(pieces)


def test_json_that_broke_off_is_none(owner: Person, client_of: ClientOf) -> None:
    fill(owner, 600)
    text = fetched(client_of(owner), f"{OWN}.json")
    json.loads(text)
    for end in (len(text) // 2, len(text) - 3):
        with pytest.raises(json.JSONDecodeError):
            json.loads(text[:end])


def test_it_is_for_reviewers_alone(
    client_of: ClientOf, owner: Person, mate: Person, stranger: Person, team: Team
) -> None:
    other = Team.objects.create(name="Others")
    ours, theirs = spend(mate, team=team), spend(stranger, team=other)
    spend(owner)
    for who in (mate, stranger):
        for ending in ("csv", "json"):
            assert client_of(who).get(f"{REVIEW}.{ending}").status_code == 404
    found = {UUID(row["message"]) for row in rows(client_of(owner))}
    assert found == {ours.message_id}
    assert rows(client_of(owner), team=str(other.pk)) == []
    Membership.objects.create(team=other, person=owner, role="admin")
    found = {UUID(row["message"]) for row in rows(client_of(owner))}
    assert found == {ours.message_id, theirs.message_id}


def test_sums_over_the_file_are_those_of_the_ledger(staff: Client, owner: Person) -> None:
    for credits in (1, 3 * CREDIT // 10, CREDIT // 10, 2**62):
        spend(owner, credits)
    due = sum(Entry.objects.values_list("credits_total", flat=True))
    assert sum(Decimal(row["credits_total"]) for row in rows(staff)) * CREDIT == due
    assert Decimal(told(staff)["credits_total"]) * CREDIT == due
