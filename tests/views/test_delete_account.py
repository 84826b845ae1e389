"""`/settings/delete/`: what is said first, what becomes of everything, and that it ends once and for all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.models import (
    Attachment,
    AuditEntry,
    Chat,
    Entry,
    Follow,
    Membership,
    Message,
    Mute,
    Person,
    Prompt,
    Queued,
    Seen,
    Team,
    ending,
)
from chats.models.teams import Role
from chats.permissions import doors
from chats.relay.errands import due_errands
from chats.relay.levels import Level
from tests.proof import proved
from tests.views.conftest import ChatOf, ClientOf

PAGE = "/settings/delete/"


def page(client: Client) -> str:
    return " ".join(client.get(PAGE).content.decode().split())


def delete(client: Client, person: Person, choice: str = "give", **fields: Any) -> Any:
    teams = {f"team-{each.team_id}": choice for each in person.memberships.all()}
    return proved(client, person).post(PAGE, {"typed": person.email, **teams, **fields})


@pytest.fixture
def chats(chat_of: ChatOf, mate: Person, team: Team) -> dict[str, Chat]:
    """The mate's: one of each kind."""
    levels = ("private", "team", "team-edit", "public", "unlisted")
    found = {level: chat_of(mate, level, privacy=level, team=team) for level in levels}
    return {**found, "personal": chat_of(mate, "personal")}


def test_the_page_says_what_will_happen(
    client_of: ClientOf, chat_of: ChatOf, chats: dict[str, Chat], mate: Person, owner: Person
) -> None:
    chat_of(mate, "running", state="streaming")
    theirs = chat_of(owner)
    Message.objects.create(chat=theirs, position=9, role="user", state="finished", author=mate)
    Queued.objects.create(chat=theirs, person=mate, token=uuid4(), position=1)
    Prompt.objects.create(person=mate, name="Mine", text="x")
    html = page(client_of(mate))
    for sentence in (
        "Your 2 personal chats are deleted, here and at v0",
        "1 answer of yours that still runs is stopped.",
        "1 message that waits to be sent is never sent.",
        "1 saved prompt of your own is deleted",
        "What you wrote in chats of others stays (1 message)",
        "Your chats in Example",
        "What the team can see (3 chats) passes to Olivia Owner; what it cannot see (2 chats) is deleted",
        "The audit log keeps your address",
    ):
        assert sentence in html, sentence


def test_chats_are_left_to_the_team_or_deleted_as_chosen(
    client_of: ClientOf, chats: dict[str, Chat], mate: Person, owner: Person
) -> None:
    Chat.objects.filter(pk=chats["public"].pk).update(link_slug="known-to-others")
    response = delete(client_of(mate), mate)
    assert (response.status_code, response["Location"]) == (303, "/account-deleted/")
    for name in ("team", "team-edit", "public"):
        chats[name].refresh_from_db()
        assert (chats[name].owner, chats[name].deleted_at) == (owner, None)
    assert chats["public"].link_slug is None
    for name in ("personal", "private", "unlisted"):
        chats[name].refresh_from_db()
        assert (chats[name].owner, chats[name].deleted_at is None) == (mate, False)
    events = list(AuditEntry.objects.order_by("pk").values_list("event", flat=True))
    assert events == ["chat.passed-on"] * 3 + ["team.left", "account.deleted", "sign-in.out"]
    assert {each.actor_name for each in AuditEntry.objects.all()} == {"mate@example.com"}
    # Once it cannot be undone, v0 hears of each.
    Chat.objects.exclude(deleted_at=None).update(deleted_at=timezone.now() - timedelta(days=1))
    gone = {chats[name].pk for name in ("personal", "private", "unlisted")}
    assert {errand.chat for errand in due_errands() if not isinstance(errand, Level)} == gone


