"""Signing up: by invitation alone unless a setting opens it, and never before an address is proven."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail, signing
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django.fixtures import Settings

from chats.accounts import sign_up
from chats.models import AuditEntry, Event, Person

SIGN_UP = "/accounts/signup/"
FIELDS = {"name": "New Person", "password": "long-and-odd-enough-7"}
FIELDS |= {"repeated": FIELDS["password"]}
NextMail = Callable[[], EmailMessage]


@pytest.fixture
def opened(owner: Person, settings: Settings) -> Settings:
    settings.V0_SIGN_UP = "open"
    return settings


def link_in(message: EmailMessage) -> str:
    found = re.search(r"http://localhost:8000(/accounts/signup/\S+)", str(message.body))
    assert found, message.body
    return found[1]


def ask(email: str, client: Client | None = None) -> int:
    return (client or Client()).post(SIGN_UP, {"email": email}).status_code


def test_an_address_is_proven_by_mail_before_there_is_anything(
    opened: Settings, next_mail: NextMail
) -> None:
    client = Client()
    assert "Make an account" in client.get("/accounts/login/").content.decode()
    response = client.post(SIGN_UP, {"email": "New@Example.com"})
    assert response["Location"] == f"{SIGN_UP}sent/"
    message = next_mail()
    assert message.to == ["new@example.com"]
    assert not Person.objects.filter(email="new@example.com").exists()
    link = link_in(message)
    assert "new@example.com" in client.get(link).content.decode()
    assert client.post(link, FIELDS)["Location"] == "/"
    person = Person.objects.get(email="new@example.com")
    assert (person.name, person.is_staff, person.is_superuser) == ("New Person", False, False)
    assert client.session["_auth_user_id"] == str(person.pk)
    assert AuditEntry.objects.get(event=Event.ACCOUNT_MADE).person == person.pk
    over = Client().get(link)
    assert (over.status_code, "no longer works" in over.content.decode()) == (404, True)
    assert Client().post(link, FIELDS).status_code == 404


def test_nobody_learns_who_has_an_account(
    opened: Settings, owner: Person, mate: Person, next_mail: NextMail
) -> None:
    Person.objects.filter(pk=mate.pk).update(is_active=False)
    answers = []
    for email in ("new@example.com", owner.email, mate.email):
        response = Client().post(SIGN_UP, {"email": email}, follow=True)
        answers.append((response.status_code, response.redirect_chain, response.content))
    assert answers[0] == answers[1] == answers[2]
    sent = [next_mail(), next_mail()]
    assert sent[0].subject == sent[1].subject
    assert "There is one already" in str(sent[1].body)
    assert sent[1].to == [owner.email]
    assert mail.outbox == []


def test_only_addresses_of_the_domain_sign_up(opened: Settings) -> None:
    opened.V0_SIGN_UP_DOMAIN = "team.example"
    for email in ("a@elsewhere.example", "a@sub.team.example", "a@notteam.example"):
        response = Client().post(SIGN_UP, {"email": email})
        assert response.status_code == 422
        assert "@team.example" in response.content.decode()
        assert email in response.content.decode()
    assert ask("a@Team.example") == 302


@pytest.mark.parametrize("setting", ["V0_SIGN_UP", "V0_SIGN_UP_DOMAIN"])
def test_a_link_is_over_when_the_door_is_shut_again(opened: Settings, setting: str) -> None:
    link = f"{SIGN_UP}{signing.dumps('new@example.com', salt='chats.accounts.sign-up')}/"
    assert Client().get(link).status_code == 200
    setattr(opened, setting, "invitation" if setting == "V0_SIGN_UP" else "team.example")
    assert Client().post(link, FIELDS).status_code == 404
    assert Person.objects.count() == 1


def test_a_link_expires_and_cannot_be_made_up(
    opened: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = f"{SIGN_UP}{signing.dumps('new@example.com', salt='chats.accounts.sign-up')}/"
    other = f"{SIGN_UP}{signing.dumps('new@example.com', salt='another')}/"
    assert Client().get(other).status_code == 404
    monkeypatch.setattr(sign_up, "LINK_HOLDS", -1)
    assert Client().post(link, FIELDS).status_code == 404


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"name": ""}, "required"),
        ({"repeated": "another"}, "not the same"),
        ({"password": "password", "repeated": "password"}, "too common"),
        ({"password": "new@example.com", "repeated": "new@example.com"}, "too similar"),
    ],
)
def test_a_form_with_a_mistake_makes_nobody(
    opened: Settings, changed: dict[str, str], sentence: str
) -> None:
    link = f"{SIGN_UP}{signing.dumps('new@example.com', salt='chats.accounts.sign-up')}/"
    response = Client().post(link, FIELDS | changed)
    assert (response.status_code, sentence in response.content.decode()) == (422, True)
    assert Person.objects.count() == 1


def test_few_mails_go_to_one_address_and_few_are_asked_for_from_one(opened: Settings) -> None:
    codes = [ask("new@example.com", Client(REMOTE_ADDR=f"198.51.100.{n}")) for n in range(1, 9)]
    assert codes == [302] * 8
    client = Client()
    assert [ask(f"n{n}@example.com", client) for n in range(22)] == [302] * 20 + [429] * 2


def test_who_is_signed_in_has_an_account(
    opened: Settings, owner: Person, client_of: Callable[[Person | None], Client]
) -> None:
    assert client_of(owner).get(SIGN_UP)["Location"] == "/"


def test_without_the_setting_nobody_signs_up(owner: Person) -> None:
    assert "Ask whoever runs" in Client().get(SIGN_UP).content.decode()
    assert ask("new@example.com") == 200
    assert "Make an account" not in Client().get("/accounts/login/").content.decode()
    assert mail.outbox == []
    assert Person.objects.count() == 1
