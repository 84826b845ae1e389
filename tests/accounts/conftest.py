"""What the tests of accounts share: a browser that checks its tokens, mail, limits that start anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client

from chats import accounts


@pytest.fixture(autouse=True)
def no_attempts_so_far() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def all_posted() -> None:
    """Whatever the one thread that sends mail was given is done."""
    accounts._post.submit(lambda: None).result(timeout=20)


@pytest.fixture(autouse=True)
def mail_of_its_own() -> Iterator[None]:
    """What a test has set off does not arrive in the next one."""
    yield
    all_posted()


@pytest.fixture
def browser_of_nobody() -> Client:
    return Client()


@pytest.fixture
def next_mail() -> Callable[[], EmailMessage]:
    """Waits for the mail that is on its way."""

    def next_mail() -> EmailMessage:
        deadline = time.monotonic() + 10
        while not mail.outbox:
            assert time.monotonic() < deadline, "no mail was sent"
            all_posted()
        return mail.outbox.pop(0)

    return next_mail
