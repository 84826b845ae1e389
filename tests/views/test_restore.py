"""`/chats/<uuid>/rewind/`: the files of an earlier answer are wanted back, and who is offered that."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chats.models import Chat, Intent, Message, Person, Team
from chats.relay import restorable
from chats.v0api import types
from tests.views.conftest import AddTurn, ChatOf, ClientOf, no_writes


@pytest.fixture
def chat(owner: Person, chat_of: ChatOf, add_turn: AddTurn, team: Team) -> Chat:
    """A chat of the team whose first answer can be restored."""
    chat = chat_of(owner, restorable=True, v0_id="first", team=team, privacy="team")
    add_turn(chat, "Make it dark", v0_id="second")
    return chat


def earlier(chat: Chat) -> Message:
    return chat.messages.get(v0_id="first")


def test_only_an_answer_that_can_be_gone_back_to_offers_it_and_to_whom_it_may(
    client_of: ClientOf, owner: Person, mate: Person, stranger: Person, chat: Chat
) -> None:
    rewind, branch = (
        f'href="/chats/{chat.id}/{act}/?run={earlier(chat).id}"' for act in ("rewind", "duplicate")
    )
    offered = {}
    for who in (owner, mate):
        page = client_of(who).get(f"/chats/{chat.id}/").content.decode()
        own = client_of(who).get(f"/chats/{chat.id}/own/").content.decode()
        assert [page.count(rewind), page.count(branch)] == [own.count(rewind), own.count(branch)]
        offered[who.name] = [page.count(rewind), page.count(branch)]
    assert offered == {owner.name: [1, 1], mate.name: [0, 1]}
    Chat.objects.filter(id=chat.id).update(privacy="public", at_v0="gone")
    for who in (owner, stranger):
        page = client_of(who).get(f"/chats/{chat.id}/").content.decode()
        assert "Rewind to here" not in page
        assert "Continue from here" not in page


def test_an_offer_that_is_over_is_taken_back_from_open_pages(
    client_of: ClientOf, mate: Person, chat: Chat
) -> None:
    chat.messages.update(restorable=False)
    own = client_of(mate).get(f"/chats/{chat.id}/own/").content.decode()
    assert f'<div id="m{earlier(chat).id}-own"></div>' in own


def test_the_form_says_what_will_happen_and_writes_nothing(
    client_of: ClientOf, owner: Person, chat: Chat
) -> None:
    client = client_of(owner)
    with no_writes():
        page = client.get(f"/chats/{chat.id}/rewind/?run={earlier(chat).id}")
    text = page.content.decode()
    assert "All messages stay" in text
    assert "v0 may charge credits" in text
    assert not Intent.objects.exists()
    assert client_of(owner).get(f"/chats/{chat.id}/rewind/?run={uuid4()}").status_code == 404


def test_one_form_is_one_wish_and_shows_at_once(
    client_of: ClientOf, owner: Person, chat: Chat
) -> None:
    fields = {"run": str(earlier(chat).id), "token": str(uuid4())}
    for _ in range(2):
        response = client_of(owner).post(f"/chats/{chat.id}/rewind/", fields)
        assert (response.status_code, response["Location"]) == (303, f"/chats/{chat.id}/")
    intent = Intent.objects.get()
    assert (intent.kind, intent.state, intent.payload["restores"]) == (
        "restore",
        "waiting",
        "first",
    )
    page = client_of(owner).get(f"/chats/{chat.id}/").content.decode()
    assert "Rewind to an earlier answer" in page
    assert "?edit=" + str(intent.message_id) not in page
    # A second one, from another form, has to wait for it.
    again = client_of(owner).post(f"/chats/{chat.id}/rewind/", {**fields, "token": str(uuid4())})
    assert again.status_code == 409
    assert "Stop the answer" in again.content.decode()


def test_no_plain_copy_is_made_for_one_that_was_to_go_back(
    client_of: ClientOf, mate: Person, chat: Chat
) -> None:
    path, run = f"/chats/{chat.id}/duplicate/", str(chat.messages.get(v0_id="second").id)
    assert "newest already" in client_of(mate).get(f"{path}?run={run}").content.decode()
    fields = {"run": run, "token": str(uuid4())}
    assert client_of(mate).post(path, fields).status_code == 409
    assert not Intent.objects.exists()
    fields["run"] = str(earlier(chat).id)
    assert client_of(mate).post(path, fields).status_code == 303
    assert Intent.objects.get().payload["rewind"] == fields["run"]


def test_what_v0_lists_says_which_answers_can_be_gone_back_to(chat: Chat) -> None:
    listed = [
        types.Message.from_wire({"id": id, "role": "assistant", "restorable": can_be})
        for id, can_be in (("second", True), ("first", False), ("unknown", True))
    ]
    assert restorable.note(chat.id, listed)
    found = dict(chat.messages.exclude(v0_id="").values_list("v0_id", "restorable"))
    assert found == {"first": False, "second": True}
    assert not restorable.note(chat.id, listed)


def test_a_form_that_cannot_be_taken_says_why(
    client_of: ClientOf, owner: Person, chat: Chat
) -> None:
    last = chat.messages.get(v0_id="second")
    path = f"/chats/{chat.id}/rewind/"
    newest = client_of(owner).post(path, {"run": str(last.id), "token": str(uuid4())})
    assert (newest.status_code, "newest already" in newest.content.decode()) == (409, True)
    odd = client_of(owner).post(path, {"run": str(earlier(chat).id), "token": "odd"})
    assert (odd.status_code, "too old" in odd.content.decode()) == (422, True)
    assert not Intent.objects.exists()
