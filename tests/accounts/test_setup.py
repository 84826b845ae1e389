"""The one-time link of a new installation: one person, once, and never again."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client

from chats import accounts
from chats.models import Person, SetupLink

FIELDS = {
    "email": "First@Example.com",
    "name": "First Person",
    "password": "a-long-and-odd-one-7",
    "repeated": "a-long-and-odd-one-7",
}


def use(token: str, client: Client | None = None, **changed: str) -> HttpResponseBase:
    return (client or Client()).post(f"/setup/{token}/", FIELDS | changed)


def test_it_makes_a_superuser_and_signs_them_in(db: None) -> None:
    token, client = accounts.make_setup_link(), Client()
    assert "Make the first account" in client.get(f"/setup/{token}/").content.decode()
    response = use(token, client)
    assert (response.status_code, response["Location"]) == (302, "/")
    person = Person.objects.get()
    assert (person.email, person.name) == ("first@example.com", "First Person")
    assert (person.is_superuser, person.is_staff) == (True, True)
    assert client.session["_auth_user_id"] == str(person.pk)
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": person.email, "password": FIELDS["password"]})
    assert client.session["_auth_user_id"] == str(person.pk)


def test_it_works_once(db: None) -> None:
    token = accounts.make_setup_link()
    use(token)
    assert Client().get(f"/setup/{token}/").status_code == 404
    assert use(token, email="second@example.com").status_code == 404
    assert Person.objects.count() == 1


@pytest.mark.parametrize("token", ["unknown", "x" * 43, "%00", "a b"])
def test_an_unknown_token_is_a_page_that_does_not_exist(db: None, token: str) -> None:
    assert Client().get(f"/setup/{token}/").status_code == 404
    assert use(token).status_code == 404
    assert not Person.objects.exists()


def test_a_used_and_an_unknown_link_look_the_same(db: None) -> None:
    token = accounts.make_setup_link()
    use(token)
    pages = [Client().get(f"/setup/{t}/").content.decode() for t in (token, "x" * len(token))]
    assert pages[0].replace(token, "TOKEN") == pages[1].replace("x" * len(token), "TOKEN")


def test_a_new_link_replaces_the_one_that_nobody_used(db: None) -> None:
    first, second = accounts.make_setup_link(), accounts.make_setup_link()
    assert use(first).status_code == 404
    assert use(second).status_code == 302


def test_a_link_that_was_used_stays_on_record(db: None) -> None:
    use(accounts.make_setup_link())
    accounts.make_setup_link()
    assert SetupLink.objects.exclude(used_at=None).count() == 1


def test_the_token_itself_is_not_stored(db: None) -> None:
    token = accounts.make_setup_link()
    assert len(token) >= 43
    assert SetupLink.objects.get().digest == hashlib.sha256(token.encode()).hexdigest()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"email": "no address"}, "Enter a valid email address"),
        ({"email": "owner@example.com"}, "already an account"),
        ({"name": ""}, "This field is required"),
        ({"repeated": "something-else-7"}, "not the same"),
        ({"password": "password", "repeated": "password"}, "too common"),
        ({"password": "first@example.com", "repeated": "first@example.com"}, "too similar"),
        ({"password": "", "repeated": ""}, "This field is required"),
    ],
)
def test_a_form_with_a_mistake_is_said_so_and_leaves_the_link_open(
    owner: Person, changed: dict[str, str], sentence: str
) -> None:
    token = accounts.make_setup_link()
    response = Client().post(f"/setup/{token}/", FIELDS | changed)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert FIELDS["password"] not in response.content.decode()
    assert Person.objects.count() == 1
    assert use(token).status_code == 302


def test_it_takes_no_other_rights_from_the_form(db: None) -> None:
    token = accounts.make_setup_link()
    use(token, is_active="", id="77", date_joined="2001-01-01")
    person = Person.objects.get()
    assert person.is_active
    assert person.pk != 77
    assert person.date_joined.year > 2001


def test_it_needs_the_forms_token(db: None) -> None:
    token = accounts.make_setup_link()
    assert use(token, Client(enforce_csrf_checks=True)).status_code == 403
    assert not Person.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_person() -> None:
    for _ in range(5):
        Person.objects.all().delete()
        token, barrier = accounts.make_setup_link(), Barrier(2)

        def both(email: str, token: str = token, barrier: Barrier = barrier) -> int:
            client = Client()
            client.get(f"/setup/{token}/")
            barrier.wait(timeout=20)
            try:
                return use(token, client, email=email).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            codes = sorted(pool.map(both, ["one@example.com", "two@example.com"]))
        assert codes == [302, 404]
        assert Person.objects.count() == 1
