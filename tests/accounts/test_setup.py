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
from chats.models import AuditEntry, Event, Person, SetupLink

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


def test_each_link_that_was_printed_works_until_one_is_used(db: None) -> None:
    first, second, third = (accounts.make_setup_link() for _ in range(3))
    assert use(second).status_code == 302
    assert use(first, email="second@example.com").status_code == 404
    assert use(third, email="third@example.com").status_code == 404
    assert Person.objects.count() == 1


def test_no_link_opens_anything_where_somebody_has_an_account(owner: Person) -> None:
    assert use(accounts.make_setup_link()).status_code == 404
    assert Client().get("/setup/").status_code == 404
    assert Client().post("/setup/", {"token": accounts.make_setup_link()}).status_code == 404
    assert accounts.invitation_to_begin() == ""


def test_the_token_itself_is_not_stored(db: None) -> None:
    token = accounts.make_setup_link()
    assert len(token) >= 43
    assert SetupLink.objects.get().digest == hashlib.sha256(token.encode()).hexdigest()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"email": "no address"}, "Enter a valid email address"),
        ({"name": ""}, "This field is required"),
        ({"repeated": "something-else-7"}, "not the same"),
        ({"password": "password", "repeated": "password"}, "too common"),
        ({"password": "first@example.com", "repeated": "first@example.com"}, "too similar"),
        ({"password": "", "repeated": ""}, "This field is required"),
    ],
)
def test_a_form_with_a_mistake_is_said_so_and_leaves_the_link_open(
    db: None, changed: dict[str, str], sentence: str
) -> None:
    token = accounts.make_setup_link()
    response = Client().post(f"/setup/{token}/", FIELDS | changed)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert FIELDS["password"] not in response.content.decode()
    assert not Person.objects.exists()
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
@pytest.mark.parametrize("links", [1, 2])
def test_two_at_once_make_one_person(links: int) -> None:
    made = [accounts.make_setup_link() for _ in range(links)]
    tokens, barrier = [made[0], made[-1]], Barrier(2)

    def both(token: str, email: str) -> int:
        client = Client()
        client.get(f"/setup/{token}/")
        barrier.wait(timeout=20)
        try:
            return use(token, client, email=email).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        codes = sorted(pool.map(both, tokens, ["one@example.com", "two@example.com"]))
    assert codes == [302, 404]
    assert Person.objects.count() == 1


@pytest.mark.parametrize(
    "page", ["/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/adopt/"]
)
def test_pages_of_an_empty_installation_lead_to_the_first_account(db: None, page: str) -> None:
    response = Client().get(page, follow=True)
    assert response.redirect_chain[-1][0] == "/setup/"
    assert "This installation is new" in response.content.decode()


def test_the_token_or_the_whole_line_opens_the_form(db: None) -> None:
    link = accounts.invitation_to_begin().rpartition(" ")[2]
    token = link.rstrip("/").rpartition("/")[2]
    for typed in (token, f" {link} "):
        response = Client().post("/setup/", {"token": typed})
        assert (response.status_code, response["Location"]) == (302, f"/setup/{token}/")


def test_another_token_is_said_so(db: None) -> None:
    accounts.make_setup_link()
    for typed, sentence in (("guess", "not the token"), ("", "required"), ("/", "not the token")):
        response = Client().post("/setup/", {"token": typed})
        assert response.status_code == 422
        assert sentence in response.content.decode()
        assert 'aria-invalid="true"' in response.content.decode()


def test_wrong_tokens_are_counted_and_the_right_one_still_opens(db: None) -> None:
    client, token = Client(), accounts.make_setup_link()
    codes = [client.post("/setup/", {"token": f"guess{n}"}).status_code for n in range(30)]
    codes += [client.get(f"/setup/guess{n}/").status_code for n in range(30)]
    assert codes == [422] * 20 + [429] * 40
    assert client.post("/setup/", {"token": token}).status_code == 302
    assert use(token, client).status_code == 302


def test_the_first_account_is_noted(db: None) -> None:
    use(accounts.make_setup_link())
    entry = AuditEntry.objects.get(event=Event.ACCOUNT_MADE)
    assert (entry.actor_name, entry.address) == ("first@example.com", "127.0.0.1")