def test_all_chats_of_a_team_are_deleted_as_chosen(
    client_of: ClientOf, chats: dict[str, Chat], mate: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However many there are: a statement takes only so many values.
    monkeypatch.setattr(ending, "IN_ONE_STATEMENT", 4)
    assert delete(client_of(mate), mate, "delete").status_code == 303
    assert not Chat.objects.filter(deleted_at=None).exists()
    assert not Membership.objects.filter(person=mate).exists()


def test_nothing_names_the_person_any_more(
    client_of: ClientOf, chat_of: ChatOf, mate: Person, owner: Person, team: Team
) -> None:
    shared = chat_of(owner, privacy="team-edit", team=team)
    said = Message.objects.create(
        chat=shared, position=9, role="user", state="finished", author=mate, text="Mine"
    )
    cost = Entry.objects.create(message_id=uuid4(), person=mate, chat=shared, credits_total=7)
    queued = Queued.objects.create(chat=shared, person=mate, token=uuid4(), position=1)
    waits = Attachment.objects.create(person=mate, queued=queued, name="a.txt")
    unsent = Attachment.objects.create(person=mate, name="b.txt")
    Prompt.objects.create(person=mate, name="Mine", text="x")
    kept = Prompt.objects.create(person=mate, team=team, name="Ours", text="x")
    Mute.objects.create(person=mate, chat=shared)
    Follow.objects.create(person=mate, chat=shared)
    Seen.objects.create(person=mate, chat=shared, position=1)
    EmailAddress.objects.create(user=mate, email=mate.email, verified=True, primary=True)
    Person.objects.filter(pk=mate.pk).update(is_staff=True, theme="dark", time_zone="Asia/Tokyo")
    client, elsewhere = client_of(mate), client_of(mate)
    assert delete(client, mate).status_code == 303
    mate.refresh_from_db()
    row = {name: str(value) for name, value in vars(mate).items() if not name.startswith("_")}
    assert not any("mate" in value.lower() for value in row.values()), row
    rights = (mate.is_active, mate.is_staff, mate.is_superuser, mate.has_usable_password())
    assert not any(rights)
    assert (mate.theme, mate.time_zone, str(mate), mate.initials) == ("", "", "Deleted account", "")
    html = client_of(owner).get(f"/chats/{shared.pk}/").content.decode()
    assert "Mine" in html
    assert "Deleted account" in html
    assert "Mateo" not in html
    said.refresh_from_db()
    cost.refresh_from_db()
    assert (said.author, cost.person, cost.credits_total) == (mate, mate, 7)
    assert not Queued.objects.exists()
    for kept_of_them in (Mute, Follow, Seen):
        assert not kept_of_them.objects.exists()
    for file in (waits, unsent):
        file.refresh_from_db()
        assert (file.queued, file.taken_at is None) == (None, False)
    kept.refresh_from_db()
    assert (list(Prompt.objects.all()), kept.person) == ([kept], None)
    assert not EmailAddress.objects.exists()
    for signed_in in (client, elsewhere):
        assert signed_in.get("/")["Location"].startswith("/accounts/login/")
    assert "Your account is deleted" in client.get("/account-deleted/").content.decode()
    assert not ending.late().exists()


def test_the_address_can_be_used_again(client_of: ClientOf, mate: Person, team: Team) -> None:
    delete(client_of(mate), mate)
    again = Person.objects.create_user("mate@example.com", "demo")
    assert again.pk != mate.pk
    assert not again.memberships.exists()
    client = Client()
    client.post("/accounts/login/", {"login": "mate@example.com", "password": "demo"})
    assert client.get("/").status_code == 200


def test_open_sockets_lose_their_rights(
    client_of: ClientOf, chats: dict[str, Chat], mate: Person
) -> None:
    client = client_of(mate)
    session = Session.objects.get().session_key
    door = doors.Door(session, mate.pk, chats["team"].pk)
    assert doors.still_allowed({door}) == {door}
    delete(client, mate)
    assert doors.codes({door}) == {door: doors.Ended.SIGNED_OUT}


def test_running_answers_are_asked_to_stop(
    client_of: ClientOf, chat_of: ChatOf, mate: Person, owner: Person, team: Team
) -> None:
    mine, theirs = chat_of(mate, state="streaming"), chat_of(owner, state="streaming")
    delete(client_of(mate), mate)
    assert mine.messages.get(role="assistant").stop_asked_by == mate
    assert theirs.messages.get(role="assistant").stop_asked_at is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"typed": "owner@example.com"}, "This is not the address of your account."),
        ({"typed": ""}, "This is not the address of your account."),
        ({"choice": "keep"}, "Choose what becomes of your chats here."),
        ({"choice": ""}, "Choose what becomes of your chats here."),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_happens(
    client_of: ClientOf,
    chats: dict[str, Chat],
    mate: Person,
    fields: dict[str, str],
    sentence: str,
) -> None:
    response = delete(client_of(mate), mate, **{"choice": "delete", **fields})
    html = response.content.decode()
    assert (response.status_code, sentence in html) == (422, True)
    assert 'value="delete" checked' in html or "choice" in fields
    assert not Chat.objects.exclude(deleted_at=None).exists()
    assert client_of(mate).get("/").status_code == 200


