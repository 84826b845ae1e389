"""What happens to accounts is in the audit log: who, what, from where, and never a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.test import Client, RequestFactory
from django.urls import reverse

from chats import demo
from chats.accounts import noting
from chats.models import AuditEntry, Membership, Person, Team
from tests.accounts.test_password import CHANGE, NEW, RESET, link_in
from tests.proof import app_of, code

ClientOf = Callable[[Person | None], Client]
LOGIN = "/accounts/login/"


def noted() -> list[tuple[str, str, str, dict[str, Any]]]:
    """Each entry: what, by whom, about whom, details."""
    rows = AuditEntry.objects.order_by("pk")
    return [(row.event, row.actor_name, row.person_name, row.details) for row in rows]


def test_signing_in_and_out(owner: Person) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
    client.post("/accounts/logout/")
    me = owner.email
    assert noted() == [
        ("sign-in.done", me, me, {"by": ["password"]}),
        ("sign-in.out", me, me, {}),
    ]
    assert {entry.address for entry in AuditEntry.objects.all()} == {"203.0.113.7"}


def test_a_failed_sign_in_keeps_what_was_typed_as_address_and_no_password(owner: Person) -> None:
    EmailAddress.objects.create(user=owner, email="before@example.com", verified=True)
    for login in (owner.email, "nobody@example.com", "before@example.com"):
        password = demo.PASSWORD if login.startswith("before") else "hunter-2-hunter"
        Client().post(LOGIN, {"login": login, "password": password})
    assert noted() == [
        ("sign-in.failed", "", owner.email, {"typed": owner.email, "by": "password"}),
        ("sign-in.failed", "", "", {"typed": "nobody@example.com", "by": "password"}),
        ("sign-in.failed", "", "", {"typed": "before@example.com", "by": "password"}),
    ]
    assert "hunter" not in json.dumps([row.details for row in AuditEntry.objects.all()])


def test_failed_tries_do_not_fill_the_log(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    attacker = Client(REMOTE_ADDR="203.0.113.9")
    for number in range(40):
        attacker.post(LOGIN, {"login": f"x{number}@example.com", "password": "wrong"})
    limited = AuditEntry.objects.count()
    assert 0 < limited <= 20, "the limit on tries lets no more of them through"
    monkeypatch.setattr(noting, "MOST_FAILURES", limited + 2)
    for number in range(10):
        client = Client(REMOTE_ADDR=f"198.51.100.{number}")
        client.post(LOGIN, {"login": "x@y.example" if number else "z" * 300, "password": "wrong"})
        client.post(LOGIN, {"login": f"y{number}@example.com", "password": "wrong"})
    assert AuditEntry.objects.count() == limited + 2
    assert "not noted" in AuditEntry.objects.latest("pk").details["rest"]


def test_a_password_that_is_changed_or_reset(
    owner: Person, client_of: ClientOf, next_mail: Callable[[], EmailMessage]
) -> None:
    fields = {"oldpassword": demo.PASSWORD, "password1": NEW, "password2": NEW}
    assert client_of(owner).post(CHANGE, fields).status_code == 302
    client = Client()
    client.post(RESET, {"email": owner.email})
    while "/key/" not in str((message := next_mail()).body):
        pass
    place = client.get(link_in(message), follow=True).redirect_chain[-1][0]
    client.post(place, {"password1": NEW + "8", "password2": NEW + "8"})
    changes = [entry for entry in noted() if entry[0] == "account.password"]
    me = owner.email
    assert changes == [
        ("account.password", me, me, {}),
        ("account.password", me, me, {"by": "a link in a mail"}),
    ]


def test_second_factors_and_addresses(owner: Person, rf: RequestFactory) -> None:
    """As allauth says it; its own flows are walked where their pages are tested."""
    request = rf.post("/")
    request.user = owner
    totp = Authenticator(user=owner, type=Authenticator.Type.TOTP)
    codes = Authenticator(user=owner, type=Authenticator.Type.RECOVERY_CODES)
    of: dict[str, Any] = {"sender": Authenticator, "request": request, "user": owner}
    mfa.authenticator_added.send(**of, authenticator=totp)
    mfa.authenticator_added.send(**of, authenticator=codes)
    mfa.authenticator_reset.send(**of, authenticator=codes)
    mfa.authenticator_used.send(**of, authenticator=totp)
    mfa.authenticator_used.send(**of, authenticator=codes)
    mfa.authenticator_removed.send(**of, authenticator=totp)
    mfa.authentication_failed.send(**of, authenticator=totp)
    account.email_changed.send(
        **of,
        from_email_address=EmailAddress(email="old@example.com"),
        to_email_address=EmailAddress(email="new@example.com"),
    )
    assert [(event, details) for event, _, _, details in noted()] == [
        ("mfa.added", {"kind": "totp"}),
        ("mfa.recovery-codes", {}),
        ("mfa.recovery-codes", {}),
        ("mfa.recovery-code-used", {}),
        ("mfa.removed", {"kind": "totp"}),
        ("sign-in.failed", {"by": "totp"}),
        ("account.email", {"old": "old@example.com", "new": "new@example.com"}),
    ]


def test_signing_in_with_a_code_counts_when_the_code_was_right(owner: Person) -> None:
    app_of(owner)
    client = Client()
    client.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
    assert not AuditEntry.objects.exists()
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code in (200, 422)
    client.post(reverse("mfa_authenticate"), {"code": code()})
    assert [(event, details) for event, _, _, details in noted()] == [
        ("sign-in.failed", {"by": "totp"}),
        ("sign-in.done", {"by": ["password", "mfa"]}),
    ]


def test_what_a_superuser_changes_in_the_administration(
    owner: Person, mate: Person, stranger: Person, team: Team, admin: Person, client_of: ClientOf
) -> None:
    Person.objects.filter(pk=admin.pk).update(is_superuser=True)
    client = client_of(admin)
    person = f"/admin/chats/person/{mate.pk}"
    fields = {"email": "m8@example.com", "name": mate.name, "is_staff": "on"}
    assert client.post(f"{person}/change/", fields).status_code == 302
    chosen = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert client.post(f"{person}/password/", chosen).status_code == 302
    membership = Membership.objects.get(person=mate)
    of_mate = f"/admin/chats/membership/{membership.pk}"
    assert client.post(f"{of_mate}/change/", {"role": "viewer"}).status_code == 302
    assert client.post(f"{of_mate}/delete/", {"post": "yes"}).status_code == 302
    new = {"person": stranger.pk, "team": team.pk, "role": "member"}
    assert client.post("/admin/chats/membership/add/", new).status_code == 302
    last = Membership.objects.get(person=owner)
    refused = client.post(f"/admin/chats/membership/{last.pk}/change/", {"role": "member"})
    assert "Nobody else could act" in refused.content.decode()
    client.post(f"/admin/chats/membership/{last.pk}/delete/", {"post": "yes"})
    assert Membership.objects.filter(pk=last.pk, role="owner").exists()
    renamed = {"name": "Web", "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    assert client.post(f"/admin/chats/team/{team.pk}/change/", renamed).status_code == 302
    me, they = admin.email, "m8@example.com"
    of_team = noted()
    assert [entry[:3] for entry in of_team] == [
        ("account.email", me, they),
        ("account.password", me, they),
        ("team.role", me, they),
        ("team.removed", me, they),
        ("team.joined", me, stranger.email),
        ("team.changed", me, ""),
    ]
    assert of_team[2][3] == {"old": "member", "new": "viewer"}
