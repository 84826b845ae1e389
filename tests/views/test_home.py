"""`/`: one question, and the list of chats."""

from __future__ import annotations

import pytest

from chats.models import Person
from tests.views.conftest import ChatOf, ClientOf, no_writes


def test_anonymous_is_led_to_sign_in_and_back(client_of: ClientOf, db: None) -> None:
    response = client_of(None).get("/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/"


def test_asks_one_question_with_a_fresh_token_each_time(client_of: ClientOf, owner: Person) -> None:
    client = client_of(owner)
    with no_writes():
        first, second = client.get("/"), client.get("/")
    assert "What do you want to create?" in first.content.decode()
    assert first.context["token"] != second.context["token"]


def test_an_example_fills_the_text_without_scripts(client_of: ClientOf, owner: Person) -> None:
    response = client_of(owner).get("/", {"prompt": "A <b>page</b>"})
    assert ">A &lt;b&gt;page&lt;/b&gt;</textarea>" in response.content.decode()


def test_lists_the_chats_that_somebody_may_see_and_no_others(
    client_of: ClientOf, owner: Person, stranger: Person, chat_of: ChatOf
) -> None:
    chat_of(owner, "mine")
    chat_of(stranger, "theirs")
    page = client_of(owner).get("/").content.decode()
    assert "About mine" in page
    assert "About theirs" not in page


def test_a_first_visit_says_where_chats_will_be(client_of: ClientOf, owner: Person) -> None:
    assert "Your chats will be listed here" in client_of(owner).get("/").content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_home_is_only_read(client_of: ClientOf, owner: Person, method: str) -> None:
    assert getattr(client_of(owner), method)("/").status_code == 405


def test_says_which_upstream_is_in_use(client_of: ClientOf, owner: Person) -> None:
    assert "a local stand-in for v0" in client_of(owner).get("/").content.decode()
