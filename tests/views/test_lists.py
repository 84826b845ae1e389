"""Whose chats the sidebar lists: mine, my team's, those that are shared with me."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chats.models import Chat, Guest, Person, Team
from tests.views.conftest import ChatOf, ClientOf, count_queries

LISTS = ("all", "mine", "team", "shared")


def listed(client: Client, whose: str) -> set[str]:
    """What both the fragment and a page show."""
    assert show(client, whose).status_code == 303
    found = [
        set(re.findall(r'class="chat-link-title">About (\w+)<', html))
        for html in (
            client.get("/sidebar/", headers={"HX-Request": "true"}).content.decode(),
            client.get("/sidebar/").content.decode(),
        )
    ]
    assert found[0] == found[1]
    return found[0]


def show(client: Client, whose: str) -> Any:
    return client.post("/space/", {"whose": whose, "back": "/"})


def invite(chat: Chat, person: Person) -> None:
    Guest.objects.create(chat=chat, email=person.email, person=person, role="reader")


@pytest.fixture
def chats(owner: Person, mate: Person, stranger: Person, team: Team, chat_of: ChatOf) -> None:
    """As the mate sees them."""
    chat_of(mate, "mine")
    chat_of(mate, "kept", team=team)
    chat_of(mate, "given", team=team, privacy="team")
    chat_of(owner, "ours", team=team, privacy="team-edit")
    chat_of(owner, "hidden", team=team)
    invite(chat_of(owner, "invited", team=team), mate)
    invite(chat_of(stranger, "strange"), mate)
    chat_of(stranger, "public", privacy="public")
    linked = chat_of(stranger, "linked", privacy="unlisted")
    Chat.objects.filter(pk=linked.pk).update(link_slug="a-slug")


def test_each_list_has_what_it_says(client_of: ClientOf, mate: Person, chats: None) -> None:
    client = client_of(mate)
    assert listed(client, "all") == {"mine", "kept", "given", "ours", "invited", "strange"}
    assert listed(client, "mine") == {"mine", "kept", "given"}
    assert listed(client, "team") == {"given", "ours"}
    assert listed(client, "shared") == {"invited", "strange"}
    # It is kept for the person.
    assert 'value="shared" aria-current="true"' in client_of(mate).get("/").content.decode()


def test_links_are_listed_for_as_long_as_they_count(
    client_of: ClientOf, mate: Person, stranger: Person, chats: None
) -> None:
    client = client_of(mate)
    client.get("/shared/a-slug/")
    linked = Chat.objects.filter(title="About linked")
    assert "linked" in listed(client, "shared")
    assert "linked" not in listed(client, "all")
    assert "linked" not in listed(client_of(mate), "shared"), "another session"
    now, later = timezone.now(), timezone.now() + timedelta(hours=1)
    for changed, counts in (
        ({"link_expires_at": now}, False),
        ({"link_expires_at": later}, True),
        ({"privacy_wanted": "private"}, False),
        ({"privacy_wanted": "public"}, True),
        ({"privacy_wanted": "", "privacy": "private"}, False),
        ({"privacy": "public"}, True),
        ({"link_slug": "another-slug"}, False),
        ({"link_slug": "a-slug", "deleted_at": now}, False),
    ):
        linked.update(**changed)
        assert ("linked" in listed(client, "shared")) == counts, changed
    own = client_of(stranger)
    linked.update(deleted_at=None)
    own.get("/shared/a-slug/")
    assert listed(own, "shared") == set(), "their own chat is nobody's to share with them"


def test_lists_are_of_the_space_that_is_looked_at(
    client_of: ClientOf, mate: Person, team: Team, chats: None
) -> None:
    client = client_of(mate)
    client.post("/space/", {"space": str(team.pk)})
    assert listed(client, "mine") == {"kept", "given"}
    assert listed(client, "shared") == {"invited"}
    client.post("/space/", {"space": "personal"})
    assert listed(client, "mine") == {"mine"}
    assert listed(client, "shared") == {"strange"}
    assert listed(client, "team") == set()


def test_each_list_says_why_it_is_empty(client_of: ClientOf, stranger: Person) -> None:
    client, told = client_of(stranger), set()
    for whose in LISTS:
        assert listed(client, whose) == set()
        page = client.get("/").content.decode()
        found = re.search(r'class="chat-list-empty">(.*?)</li>', page, re.DOTALL)
        assert found
        told.add(found[1].strip())
    assert len(told) == len(LISTS)


def test_who_is_in_no_team_is_offered_no_list_of_one(
    client_of: ClientOf, stranger: Person, mate: Person, team: Team
) -> None:
    offered = [
        re.findall(r'name="whose" value="(\w+)"', client_of(person).get("/").content.decode())
        for person in (stranger, mate)
    ]
    assert offered == [["all", "mine", "shared"], list(LISTS)]


def test_no_other_list_can_be_chosen(client_of: ClientOf, mate: Person) -> None:
    client = client_of(mate)
    show(client, "mine")
    for whose in ("", "everybody", "ALL", "0"):
        assert show(client, whose).status_code == 422, whose
    assert Person.objects.get(pk=mate.pk).shows_whose == "mine"


def test_each_list_is_one_query(client_of: ClientOf, mate: Person, chats: None) -> None:
    client = client_of(mate)
    client.get("/shared/a-slug/")
    counts = set()
    for whose in LISTS:
        show(client, whose)
        counts.add(count_queries(client, "/sidebar/"))
    assert len(counts) == 1
