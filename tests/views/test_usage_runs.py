"""The runs behind a figure, and one of them: all that is known of what it cost, and no word of what it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.models import Billed, Chat, Entry, Intent, Membership, Message, Person, Reservation, Team
from chats.views.manage import PAGE
from tests.scene import Scene
from tests.views.conftest import ChatOf, ClientOf, no_writes

CREDIT = 10**12
OWN, REVIEW = "/usage/runs/", "/usage/review/runs/"


def spend(person: Person | None, credits: int = CREDIT, **fields: Any) -> Entry:
    given = {"model": "v0-pro", "outcome": "finished", "tokens_total": 1000, **fields}
    given = {"message_id": uuid4(), **given}
    return Entry.objects.create(person=person, credits_total=credits, **given)


def page(client: Client, place: str = REVIEW, **given: str) -> str:
    with no_writes():
        answer = client.get(place, given)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return " ".join(answer.content.decode().split())


def listed(client: Client, place: str = REVIEW, **given: str) -> list[str]:
    """The messages of a list, in its order."""
    return re.findall(rf'href="{place}([0-9a-f-]+)/"', page(client, place, **given))


def ids(*entries: Entry) -> list[str]:
    return [str(entry.message_id) for entry in entries]


@pytest.fixture
def miners(db: None) -> Team:
    return Team.objects.create(name="Miners")


@pytest.fixture
def staff(admin: Person, client_of: ClientOf) -> Client:
    return client_of(admin)


def test_a_list_is_filtered_as_the_address_says_and_adds_up(
    staff: Client, owner: Person, mate: Person
) -> None:
    first = spend(owner, 3 * CREDIT // 10, outcome="stopped", waited=90)
    second = spend(mate, 1, model="v0-mini")
    spend(owner, CREDIT, ended_at=timezone.now() - timedelta(days=40))
    found = page(staff)
    assert 'data-credits="0.300000000001" data-answers="2" data-tokens="2000"' in found
    assert "<strong>1 min 30 s</strong> waited for people" in found
    assert listed(staff) == ids(second, first)
    assert listed(staff, outcome="wasted") == ids(first)
    assert listed(staff, person=str(mate.pk)) == ids(second)
    found = page(staff, outcome="wasted", person=str(owner.pk))
    assert 'aria-label="Olivia Owner: do not filter by this"' in found
    assert 'aria-label="stopped, failed or restored away: do not filter by this"' in found
    for file in ("csv", "json"):
        assert f"/usage/review/export.{file}?range=30d&amp;person={owner.pk}" in found


def test_it_is_sorted_by_time_cost_and_waiting(staff: Client, owner: Person) -> None:
    now = timezone.now()
    dear = spend(owner, 9 * CREDIT, waited=2, ended_at=now - timedelta(hours=3))
    slow = spend(owner, 1, waited=900, ended_at=now - timedelta(hours=2))
    new = spend(owner, 2 * CREDIT, ended_at=now)
    assert listed(staff) == listed(staff, sort="nonsense") == ids(new, slow, dear)
    assert listed(staff, sort="cost") == ids(dear, new, slow)
    assert listed(staff, sort="waited") == ids(slow, dear, new)
    assert 'aria-sort="descending"><a href="?sort=waited">Waited' in page(staff, sort="waited")


def test_pages_follow_each_other_and_the_total_is_that_of_all(staff: Client, owner: Person) -> None:
    for _ in range(PAGE + 1):
        spend(owner, sources="plan")
    spend(owner)
    first, second = (listed(staff, source="plan", page=page) for page in ("1", "2"))
    assert (len(first), len(second)) == (PAGE, 1)
    assert not set(first) & set(second)
    assert f'data-answers="{PAGE + 1}"' in page(staff, source="plan", page="2")
    assert 'href="?source=plan&amp;page=2"' in page(staff, source="plan")


def test_queries_are_as_many_for_more_runs(staff: Client, owner: Person, miners: Team) -> None:
    counts = []
    for _ in range(2):
        for _ in range(PAGE // 2):
            chat = Chat.objects.create(owner=owner, team=miners)
            spend(owner, chat=chat, team=miners)
        staff.get(REVIEW)
        with CaptureQueriesContext(connection) as queries:
            page(staff)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_nothing_and_days_that_are_none_are_said_in_words(staff: Client) -> None:
    assert "Nothing ran in this time." in page(staff)
    assert "No run is like this in this time." in page(staff, model="v0-pro")
    answer = staff.get(REVIEW, {"range": "custom", "from": "x"})
    assert answer.status_code == 422
    assert "Choose a first and a last day." in answer.content.decode()
    assert "export.csv" not in answer.content.decode()


@pytest.mark.parametrize("name", ["team", "person", "model", "chat", "outcome", "page", "sort"])
@pytest.mark.parametrize("text", ["\0", "9" * 40, "<b>", "' --"])
def test_nonsense_is_no_error(staff: Client, owner: Person, name: str, text: str) -> None:
    spend(owner)
    assert "<b>" not in page(staff, **{name: text})


def test_one_run_has_all_its_figures(
    staff: Client, client_of: ClientOf, owner: Person, miners: Team, chat_of: ChatOf
) -> None:
    Membership.objects.create(team=miners, person=owner, role="member")
    chat = chat_of(owner, "the coal mine", team=miners)
    answer = chat.messages.get(role="assistant")
    intent = Intent.objects.create(token=uuid4(), person=owner, chat=chat, answer=answer)
    Reservation.objects.create(intent=intent.pk, credits=CREDIT // 4, day=timezone.now().date())
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    kinds = {
        f"{of}_{kind}": number
        for of, number in (("tokens", 1_234), ("credits", 42_100_000_001))
        for kind in ("input", "output", "cache_read", "cache_write")
    }
    spend(
        owner,
        4 * 42_100_000_001,
        message_id=answer.pk,
        chat=chat,
        team=miners,
        delivery="async",
        waited=61,
        charged=7,
        sources="on-demand plan",
        waived=True,
        v0_message="at-v0",
        started_at=moment,
        ended_at=moment + timedelta(seconds=75),
        **kinds,
    )
    for number, message in enumerate((answer.pk, uuid4())):
        Billed.objects.create(
            v0_id=f"event-{number}",
            type="message.finished" if not number else "another.event",
            at=moment,
            message_id=message,
            credits_total=4 * 42_100_000_001,
            charged=7,
            waived=True,
        )
    found = page(staff, f"{REVIEW}{answer.pk}/")
    for words in (
        'data-credits="0.168400000004"',
        "Olivia Owner",
        miners.name,
        "by poll",
        "2026-11-20 12:00 UTC",
        "after 1 min 15 s",
        "1 min 1 s",
        "plan and on demand",
        "0.000000000007 credits",
        "<dt>Waived</dt><dd>Yes",
        "message.finished, waived",
        "0.25 credits",
        "at-v0",
    ):
        assert words in found, words
    assert found.count("1,234") == 4
    assert found.count("0.042100000001<") == 4
    assert "another.event" not in found
    # Its text, its question and its chat are for those who may read them.
    for words in ("the coal mine", "About the coal mine", f"/chats/{chat.pk}/"):
        assert words not in found
    mine = page(client_of(owner), f"{OWN}{answer.pk}/")
    assert f'href="/chats/{chat.pk}/?at={answer.pk}#m{answer.pk}"' in mine
    assert "About the coal mine" in mine
    assert "The answer to the coal mine" not in mine


def test_what_v0_has_not_said_is_said_to_be_so(staff: Client, owner: Person) -> None:
    entry = spend(owner, 0, is_told=False, started_at=None, model="")
    assert "not told yet" in page(staff)
    found = page(staff, f"{REVIEW}{entry.message_id}/")
    for words in ("Not told yet", "Not billed yet", "not billed yet", "Not named by v0"):
        assert words in found
    assert "Put aside" not in found


def test_what_is_deleted_is_said_to_be_so(staff: Client, owner: Person, mate: Person) -> None:
    chat = Chat.objects.create(owner=owner, title="Coal mine")
    entry = spend(mate, chat=chat)
    assert f"Chat {chat.pk.hex[:8]}" in page(staff)
    Chat.objects.filter(pk=chat.pk).update(deleted_at=timezone.now())
    assert "Deleted chat" in page(staff)
    chat.delete()
    mate.delete()
    for place in (REVIEW, f"{REVIEW}{entry.message_id}/"):
        found = page(staff, place)
        assert "Deleted chat" in found
        assert "Deleted person" in found


def test_a_run_without_a_message_leads_to_its_chat(client_of: ClientOf, owner: Person) -> None:
    chat = Chat.objects.create(owner=owner, title="Of files")
    entry = spend(owner, chat=chat, outcome="created")
    found = page(client_of(owner), OWN)
    assert f'<a href="/chats/{chat.pk}/">Of files</a>' in found
    assert "made of files" in page(client_of(owner), f"{OWN}{entry.message_id}/")


def test_ones_own_are_ones_own(
    client_of: ClientOf, owner: Person, mate: Person, miners: Team
) -> None:
    mine, other = spend(mate, team=miners), spend(owner, team=miners)
    client = client_of(mate)
    assert listed(client, OWN) == ids(mine)
    assert client.get(f"{OWN}{mine.message_id}/").status_code == 200
    assert client.get(f"{OWN}{other.message_id}/").status_code == 404
    assert "/usage/export.csv?range=30d" in page(client, OWN)


def test_team_admins_see_their_teams_runs_and_no_title_that_they_may_not_read(
    scene: Scene,
) -> None:
    people, team = scene.people.people, scene.people.team
    entries = {}
    for level in ("private", "team"):
        chat = scene.people.chat("owner", level)
        Chat.objects.filter(pk=chat.pk).update(title=f"Mine of {level}")
        answer = scene.answers[chat.pk]
        entries[level] = spend(people["owner"], chat=chat, team=team, message_id=answer.pk)
    elsewhere = spend(people["owner"])
    for who in ("team admin", "team owner"):
        client = scene.client(who)
        found = page(client)
        assert set(listed(client)) == set(ids(*entries.values()))
        assert ("Mine of team" in found, "Mine of private" in found) == (True, False)
        hidden = page(client, f"{REVIEW}{entries['private'].message_id}/")
        assert "Mine of private" not in hidden
        assert f"/chats/{entries['private'].chat_id}/" not in hidden
        assert client.get(f"{REVIEW}{elsewhere.message_id}/").status_code == 404
        # A number in the address tells nobody whose it is.
        stranger = people["stranger"]
        assert stranger
        nobody = page(client, person=str(stranger.pk))
        assert f"Person {stranger.pk}" in nobody
        assert stranger.shown_name not in nobody
    for who in ("stranger", "mate", "team viewer", "invited editor"):
        for place in (REVIEW, f"{REVIEW}{entries['team'].message_id}/"):
            assert scene.client(who).get(place).status_code == 404
    Membership.objects.filter(person=people["team admin"]).update(role="member")
    assert scene.client("team admin").get(REVIEW).status_code == 404
    assert len(listed(scene.client("admin"))) == 3
    assert "Mine of private" not in page(scene.client("admin"))


def test_a_running_answer_is_no_run_yet(staff: Client, owner: Person, chat_of: ChatOf) -> None:
    chat = chat_of(owner, state="streaming")
    answer = Message.objects.get(chat=chat, role="assistant")
    assert staff.get(f"{REVIEW}{answer.pk}/").status_code == 404
