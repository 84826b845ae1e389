"""The demo people: four, in one team of two, and never where something is at stake."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from chats import demo
from chats.models import Membership, Person


@pytest.fixture(autouse=True)
def in_the_sandbox(settings: Settings) -> None:
    settings.DEBUG, settings.UPSTREAM = True, "sandbox"


def test_they_are_who_the_design_says(db: None) -> None:
    demo.make_people()
    rights = {p.email: (p.is_staff, p.is_superuser) for p in Person.objects.all()}
    nothing = (False, False)
    assert rights == {
        "owner@example.com": nothing,
        "mate@example.com": nothing,
        "stranger@example.com": nothing,
        "admin@example.com": (True, False),
    }
    roles = {m.person.email: m.role for m in Membership.objects.select_related("person")}
    assert roles == {"owner@example.com": "owner", "mate@example.com": "member"}


def test_all_of_them_sign_in(db: None) -> None:
    demo.make_people()
    for email in demo.NAMES:
        client = Client()
        client.post("/accounts/login/", {"login": email, "password": "demo"})
        assert client.session["_auth_user_id"]


def test_making_them_again_changes_nothing(db: None) -> None:
    demo.make_people()
    Person.objects.filter(email="mate@example.com").update(name="Changed", is_active=False)
    before = list(Person.objects.order_by("pk").values())
    demo.make_people()
    assert list(Person.objects.order_by("pk").values()) == before
    assert Membership.objects.count() == 2


@pytest.mark.parametrize(("debug", "upstream"), [(False, "sandbox"), (True, "v0"), (False, "v0")])
def test_they_are_refused_outside_the_sandbox(
    db: None, settings: Settings, debug: bool, upstream: str
) -> None:
    settings.DEBUG, settings.UPSTREAM = debug, upstream
    with pytest.raises(RuntimeError):
        demo.make_people()
    assert not Person.objects.exists()
