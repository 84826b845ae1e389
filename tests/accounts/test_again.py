"""Proving once more who one is: when it is asked for, in which ways, and that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from pytest_django.fixtures import Settings

from chats import demo
from chats.models import EmailChange, Person
from tests.proof import app_of, code, proved, recovery_codes

AGAIN = "/accounts/again/"
EMAIL = "/settings/security/email/"
SENSITIVE = (
    EMAIL,
    "/settings/security/app/",
    "/settings/security/codes/",
    "/settings/security/codes/new/",
    "/settings/security/codes/download/",
    "/settings/security/passkeys/add/",
    "/accounts/password/set/",
)


@pytest.fixture
def client(client_of: Callable[[Person | None], Client], owner: Person) -> Client:
    return client_of(owner)


@pytest.mark.parametrize("page", SENSITIVE)
def test_what_is_sensitive_asks_once_more(client: Client, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 303
    assert response["Location"].startswith(f"{AGAIN}?next=%2F")


def test_a_proof_counts_for_a_while(client: Client, owner: Person, settings: Settings) -> None:
    assert proved(client, owner, ago=settings.V0_PROOF_AGE - 60).get(EMAIL).status_code == 200
    assert proved(client, owner, ago=settings.V0_PROOF_AGE + 1).get(EMAIL).status_code == 303


def test_to_have_signed_in_is_a_proof(owner: Person) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": owner.email, "password": demo.PASSWORD})
    assert client.get(EMAIL).status_code == 200


def test_a_proof_of_somebody_else_counts_for_nothing(
    client: Client, owner: Person, mate: Person
) -> None:
    assert proved(client, mate).get(EMAIL).status_code == 303


@pytest.mark.parametrize("way", ["password", "code", "recovery code"])
def test_it_is_proved_in_any_way_that_one_has(client: Client, owner: Person, way: str) -> None:
    app_of(owner)
    fields = {
        "password": {"password": demo.PASSWORD},
        "code": {"code": code()},
        "recovery code": {"code": recovery_codes(owner)[0]},
    }[way]
    page = client.get(AGAIN, {"next": EMAIL}).content.decode()
    assert 'name="password"' in page
    assert 'name="code"' in page
    assert "data-passkey" not in page
    response = client.post(AGAIN, {"next": EMAIL, **fields})
    assert (response.status_code, response["Location"]) == (303, EMAIL)
    assert client.get(EMAIL).status_code == 200


@pytest.mark.parametrize("fields", [{"password": "wrong"}, {"code": "000000"}, {}, {"code": ""}])
def test_a_wrong_proof_is_said_and_opens_nothing(
    client: Client, owner: Person, fields: dict[str, str]
) -> None:
    app_of(owner)
    assert client.post(AGAIN, {"next": EMAIL, **fields}).status_code == 422
    assert client.get(EMAIL).status_code == 303


def test_guessing_ends(client: Client) -> None:
    codes = {client.post(AGAIN, {"password": f"guess {n}"}).status_code for n in range(12)}
    assert codes == {422, 429}
    assert client.post(AGAIN, {"password": demo.PASSWORD}).status_code == 429


def test_a_form_that_was_sent_goes_on_with_all_that_was_typed(
    client: Client, owner: Person
) -> None:
    response = client.post(EMAIL, {"email": "new@example.com"})
    assert response.status_code == 303
    assert not EmailChange.objects.exists()
    page = client.get(response["Location"]).content.decode()
    assert "what you typed is kept" in page
    assert client.post(AGAIN, {"next": EMAIL, "password": "wrong"}).status_code == 422
    response = client.post(AGAIN, {"next": EMAIL, "password": demo.PASSWORD})
    assert response["Location"] == "/settings/security/?done=email-asked"
    assert EmailChange.objects.get(person=owner).email == "new@example.com"


def test_a_form_that_waits_is_for_its_own_place_only(client: Client) -> None:
    client.post(EMAIL, {"email": "new@example.com"})
    client.post(AGAIN, {"next": "/settings/security/", "password": demo.PASSWORD})
    client.post(AGAIN, {"next": EMAIL, "password": demo.PASSWORD})
    assert not EmailChange.objects.exists()


def test_a_form_without_its_token_does_not_wait(owner: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(EMAIL, {"email": "new@example.com"}).status_code == 403
    assert "waits_for_proof" not in client.session


@pytest.mark.parametrize("place", ["https://elsewhere.example/", "//elsewhere.example", "x:y", ""])
def test_it_leads_nowhere_else(client: Client, place: str) -> None:
    response = client.post(AGAIN, {"next": place, "password": demo.PASSWORD})
    assert (response.status_code, response["Location"]) == (303, "/")


def test_a_proof_gives_the_session_another_key(client: Client, owner: Person) -> None:
    before = client.session.session_key
    client.post(AGAIN, {"password": demo.PASSWORD})
    now = client.session.session_key
    assert now != before
    assert [row.session_key for row in UserSession.objects.filter(user=owner)] == [now]
    # The key of before opens nothing.
    client.cookies["sessionid"] = before or ""
    assert client.get("/settings/security/").status_code == 302


def test_notes_of_proofs_do_not_grow(client: Client, owner: Person) -> None:
    for _ in range(8):
        client.post(AGAIN, {"password": demo.PASSWORD})
    assert len(client.session["account_authentication_methods"]) <= 5


def test_who_has_nothing_to_prove_with_is_told_to_sign_in_again(
    client_of: Callable[[Person | None], Client], stranger: Person
) -> None:
    stranger.set_unusable_password()
    stranger.save()
    client = client_of(stranger)
    assert client.get(EMAIL).status_code == 303
    page = client.get(AGAIN, {"next": EMAIL}).content.decode()
    assert "Sign out and in again" in page
    assert proved(client, stranger).get(EMAIL).status_code == 200


def test_htmx_is_led_there_as_a_page(client: Client) -> None:
    response = client.get(EMAIL, headers={"HX-Request": "true"})
    assert response["HX-Redirect"].startswith(AGAIN)


def test_an_app_s_code_works_once(client: Client, owner: Person) -> None:
    app_of(owner)
    used = code()
    assert client.post(AGAIN, {"code": used}).status_code == 303
    assert client.post(AGAIN, {"code": used}).status_code == 422
    # Of clocks that are a little wrong; two steps are too much.
    assert client.post(AGAIN, {"code": code(steps=2)}).status_code == 422
    assert client.post(AGAIN, {"code": code(steps=1)}).status_code == 303
