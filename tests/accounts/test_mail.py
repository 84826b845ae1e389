"""Where mail goes, by the address of its server."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from v0web.settings import mail


@pytest.mark.parametrize(
    ("url", "port", "ssl", "tls"),
    [
        ("smtp://mail.example", 587, False, True),
        ("smtp://mail.example:2525", 2525, False, True),
        ("smtps://mail.example", 465, True, False),
        ("smtp://localhost:25", 25, False, False),
    ],
)
def test_it_is_encrypted_wherever_somebody_could_listen(
    url: str, port: int, ssl: bool, tls: bool
) -> None:
    made = mail(url)
    assert (made["EMAIL_PORT"], made["EMAIL_USE_SSL"], made["EMAIL_USE_TLS"]) == (port, ssl, tls)


def test_user_and_password_are_taken_from_the_address_and_kept_out_of_sight() -> None:
    made = mail("smtp://who%40example.com:se%2Fcret@mail.example")
    assert (made["EMAIL_HOST"], made["EMAIL_HOST_USER"]) == ("mail.example", "who@example.com")
    assert made["EMAIL_HOST_PASSWORD"] == "se/cret"
    assert "se/cret" not in repr(made)


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
def test_another_address_stops_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        mail(url)


def test_without_a_server_a_developer_reads_it_in_the_terminal() -> None:
    assert mail("")["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend"