def test_nothing_ends_before_a_proof_of_who_it_is(client_of: ClientOf, mate: Person) -> None:
    client = proved(client_of(mate), mate, ago=3600)
    response = client.post(PAGE, {"typed": mate.email})
    assert response["Location"] == "/accounts/again/?next=%2Fsettings%2Fdelete%2F"
    mate.refresh_from_db()
    assert mate.is_active
    # What was typed waits for the proof, and then it is done.
    given = {"password": "demo", "next": PAGE}
    assert client.post("/accounts/again/", given)["Location"] == "/account-deleted/"
    mate.refresh_from_db()
    assert not mate.is_active


def test_the_last_owner_of_a_team_is_told_what_to_do_first(
    client_of: ClientOf, owner: Person, mate: Person, team: Team
) -> None:
    client = client_of(owner)
    html = page(client)
    assert "without you nobody could act for this team" in html
    assert f'<a href="/teams/{team.pk}/">Example</a>' in html
    assert 'name="typed"' not in html
    assert delete(client, owner).status_code == 422
    owner.refresh_from_db()
    assert owner.is_active
    Membership.objects.filter(person=mate).update(role=Role.OWNER)
    assert delete(client, owner).status_code == 303


def test_the_last_superuser_stays(client_of: ClientOf, admin: Person) -> None:
    Person.objects.filter(pk=admin.pk).update(is_superuser=True)
    client = client_of(admin)
    assert "nobody else could administer" in page(client)
    assert delete(client, admin).status_code == 422
    Person.objects.create_superuser("second@example.com", "demo")
    assert delete(client, admin).status_code == 303


def test_a_team_that_came_meanwhile_is_asked_about(
    client_of: ClientOf, mate: Person, team: Team
) -> None:
    shown = [each.membership.team_id for each in ending.outlook(mate).partings]
    Membership.objects.create(team=Team.objects.create(name="New"), person=mate)
    with pytest.raises(ending.Changed):
        ending.end(mate, giving=shown, asked=shown, address=None)
    mate.refresh_from_db()
    assert (mate.is_active, mate.deleted_at, mate.memberships.count()) == (True, None, 2)


def test_the_second_of_two_finds_it_done(mate: Person, team: Team) -> None:
    assert ending.end(mate, giving=[], asked=[team.pk], address=None) == set()
    email = Person.objects.get(pk=mate.pk).email
    assert ending.end(mate, giving=[], asked=[], address=None) == set()
    assert Person.objects.get(pk=mate.pk).email == email
    assert AuditEntry.objects.filter(event="account.deleted").count() == 1


def test_what_came_too_late_ends_too(chat_of: ChatOf, mate: Person, owner: Person) -> None:
    ending.end(mate, giving=[], asked=[], address=None)
    late, theirs = chat_of(mate, state="streaming"), chat_of(owner)
    Queued.objects.create(chat=theirs, person=mate, token=uuid4(), position=1)
    Attachment.objects.create(person=mate, name="a.txt")
    assert ending.finish() == {late.pk, theirs.pk}
    late.refresh_from_db()
    assert late.deleted_at
    assert not Queued.objects.exists()
    with CaptureQueriesContext(connection) as queries:
        assert ending.finish() == set()
    assert len([q for q in queries if q["sql"].startswith("SELECT")]) == 1
