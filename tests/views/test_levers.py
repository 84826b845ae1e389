"""The levers of the installation: how fast, how many, where a new chat begins, and no new runs at all."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from chats.models import AuditEntry, Chat, Intent, Levers, Person, Team
from chats.relay import intents
from chats.usage.refusals import Closed, TooFast
from tests.views.conftest import ChatOf, ClientOf, no_writes

PLACE = "/manage/levers/"


@pytest.fixture
def staff(admin: Person, client_of: ClientOf) -> Client:
    return client_of(admin)


def body(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


def filled(client: Client, **fields: str) -> dict[str, str]:
    seen = re.search(r'name="seen" value="([^"]*)"', body(client.get(PLACE)))
    assert seen is not None
    numbers = {"sends_per_minute": "0", "runs_at_once": "0"}
    return {"seen": seen[1], "default_model": "", **numbers, **fields}


def model_of(client: Client, query: str = "") -> str:
    select = re.search(
        r'<select[^>]*name="model".*?</select>', body(client.get(f"/{query}")), re.DOTALL
    )
    assert select is not None
    chosen = re.search(r'value="([^"]*)"[^>]*selected', select[0])
    return chosen[1] if chosen else ""


def new_chat(client: Client, **fields: Any) -> Intent:
    response = client.post("/chats/", {"message": "Hello", "token": str(uuid4()), **fields})
    assert response.status_code == 303
    return Intent.objects.latest("created_at")


def test_levers_are_kept_and_noted_with_what_they_were(staff: Client, admin: Person) -> None:
    with no_writes():
        page = staff.get(PLACE)
    assert page["Cache-Control"] == "no-store"
    assert body(page).count("as many as one likes") == 2
    given = filled(
        staff, sends_per_minute="6", runs_at_once="2", stops_runs="on", default_model="v0-max"
    )
    assert staff.post(PLACE, given)["Location"] == f"{PLACE}?done=saved"
    now = Levers.current()
    assert (now.sends_per_minute, now.runs_at_once, now.stops_runs) == (6, 2, True)
    assert now.default_model == "v0-max"
    entry = AuditEntry.objects.get(event="limit.levers")
    assert entry.actor == admin.pk
    assert entry.details == {
        "sends_per_minute": {"old": 0, "new": 6},
        "runs_at_once": {"old": 0, "new": 2},
        "stops_runs": {"old": False, "new": True},
        "default_model": {"old": "", "new": "v0-max"},
    }
    assert "Sends per minute: from 0 to 6" in body(staff.get("/audit/?area=limit"))
    html = body(staff.get(PLACE))
    assert 'name="sends_per_minute" inputmode="numeric" maxlength="9" required value="6"' in html
    assert '<option value="v0-max" selected>' in html
    # The same again changes nothing, and one box less does.
    assert staff.post(PLACE, filled(staff, **{**given, "seen": ""})).status_code == 303
    assert AuditEntry.objects.filter(event="limit.levers").count() == 1
    again = filled(staff, sends_per_minute="6", runs_at_once="2", default_model="v0-max")
    assert staff.post(PLACE, again).status_code == 303
    assert not Levers.current().stops_runs


def test_what_is_no_number_is_said_at_its_field_and_kept(staff: Client) -> None:
    for field, value, words in (
        ("sends_per_minute", "-1", "from 0 to 1,000"),
        ("sends_per_minute", "1001", "from 0 to 1,000"),
        ("sends_per_minute", "", "from 0 to 1,000"),
        ("runs_at_once", "2.5", "from 0 to 100"),
        ("runs_at_once", "9" * 30, "from 0 to 100"),
        ("default_model", "v9", "cannot be chosen"),
    ):
        response = staff.post(PLACE, filled(staff, **{field: value}))
        html = body(response)
        assert (response.status_code, words in html) == (422, True), (field, value)
        assert field == "default_model" or f'value="{value}"' in html
    assert not Levers.objects.exists()


def test_of_two_who_set_levers_nobody_overwrites_the_other_unseen(staff: Client) -> None:
    mine = filled(staff, sends_per_minute="3")
    staff.post(PLACE, filled(staff, runs_at_once="9"))
    refused = staff.post(PLACE, mine)
    assert (refused.status_code, 'value="3"' in body(refused)) == (409, True)
    assert (Levers.current().sends_per_minute, Levers.current().runs_at_once) == (0, 9)


def test_no_new_runs_is_said_first_and_switched_on_with_a_message(
    staff: Client, admin: Person, owner: Person, chat_of: ChatOf
) -> None:
    chat_of(owner, state="streaming")
    with no_writes():
        html = body(staff.get(f"{PLACE}close/"))
    assert "Stop new runs?" in html
    assert "1 answer that runs goes on to the end." in html
    assert "No new runs begin" not in body(staff.get("/manage/"))
    long = staff.post(f"{PLACE}close/", {"words": "x" * 501})
    assert (long.status_code, "x" * 501 in body(long)) == (422, True)
    assert not Levers.current().is_closed
    closed = staff.post(f"{PLACE}close/", {"words": "Back at noon."})
    assert closed["Location"] == f"{PLACE}?done=closed"
    with pytest.raises(Closed, match="Back at noon"):
        intents.create(owner, uuid4(), {"message": "Hello"})
    entry = AuditEntry.objects.get(event="limit.closed")
    assert (entry.actor, entry.details) == (admin.pk, {"message": "Back at noon."})
    # It stands where staff look first.
    for place in ("/manage/", PLACE):
        assert "“Back at noon.”" in body(staff.get(place))
    # Twice is once.
    staff.post(f"{PLACE}close/", {"words": "Back at noon."})
    assert AuditEntry.objects.filter(event="limit.closed").count() == 1
    for _ in range(2):
        assert staff.post(f"{PLACE}open/")["Location"] == f"{PLACE}?done=opened"
    assert AuditEntry.objects.filter(event="limit.opened").count() == 1
    assert not Levers.current().is_closed
    assert intents.create(owner, uuid4(), {"message": "Hello"}).pk


def test_saving_the_other_levers_leaves_the_switch_alone(staff: Client, owner: Person) -> None:
    staff.post(f"{PLACE}close/", {"words": "Back at noon."})
    staff.post(PLACE, filled(staff, sends_per_minute="1"))
    assert Levers.current().is_closed
    staff.post(f"{PLACE}open/")
    intents.create(owner, uuid4(), {"message": "Hello"})
    with pytest.raises(TooFast):
        intents.create(owner, uuid4(), {"message": "Hello"})


def test_a_new_chat_in_ones_own_space_begins_with_the_model_of_the_installation(
    client_of: ClientOf, owner: Person, team: Team
) -> None:
    client = client_of(owner)
    assert model_of(client) == "v0-pro"
    Levers.objects.create(pk=1, default_model="v0-max")
    assert model_of(client) == "v0-max"
    # In a form that has no options, too; and it is no choice of theirs, so that it follows.
    assert new_chat(client).payload["model"] == "v0-max"
    assert new_chat(client, options="1", model="v0-max").payload["model"] == "v0-max"
    Levers.objects.update(default_model="v0-mini")
    assert model_of(client) == "v0-mini"
    # What somebody chose comes before it.
    new_chat(client, options="1", model="v0-auto")
    assert model_of(client) == "v0-auto"
    new_chat(client, options="1", model="v0-mini")
    Levers.objects.update(default_model="v0-max-fast")
    assert model_of(client) == "v0-mini"


def test_a_team_begins_with_its_own_model(
    client_of: ClientOf, owner: Person, mate: Person, team: Team
) -> None:
    Levers.objects.create(pk=1, default_model="v0-max")
    for own, shown in (("v0-mini", "v0-mini"), ("", "v0-pro")):
        Team.objects.filter(pk=team.pk).update(default_model=own)
        html = body(client_of(mate).get(f"/options/place/?place={team.pk}:team"))
        assert f'<option value="{shown}" selected>' in html
    assert not Chat.objects.exists()


def test_a_model_that_is_not_offered_any_more_is_nobodys_beginning(
    staff: Client, client_of: ClientOf, owner: Person
) -> None:
    Levers.objects.create(pk=1, default_model="v0-of-yesterday")
    assert model_of(client_of(owner)) == "v0-pro"
    assert "As v0 has it: v0-pro" in body(staff.get(PLACE))
