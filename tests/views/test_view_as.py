"""A chat as others would see it: `/chats/<uuid>/view-as/<who>/`."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Chat, Entry, Person, Team
from chats.permissions import Action, archetypes
from tests.rights import LEVELS, expected
from tests.views.conftest import ChatOf, ClientOf, no_writes

# Each kind as somebody of the table of rights.
AS = {
    "mate": "mate",
    "viewer": "team viewer",
    "reader": "invited reader",
    "link": "stranger with link",
    "stranger": "stranger",
    "visitor-with-link": "reader with link",
    "visitor": "reader",
}
TOLD = {
    "see what it costs": "SEE_COST",
    "duplicate it": "DUPLICATE",
    "read and write notes": "NOTE",
    "send messages and answer questions": "SEND",
    "rename it": "RENAME",
}


def test_each_kind_is_somebody_of_the_table(owner: Person, team: Team, settings: Settings) -> None:
    settings.V0_ANONYMOUS_READING = True
    assert AS.keys() == archetypes.KINDS.keys()
    for who, name in AS.items():
        for level in LEVELS:
            chat = Chat(owner=owner, team=team, privacy=level, link_slug="slug")
            allowed = archetypes.allowed(chat, archetypes.KINDS[who])
            for action in Action:
                due = expected(action.name)[name][level] == "+"
                assert (action in allowed) == due, (who, level, action)


def test_it_shows_what_each_kind_sees_and_says_what_else_they_may(
    client_of: ClientOf,
    owner: Person,
    team: Team,
    chat_of: ChatOf,
    settings: Settings,
) -> None:
    settings.V0_ANONYMOUS_READING = True
    chat, client = chat_of(owner, "CANARY", team=team), client_of(owner)
    Chat.objects.update(link_slug="slug")
    for number, (who, name) in enumerate(AS.items()):
        for level in (LEVELS[number % 5], LEVELS[(number + 2) % 5]):
            Chat.objects.update(privacy=level)
            with no_writes():
                page = client.get(f"/chats/{chat.pk}/view-as/{who}/").content.decode()
            main = page[page.index("<main") : page.index("</main>")]
            sees = expected("READ")[name][level] == "+"
            assert ("CANARY" in main) == sees, (who, level)
            assert ("would see nothing here" in main) != sees
            assert not re.search(r"<form|<textarea|<button(?! type=\"button\")", main)
            can = re.search(r"<dt>They can also</dt><dd>([^<]*)\.</dd>", main)
            for words, action in TOLD.items() if sees else ():
                may = expected(action)[name][level] == "+"
                assert (words in (can[1] if can else "")) == may, (who, level, action)


def test_costs_are_there_for_who_sees_them(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf, cost_of: object
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    assert callable(cost_of)
    cost: Entry = cost_of(chat.messages.get(role="assistant"))
    assert cost.credits_total
    for who, has in (("mate", True), ("viewer", False), ("reader", False)):
        page = client_of(owner).get(f"/chats/{chat.pk}/view-as/{who}/").content.decode()
        assert ('class="cost"' in page) == has


def test_a_link_that_has_ended_shows_nothing(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, privacy="unlisted")
    place = f"/chats/{chat.pk}/view-as/link/"
    for fields, shown in (
        ({"link_slug": None}, False),
        ({"link_slug": "slug"}, True),
        ({"link_expires_at": timezone.now() - timedelta(seconds=1)}, False),
        ({"link_expires_at": None, "privacy_wanted": "private"}, False),
    ):
        Chat.objects.update(**fields)
        page = client_of(owner).get(place).content.decode()
        assert ("would see nothing here" not in page) == shown


@pytest.mark.parametrize("who", ["mate", "viewer", "visitor-with-link", "owner", "x"])
def test_who_is_nobody_for_the_chat_is_no_page(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, who: str
) -> None:
    """There are no mates in a personal space, and no visitors' links where visitors read nothing."""
    chat = chat_of(owner)
    assert client_of(owner).get(f"/chats/{chat.pk}/view-as/{who}/").status_code == 404
