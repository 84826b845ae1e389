"""A figure about usage that is followed down, link by link to one run, adds up at every level, to the last digit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html import unescape
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chats.models import Chat, Entry, Membership, Person, Team

OUTCOMES = ("finished", "stopped", "failed", "restored-away", "created", "")
SOURCES = ("plan", "on-demand", "on-demand plan", "")
MODELS = ("v0-pro", "a b&c", "ü", "")
RANGES = ("24h", "7d", "30d", "90d", "month")
# How many of the links of one page are followed further than to their total; which ones is drawn.
FURTHER = 2
# A sum that leads to its runs: the address, and the exact amount beside it. What a run usually costs is none.
LINK = re.compile(
    r'<a href="([^"#]+)[^"]*"(?: title="[^"]*")? data-credits="([^"]+)"'
    r'|<a href="([^"#]*/runs/[^"#]*)"[^>]* title="(-?[\d.,]+)(?: credits)?" ?>'
    r"(?!<span><strong>[^<]*</strong></span>)"
)
TOTAL = re.compile(r'<ul class="manage-counts" data-credits="([^"]+)" data-answers="(\d+)"')
ROW = re.compile(r'<td data-label="Credits" data-number data-credits="([^"]+)"')
RUN = re.compile(r'<span data-credits="([^"]+)">')

ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "who": st.sampled_from((0, 0, 0, 1, 3)),
            "place": st.integers(0, 4),
            "team": st.integers(0, 2),
            "model": st.sampled_from(MODELS),
            "outcome": st.sampled_from(OUTCOMES),
            "sources": st.sampled_from(SOURCES),
            "waived": st.booleans(),
            "credits_total": st.one_of(st.integers(0, 3), st.integers(0, 10**16)),
            "waited": st.integers(0, 5000),
            "hours": st.one_of(st.integers(0, 20), st.integers(0, 24 * 60)),
        }
    ),
    min_size=8,
    max_size=12,
)


@dataclass
class Cast:
    people: list[Person]
    teams: list[Team]
    chats: list[Chat]
    staff: Client
    owner: Client

    def spend(self, rows: list[dict[str, Any]]) -> None:
        """What stands in `rows`, some of it of nobody, of no team or chat."""
        now = timezone.now()
        Entry.objects.bulk_create(
            Entry(
                message_id=UUID(int=number + 1),
                person=among(self.people, row["who"]),
                team=among(self.teams, row["team"]),
                chat=among(self.chats, row["place"]),
                ended_at=now - timedelta(hours=row["hours"]),
                tokens_total=number,
                charged=row["credits_total"] if row["sources"] else None,
                **{name: row[name] for name in KEPT},
            )
            for number, row in enumerate(rows)
        )


KEPT = ("model", "outcome", "sources", "waived", "credits_total", "waited")


def among(rows: list[Any], place: int) -> Any:
    return rows[place] if place < len(rows) else None


@pytest.fixture
def cast(db: None) -> Cast:
    people = [Person.objects.create_user(f"p{number}@example.com") for number in range(3)]
    teams = [Team.objects.create(name=f"Team {number}") for number in range(2)]
    Membership.objects.create(team=teams[0], person=people[0], role="owner")
    chats = [Chat.objects.create(owner=people[number % 3], title="One") for number in range(4)]
    staff = Person.objects.create_user("staff@example.com", is_staff=True)
    clients = Client(), Client()
    for client, who in zip(clients, (staff, people[0]), strict=True):
        client.force_login(who)
    return Cast(people, teams, chats, *clients)


def page(client: Client, place: str, given: Mapping[str, str] | None = None) -> str:
    answer = client.get(place, given)
    assert answer.status_code == 200, place
    return " ".join(answer.content.decode().split())


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def links(found: str) -> list[tuple[str, Decimal]]:
    """Each figure of a page with where it leads."""
    every = {
        (unescape(one or other), amount(exact or beside))
        for one, exact, other, beside in LINK.findall(found)
    }
    return sorted(every)


def check_runs(client: Client, place: str, due: Decimal, random: Random | None) -> None:
    """The list's total is what led to it. Further down so is the sum of its lines, and a line is its run's."""
    found = page(client, place)
    total = TOTAL.search(found)
    if total is None:
        assert due == 0, place
        return
    assert Decimal(total[1]) == due, place
    if random is None:
        return
    lines = [Decimal(text) for text in ROW.findall(found)]
    assert (sum(lines), len(lines)) == (due, int(total[2])), place
    shown = re.findall(r'<th scope="row"><a href="([^"]+)"', found)
    which = random.randrange(len(shown))
    check_run(client, shown[which], lines[which])


def check_run(client: Client, place: str, due: Decimal) -> None:
    one = RUN.search(page(client, place))
    assert one, place
    assert Decimal(one[1]) == due, place


def check_page(client: Client, place: str, given: Mapping[str, str], random: Random) -> int:
    """Each figure of a page leads to just that much."""
    found = links(page(client, place, given))
    further = random.sample(range(len(found)), min(FURTHER, len(found)))
    for number, (address, due) in enumerate(found):
        if re.search(r"/runs/[0-9a-f-]+/$", address):
            check_run(client, address, due)
        else:
            check_runs(client, address, due, random if number in further else None)
    return len(found)


quickly = settings(
    max_examples=4,
    deadline=None,
    # Making an example smaller takes hundreds of pages.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@quickly
@given(ENTRIES, st.sampled_from(RANGES), st.randoms(use_true_random=False))
def test_ones_own_usage_adds_up(
    cast: Cast, rows: list[dict[str, Any]], range: str, random: Random
) -> None:
    with transaction.atomic():
        cast.spend(rows)
        count = check_page(cast.owner, "/usage/", {"range": range}, random)
        shown = page(cast.owner, "/usage/runs/", {"range": range})
        assert count >= 5 if TOTAL.search(shown) else count == 0
        transaction.set_rollback(True)


@quickly
@given(
    ENTRIES,
    st.sampled_from(RANGES),
    st.sampled_from(
        [{}, {"outcome": "wasted"}, {"model": "none"}, {"source": "plan"}, {"team": "none"}]
    ),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_a_review_adds_up(
    cast: Cast,
    rows: list[dict[str, Any]],
    range: str,
    filters: dict[str, str],
    by_team: bool,
    random: Random,
) -> None:
    """Of staff, and of somebody who owns one team."""
    client, given = cast.owner if by_team else cast.staff, {"range": range, **filters}
    with transaction.atomic():
        cast.spend(rows)
        count = check_page(client, "/usage/review/", given, random)
        shown = page(client, "/usage/review/runs/", given)
        assert count >= 5 if TOTAL.search(shown) else count == 0
        transaction.set_rollback(True)
