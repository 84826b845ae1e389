"""Saved prompts: `/settings/prompts/`, the form of one, its removal, and the list for the composer."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from chats.models import Membership, Person, Prompt, Team
from chats.models.teams import Role
from tests.views.conftest import ClientOf

PAGE = "/settings/prompts/"


def save(client: Client, **fields: Any) -> Any:
    given = {"name": "Review", "text": "Review {{what}}", "place": "own", **fields}
    return client.post(f"{PAGE}new/", given)


def test_a_prompt_is_saved_used_changed_and_removed(client_of: ClientOf, owner: Person) -> None:
    client = client_of(owner)
    assert "There are none yet." in client.get(PAGE).content.decode()
    assert save(client).status_code == 303
    prompt = Prompt.objects.get()
    listed = client.get(PAGE).content.decode()
    assert "Review {{what}}" in listed
    used = client.get(f"/?saved={prompt.id}").content.decode()
    assert "Review {{what}}</textarea>" in used
    path = f"{PAGE}{prompt.id}/"
    assert "Review {{what}}</textarea>" in client.get(path).content.decode()
    changed = {"name": " A <b>new</b>  name ", "text": "Look\r\nat it", "place": "own"}
    assert client.post(path, changed).status_code == 303
    prompt.refresh_from_db()
    assert (prompt.name, prompt.text) == ("A <b>new</b> name", "Look\nat it")
    assert "A &lt;b&gt;new&lt;/b&gt; name" in client.get(PAGE).content.decode()
    assert "You cannot insert it any more." in client.get(f"{path}remove/").content.decode()
    assert Prompt.objects.exists()
    assert client.post(f"{path}remove/").status_code == 303
    assert not Prompt.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "  "}, "A prompt needs a name."),
        ({"name": "x" * 81}, "A name has at most 80 characters."),
        ({"text": "\n "}, "Write what the prompt says."),
        ({"text": "x" * 100_001}, "This is 100,001 characters long; 100,000 is the most."),
        ({"place": "12345"}, "Choose whose prompt it is."),
    ],
)
def test_what_does_not_fit_is_said_and_given_back(
    client_of: ClientOf, owner: Person, fields: dict[str, str], sentence: str
) -> None:
    response = save(client_of(owner), **fields)
    html = response.content.decode()
    assert (response.status_code, Prompt.objects.count()) == (422, 0)
    assert sentence in html
    assert fields.get("text", "Review {{what}}").strip() in html
    assert fields.get("name", "Review").strip() in html


def test_more_than_the_most_are_refused(client_of: ClientOf, owner: Person) -> None:
    Prompt.objects.bulk_create(Prompt(person=owner, name=str(n), text="x") for n in range(200))
    response = save(client_of(owner))
    assert response.status_code == 422
    assert "Review {{what}}</textarea>" in response.content.decode()


@pytest.mark.parametrize(
    ("who", "sees", "changes"),
    [
        ("author", True, True),
        (Role.OWNER, True, True),
        (Role.ADMIN, True, True),
        (Role.MEMBER, True, False),
        (Role.VIEWER, True, False),
        ("stranger", False, False),
        ("author who has left", False, False),
        ("author who may only read now", True, False),
    ],
)
def test_a_teams_prompt_is_used_by_all_of_it_and_changed_by_few(
    client_of: ClientOf, owner: Person, team: Team, who: str, sees: bool, changes: bool
) -> None:
    author = person("author")
    membership = Membership.objects.create(team=team, person=author, role=Role.MEMBER)
    assert save(client_of(author), place=str(team.pk)).status_code == 303
    prompt = Prompt.objects.get()
    if who.startswith("author"):
        asking = author
        if "left" in who:
            membership.delete()
        elif "only" in who:
            Membership.objects.filter(pk=membership.pk).update(role=Role.VIEWER)
    else:
        asking = person("other")
        if who != "stranger":
            Membership.objects.create(team=team, person=asking, role=who)
    client = client_of(asking)
    for headers in ({}, {"HX-Request": "true"}):
        listed = client.get(PAGE, headers=headers).content.decode()
        assert ("Review {{what}}" in listed) == sees
    used = client.get(f"/?saved={prompt.id}").content.decode()
    assert ("Review {{what}}</textarea>" in used) == sees
    wanted = 200 if changes else 403 if sees else 404
    path = f"{PAGE}{prompt.id}/"
    assert client.get(path).status_code == wanted
    assert client.get(f"{path}remove/").status_code == wanted
    assert (client.post(f"{path}remove/").status_code == 303) == changes
    assert Prompt.objects.exists() != changes


def test_nobody_saves_for_a_team_in_which_they_may_not_write(
    client_of: ClientOf, team: Team
) -> None:
    viewer = person("viewer")
    Membership.objects.create(team=team, person=viewer, role=Role.VIEWER)
    assert save(client_of(viewer), place=str(team.pk)).status_code == 422
    assert not Prompt.objects.exists()


def test_ones_own_is_nobody_elses(client_of: ClientOf, owner: Person, mate: Person) -> None:
    save(client_of(owner))
    prompt = Prompt.objects.get()
    client = client_of(mate)
    assert "Review" not in client.get(PAGE).content.decode()
    for path in (f"{PAGE}{prompt.id}/", f"{PAGE}{prompt.id}/remove/", f"{PAGE}{uuid.uuid4()}/"):
        assert client.get(path).status_code == client.post(path).status_code == 404


def person(name: str) -> Person:
    found: Person = Person.objects.create_user(f"{name}@example.com", "demo")
    return found
