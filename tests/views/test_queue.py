"""The list of waiting messages and its forms: who sees and does what, with scripts and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Attachment, Chat, Intent, Message, Person, Queued, Team
from chats.relay import draining, queue, uploads
from tests.views.conftest import AddTurn, ChatOf, ClientOf, count_queries, no_writes

Scene = tuple[Chat, Client, Client]


@pytest.fixture
def chat(chat_of: ChatOf, owner: Person, team: Team) -> Chat:
    """One of the team's in which an answer runs."""
    return chat_of(owner, state="streaming", privacy="team-edit", team=team)


@pytest.fixture
def client(client_of: ClientOf, owner: Person) -> Client:
    return client_of(owner)


def queued(chat: Chat, person: Person, text: str = "Waits", **payload: Any) -> Queued:
    found = queue.send(person, uuid4(), {"message": text, **payload}, chat)
    assert isinstance(found, Queued)
    return found


def place(row: Queued, name: str) -> str:
    return f"/chats/{row.chat_id}/queue/{row.id}/{name}/"


def texts(chat: Chat) -> list[str]:
    return [row.text for row in chat.queue.all()]


def ended(chat: Chat, **answer: Any) -> None:
    chat.messages.filter(role="assistant").update(**{"state": "finished", **answer})


def test_those_who_may_send_see_the_messages_and_readers_their_number(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person, stranger: Person
) -> None:
    queued(chat, owner, "From the owner", model="v0-mini", system="Be brief.")
    queued(chat, mate, "From the <b>mate</b>")
    path = f"/chats/{chat.id}/"
    for client in (client_of(owner), client_of(mate)):
        with no_writes():
            page = client.get(path).content.decode()
        assert "2 messages waiting" in page
        assert "From the owner" in page
        assert "From the &lt;b&gt;mate&lt;/b&gt;" in page
        assert "v0-mini · instructions" in page
    Chat.objects.update(privacy="public")
    page = client_of(stranger).get(path).content.decode()
    assert '<p id="waiting">2 messages waiting</p>' in page
    for secret in ("From the owner", "mate&lt;", "v0-mini", "queue/"):
        assert secret not in page
    assert client_of(stranger).get(f"{path}queue/").status_code == 403


def test_each_does_what_their_right_allows(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person, stranger: Person
) -> None:
    of_owner, of_mate = queued(chat, owner), queued(chat, mate)
    others = client_of(mate)
    assert others.get(place(of_owner, "edit")).status_code == 403
    assert others.get(place(of_mate, "edit")).status_code == 200
    assert others.get(place(of_owner, "remove")).status_code == 200
    assert f"q{of_owner.id}-edit" not in others.get(f"/chats/{chat.id}/").content.decode()
    Chat.objects.update(privacy="team")
    for row in (of_owner, of_mate):
        for name in ("edit", "remove", "move", "now"):
            assert others.post(place(row, name), {"confirmed": "yes"}).status_code == 403
            assert client_of(stranger).post(place(row, name)).status_code == 404
    assert Queued.objects.count() == 2


@pytest.mark.parametrize(
    ("answer", "words", "press"),
    [
        ({}, "The next one goes out now.", ""),
        ({"state": "stopped"}, "the last answer was stopped", "Go on"),
        ({"state": "failed"}, "the last answer failed", "Go on"),
        ({"asks": "plan"}, "v0 asks something", "Go on without an answer"),
        ({"finish_reason": "length"}, "was cut off", "Go on"),
        ({"finish_reason": "content-filter"}, "v0 held back", "Go on"),
        ({"finish_reason": "other"}, "does not explain", "Go on"),
        ({"restored": {"message": "1"}}, "went back to an earlier state", "Go on"),
        ({"state": "streaming"}, "when this answer has ended", ""),
    ],
)
def test_the_list_says_why_it_waits_and_sends_only_after_a_good_end(
    client: Client, chat: Chat, owner: Person, answer: dict[str, Any], words: str, press: str
) -> None:
    queued(chat, owner)
    ended(chat, **answer)
    page = client.get(f"/chats/{chat.id}/queue/").content.decode()
    assert words in page
    assert (f">{press}</button>" in page) == bool(press)
    assert draining.drain() == ([] if answer else [chat.id])
    assert Queued.objects.exists() == bool(answer)


def test_a_chat_that_v0_has_closed_keeps_what_waits_for_whoever_wrote_it(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person, stranger: Person
) -> None:
    queued(chat, owner, "From the owner")
    queued(chat, mate, "Long " * 100 + "From the mate")
    ended(chat)
    Chat.objects.update(write_permission=False, privacy="public")
    assert not draining.due()
    for person, words in ((owner, "From the owner"), (mate, "From the mate"), (stranger, "")):
        for path in ("", "queue/"):
            page = client_of(person).get(f"/chats/{chat.id}/{path}").content.decode()
            found = [text for text in ("From the owner", "From the mate") if text in page]
            assert found == [words] * bool(words)
            assert ("takes nothing for this chat any more" in page) == bool(words)
            assert "/remove/" not in page


