"""A forgotten password and a changed one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django.fixtures import Settings

from chats import demo
from chats.models import Person
from tests.accounts.conftest import all_posted

RESET, CHANGE = "/accounts/password/reset/", "/accounts/password/change/"
NEW = "a-long-and-odd-one-7"
ClientOf = Callable[[Person | None], Client]
NextMail = Callable[[], EmailMessage]


def link_in(message: EmailMessage) -> str:
    found = re.search(r"https?://testserver(/\S+)", str(message.body))
    assert found, message.body
    return found[1]


def signs_in(email: str, password: str, client: Client | None = None) -> bool:
    client = client or Client()
    client.post("/accounts/login/", {"login": email, "password": password})
    return "_auth_user_id" in client.session


def test_a_link_by_mail_chooses_a_new_password_once(
    owner: Person, client_of: ClientOf, next_mail: NextMail
) -> None:
    signed_in = client_of(owner)
    client = Client()
    assert client.post(RESET, {"email": owner.email})["Location"] == f"{RESET}done/"
    message = next_mail()
    assert (message.to, message.subject) == ([owner.email], "Choose a new password for v0web")
    page = client.get(link_in(message), follow=True)
    place = page.redirect_chain[-1][0]
    assert "set-password" in place, "the key must not stay in the address"
    saved = client.post(place, {"password1": NEW, "password2": NEW})
    assert saved["Location"] == f"{RESET}key/done/"
    assert signs_in(owner.email, NEW)
    assert not signs_in(owner.email, demo.PASSWORD)
    assert signed_in.get(CHANGE).status_code == 302, "sessions of before must have ended"
    again = Client().get(link_in(message), follow=True)
    assert "no longer works" in again.content.decode()


def test_known_unknown_and_deactivated_addresses_get_the_same_answer(
    owner: Person, mate: Person, next_mail: NextMail
) -> None:
    Person.objects.filter(pk=mate.pk).update(is_active=False)
    answers = []
    for email in (mate.email, "nobody@example.com", owner.email):
        response = Client().post(RESET, {"email": email}, follow=True)
        page = re.sub(r'value="\w+"', "", response.content.decode())
        answers.append((response.status_code, response.redirect_chain, page))
    assert answers[0] == answers[1] == answers[2]
    assert next_mail().to == [owner.email]
    assert mail.outbox == []


def test_a_mail_server_that_fails_shows_to_nobody(
    owner: Person, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    response = Client().post(RESET, {"email": owner.email})
    assert response.status_code == 302
    all_posted()
    assert "mail could not be sent" in caplog.text


def test_a_new_password_by_mail_forgives_the_failed_attempts(
    owner: Person, next_mail: NextMail
) -> None:
    client = Client()
    for _ in range(6):
        client.post("/accounts/login/", {"login": owner.email, "password": "guess"})
    assert not signs_in(owner.email, demo.PASSWORD, client)
    client.post(RESET, {"email": owner.email})
    place = client.get(link_in(next_mail()), follow=True).redirect_chain[-1][0]
    client.post(place, {"password1": NEW, "password2": NEW})
    assert signs_in(owner.email, NEW, client)


def test_a_new_password_by_mail_takes_no_second_factor_away(
    owner: Person, next_mail: NextMail
) -> None:
    TOTP.activate(owner, generate_totp_secret())
    client = Client()
    client.post(RESET, {"email": owner.email})
    place = client.get(link_in(next_mail()), follow=True).redirect_chain[-1][0]
    client.post(place, {"password1": NEW, "password2": NEW})
    assert "_auth_user_id" not in client.session
    response = client.post("/accounts/login/", {"login": owner.email, "password": NEW})
    assert response["Location"] == "/accounts/second-factor/"
    assert "_auth_user_id" not in client.session


def test_a_forged_host_gets_no_link(owner: Person) -> None:
    response = Client().post(RESET, {"email": owner.email}, HTTP_HOST="elsewhere.example")
    assert response.status_code == 400
    all_posted()
    assert mail.outbox == []


def test_where_no_mail_is_sent_the_page_says_so(owner: Person, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    page = Client().get(RESET).content.decode()
    assert "sends no mail" in page
    assert "Send the link" not in page


def test_a_changed_password_ends_other_sessions_and_keeps_this_one(
    owner: Person, client_of: ClientOf, next_mail: NextMail
) -> None:
    here, elsewhere = client_of(owner), client_of(owner)
    fields = {"oldpassword": demo.PASSWORD, "password1": NEW, "password2": NEW}
    response = here.post(CHANGE, fields, follow=True)
    assert "Saved." in response.content.decode()
    told = next_mail()
    assert told.to == [owner.email]
    assert "tell whoever runs this installation" in str(told.body)
    assert elsewhere.get(CHANGE).status_code == 302
    assert signs_in(owner.email, NEW)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"oldpassword": "wrong"}, "not your present password"),
        ({"password2": "another-one-7"}, "same password each time"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password1": "password123", "password2": "password123"}, "too common"),
    ],
)
def test_a_password_is_not_changed_by_a_form_with_a_mistake(
    owner: Person, client_of: ClientOf, fields: dict[str, str], sentence: str
) -> None:
    right = {"oldpassword": demo.PASSWORD, "password1": NEW, "password2": NEW}
    response = client_of(owner).post(CHANGE, right | fields)
    page = response.content.decode()
    assert sentence in page
    assert 'aria-invalid="true"' in page
    assert signs_in(owner.email, demo.PASSWORD)
