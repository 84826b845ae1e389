"""`/settings/` and the switch of themes: what somebody says of themselves, and how pages look to them."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from chats.models import Person, Team
from chats.models.people import COLOURS
from tests.views.conftest import ChatOf, ClientOf

PAGE = "/settings/"


def page(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


def test_a_profile_is_changed_and_seen_everywhere(client_of: ClientOf, owner: Person) -> None:
    client = client_of(owner)
    assert re.search('value="Olivia Owner".*checked>As the system', page(client), re.DOTALL)
    given = {"name": " Zoë \u202e  Öst ", "theme": "dark", "time_zone": "Europe/Berlin"}
    assert client.post(PAGE, given)["Location"] == "/settings/?saved"
    owner.refresh_from_db()
    assert (owner.name, owner.theme, owner.time_zone) == ("Zoë Öst", "dark", "Europe/Berlin")
    assert "Saved." in page(client, f"{PAGE}?saved")
    for path in ("/", "/settings/notices/", "/accounts/logout/", "/nowhere/"):
        html = page(client, path)
        assert '<html lang="en" data-theme="dark" data-time-zone="Europe/Berlin">' in html
    assert f'data-colour="{owner.pk % 8}" aria-hidden="true">ZÖ<' in page(client, "/")
    assert "data-theme" not in page(Client(), "/accounts/login/")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "x" * 101}, "A name has at most 100 characters."),
        ({"theme": "sepia"}, "Choose one of the three."),
        ({"time_zone": "Europe/../Berlin"}, "Choose a time zone from the list."),
        ({"time_zone": "posixrules"}, "Choose a time zone from the list."),
    ],
)
def test_what_does_not_fit_is_said_and_given_back(
    client_of: ClientOf, owner: Person, fields: dict[str, str], sentence: str
) -> None:
    given = {"name": "Kept <b>", "theme": "light", "time_zone": "Asia/Tokyo", **fields}
    response = client_of(owner).post(PAGE, given)
    html = response.content.decode()
    assert (response.status_code, sentence in html) == (422, True)
    assert fields.get("name", "Kept &lt;b&gt;") in html
    assert 'value="Asia/Tokyo" selected' in html or "time_zone" in fields
    owner.refresh_from_db()
    assert (owner.name, owner.theme, owner.time_zone) == ("Olivia Owner", "", "")


def test_the_switch_in_the_menu_is_kept_with_the_person(client_of: ClientOf, owner: Person) -> None:
    client = client_of(owner)
    assert 'data-theme="' not in page(client)
    assert client.post("/settings/theme/", {"theme": "light"}).status_code == 204
    assert '<html lang="en" data-theme="light"' in page(client_of(owner), "/")
    for wrong in ({"theme": "sepia"}, {"theme": ""}, {}):
        assert client.post("/settings/theme/", wrong).status_code == 422
    assert client.get("/settings/theme/").status_code == 405
    owner.refresh_from_db()
    assert owner.theme == "light"


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Ada M. Lovelace", "AL"), ("cher", "C"), ("山田 太郎", "山太"), ("", "SB"), ("...", "")],
)
def test_a_face_has_initials(name: str, initials: str) -> None:
    assert Person(pk=1, name=name, email="sam.brown@example.com").initials == initials


def test_a_message_has_the_face_of_its_author(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, team: Team
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    face = rf'data-colour="{owner.colour}" aria-hidden="true">OO</span>\s*<span class="message-author">'
    assert len(re.findall(face, page(client_of(mate), f"/chats/{chat.pk}/"))) == 1


def test_there_are_as_many_colours_as_people_can_have() -> None:
    css = (settings.BASE_DIR / "static" / "css" / "people.css").read_text()
    colours = re.findall(r'data-colour="(\d)"', css)
    assert colours == [str(number) for number in range(COLOURS)]


def test_every_page_of_settings_says_where_one_is(client_of: ClientOf, owner: Person) -> None:
    client = client_of(owner)
    for path, name in (
        (PAGE, "Profile"),
        (f"{PAGE}notices/", "Notices"),
        (f"{PAGE}prompts/", "Saved prompts"),
        (f"{PAGE}prompts/new/", "Saved prompts"),
    ):
        nav = page(client, path).partition('class="settings-nav"')[2].partition("</nav>")[0]
        assert re.findall('aria-current="page">([^<]+)<', nav) == [name], path
