"""What a password may be: long, of anything, taken as it is; and not what is guessed here first."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django.fixtures import Settings

from chats.models import Person

LONG = "ä 雪 -" * 40


def link(email: str) -> str:
    return f"/accounts/signup/{signing.dumps(email, salt='chats.accounts.sign-up')}/"


@pytest.mark.parametrize(
    "password", [LONG, "  spaces around  ", "onlyletters-but-odd", "8402 5113 9077 x"]
)
def test_any_composition_and_length_is_taken_as_it_is(
    owner: Person, settings: Settings, password: str
) -> None:
    settings.V0_SIGN_UP = "open"
    fields = {"name": "New", "password": password, "repeated": password}
    assert Client().post(link("new@example.com"), fields).status_code == 302
    for typed, enters in ((password, True), (password[:-1], False), (password.upper(), False)):
        client = Client()
        client.post("/accounts/login/", {"login": "new@example.com", "password": typed})
        assert ("_auth_user_id" in client.session) == enters, typed


@pytest.mark.parametrize(
    "password",
    ["v0web2026", "Vercel-123", "chat.kettle", "Kettle!2026", "acme2026", "short", "password123"],
)
def test_what_is_guessed_here_first_is_refused(settings: Settings, password: str) -> None:
    settings.ALLOWED_HOSTS = ["chat.kettle.example"]
    settings.V0_PASSWORD_WORDS = ["Acme"]
    with pytest.raises(ValidationError):
        validate_password(password)


def test_such_a_word_in_a_longer_password_does_no_harm(settings: Settings) -> None:
    settings.V0_PASSWORD_WORDS = ["Acme"]
    validate_password("acme and three odd words")


def test_every_field_of_a_password_hides_it_and_lets_managers_fill_it(
    owner: Person, settings: Settings
) -> None:
    settings.V0_SIGN_UP = "open"
    pages = ["/accounts/login/", link("new@example.com")]
    fields = [
        field
        for page in pages
        for field in re.findall(
            r"<input[^>]*name=\"(?:password|repeated)[^>]*>", Client().get(page).text
        )
    ]
    assert len(fields) >= 3
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(current|new)-password"', field), field
        assert "maxlength" not in field
        assert "onpaste" not in field


def test_there_are_no_hints_and_no_questions() -> None:
    names = {field.name for field in Person._meta.get_fields()}
    assert not {name for name in names if "hint" in name or "question" in name}
