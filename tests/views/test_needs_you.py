"""`/needs-you/`, the count beside it, `/settings/notices/` and the mute of one chat."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chats.models import Chat, Mute, Person, Team
from chats.views.needs_you import MOST, PAGE
from tests.app_server import ROOT
from tests.views.conftest import AddTurn, ChatOf, ClientOf, count_queries, no_writes

Htmx = Callable[[Client], Client]
# A task as v0 sent it, and what it is called in a list.
WORDS = {
    "ask-questions": ("questions", "2 questions"),
    "plan": ("plan", "A plan to approve"),
    "permission": ("permission", "A permission: Run a script"),
    "integration": ("integration", "A connection: Supabase, Linear, Notion"),
}


def asking(name: str, *, minutes: float = 0) -> dict[str, Any]:
    """An answer that ended so many minutes ago and waits for somebody."""
    parts = json.loads((ROOT / f"tests/transcripts/{name}.json").read_text("utf-8"))["parts"]
    ended = timezone.now() - timedelta(minutes=minutes)
    return {"asks": WORDS[name][0], "parts": parts, "v0_id": "a", "ended_at": ended}


@pytest.fixture
def waiting_of(chat_of: ChatOf) -> Callable[..., Chat]:
    def waiting_of(owner: Person, text: str, name: str = "plan", **chat: Any) -> Chat:
        minutes = chat.pop("minutes", 0)
        found = chat_of(owner, text, **chat)
        found.messages.filter(role="assistant").update(**asking(name, minutes=minutes))
        return found

    return waiting_of


WaitingOf = Callable[..., Chat]


def listed(html: str) -> list[str]:
    return re.findall(r'class="needs-link" href="/chats/([0-9a-f-]+)/#ask"', html)


def marked(html: str) -> list[str]:
    return re.findall(r'href="/chats/([0-9a-f-]+)/"[^>]* data-waits', html)


def test_it_lists_what_waits_and_for_how_long_the_oldest_first(
    client_of: ClientOf, owner: Person, stranger: Person, waiting_of: WaitingOf, chat_of: ChatOf
) -> None:
    names = list(WORDS)
    chats = [waiting_of(owner, name, name, minutes=n) for n, name in enumerate(names)]
    waiting_of(stranger, "theirs")
    chat_of(owner, "does not wait")
    client = client_of(owner)
    with no_writes():
        page = client.get("/needs-you/").content.decode()
    assert listed(page) == [str(chat.id) for chat in reversed(chats)]
    told = re.findall(r'class="needs-words">([^<]+)<', page)
    assert told == [WORDS[name][1] for name in reversed(names)]
    assert "About plan" in page
    assert "About theirs" not in page
    since = re.findall(r'since <time datetime="([^"]+)"', page)
    assert since == sorted(since)
    assert 'class="needs-since">since' in page
    assert "<title>(4) Needs you " in page


def test_it_says_that_nothing_waits(client_of: ClientOf, owner: Person) -> None:
    page = client_of(owner).get("/needs-you/").content.decode()
    assert "Nothing waits for you." in page
    assert "<title>Needs you " in page
    assert 'data-count=""' in page


def test_what_only_the_owner_may_grant_waits_for_the_owner_alone(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, waiting_of: WaitingOf
) -> None:
    shared = {"privacy": "team-edit", "team": team}
    plan = waiting_of(owner, "plan", "plan", minutes=1, **shared)
    script = waiting_of(owner, "script", "permission", **shared)
    seen = {who: client_of(who).get("/needs-you/").content.decode() for who in (owner, mate)}
    assert listed(seen[owner]) == [str(plan.id), str(script.id)]
    assert listed(seen[mate]) == [str(plan.id)]
    assert 'class="needs-since">Olivia Owner' in seen[mate]
    assert 'class="needs-since">Olivia Owner' not in seen[owner]


def test_a_long_list_comes_in_pages_and_is_fetched_again_as_long_as_it_was(
    client_of: ClientOf, htmx: Htmx, owner: Person, waiting_of: WaitingOf
) -> None:
    for number in range(PAGE + 2):
        waiting_of(owner, str(number), minutes=number)
    client = client_of(owner)
    first = client.get("/needs-you/").content.decode()
    more = re.search(r'href="(/needs-you/\?shown=\d+)">Show more', first)
    assert more
    assert len(listed(first)) == PAGE
    rest = client.get(more[1]).content.decode()
    assert len(listed(rest)) == PAGE + 2
    again = re.search(r'hx-get="(/needs-you/\?shown=\d+)"', rest)
    assert again
    fragment = htmx(client).get(again[1]).content.decode()
    assert listed(fragment) == listed(rest)
    assert "<html" not in fragment
    for odd in ("-1", "x", "9" * 9, "٣"):
        assert len(listed(client.get("/needs-you/", {"shown": odd}).content.decode())) == PAGE
    assert MOST >= PAGE


def test_the_number_of_queries_does_not_grow(
    client_of: ClientOf, owner: Person, waiting_of: WaitingOf
) -> None:
    client = client_of(owner)
    waiting_of(owner, "first")
    counts = [count_queries(client, "/needs-you/"), count_queries(client, "/")]
    for number in range(6):
        waiting_of(owner, str(number))
    assert [count_queries(client, "/needs-you/"), count_queries(client, "/")] == counts


def test_every_page_counts_and_marks_and_a_fetched_list_brings_the_count(
    client_of: ClientOf, htmx: Htmx, owner: Person, waiting_of: WaitingOf, add_turn: AddTurn
) -> None:
    chat = waiting_of(owner, "plan")
    client = client_of(owner)
    page = client.get(f"/chats/{chat.id}/").content.decode()
    assert "<title>(1) About plan " in page
    assert 'id="needs-you" href="/needs-you/" data-count="1"' in page
    assert marked(page) == [str(chat.id)]
    assert ", needs you</span>" in page
    fragment = htmx(client).get("/sidebar/").content.decode()
    assert re.search(r'id="needs-you"[^>]* data-count="1"[^>]* hx-swap-oob="true"', fragment)
    add_turn(chat, "Go on", state="streaming")
    fragment = htmx(client).get("/sidebar/").content.decode()
    assert 'data-count=""' in fragment
    assert marked(fragment) == []


def test_it_counts_no_further_than_anybody_reads(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, waiting_of: WaitingOf
) -> None:
    for number in range(101):
        waiting_of(owner, str(number))
    page = client_of(owner).get("/").content.decode()
    assert "<title>(99+) v0web</title>" in page


# How somebody is told


def test_wishes_are_kept_and_shown(client_of: ClientOf, htmx: Htmx, owner: Person) -> None:
    client = client_of(owner)
    page = client.get("/settings/notices/").content.decode()
    assert re.findall(r'name="(\w+)" checked', page) == ["in_browser"]
    assert "for 10 minutes" in page
    assert " data-notices" in client.get("/").content.decode()
    answer = client.post("/settings/notices/", {"by_mail": "on"})
    assert (answer.status_code, answer["Location"]) == (303, "/settings/notices/?saved")
    owner.refresh_from_db()
    assert (owner.notices_in_browser, owner.notices_by_mail) == (False, True)
    page = client.get("/settings/notices/?saved").content.decode()
    assert re.findall(r'name="(\w+)" checked', page) == ["by_mail"]
    assert "Saved." in page
    assert not re.search(r'id="chats"\s+data-notices', page)


def test_a_chat_is_muted_and_unmuted_in_its_menu(
    client_of: ClientOf, htmx: Htmx, owner: Person, mate: Person, chat_of: ChatOf
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    place = f"/chats/{chat.id}/"
    assert "Mute notices" in client.get(f"{place}menu/").content.decode()
    for _ in range(2):
        answer = client.post(f"{place}mute/", {"muted": "yes"})
        assert (answer.status_code, answer["Location"]) == (303, place)
    assert list(Mute.objects.values_list("person", "chat")) == [(owner.pk, chat.pk)]
    assert "Unmute notices" in client.get(f"{place}menu/").content.decode()
    assert " data-muted" in client.get("/").content.decode()
    assert "Unmute About Hello" in client.get("/settings/notices/").content.decode()
    assert client.post(f"{place}mute/", {"muted": "perhaps"}).status_code == 422
    back = client.post(f"{place}mute/", {"muted": "no", "back": "yes"})
    assert back["Location"] == "/settings/notices/"
    assert not Mute.objects.exists()
    told = htmx(client).post(f"{place}mute/", {"muted": "yes"})
    assert (told.status_code, told["HX-Trigger"]) == (204, '{"mark:sidebar": {}}')
    assert client_of(mate).post(f"{place}mute/", {"muted": "yes"}).status_code == 404


def test_a_muted_chat_goes_on_waiting(
    client_of: ClientOf, owner: Person, waiting_of: WaitingOf
) -> None:
    chat = waiting_of(owner, "plan")
    Mute.objects.create(person=owner, chat=chat)
    page = client_of(owner).get("/needs-you/").content.decode()
    assert listed(page) == marked(page) == [str(chat.id)]
    assert 'data-count="1"' in page


def test_a_muted_chat_of_others_is_not_told_of_when_it_is_out_of_sight(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, "shared", privacy="team", team=team)
    Mute.objects.create(person=mate, chat=chat)
    assert "About shared" in client_of(mate).get("/settings/notices/").content.decode()
    Chat.objects.filter(pk=chat.pk).update(privacy="private", title="A secret")
    page = client_of(mate).get("/settings/notices/").content.decode()
    assert "A secret" not in page
    assert "About shared" not in page
