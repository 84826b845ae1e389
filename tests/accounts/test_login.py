"""Signing in: who gets in, what others learn, and how often they may try."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from pytest_django.fixtures import Settings

from chats import demo
from chats.models import Person

LOGIN = "/accounts/login/"


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("login", ["owner@example.com", " Owner@Example.COM "])
def test_the_right_password_signs_in_and_leads_home(owner: Person, login: str) -> None:
    client = Client()
    response = client.post(LOGIN, {"login": login, "password": demo.PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_the_session_has_another_key_afterwards(owner: Person, settings: Settings) -> None:
    client = Client()
    session = client.session
    session["fixed"] = "by somebody else"
    session.save()
    before = session.session_key
    client.cookies[settings.SESSION_COOKIE_NAME] = before or ""
    client.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
    assert signed_in(client)
    assert client.session.session_key != before


@pytest.mark.parametrize(
    ("next_", "place"),
    [
        ("/chats/11111111-1111-1111-1111-111111111111/", None),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_it_leads_back_to_a_page_of_ours_and_nowhere_else(
    owner: Person, next_: str, place: str | None
) -> None:
    fields = {"login": owner.email, "password": demo.PASSWORD, "next": next_}
    assert Client().post(LOGIN, fields)["Location"] == (place or next_)


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(owner: Person) -> None:
    client = Client()
    pages = []
    for login in (owner.email, "nobody@example.com"):
        response = client.post(LOGIN, {"login": login, "password": "wrong"})
        assert response.status_code == 200
        assert not signed_in(client)
        pages.append(response.content.decode().replace(login, "ADDRESS"))
    assert "is wrong" in pages[0]
    assert _without_tokens(pages[0]) == _without_tokens(pages[1])


def _without_tokens(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


def test_both_hash_a_password_so_that_time_tells_nothing(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    client = Client()
    counts = []
    for login in (owner.email, "nobody@example.com"):
        hashed.clear()
        client.post(LOGIN, {"login": login, "password": "wrong"})
        counts.append(len(hashed))
    assert counts[0] == counts[1] == 1


def test_a_deactivated_person_cannot_sign_in(owner: Person) -> None:
    Person.objects.update(is_active=False)
    client = Client()
    response = client.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
    assert response["Location"] == "/accounts/inactive/"
    assert not signed_in(client)
    assert "switched off" in client.get("/accounts/inactive/").content.decode()


def test_who_does_not_know_the_password_does_not_learn_of_the_deactivation(owner: Person) -> None:
    Person.objects.update(is_active=False)
    response = Client().post(LOGIN, {"login": owner.email, "password": "wrong"})
    assert response.status_code == 200
    assert "is wrong" in response.content.decode()


def test_a_person_who_is_deactivated_is_signed_out_with_the_next_request(
    owner: Person, client_of: Callable[[Person | None], Client]
) -> None:
    client = client_of(owner)
    assert client.get("/accounts/password/change/").status_code == 200
    Person.objects.update(is_active=False)
    assert client.get("/accounts/password/change/").status_code == 302


def test_signing_in_rightly_uses_up_no_attempts(owner: Person) -> None:
    for _ in range(12):
        client = Client()
        client.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
        assert signed_in(client)


def test_only_the_present_address_signs_in(owner: Person) -> None:
    EmailAddress.objects.create(user=owner, email="earlier@example.com", verified=True)
    client = Client()
    client.post(LOGIN, {"login": "earlier@example.com", "password": demo.PASSWORD})
    assert not signed_in(client)
    client.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
    assert signed_in(client)


def test_demo_people_are_offered_in_the_sandbox_only(owner: Person, settings: Settings) -> None:
    settings.DEBUG, settings.UPSTREAM = True, "sandbox"
    page = Client().get(LOGIN).content.decode()
    assert all(email in page for email in demo.NAMES)
    assert demo.PASSWORD in page
    for debug, upstream in ((False, "sandbox"), (True, "v0")):
        settings.DEBUG, settings.UPSTREAM = debug, upstream
        page = Client().get(LOGIN).content.decode()
        assert not [email for email in demo.NAMES if email in page]


def test_a_demo_person_is_signed_in_by_one_button(owner: Person, settings: Settings) -> None:
    settings.DEBUG, settings.UPSTREAM = True, "sandbox"
    client = Client(enforce_csrf_checks=True)
    page = client.get(f"{LOGIN}?next=/sidebar/").content.decode()
    form = page.split("account-demo")[1].split("<form")[1].split("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    response = client.post(LOGIN, fields)
    assert (response.status_code, response["Location"]) == (302, "/sidebar/")
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_a_form_without_its_token_signs_nobody_in(owner: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
    assert response.status_code == 403
    assert not signed_in(client)
