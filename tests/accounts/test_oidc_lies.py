"""A provider that lies opens nothing; and settings of a provider that make no sense stop the start."""

from __future__ import annotations

import runpy
from collections.abc import Iterator

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django.fixtures import Settings

from chats.models import Person
from tests.accounts.provider import GO, Crooked, new_key, running_crook, use, who
from tests.app_server import ROOT


@pytest.fixture
def crook(owner: Person, settings: Settings) -> Iterator[Crooked]:
    with running_crook() as crook:
        use(settings, crook.url)
        settings.V0_OIDC_TRUST = True
        yield crook


def test_a_crook_who_tells_the_truth_is_believed(crook: Crooked, owner: Person) -> None:
    client = Client()
    crook.sign_in(client)
    assert who(client) == str(owner.pk)
    crook.headers, crook.claims, other = {}, {}, Client()
    crook.sign_in(other)
    assert who(other), "a single key needs no name"
    sent = next(each for each in crook.asked if "code_verifier" in each)
    assert len(sent["code_verifier"][0]) >= 43


@pytest.mark.parametrize(
    "lie",
    [
        {"config": {"issuer": "https://elsewhere.example"}},
        {"claims": {"iss": "https://elsewhere.example"}},
        {"claims": {"aud": "somebody else"}},
        {"claims": {"aud": ["us", "them"], "azp": "them"}},
        {"claims": {"exp": 1_000_000_000}},
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"sub": "2"}},
        {"told": {"sub": "2"}},
        {"algorithm": "none", "signed_by": ""},
        {"algorithm": "HS256", "signed_by": "a-secret-that-is-long-enough-for-it-7"},
        {"headers": {"kid": "two"}},
        {"config": {"jwks_uri": None}},
        {"moved": "/token"},
        {"moved": "/me"},
        {"moved": "/keys"},
    ],
    ids=str,
)
def test_a_lie_opens_nothing(crook: Crooked, owner: Person, lie: dict[str, object]) -> None:
    for name, value in lie.items():
        setattr(crook, name, value)
    client = Client()
    if "issuer" in crook.config:
        assert client.post(GO).status_code == 502
    else:
        assert crook.sign_in(client).status_code == 502
    assert who(client) is None
    assert not SocialAccount.objects.exists()


def test_a_token_of_another_key_opens_nothing(crook: Crooked) -> None:
    crook.signed_by = new_key(1)
    client = Client()
    assert (crook.sign_in(client).status_code, who(client)) == (502, None)


@pytest.mark.parametrize(
    "given",
    [
        {"V0_OIDC_ISSUER": "https://login.example"},
        {"V0_OIDC_ISSUER": "http://login.example"},
        {"V0_OIDC_SIGN_UP": "1"},
        {"V0_OIDC_TEAMS": "leads=Web"},
        {"V0_OIDC_TEAMS": "leads=Web:king"},
        {"V0_SIGN_UP": "everybody"},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_stop_the_start(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {"V0_OIDC_CLIENT_ID": "us", "V0_OIDC_CLIENT_SECRET": "secret"}
    if given.get("V0_OIDC_ISSUER") == "http://login.example":
        given = whole | given
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=next(reversed(given))):
        runpy.run_path(str(ROOT / "v0web/sign_in.py"))


def test_groups_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V0_OIDC_TEAMS", "engineering=Web:member, leads=Web: two:admin")
    found = runpy.run_path(str(ROOT / "v0web/sign_in.py"))["V0_OIDC_TEAMS"]
    assert found == [("engineering", "Web", "member"), ("leads", "Web: two", "admin")]