def test_a_new_message_belongs_behind_what_is_about_to_go_out(
    client: Client, chat: Chat, owner: Person
) -> None:
    queued(chat, owner, "First")
    ended(chat)
    form = {"message": "Second", "token": str(uuid4())}
    assert client.post(f"/chats/{chat.id}/messages/", form).status_code == 303
    assert texts(chat) == ["First", "Second"]
    assert draining.drain() == [chat.id]
    assert (Intent.objects.get().payload["message"], texts(chat)) == ("First", ["Second"])
    assert draining.drain() == []


def test_buttons_move_a_message_beside_its_neighbour(
    client: Client, chat: Chat, owner: Person
) -> None:
    one, two, three = (queued(chat, owner, name) for name in ("One", "Two", "Three"))
    client.post(place(three, "move"), {"before": str(two.id)})
    assert texts(chat) == ["One", "Three", "Two"]
    client.post(place(one, "move"), {"after": str(two.id)})
    assert texts(chat) == ["Three", "Two", "One"]
    client.post(place(two, "remove"), {"confirmed": "yes"})
    # Its neighbour has gone meanwhile, or it has itself: everything stays as it is.
    assert client.post(place(one, "move"), {"before": str(two.id)}).status_code == 303
    assert client.post(place(two, "move"), {"before": str(one.id)}).status_code == 303
    assert texts(chat) == ["Three", "One"]


def test_what_is_to_go_now_goes_first_and_stops_what_runs_once(
    client: Client, chat: Chat, owner: Person
) -> None:
    queued(chat, owner, "First")
    last = queued(chat, owner, "Last")
    page = client.get(f"/chats/{chat.id}/").content.decode()
    assert page.count(">Stop and send now</button>") == 2
    client.post(place(last, "now"))
    answer = chat.messages.get(role="assistant")
    assert (texts(chat), answer.stop_asked_by) == (["Last", "First"], owner)
    ended(chat, state="stopped")
    # Its stop was meant: it does not hold it. What is behind it waits for its answer.
    assert draining.drain() == [chat.id]
    assert texts(chat) == ["First"]
    assert chat.messages.filter(role="user").last().text == "Last"  # type: ignore[union-attr]


def test_removing_asks_first_and_shows_the_text(client: Client, chat: Chat, owner: Person) -> None:
    row = queued(chat, owner, "Precious words")
    with no_writes():
        assert "Precious words" in client.get(place(row, "remove")).content.decode()
    assert client.post(place(row, "remove")).status_code == 422
    assert texts(chat) == ["Precious words"]
    assert client.post(place(row, "remove"), {"confirmed": "yes"}).status_code == 303
    assert texts(chat) == []


def seen(client: Client, row: Queued) -> str:
    return str(client.get(place(row, "edit")).context["seen"])


def test_an_edit_keeps_what_its_form_does_not_say(
    client: Client, chat: Chat, owner: Person
) -> None:
    row = queued(chat, owner, "Old", model="v0-mini", fix=True)
    form = {"message": "New", "seen": seen(client, row)}
    assert client.post(place(row, "edit"), form).status_code == 303
    row.refresh_from_db()
    assert row.payload == {"message": "New", "model": "v0-mini", "fix": True}
    again = {"message": "Newer", "seen": seen(client, row), "options": "1", "model": "v0-pro"}
    assert client.post(place(row, "edit"), {**again, "system": "Be brief."}).status_code == 303
    row.refresh_from_db()
    expected = {"message": "Newer", "model": "v0-pro", "system": "Be brief.", "fix": True}
    assert (row.payload, row.fields) == (expected, {"system": "Be brief."})


@pytest.mark.parametrize("scripts", [False, True])
def test_what_was_typed_into_an_edit_is_never_lost(
    client: Client,
    htmx: Callable[[Client], Client],
    chat: Chat,
    owner: Person,
    *,
    scripts: bool,
) -> None:
    row = queued(chat, owner, "Old")
    form = {"message": "Typed", "seen": seen(client, row)}
    if scripts:
        htmx(client)
    empty = client.post(place(row, "edit"), {**form, "message": " "})
    assert (empty.status_code, "Write something first." in empty.content.decode()) == (422, True)
    Queued.objects.update(edited_at=timezone.now())
    changed = client.post(place(row, "edit"), form)
    assert changed.status_code == 422
    assert "in another window" in changed.content.decode()
    assert ">Typed</textarea>" in changed.content.decode()
    queue.remove(row)
    gone = client.post(place(row, "edit"), form)
    assert gone.status_code == 409
    assert "has gone out already" in gone.content.decode()
    assert ">Typed</textarea>" in gone.content.decode()
    assert ("HX-Retarget" in gone) is scripts


