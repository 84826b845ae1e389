"""Signing in by an OpenID Connect provider that runs beside us, and what its groups give."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client
from pytest_django.fixtures import Settings

from chats import demo
from chats.accounts import groups, identities
from chats.models import AuditEntry, Event, Membership, Person, Team
from chats.models.invitations import invite, revoke
from tests.accounts.provider import (
    CALLBACK,
    GO,
    Provider,
    begin,
    come_back,
    running_provider,
    sign_in,
    use,
    who,
)

ClientOf = Callable[[Person | None], Client]


@pytest.fixture(scope="module")
def process() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(process: Provider, owner: Person, settings: Settings) -> Provider:
    use(settings, process.url)
    process.knows("7", email=owner.email, email_verified=True, name="Somebody Else")
    return process


def connected(person: Person, sub: str = "7") -> None:
    from chats.accounts import oidc

    SocialAccount.objects.create(user=person, provider=oidc.provider_id(), uid=sub)


def words(response: object) -> str:
    text = getattr(response, "content", b"").decode()
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


def test_a_connected_person_is_signed_in_and_led_to_where_they_wanted(
    provider: Provider, owner: Person
) -> None:
    connected(owner)
    client = Client()
    assert "Sign in with Staff accounts" in words(client.get("/accounts/login/"))
    response = sign_in(client, provider, "7", next="/settings/notices/")
    assert (response.status_code, response["Location"]) == (302, "/settings/notices/")
    assert who(client) == str(owner.pk)
    owner.refresh_from_db()
    assert owner.name == demo.NAMES[owner.email], "the provider changes nothing of theirs"
    assert SocialAccount.objects.get().extra_data == {}
    assert not SocialToken.objects.exists()


@pytest.mark.parametrize("place", ["https://elsewhere.example/", "//elsewhere.example"])
def test_it_leads_to_no_page_of_others(provider: Provider, owner: Person, place: str) -> None:
    connected(owner)
    assert sign_in(Client(), provider, "7", next=place)["Location"] == "/"


def test_the_provider_is_asked_with_a_state_a_nonce_and_a_challenge(provider: Provider) -> None:
    client = Client()
    asked = [parse_qs(urlsplit(begin(client)).query) for _ in range(2)]
    assert asked[0]["code_challenge_method"] == ["S256"]
    assert asked[0]["response_type"] == ["code"]
    assert set(asked[0]["scope"][0].split()) == {"openid", "email", "profile"}
    assert asked[0]["redirect_uri"] == [f"http://testserver{CALLBACK}"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[0][name][0]) >= 16
        assert asked[0][name] != asked[1][name]
    assert "secret" not in str(asked)


def test_an_address_alone_opens_no_account(provider: Provider, owner: Person) -> None:
    client = Client()
    response = sign_in(client, provider, "7")
    assert response.status_code == 403
    assert "Sign in to it with its password this once" in words(response)
    assert who(client) is None
    assert not SocialAccount.objects.exists()
    client.post("/accounts/login/", {"login": owner.email, "password": demo.PASSWORD})
    assert who(client) == str(owner.pk)
    assert SocialAccount.objects.get().user == owner
    entry = AuditEntry.objects.get(event=Event.IDENTITY_LINKED)
    assert (entry.person, entry.details) == (owner.pk, {"known_there_as": owner.email})
    again = Client()
    sign_in(again, provider, "7")
    assert who(again) == str(owner.pk)


def test_what_waits_is_connected_to_its_own_account_alone(
    provider: Provider, owner: Person, mate: Person
) -> None:
    client = Client()
    sign_in(client, provider, "7")
    client.post("/accounts/login/", {"login": mate.email, "password": demo.PASSWORD})
    assert who(client) == str(mate.pk)
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": owner.email, "password": demo.PASSWORD})
    assert not SocialAccount.objects.exists()


def test_what_waits_is_over_after_ten_minutes(
    provider: Provider, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    sign_in(client, provider, "7")
    monkeypatch.setattr(identities, "PROOF_WITHIN", -1)
    client.post("/accounts/login/", {"login": owner.email, "password": demo.PASSWORD})
    assert who(client)
    assert not SocialAccount.objects.exists()


def test_a_trusted_provider_opens_the_account_of_an_address_once(
    provider: Provider, owner: Person, settings: Settings
) -> None:
    settings.V0_OIDC_TRUST = True
    client = Client()
    sign_in(client, provider, "7")
    assert who(client) == str(owner.pk)
    # The address was given to somebody new there.
    provider.knows("8", email=owner.email, email_verified=True)
    other = Client()
    response = sign_in(other, provider, "8")
    assert "connected with somebody else" in words(response)
    assert who(other) is None


def test_the_same_number_at_another_provider_is_somebody_else(
    provider: Provider, owner: Person, settings: Settings
) -> None:
    connected(owner)
    settings.V0_OIDC_ISSUER = provider.url.replace("localhost", "127.0.0.1")
    client = Client()
    sign_in(client, replace(provider, url=settings.V0_OIDC_ISSUER), "7")
    assert who(client) is None


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"email_verified": False}, "not that owner@example.com is yours"),
        ({"email_verified": "true"}, "not that owner@example.com is yours"),
        ({"email_verified": None}, "not that owner@example.com is yours"),
        ({"email": "", "email_verified": True}, "not that an address is yours"),
        ({"email": "owner@sub.team.example"}, "does not end with @team.example"),
        ({"email": "owner@team.example.elsewhere.example"}, "does not end with @team.example"),
    ],
)
def test_only_a_proven_address_of_the_domain_counts(
    provider: Provider, owner: Person, settings: Settings, claims: dict[str, object], sentence: str
) -> None:
    connected(owner)
    settings.V0_OIDC_DOMAIN = "team.example" if "does not end" in sentence else ""
    provider.knows("7", **{"email": owner.email, "email_verified": True} | claims)
    client = Client()
    response = sign_in(client, provider, "7")
    assert (response.status_code, sentence in words(response)) == (403, True), words(response)
    assert who(client) is None


def test_nobody_new_gets_an_account_unless_the_settings_say_so(
    provider: Provider, owner: Person, settings: Settings
) -> None:
    settings.V0_OIDC_DOMAIN = "team.example"
    provider.knows("9", email="New@team.example", email_verified=True, name="New Person")
    client = Client()
    assert "There is no account for new@team.example" in words(sign_in(client, provider, "9"))
    assert Person.objects.count() == 1
    settings.V0_OIDC_SIGN_UP = True
    assert sign_in(client, provider, "9")["Location"] == "/"
    person = Person.objects.get(email="new@team.example")
    assert (person.name, person.is_staff, person.has_usable_password()) == (
        "New Person",
        False,
        False,
    )
    assert who(client) == str(person.pk)
    made = AuditEntry.objects.get(event=Event.ACCOUNT_MADE)
    assert (made.person, made.details) == (person.pk, {"by": "provider"})


def test_whoever_is_invited_by_mail_gets_an_account(
    provider: Provider, owner: Person, team: Team
) -> None:
    provider.knows("9", email="New@team.example", email_verified=True)
    made, token = invite(team, "member", inviter=owner, email="new@team.example", address=None)
    client = Client()
    place = f"/invitations/{token}/"
    assert sign_in(client, provider, "9", next=place)["Location"] == place
    assert Person.objects.get(email="new@team.example").pk == int(who(client) or 0)
    provider.knows("10", email="other@team.example", email_verified=True)
    assert "There is no account" in words(sign_in(Client(), provider, "10"))
    revoke(made, actor=owner, address=None)
    Person.objects.filter(email="new@team.example").delete()
    assert "There is no account" in words(sign_in(Client(), provider, "9"))


def test_a_second_factor_is_asked_for_all_the_same(provider: Provider, owner: Person) -> None:
    connected(owner)
    TOTP.activate(owner, generate_totp_secret())
    codes = RecoveryCodes.activate(owner).get_unused_codes()
    client = Client()
    assert sign_in(client, provider, "7")["Location"] == "/accounts/second-factor/"
    assert who(client) is None
    client.post("/accounts/second-factor/", {"code": codes[0]})
    assert who(client) == str(owner.pk)


@pytest.mark.parametrize("linked", [True, False])
def test_who_is_deactivated_stays_out(
    provider: Provider, owner: Person, settings: Settings, linked: bool
) -> None:
    if linked:
        connected(owner)
    settings.V0_OIDC_TRUST = True
    Person.objects.update(is_active=False)
    client = Client()
    assert sign_in(client, provider, "7")["Location"] == "/accounts/inactive/"
    assert who(client) is None
    assert SocialAccount.objects.exists() == linked


def test_an_answer_counts_once_and_in_the_browser_that_asked(
    provider: Provider, owner: Person
) -> None:
    connected(owner)
    client, other = Client(), Client()
    place = provider.agrees(begin(client), "7")
    assert "in another browser" in words(come_back(other, place))
    assert who(other) is None
    come_back(client, place)
    assert who(client)
    client.post("/accounts/logout/")
    assert come_back(client, place).status_code == 400
    assert who(client) is None
    for query in ("", "?code=c", "?state=s&code=c"):
        assert client.get(f"{CALLBACK}{query}").status_code == 400


def test_a_code_that_was_made_for_another_sign_in_opens_nothing(
    provider: Provider, owner: Person
) -> None:
    connected(owner)
    victim, thief = Client(), Client()
    stolen = parse_qs(urlsplit(provider.agrees(begin(victim), "7")).query)["code"][0]
    state = parse_qs(urlsplit(begin(thief)).query)["state"][0]
    response = thief.get(CALLBACK, {"state": state, "code": stolen})
    assert (response.status_code, who(thief)) == (502, None)


def test_who_says_no_there_is_told_so(provider: Provider, owner: Person) -> None:
    client = Client()
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    response = client.get(CALLBACK, {"state": state, "error": "access_denied"})
    assert "You did not go on there" in words(response)
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    error = "<script>alert(1)</script>"
    response = client.get(CALLBACK, {"state": state, "error": error, "error_description": error})
    assert (response.status_code, b"<script>alert" in response.content) == (502, False)


def test_a_provider_that_is_not_there_is_told_so(
    owner: Person, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    use(settings, "http://localhost:1")
    response = Client().post(GO)
    assert (response.status_code, "no answer" in words(response)) == (502, True)
    assert "the sign-in by the provider failed: ConnectionError" in caplog.text


def test_where_no_provider_is_named_there_is_no_door(owner: Person) -> None:
    assert Client().post(GO).status_code == 404
    assert Client().get(CALLBACK).status_code == 404
    assert GO not in Client().get("/accounts/login/").content.decode()


def test_a_link_elsewhere_begins_no_sign_in(provider: Provider) -> None:
    assert Client().get(GO).status_code == 405
    assert Client(enforce_csrf_checks=True).post(GO).status_code == 403


def test_who_is_signed_in_goes_home(provider: Provider, owner: Person, client_of: ClientOf) -> None:
    assert client_of(owner).post(GO)["Location"] == "/"


def test_guessing_at_passwords_does_not_shut_this_door(provider: Provider, owner: Person) -> None:
    connected(owner)
    client = Client()
    for _ in range(12):
        client.post("/accounts/login/", {"login": owner.email, "password": "guess"})
    sign_in(client, provider, "7")
    assert who(client) == str(owner.pk)


@pytest.fixture
def in_groups(
    provider: Provider, mate: Person, team: Team, settings: Settings
) -> Callable[[list[str] | str | None], dict[str, tuple[str, bool]]]:
    """Signs the mate in with these groups: their roles by team, and whether they are mapped."""
    Membership.objects.filter(person=mate).delete()
    team.name = "Web"
    team.save()
    Team.objects.create(name="Docs")
    settings.V0_OIDC_TEAMS = [
        ("staff", "Web", "viewer"),
        ("engineering", "Web", "member"),
        ("leads", "Web", "admin"),
        ("writers", "Docs", "owner"),
        ("ghosts", "Nowhere", "member"),
    ]
    connected(mate, "m")

    def in_groups(held: list[str] | str | None) -> dict[str, tuple[str, bool]]:
        claims = {} if held is None else {"groups": held}
        provider.knows("m", email=mate.email, email_verified=True, **claims)
        client = Client()
        sign_in(client, provider, "m")
        assert who(client) == str(mate.pk)
        rows = Membership.objects.filter(person=mate).select_related("team")
        return {row.team.name: (row.role, row.mapped) for row in rows}

    return in_groups


def test_groups_give_roles_change_them_and_take_them(
    in_groups: Callable[[list[str] | str | None], dict[str, tuple[str, bool]]],
) -> None:
    told: list[object] = []

    def note(**given: object) -> None:
        told.append(given["chats"])

    groups.followed.connect(note)
    assert in_groups(["engineering", "unknown", "ghosts"]) == {"Web": ("member", True)}
    assert in_groups(["engineering", "leads", "staff"]) == {"Web": ("admin", True)}
    assert in_groups("staff") == {"Web": ("viewer", True)}
    assert in_groups("staff") == {"Web": ("viewer", True)}
    assert in_groups(None) == {}
    assert told == [[], [], [], []], "once for each change"
    groups.followed.disconnect(note)
    events = (
        AuditEntry.objects.filter(team_name="Web").order_by("pk").values_list("event", flat=True)
    )
    assert list(events) == [Event.JOINED, Event.ROLE_CHANGED, Event.ROLE_CHANGED, Event.REMOVED]


def test_what_somebody_gave_is_left_alone(
    in_groups: Callable[[list[str] | str | None], dict[str, tuple[str, bool]]],
    mate: Person,
    team: Team,
) -> None:
    Membership.objects.create(team=team, person=mate, role="viewer")
    assert in_groups(["leads"]) == {"Web": ("viewer", False)}
    assert in_groups([]) == {"Web": ("viewer", False)}


def test_the_last_owner_stays(
    in_groups: Callable[[list[str] | str | None], dict[str, tuple[str, bool]]],
) -> None:
    assert in_groups(["writers"]) == {"Docs": ("owner", True)}
    assert in_groups([]) == {"Docs": ("owner", True)}


def test_a_name_that_two_teams_have_is_nobodys(
    in_groups: Callable[[list[str] | str | None], dict[str, tuple[str, bool]]],
    team: Team,
    settings: Settings,
) -> None:
    Team.objects.create(name="Web")
    assert in_groups(["leads"]) == {}
    settings.V0_OIDC_TEAMS = [("leads", str(team.pk), "admin")]
    assert in_groups(["leads"]) == {"Web": ("admin", True)}


def test_groups_wait_with_the_identity_for_proof(
    provider: Provider, mate: Person, team: Team, settings: Settings
) -> None:
    Membership.objects.filter(person=mate).delete()
    settings.V0_OIDC_TEAMS = [("leads", team.name, "admin")]
    provider.knows("n", email=mate.email, email_verified=True, groups=["leads"])
    client = Client()
    sign_in(client, provider, "n")
    assert not Membership.objects.filter(person=mate).exists()
    client.post("/accounts/login/", {"login": mate.email, "password": demo.PASSWORD})
    assert Membership.objects.get(person=mate).role == "admin"


def test_whoever_is_deactivated_joins_nothing(
    in_groups: Callable[[list[str] | str | None], dict[str, tuple[str, bool]]],
    provider: Provider,
    mate: Person,
) -> None:
    assert in_groups(["leads"])
    Person.objects.filter(pk=mate.pk).update(is_active=False)
    provider.knows("m", email=mate.email, email_verified=True, groups=[])
    sign_in(Client(), provider, "m")
    assert Membership.objects.get(person=mate).role == "admin"
