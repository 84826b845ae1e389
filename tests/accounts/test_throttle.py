"""Guessing, counted at the wire: it ends, and no owner is ever locked out by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django.fixtures import Settings

from chats import demo
from chats.accounts import throttle
from chats.models import Person

LOGIN, RESET = "/accounts/login/", "/accounts/password/reset/"
NEW = "a-long-and-odd-one-7"
STRANGERS = [f"198.51.100.{n}" for n in range(1, 201)]
NextMail = Callable[[], EmailMessage]


@pytest.fixture(autouse=True)
def no_demo(settings: Settings) -> None:
    """Its people on the page to sign in take longer than all the rest of it."""
    settings.UPSTREAM = "v0"


class Browser(Client):
    """Django's client without its notes of each template, which take longer than the page: there are many."""

    def request(self, **request: Any) -> Any:
        response = self.handler(self._base_environ(**request))  # type: ignore[attr-defined]
        if response.cookies:
            self.cookies.update(response.cookies)
        return response


@pytest.fixture
def few_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five wrong tries of strangers, not fifty, make all of them suspicious."""
    monkeypatch.setitem(throttle.RATES, "account", "5/h/key")


def at(address: str, *, knows: Client | None = None) -> Client:
    """A browser there; one that `knows` has the cookies of the other."""
    client = Browser(REMOTE_ADDR=address)
    if knows is not None:
        client.cookies = knows.cookies
    return client


def guess(client: Client, person: Person | str, password: str = "guess") -> int:
    login = person if isinstance(person, str) else person.email
    return client.post(LOGIN, {"login": login, "password": password}).status_code


def signs_in(client: Client, person: Person, password: str = demo.PASSWORD) -> bool:
    guess(client, person, password)
    return "_auth_user_id" in client.session


def known(person: Person, address: str = "192.0.2.1") -> Client:
    """A browser that has signed in before, and out again."""
    client = at(address)
    assert signs_in(client, person)
    client.post("/accounts/logout/")
    return client


def test_one_address_has_few_tries_at_one_account(owner: Person) -> None:
    known_browser, stranger = known(owner), at("198.51.100.7")
    codes = [guess(stranger, owner) for _ in range(200)]
    assert codes == [200] * 5 + [429] * 195
    assert not signs_in(stranger, owner)
    assert (
        "Too many wrong tries" in stranger.post(LOGIN, {"login": owner.email, "password": "x"}).text
    )
    assert signs_in(at("203.0.113.5"), owner), "a new browser elsewhere"
    assert signs_in(at("198.51.100.7", knows=known_browser), owner), (
        "a known one beside the stranger"
    )


def test_one_address_has_few_tries_at_many_accounts(owner: Person) -> None:
    known_browser, stranger = known(owner), at("198.51.100.7")
    codes = [guess(stranger, f"nobody{n}@example.com") for n in range(30)]
    assert codes == [200] * 10 + [429] * 20
    assert signs_in(at("203.0.113.5"), owner)
    assert signs_in(at("198.51.100.7", knows=known_browser), owner)


def test_many_addresses_have_few_tries_at_one_account(owner: Person) -> None:
    known_browser = known(owner)
    assert [guess(at(address), owner) for address in STRANGERS] == [200] * 200
    again = [guess(at(address), owner) for address in STRANGERS[::20] for _ in range(2)]
    assert again == [429] * 20, "one try an hour for each of so many"
    assert signs_in(known_browser, owner), "a known browser"
    assert signs_in(at("203.0.113.5"), owner), "a new one with the right password"
    assert not signs_in(at(STRANGERS[-1]), owner), "not where somebody has just guessed"


def test_an_unknown_account_is_counted_as_one_that_is_there(owner: Person) -> None:
    for login in (owner.email, "nobody@example.com"):
        assert [guess(at(STRANGERS[0]), login) for _ in range(6)] == [200] * 5 + [429]
        cache.clear()


def test_a_known_browser_has_few_tries_too(owner: Person) -> None:
    client = known(owner)
    assert [guess(client, owner) for _ in range(7)] == [200] * 5 + [429] * 2
    assert signs_in(at("203.0.113.5"), owner)


def test_a_browser_known_to_one_account_is_not_known_to_another(
    owner: Person, mate: Person
) -> None:
    client = known(mate, "198.51.100.7")
    codes = [guess(client, owner) for _ in range(4)]
    codes += [guess(at("198.51.100.7"), owner) for _ in range(2)]
    assert codes == [200] * 5 + [429]


def test_addresses_of_one_network_count_as_one_in_ipv6(owner: Person) -> None:
    codes = [guess(at(f"2001:db8::{n:x}"), owner) for n in range(1, 8)]
    assert codes == [200] * 5 + [429] * 2


@pytest.mark.usefixtures("few_suffice")
def test_a_new_password_by_mail_opens_the_door_again(owner: Person, next_mail: NextMail) -> None:
    here = at(STRANGERS[0])
    for address in STRANGERS[:5]:
        guess(at(address), owner)
    assert not signs_in(here, owner)
    here.post(RESET, {"email": owner.email})
    link = str(next_mail().body).split("testserver")[1].split()[0]
    place = here.get(link, follow=True).redirect_chain[-1][0]
    here.post(place, {"password1": NEW, "password2": NEW})
    assert signs_in(here, owner, NEW)


def test_mails_that_strangers_ask_for_are_few_and_the_owner_has_them(
    owner: Person, next_mail: NextMail
) -> None:
    codes = [
        at(address).post(RESET, {"email": owner.email}).status_code for address in STRANGERS[:40]
    ]
    assert codes == [302] * 40, "nobody is told that there were too many"
    links = [str(next_mail().body).split("testserver")[1].split()[0] for _ in range(5)]
    assert mail.outbox == []
    assert "no longer works" not in Client().get(links[0], follow=True).content.decode()


def test_one_address_asks_for_few_mails(owner: Person) -> None:
    client = at("198.51.100.7")
    codes = [client.post(RESET, {"email": f"nobody{n}@example.com"}).status_code for n in range(40)]
    assert codes == [302] * 20 + [429] * 20
    assert at("203.0.113.5").post(RESET, {"email": owner.email}).status_code == 302


@pytest.fixture
def right_code(owner: Person) -> Callable[[], str]:
    """The owner has an authenticator and recovery codes; gives one of the codes that is right."""
    TOTP.activate(owner, generate_totp_secret())
    codes = RecoveryCodes.activate(owner)
    unused = iter(codes.get_unused_codes())
    return lambda: next(unused)


@pytest.mark.usefixtures("few_suffice")
def test_codes_are_counted_as_passwords_are(owner: Person, right_code: Callable[[], str]) -> None:
    second = "/accounts/second-factor/"

    def try_code(client: Client, code: str) -> bool:
        guess(client, owner, demo.PASSWORD)
        client.post(second, {"code": code})
        return "_auth_user_id" in client.session

    known_browser = at("192.0.2.1")
    assert try_code(known_browser, right_code())
    known_browser.post("/accounts/logout/")
    stranger, wrong = at("198.51.100.7"), 0
    guess(stranger, owner, demo.PASSWORD)
    for _ in range(40):
        page = stranger.post(second, {"code": "000000"}).content.decode()
        wrong += "Too many" not in page
    assert wrong == 5
    assert not try_code(stranger, right_code()), "not where somebody has just guessed"
    for address in STRANGERS[:5]:
        try_code(at(address), "000000")
    assert try_code(at("203.0.113.5"), right_code()), "a new browser with a right code"
    assert try_code(known_browser, right_code()), "a known one"
