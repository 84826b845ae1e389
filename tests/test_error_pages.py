"""What a person sees when something of ours is broken: a page that says what to do, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from chats.models import Person

CANARY = "canary: the words of an exception"


def answer(client: Client, error: Exception, *, post: bool = False) -> Any:
    """What a page is while every query ends with `error`."""

    def fails(*_: Any) -> None:
        raise error

    client.raise_request_exception = False
    with connection.execute_wrapper(fails):
        if post:
            return client.post("/chats/", {"message": "Hello"})
        return client.get("/")


@pytest.mark.parametrize("error", [OperationalError(CANARY), InterfaceError(CANARY)])
@pytest.mark.parametrize("post", [False, True])
def test_a_database_that_is_away_is_a_503_to_try_again(
    client_of: Callable[[Person], Client], owner: Person, error: Exception, *, post: bool
) -> None:
    found = answer(client_of(owner), error, post=post)
    page = found.content.decode()
    assert (found.status_code, found["Retry-After"]) == (503, "10")
    assert "<h1>Back in a moment</h1>" in page
    assert "goes out only once" in page
    assert CANARY not in page
    assert "http-equiv" not in page, "What is on its way is not sent again by a page that reloads."


def test_an_error_of_ours_is_a_500_in_the_same_style_without_its_words(
    client_of: Callable[[Person], Client], owner: Person
) -> None:
    found = answer(client_of(owner), ValueError(CANARY))
    page = found.content.decode()
    assert found.status_code == 500
    assert "<h1>Something broke on our side</h1>" in page
    assert "styles/frame.css" in page
    assert CANARY not in page