def test_htmx_gets_the_list_as_it_is_now(
    client: Client, htmx: Callable[[Client], Client], chat: Chat, owner: Person
) -> None:
    row, token = queued(chat, owner, "First"), str(uuid4())
    answer = htmx(client).post(f"/chats/{chat.id}/messages/", {"message": "Second", "token": token})
    fragment = answer.content.decode()
    assert 'hx-swap-oob="put:#queue"' in fragment
    assert fragment.index("First") < fragment.index("Second")
    fragment = client.post(place(row, "remove"), {"confirmed": "yes"}).content.decode()
    assert ("First" in fragment, "Second" in fragment) == (False, True)
    chat.refresh_from_db()
    assert f'data-version="{chat.version}"' in fragment


def test_more_than_fit_are_refused_and_kept(
    client: Client, chat: Chat, owner: Person, settings: Settings
) -> None:
    settings.V0_QUEUE = 1
    queued(chat, owner)
    form = {"message": "Too many", "token": str(uuid4())}
    answer = client.post(f"/chats/{chat.id}/messages/", form)
    assert (answer.status_code, ">Too many</textarea>" in answer.content.decode()) == (409, True)
    assert texts(chat) == ["Waits"]


def file_of(client: Client, name: str = "a.txt") -> Attachment:
    client.post("/attachments/", {"file": SimpleUploadedFile(name, name.encode())})
    return Attachment.objects.get(name=name)


def test_files_wait_with_their_message_for_those_who_see_it(
    client: Client,
    client_of: ClientOf,
    chat: Chat,
    mate: Person,
    stranger: Person,
    settings: Settings,
) -> None:
    settings.V0_UNSENT_KEEP = 0
    file, other = file_of(client), file_of(client, "b.txt")
    form = {"message": "Look", "token": str(uuid4()), "attachment": [file.id, other.id]}
    client.post(f"/chats/{chat.id}/messages/", form)
    uploads.sweep()
    row, path = Queued.objects.get(), f"/attachments/{file.id}/"
    assert "a.txt" in client.get(f"/chats/{chat.id}/queue/").content.decode()
    assert client_of(mate).get(path).status_code == 200
    Chat.objects.update(privacy="public")
    assert client_of(stranger).get(path).status_code == 404
    assert client.post(f"{path}remove/").status_code == 404
    assert "a.txt" not in client.get(f"/attachments/?attachment={file.id}").content.decode()
    # What an edit leaves out is given up, and the rest goes out with the message.
    form = {"message": "Look", "seen": seen(client, row), "attachment": [file.id]}
    client.post(place(row, "edit"), form)
    uploads.sweep()
    assert [each.name for each in Attachment.objects.all()] == ["a.txt"]
    ended(chat)
    assert draining.drain() == [chat.id]
    file.refresh_from_db()
    assert (file.message, file.queued) == (chat.messages.filter(role="user").last(), None)


def test_a_file_of_one_that_waits_is_copied_into_another(
    client: Client, chat_of: ChatOf, chat: Chat, owner: Person
) -> None:
    file = file_of(client)
    for text in ("One", "Other"):
        form = {"message": text, "token": str(uuid4()), "attachment": file.id}
        client.post(f"/chats/{chat.id}/messages/", form)
    rows = list(Queued.objects.all())
    assert [row.files.count() for row in rows] == [1, 1]
    queue.remove(rows[0])
    uploads.sweep()
    assert client.get(f"/attachments/{rows[1].payload['files'][0]}/").content == b"a.txt"


def test_a_file_that_is_gone_holds_its_message_and_says_so(
    client: Client, chat: Chat, owner: Person
) -> None:
    row = queued(chat, owner)
    Queued.objects.update(payload={"message": "Waits", "files": [str(UUID(int=1))]})
    ended(chat)
    assert draining.drain() == [chat.id]
    row.refresh_from_db()
    assert (row.problem, Intent.objects.count(), Message.objects.count()) == ("files", 0, 2)
    page = client.get(f"/chats/{chat.id}/queue/").content.decode()
    assert "a file of it is gone" in page
    assert "the next one could not be sent" in page


def test_trying_again_while_something_runs_waits_like_any_other(
    client: Client, chat_of: ChatOf, add_turn: AddTurn, owner: Person
) -> None:
    chat = chat_of(owner, state="failed", problem="unsent")
    answer = chat.messages.get(role="assistant")
    form = {"run": str(answer.id), "token": str(uuid4())}
    assert client.post(f"/chats/{chat.id}/again/", form).status_code == 303
    assert (Intent.objects.count(), Queued.objects.count()) == (1, 0)


def test_a_long_list_is_folded_and_costs_as_many_queries_as_a_short_one(
    client: Client, chat: Chat, owner: Person
) -> None:
    path = f"/chats/{chat.id}/queue/"
    queued(chat, owner)
    few = count_queries(client, path)
    assert "<details" in client.get(path).content.decode()
    assert client.get(path).context["queue_open"]
    for _ in range(6):
        queued(chat, owner)
    assert not client.get(path).context["queue_open"]
    assert count_queries(client, path) == few


def test_deleting_a_chat_sends_nothing_of_its_queue(chat: Chat, owner: Person) -> None:
    queued(chat, owner)
    ended(chat)
    Chat.objects.update(deleted_at=timezone.now())
    assert draining.drain() == []
