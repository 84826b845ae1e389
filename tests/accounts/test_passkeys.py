"""Passkeys, as far as they show without a browser: what is no passkey opens nothing and breaks nothing.

The ceremonies themselves are walked in `tests/browser/test_security.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chats import demo
from chats.models import Person
from tests.proof import app_of, proved

ADD, SIGN_IN = "/settings/security/passkeys/add/", "/accounts/passkey/"
ODD = (
    "",
    "no JSON",
    "[]",
    "{}",
    "null",
    "7",
    '"text"',
    '{"id": 1}',
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}),
    json.dumps(
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": "e30",
                "attestationObject": "AA",
                "authenticatorData": "AA",
                "signature": "AA",
                "userHandle": "AA",
            },
        }
    ),
    json.dumps({"id": "é", "rawId": "%%%", "response": {"userHandle": 5}, "type": []}),
    "[" * 2000,
    f'"{"x" * 20_000}"',
)


@pytest.fixture
def client(client_of: Callable[[Person | None], Client], owner: Person) -> Client:
    return proved(client_of(owner), owner)


def passkey_of(person: Person, name: str = "Laptop") -> Authenticator:
    made: Authenticator = Authenticator.objects.create(
        user=person, type="webauthn", data={"name": name, "credential": {}}
    )
    return made


@pytest.mark.parametrize("credential", ODD)
def test_what_is_no_passkey_is_refused(client: Client, owner: Person, credential: str) -> None:
    assert client.post("/settings/security/passkeys/challenge/").status_code == 200
    assert client.post(ADD, {"credential": credential, "name": "x"}).status_code == 422
    assert not Authenticator.objects.exists()
    nobody = Client()
    challenge = nobody.post("/accounts/passkey/challenge/").json()["publicKey"]
    assert (challenge["rpId"], challenge["userVerification"]) == ("testserver", "required")
    response = nobody.post(SIGN_IN, {"credential": credential})
    assert response["Location"] == "/accounts/login/?passkey=refused"
    assert "_auth_user_id" not in nobody.session
    passkey_of(owner)
    assert client.post("/accounts/again/", {"credential": credential}).status_code == 422
    second = Client()
    second.post("/accounts/login/", {"login": owner.email, "password": demo.PASSWORD})
    assert second.post("/accounts/second-factor/", {"credential": credential}).status_code == 422
    assert "_auth_user_id" not in second.session


def test_a_challenge_tells_nothing_of_accounts(owner: Person) -> None:
    app_of(owner)
    challenge = Client().post("/accounts/passkey/challenge/").json()["publicKey"]
    assert not challenge.get("allowCredentials")


def test_a_new_passkey_has_to_know_its_person(client: Client) -> None:
    challenge = client.post("/settings/security/passkeys/challenge/").json()["publicKey"]
    chosen = challenge["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")


def test_it_is_renamed_and_removed(client: Client, owner: Person) -> None:
    passkey = passkey_of(owner)
    page = f"/settings/security/passkeys/{passkey.pk}/"
    assert 'value="Laptop"' in client.get(page).content.decode()
    for name in ("", "  ", "x" * 101):
        assert client.post(page, {"name": name}).status_code == 422
    client.post(page, {"name": " <b>Phone</b> "})
    assert "&lt;b&gt;Phone&lt;/b&gt;" in client.get("/settings/security/").content.decode()
    assert "Nothing but your password" in client.get(f"{page}remove/").content.decode()
    assert client.post(f"{page}remove/").status_code == 303
    assert not Authenticator.objects.exists()


def test_one_of_somebody_else_looks_like_none(client: Client, mate: Person) -> None:
    passkey = passkey_of(mate)
    for more in ("", "remove/"):
        for method in (client.get, client.post):
            answers = []
            for pk in (passkey.pk, passkey.pk + 1000):
                with CaptureQueriesContext(connection) as queries:
                    response = method(f"/settings/security/passkeys/{pk}/{more}", {"name": "x"})
                answers.append((response.status_code, response.content, len(queries)))
            assert answers[0] == answers[1]
            assert answers[0][0] == 404
    assert Authenticator.objects.get() == passkey
