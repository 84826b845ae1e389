"""What somebody has spent: their own alone, in any time, down to the answer, and it adds up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from chats.forms.usage import BACKWARDS, NO_DAYS, TOO_LONG, RangeForm
from chats.models import Chat, Entry, Message, Person
from chats.rendering.charts import stacked

CREDIT = 10**12
NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


@pytest.fixture
def person(db: None) -> Person:
    return Person.objects.create_user("somebody@example.com")


@pytest.fixture
def client(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def spend(
    person: Person, credits: int, chat: Chat | None = None, *, days: int = 0, model: str = "v0-pro"
) -> Entry:
    return Entry.objects.create(
        message_id=uuid4(),
        person=person,
        chat=chat,
        model=model,
        outcome="finished",
        credits_total=credits,
        tokens_total=1000,
        ended_at=timezone.now() - timedelta(days=days),
    )


def page(client: Client, **given: str) -> str:
    answer = client.get("/usage/", given)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return " ".join(answer.content.decode().split())


def test_nothing_spent_is_said_in_words(client: Client) -> None:
    assert "Nothing was spent in this time." in page(client)


def test_it_is_ones_own_and_adds_up_at_every_level(client: Client, person: Person) -> None:
    other = Person.objects.create_user("other@example.com")
    chats = [Chat.objects.create(owner=person, title=title) for title in ("One", "Two")]
    spend(person, 3 * CREDIT, chats[0])
    spend(person, 2 * CREDIT, chats[1], model="v0-mini")
    spend(person, CREDIT, None, days=3)
    spend(person, 3 * CREDIT, chats[1], days=40)
    spend(other, 50 * CREDIT, Chat.objects.create(owner=other, title="Hidden"))
    found = page(client)
    assert "<strong>6.0000</strong> credits" in found
    assert "100 % more than in the time before" in found
    assert "Hidden" not in found
    links = re.findall(r'<a href="(\?[^"]+)">[^<]+</a></th> ?<td[^>]*><a[^>]*>([\d.]+)<', found)
    assert len(links) == 6
    for link, credits in links:
        below = " ".join(
            client.get("/usage/" + link.replace("&amp;", "&")).content.decode().split()
        )
        assert f"<strong>{credits}</strong> credits" in below, link
    assert len(re.findall(r'<a href="\?[^"]+">', found)) >= 6


def test_an_answer_leads_to_its_message_unless_it_cannot_be_read(
    client: Client, person: Person
) -> None:
    chat = Chat.objects.create(owner=person, title="Coal mine")
    message = Message.objects.create(chat=chat, position=1, role="assistant", state="finished")
    entry = spend(person, CREDIT, chat)
    Entry.objects.filter(pk=entry.pk).update(message_id=message.pk)
    address = f'href="/chats/{chat.pk}/?at={message.pk}#m{message.pk}"'
    assert address in page(client)
    Chat.objects.filter(pk=chat.pk).update(owner=Person.objects.create_user("new@example.com"))
    found = page(client)
    assert "A chat that you cannot see any more" in found
    assert "Coal mine" not in found
    assert address not in found
    chat.delete()
    assert "Deleted chats" in page(client)


def test_a_chat_is_named_also_where_nothing_was_spent_on_it(client: Client, person: Person) -> None:
    chat = Chat.objects.create(owner=person, title="A quiet one")
    found = page(client, chat=str(chat.pk))
    assert "Nothing like this in this time." in found
    assert 'aria-label="Chat A quiet one: show all chats"' in found


def test_a_model_that_v0_did_not_name_is_one_by_either_word(client: Client, person: Person) -> None:
    spend(person, CREDIT, model="")
    spend(person, 2 * CREDIT)
    for word in ("", "none"):
        assert "<strong>1.0000</strong> credits" in page(client, model=word)
    runs = client.get("/usage/runs/", {"model": "none"}).content.decode()
    assert 'data-credits="1"' in runs
    assert 'href="/usage/?range=30d&amp;model=none"' in runs


def test_a_cost_that_v0_has_not_named_is_not_shown_as_nothing(
    client: Client, person: Person
) -> None:
    Entry.objects.filter(pk=spend(person, 0).pk).update(is_told=False)
    assert "not told yet" in page(client)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("", "", NO_DAYS),
        ("2026-02-30", "2026-03-01", NO_DAYS),
        ("2026-11-02", "2026-11-01", BACKWARDS),
        ("2024-01-01", "2026-01-01", TOO_LONG),
    ],
)
def test_days_that_are_none_are_refused_and_kept(
    client: Client, first: str, last: str, sentence: str
) -> None:
    answer = client.get("/usage/", {"range": "custom", "from": first, "to": last})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert f'value="{first}"' in answer.content.decode()


def test_a_range_is_whole_hours_or_days_of_utc() -> None:
    def found(**given: str) -> tuple[str, str, bool, int]:
        range = RangeForm({name.strip("_"): value for name, value in given.items()}, NOW).range
        return (
            f"{range.start:%m-%d %H}",
            f"{range.end:%m-%d %H}",
            range.by_hour,
            len(range.steps),
        )

    assert found(range="24h") == ("11-21 16", "11-22 16", True, 24)
    assert found(range="7d") == ("11-16 00", "11-23 00", False, 7)
    assert found(range="month") == ("11-01 00", "11-23 00", False, 22)
    assert found() == found(range="nonsense") == found(range="30d")
    assert found(range="custom", from_="2026-11-20", to="2026-12-31")[:2] == (
        "11-20 00",
        "11-23 00",
    )
    assert found(range="custom", from_="2026-11-20", to="2026-11-20") == (
        *("11-20 00", "11-21 00"),
        *(True, 24),
    )


@given(st.lists(st.lists(st.integers(0, 10**15), min_size=2, max_size=2), min_size=1, max_size=9))
def test_columns_are_as_high_as_their_numbers(values: list[list[int]]) -> None:
    names = [str(place) for place in range(len(values))]
    chart = stacked(values, names, names)
    heights = [sum(float(box.height) for box in column.boxes) for column in chart.columns]
    most = max(map(sum, values))
    for row, height in zip(values, heights, strict=True):
        assert height == pytest.approx(max(heights) * sum(row) / most if most else 0, abs=0.05)
        assert height <= chart.floor


def test_the_queries_are_as_many_for_a_thousand_entries(client: Client, person: Person) -> None:
    chat = Chat.objects.create(owner=person, title="One")
    spend(person, 1, chat)
    client.get("/usage/")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            page(client)
        counts.append(len(queries))
        entries = [
            Entry(message_id=uuid4(), person=person, chat=chat, credits_total=1)
            for _ in range(1000)
        ]
        Entry.objects.bulk_create(entries)
    assert counts[0] == counts[1] <= 14
