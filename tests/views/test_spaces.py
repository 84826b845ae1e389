"""Where chats belong: the space that somebody looks at, and the place of a new chat."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from chats.models import Chat, Intent, Membership, Person, Team, TeamRules
from chats.views.shell import PAGE
from tests.views.conftest import ChatOf, ClientOf, count_queries, no_writes

Htmx = Callable[[Client], Client]


def listed(html: str) -> set[str]:
    return set(re.findall(r'class="chat-link-title">About (\w+)<', html))


def sidebar_of(client: Client) -> set[str]:
    return listed(client.get("/sidebar/", headers={"HX-Request": "true"}).content.decode())


def switch(client: Client, space: object, back: str = "/") -> Any:
    return client.post("/space/", {"space": str(space), "back": back})


def new_chat(client: Client, **fields: str) -> Chat:
    response = client.post("/chats/", {"message": "Hello", "token": str(uuid4()), **fields})
    assert response.status_code == 303, response.content.decode()
    return Chat.objects.get(pk=response["Location"].strip("/").rpartition("/")[2])


@pytest.fixture
def chats(owner: Person, mate: Person, team: Team, chat_of: ChatOf) -> None:
    chat_of(owner, "mine")
    chat_of(owner, "ours", team=team)
    chat_of(mate, "mates", team=team, privacy="team")


def test_the_list_shows_the_space_that_was_chosen(
    client_of: ClientOf, owner: Person, team: Team, chats: None
) -> None:
    client = client_of(owner)
    assert sidebar_of(client) == {"mine", "ours", "mates"}
    for space, expected in (
        ("personal", {"mine"}),
        (team.pk, {"ours", "mates"}),
        ("all", {"mine", "ours", "mates"}),
    ):
        assert switch(client, space)["Location"] == "/"
        # It is kept for the person, not for a browser or an address.
        for one in (client, client_of(owner)):
            with no_writes():
                page = one.get("/").content.decode()
            assert listed(page) == expected
            assert f'value="{space}" aria-current="true"' in page
            assert sidebar_of(one) == expected


def test_older_pages_stay_in_the_space(
    client_of: ClientOf, owner: Person, team: Team, htmx: Htmx
) -> None:
    for place in (None, team):
        Chat.objects.bulk_create(
            Chat(owner=owner, team=place, title=f"About {'mine' if place is None else 'ours'}")
            for _ in range(PAGE + 5)
        )
    client = htmx(client_of(owner))
    switch(client, team.pk)
    first = client.get("/sidebar/").content.decode()
    more = re.search(r'hx-get="(/sidebar/\?after=[^"]+)"', first)
    assert more is not None
    older = client.get(more[1]).content.decode()
    assert [older.count(f">About {name}<") for name in ("ours", "mine")] == [5, 0]


def test_who_has_no_team_has_nothing_to_switch(
    client_of: ClientOf, stranger: Person, team: Team
) -> None:
    client = client_of(stranger)
    home = client.get("/").content.decode()
    assert 'class="switcher"' not in home
    levels = re.findall(r'<option value="(private|unlisted|public)" (selected)?>', home)
    assert levels == [("private", "selected"), ("unlisted", ""), ("public", "")]
    assert "<optgroup" not in home
    assert switch(client, team.pk).status_code == 422
    assert new_chat(client).team is None


def test_a_space_ends_with_the_membership(
    client_of: ClientOf, mate: Person, team: Team, chats: None, chat_of: ChatOf
) -> None:
    chat_of(mate, "own")
    client = client_of(mate)
    switch(client, team.pk)
    Membership.objects.get(person=mate).delete()
    assert sidebar_of(client) == {"own"}
    assert new_chat(client).team is None


@pytest.mark.parametrize(
    ("back", "leads"),
    [("/chats/import/", "/chats/import/"), ("//evil.example/", "/"), ("javascript:x", "/")],
)
def test_switching_leads_back_and_nowhere_else(
    client_of: ClientOf, owner: Person, team: Team, back: str, leads: str
) -> None:
    assert switch(client_of(owner), "personal", back)["Location"] == leads


def test_a_new_chat_goes_into_the_space_with_what_its_team_begins_with(
    client_of: ClientOf, owner: Person, team: Team
) -> None:
    Team.objects.filter(pk=team.pk).update(default_privacy="team", default_model="v0-max")
    client = client_of(owner)
    assert new_chat(client).team is None
    switch(client, team.pk)
    home = client.get("/").content.decode()
    assert f'<option value="{team.pk}:team" selected>' in home
    assert '<option value="v0-max" selected>' in home
    chat = new_chat(client)
    # Others see it when v0 has agreed to that.
    assert (chat.team, chat.privacy, chat.privacy_wanted) == (team, "private", "team")
    chosen = new_chat(client, place="private")
    assert (chosen.team, chosen.privacy_wanted) == (None, "")
    other = new_chat(client, place=f"{team.pk}:team-edit")
    assert (other.team, other.privacy, other.privacy_wanted) == (team, "private", "team-edit")
    # What somebody chose last in a team comes before what it begins with, in its files too.
    for path in ("/", "/chats/import/"):
        page = client.get(path).content.decode()
        assert f'<option value="{team.pk}:team-edit" selected>' in page
    switch(client, "personal")
    new_chat(client, place="public")
    assert '<option value="private" selected>' in client.get("/").content.decode()


def test_a_place_where_one_may_have_no_chats_is_refused_with_nothing_lost(
    client_of: ClientOf, mate: Person, team: Team
) -> None:
    Membership.objects.filter(person=mate).update(role="viewer")
    client = client_of(mate)
    switch(client, team.pk)
    assert f'value="{team.pk}:private"' not in client.get("/").content.decode()
    for place in (f"{team.pk}:private", "0:team", "team", "x"):
        fields = {"message": "Kept text", "token": str(uuid4()), "place": place}
        response = client.post("/chats/", fields)
        assert response.status_code == 422
        assert "Kept text" in response.content.decode()
    assert not Intent.objects.exists()
    assert new_chat(client).team is None


def test_the_page_of_a_chat_says_where_it_belongs(
    client_of: ClientOf, owner: Person, mate: Person, stranger: Person, team: Team, chat_of: ChatOf
) -> None:
    ours = chat_of(owner, team=team, privacy="team")
    public = chat_of(owner, team=team, privacy="public")

    def where(person: Person, chat: Chat) -> str:
        html = client_of(person).get(f"/chats/{chat.pk}/").content.decode()
        found = re.search(r'id="where"[^>]*>(.*?)</span></span>', html)
        return re.sub("<[^>]+>", " ", found[1]).strip() if found else ""

    assert where(owner, ours) == where(mate, ours) == "Example  The team can read"
    assert where(owner, chat_of(owner)) == "Personal  Private: only you"
    # Whoever only has it by its level does not learn of the team.
    assert where(stranger, public) == ""
    menu = client_of(owner).get(f"/chats/{ours.pk}/menu/").content.decode()
    assert "Example · The team can read" in menu


def test_another_place_offers_its_own_models_and_instructions(
    client_of: ClientOf, mate: Person, team: Team
) -> None:
    TeamRules.objects.create(
        team=team, models_by_role={"member": ["v0-mini"]}, system_prompt="Be <kind>."
    )
    client = client_of(mate)
    told = client.get("/options/place/", {"place": f"{team.pk}:team"}).content.decode()
    assert re.findall(r'<option value="([^"]+)"', told) == ["v0-mini"]
    assert "Be &lt;kind&gt;." in told
    told = client.get("/options/place/", {"place": "private", "model": "v0-max"}).content.decode()
    assert '<option value="v0-max" selected>' in told
    assert "kind" not in told


def test_no_more_queries_than_there_were(
    client_of: ClientOf, owner: Person, team: Team, chats: None, htmx: Htmx
) -> None:
    """What a list cost before there were spaces: the session, the person, the rows, what waits, who is named.
    Of a chat's, four are about budgets and costs."""
    client = client_of(owner)
    chat = Chat.objects.filter(owner=owner, team=team).get()
    for space in ("all", "personal", team.pk):
        switch(client, space)
        assert count_queries(client, "/sidebar/") <= 6
        assert count_queries(client, f"/chats/{chat.pk}/") <= 19
        assert count_queries(htmx(client_of(owner)), "/sidebar/") == 5
