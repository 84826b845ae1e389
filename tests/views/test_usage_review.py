"""The review of usage: whose it is, what it adds up to, and what it tells nobody."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.models import Billed, Chat, Entry, Membership, Message, Person, Reconciliation, Team
from chats.models.teams import Role

CREDIT = 10**12
PAGE = "/usage/review/"
LONG_AGO = "&from=2020-01-01&to=2020-01-02"


@pytest.fixture
def staff(db: None) -> Person:
    return Person.objects.create_user("staff@example.com", is_staff=True)


@pytest.fixture
def somebody(db: None) -> Person:
    return Person.objects.create_user("somebody@example.com", name="Ada Miner")


@pytest.fixture
def team(somebody: Person) -> Team:
    team = Team.objects.create(name="Miners")
    Membership.objects.create(team=team, person=somebody, role=Role.MEMBER)
    return team


def spend(person: Person | None, credits: int, **fields: object) -> Entry:
    days = fields.pop("days", 0)
    assert isinstance(days, int)
    given = {
        "message_id": uuid4(),
        "person": person,
        "model": "v0-pro",
        "outcome": "finished",
        "sources": "plan",
        "charged": credits,
        "credits_total": credits,
        "tokens_total": 1000,
        "ended_at": timezone.now() - timedelta(days=days),
        **fields,
    }
    return Entry.objects.create(**given)


def seen_by(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return " ".join(unescape(answer.content.decode()).replace("\u2019", "'").split())


def figures(found: str) -> dict[str, str]:
    """The figures on top, by their names."""
    return {
        name: shown
        for shown, name in re.findall(r"<span><strong>([^<]+)</strong> ([a-z ]+)</span>", found)
    }


def table(found: str, heading: str) -> dict[str, str]:
    """The credits of each row of the table below a heading, exactly."""
    part = found.split(f">{heading}</h2>")[1].split("</table>")[0]
    rows = re.findall(
        r'<th scope="row">(?:<a href="[^"]*">)?([^<]+)<.*?(?:data-credits="|title=")([\d.]+)', part
    )
    return dict(rows)


def test_it_adds_up_by_whom_team_model_chat_and_source(
    staff: Person, somebody: Person, team: Team
) -> None:
    chat = Chat.objects.create(owner=somebody, team=team, title="Coal", privacy="team")
    spend(somebody, 3 * CREDIT, team=team, chat=chat)
    spend(somebody, CREDIT, team=team, chat=chat, model="v0-mini", sources="on-demand")
    spend(staff, 2 * CREDIT, charged=0, waived=True)
    spend(None, CREDIT, sources="", charged=None)
    spend(somebody, CREDIT, days=40)
    found = page(seen_by(staff))
    assert figures(found) == {
        "credits": "7.0000",
        "answers": "4",
        "tokens": "4,000",
        "active people": "2",
        "active chat": "1",
    }
    assert "600 % more than in the time before" in found
    assert table(found, "By person") == {"Ada Miner": "4", "staff": "2", "Deleted person": "1"}
    assert table(found, "By team") == {"Miners": "4", "No team": "3"}
    assert table(found, "By model") == {"v0-pro": "6", "v0-mini": "1"}
    assert table(found, "By chat") == {f"Chat {chat.pk.hex[:8]}": "4", "Deleted chat": "3"}
    assert table(found, "What v0 took it from") == {
        "Plan": "5",
        "On demand": "1",
        "Not billed yet": "1",
        "In all": "7",
        "Waived of it": "2",
    }
    assert ">4.0000</a></td>" in found.split("In all")[1]  # What v0 charged.


def test_a_team_admin_sees_their_teams_alone(staff: Person, somebody: Person, team: Team) -> None:
    boss = Person.objects.create_user("boss@example.com")
    Membership.objects.create(team=team, person=boss, role=Role.ADMIN)
    secret = Chat.objects.create(owner=somebody, team=team, title="A secret", privacy="private")
    shared = Chat.objects.create(owner=somebody, team=team, title="For us all", privacy="team")
    spend(somebody, 3 * CREDIT, team=team, chat=secret)
    spend(somebody, 2 * CREDIT, team=team, chat=shared)
    other = Team.objects.create(name="Bakers")
    spend(staff, 50 * CREDIT, team=other)
    spend(boss, 70 * CREDIT)
    client = seen_by(boss)
    found = page(client)
    assert figures(found)["credits"] == "5.0000"
    assert table(found, "By chat") == {f"Chat {secret.pk.hex[:8]}": "3", "For us all": "2"}
    for hidden in ("A secret", "Bakers", "v0's own numbers", "everybody"):
        assert hidden not in found, hidden
    # Who asks for somebody or something else learns neither what it costs nor what it is called.
    for name, id in (("person", staff.pk), ("team", other.pk)):
        found = page(client, f"{PAGE}?{name}={id}")
        assert "Nothing like this in this time." in found
        assert f"{name.capitalize()} {id}: do not filter by this" in found
        assert "Bakers" not in found
    assert "Chat " + secret.pk.hex[:8] in page(client, f"{PAGE}?chat={secret.pk}")


def test_no_word_of_a_message_is_in_it(staff: Person, somebody: Person) -> None:
    chat = Chat.objects.create(owner=somebody, title="A private title")
    asked = Message.objects.create(chat=chat, position=1, role="user", text="a private question")
    spend(somebody, CREDIT, chat=chat, message_id=asked.pk)
    found = page(seen_by(staff))
    assert "a private" not in found.lower()
    assert f"/usage/review/runs/{asked.pk}/" in found


def test_waste_is_what_was_stopped_has_failed_or_was_restored_away(
    staff: Person, somebody: Person
) -> None:
    for place in range(1, 18):
        spend(somebody, place * CREDIT, waited=3600)
    spend(somebody, 18 * CREDIT, outcome="stopped")
    spend(somebody, 19 * CREDIT, outcome="failed")
    spend(somebody, 20 * CREDIT, outcome="restored-away")
    client = seen_by(staff)
    found = page(client)
    assert table(found, "Waste, and what a run costs") == {
        "Stopped": "18",
        "Failed": "19",
        "Restored away": "20",
        "Wasted in all": "57",
    }
    assert 'title="10 credits"><span><strong>10.0000</strong></span>' in found
    assert 'title="19 credits"><span><strong>19.0000</strong></span>' in found
    assert "<strong>17 h</strong>" in found
    dearest = found.split("The dearest runs")[1].split("</table>")[0]
    assert [int(cost) for cost in re.findall(r'title="(\d+) credits"', dearest)] == [
        *range(20, 10, -1)
    ]
    assert figures(page(client, PAGE + "?outcome=wasted"))["credits"] == "57.0000"


def test_v0s_own_bill_stands_beside_it_for_staff(staff: Person, somebody: Person) -> None:
    assert "v0's bill has not been read yet" in page(seen_by(staff))
    now = timezone.now()
    Reconciliation.objects.create(
        start=now, end=now, ended_at=now, is_open=None, as_of="2026-11-20T10:00:00.000Z"
    )
    own = spend(somebody, 3 * CREDIT)
    for id, credits, message in (("a", 3, own.message_id), ("b", 5, None), ("c", 2, None)):
        Billed.objects.create(
            v0_id=id, at=now, credits_total=credits * CREDIT, charged=CREDIT, message_id=message
        )
    found = page(seen_by(staff))
    rows = found.split("v0's own numbers")[1]
    assert re.findall(r'title="([\d.]+) credits"', rows) == ["3", "3", "7"]
    assert re.findall(r'data-label="Charged" data-number>([^<]*)<', rows) == [
        "",
        "1.0000",
        "2.0000",
    ]
    assert "agree to the last digit" in rows
    assert "2026-11-20 10:00 UTC" in rows
    assert "v0's own numbers" not in page(seen_by(staff), PAGE + "?model=v0-pro")
    link = re.findall(r'<a href="(/usage/review/elsewhere/[^"]*)"', rows)[0]
    events = page(seen_by(staff), link)
    assert re.findall(r'title="([\d.]+) credits"', events) == ["7", "2", "5"]
    assert "Nothing was made elsewhere" in page(seen_by(staff), f"{link}&range=custom{LONG_AGO}")


def test_the_month_is_forecast_by_the_last_weeks(staff: Person) -> None:
    today = timezone.now().date()
    for day in range(1, 32):
        spend(staff, CREDIT, days=day)
    length = monthrange(today.year, today.month)[1]
    found = page(seen_by(staff), PAGE + "?range=24h")
    assert f"<strong>{today.day - 1}.0000</strong> credits until now" in found
    assert (
        f"about <strong>{length}.00</strong> by the end of the month: between {length}.00"
        f" and {length}.00." in found
    )


def test_tables_are_sorted_as_the_address_says(staff: Person, somebody: Person) -> None:
    spend(staff, 3 * CREDIT, tokens_total=1)
    for _ in range(2):
        spend(somebody, CREDIT, tokens_total=5)
    client = seen_by(staff)
    order = {
        sort: [*table(page(client, f"{PAGE}?sort={sort}"), "By person")]
        for sort in ("", "tokens", "answers", "name", "nonsense")
    }
    assert order[""] == order["nonsense"] == ["staff", "Ada Miner"]
    assert order["tokens"] == order["answers"] == order["name"] == ["Ada Miner", "staff"]


def test_chats_come_in_pages_that_add_up(staff: Person, somebody: Person) -> None:
    chats = Chat.objects.bulk_create(Chat(owner=somebody) for _ in range(23))
    for place, chat in enumerate(chats, 1):
        spend(somebody, place * CREDIT, chat=chat)
    client = seen_by(staff)
    pages = [table(page(client, f"{PAGE}?page={number}"), "By chat") for number in (1, 2)]
    others = [each.pop("All other chats") for each in pages]
    assert [len(each) for each in pages] == [20, 3]
    assert others == ["6", str(276 - 6)]
    assert sum(int(cost) for each in pages for cost in each.values()) == 276
    # The others lead to a review of them alone, and to their runs.
    shown = page(client, PAGE)
    review, runs = re.findall(r'href="([^"]*but-chat=[^"]*)"', shown)[:2]
    left = page(client, PAGE + review)
    assert table(left, "By chat") == pages[1]
    assert "all chats but 20" in left
    assert 'data-credits="6" data-answers="3"' in page(client, runs)


def test_models_without_a_colour_lead_to_their_runs(staff: Person) -> None:
    for place in range(1, 8):
        spend(staff, place * CREDIT, model=f"model {place}")
    shown = page(seen_by(staff), PAGE)
    found = re.search(r'data-label="others" data-number><a href="([^"]+)">3(\.0+)?</a>', shown)
    assert found, shown
    runs = page(seen_by(staff), found[1])
    assert 'data-credits="3" data-answers="2"' in runs
    assert "no model of model 7, model 6, model 5, model 4, model 3" in runs


@pytest.mark.parametrize(
    "address",
    [
        *("page=0", "page=-1", "page=x", "page=99999", "sort=%00", "range=custom", "hour=99"),
        *("person=99999999999999999999", "model=%00", "outcome=%00", "chat=x", "source=%F0"),
        "range=custom&from=0001-01-01&to=0001-01-02",
        "range=custom&from=9999-12-31&to=9999-12-31",
        "range=custom&from=2026-11-01&to=2026-11-01&hour=x",
    ],
)
def test_no_address_breaks_it(staff: Person, address: str) -> None:
    spend(staff, CREDIT)
    status = seen_by(staff).get(f"{PAGE}?{address}").status_code
    assert status == (422 if address.startswith("range=custom") and "11-01" not in address else 200)


def test_it_is_led_to_from_where_whoever_may_see_it_is(
    staff: Person, somebody: Person, team: Team
) -> None:
    assert 'href="/usage/review/"' not in page(seen_by(somebody), "/usage/")
    assert "/usage/review/" not in seen_by(somebody).get(f"/teams/{team.pk}/").content.decode()
    Membership.objects.filter(person=somebody).update(role=Role.OWNER)
    assert 'href="/usage/review/"' in page(seen_by(somebody), "/usage/")
    found = seen_by(somebody).get(f"/teams/{team.pk}/").content.decode()
    assert f'href="/usage/review/?team={team.pk}"' in found
    assert 'href="/usage/review/"' in page(seen_by(staff), "/manage/")


@pytest.mark.parametrize("who", ["staff", "owner"])
def test_the_queries_are_as_many_for_a_thousand_entries(
    staff: Person, somebody: Person, team: Team, who: str
) -> None:
    Membership.objects.filter(person=somebody).update(role=Role.OWNER)
    people = [somebody, *(Person.objects.create_user(f"p{n}@example.com") for n in range(3))]
    chats = Chat.objects.bulk_create(
        Chat(owner=people[n % 4], team=team, title=f"Chat {n}", privacy="team") for n in range(40)
    )
    client = seen_by(staff if who == "staff" else somebody)
    client.get("/")
    counts = []
    for count in (100, 900):
        Entry.objects.bulk_create(
            Entry(
                message_id=uuid4(),
                person=people[n % 4],
                chat=chats[n % 40],
                team=team,
                model=f"model-{n % 7}",
                outcome=("finished", "stopped", "failed")[n % 3],
                credits_total=n,
                ended_at=timezone.now() - timedelta(days=n % 60),
            )
            for n in range(count)
        )
        with CaptureQueriesContext(connection) as queries:
            page(client)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12
