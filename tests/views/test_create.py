"""`POST /chats/`: the first message of a new chat, at most once for each token."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from chats.models import Chat, Intent, Message, Person
from tests.views.conftest import ClientOf

TEXT = "A page about tea"


@pytest.fixture
def client(client_of: ClientOf, owner: Person) -> Client:
    return client_of(owner)


def test_writes_a_chat_two_messages_and_an_intent_and_goes_there(
    client: Client, owner: Person
) -> None:
    response = client.post("/chats/", {"message": TEXT, "token": str(uuid4())})
    chat = Chat.objects.get()
    assert response.status_code == 303
    assert response["Location"] == f"/chats/{chat.id}/"
    assert (chat.owner, chat.team, chat.privacy, chat.v0_id) == (owner, None, "private", None)
    assert list(chat.messages.values_list("position", "role", "state", "text", "author")) == [
        (1, "user", "sending", TEXT, owner.pk),
        (2, "assistant", "sending", "", None),
    ]
    intent = Intent.objects.get()
    assert (intent.kind, intent.state, intent.payload) == ("create", "waiting", {"message": TEXT})
    assert client.get(response["Location"]).status_code == 200


def test_the_same_form_twice_is_one_chat(client: Client) -> None:
    form = {"message": TEXT, "token": str(uuid4())}
    first, second = client.post("/chats/", form), client.post("/chats/", form)
    assert first.status_code == second.status_code == 303
    assert first["Location"] == second["Location"]
    assert (Chat.objects.count(), Message.objects.count(), Intent.objects.count()) == (1, 2, 1)


def test_the_same_token_with_other_text_keeps_the_text_and_brings_a_fresh_token(
    client: Client,
) -> None:
    token = str(uuid4())
    client.post("/chats/", {"message": TEXT, "token": token})
    response = client.post("/chats/", {"message": "Something else", "token": token})
    assert response.status_code == 409
    assert ">Something else</textarea>" in response.content.decode()
    assert str(response.context["token"]) != token
    assert Chat.objects.count() == 1


def test_a_token_belongs_to_one_person(
    client: Client, client_of: ClientOf, stranger: Person
) -> None:
    form = {"message": TEXT, "token": str(uuid4())}
    client.post("/chats/", form)
    assert client_of(stranger).post("/chats/", form).status_code == 303
    assert set(Chat.objects.values_list("owner__email", flat=True)) == {
        "owner@example.com",
        "stranger@example.com",
    }


@pytest.mark.parametrize("text", ["", "   ", "\r\n \n", "\0"], ids=repr)
def test_nothing_to_say_is_said(client: Client, text: str) -> None:
    response = client.post("/chats/", {"message": text, "token": str(uuid4())})
    assert response.status_code == 422
    assert "Write something first." in response.content.decode()
    assert not Chat.objects.exists()


def test_a_text_that_is_too_long_is_kept(client: Client) -> None:
    text = "x" * (settings.V0_MESSAGE_LIMIT + 1)
    response = client.post("/chats/", {"message": text, "token": str(uuid4())})
    assert response.status_code == 422
    page = response.content.decode()
    assert f">{text}</textarea>" in page
    assert "100,001 characters long; 100,000 is the most" in page
    assert not Chat.objects.exists()


@pytest.mark.parametrize("token", [None, "", "null", "1", "x" * 5000, "\0"], ids=repr)
def test_a_form_without_a_token_is_too_old_and_its_text_is_kept(
    client: Client, token: str | None
) -> None:
    form = {"message": TEXT} if token is None else {"message": TEXT, "token": token}
    response = client.post("/chats/", form)
    assert response.status_code == 422
    assert f">{TEXT}</textarea>" in response.content.decode()
    assert not Intent.objects.exists()


def test_no_other_field_has_any_effect(client: Client, owner: Person, stranger: Person) -> None:
    client.post(
        "/chats/",
        {
            "message": TEXT,
            "token": str(uuid4()),
            "owner": stranger.pk,
            "privacy": "public",
            "v0_id": "x",
            "title": "x",
            "state": "finished",
            "team": 1,
        },
    )
    chat = Chat.objects.get()
    assert (chat.owner, chat.privacy, chat.v0_id, chat.title) == (owner, "private", None, "")


def test_a_body_that_is_no_form_is_refused(client: Client) -> None:
    response = client.post("/chats/", data=b"\xff\xfe{", content_type="application/json")
    assert response.status_code == 422


def test_anonymous_writes_nothing(client_of: ClientOf, db: None) -> None:
    response = client_of(None).post("/chats/", {"message": TEXT, "token": str(uuid4())})
    assert response["Location"] == "/accounts/login/?next=/"
    assert not Chat.objects.exists()


def test_a_form_of_another_site_is_refused(owner: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    response = client.post("/chats/", {"message": TEXT, "token": str(uuid4())})
    assert response.status_code == 403
    assert "This page was too old" in response.content.decode()
    assert not Chat.objects.exists()
