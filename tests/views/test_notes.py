"""Notes between people: `/chats/<uuid>/notes/…`, whom they name, and everywhere they are and are not told.

Who may do what of it at which level is walked in `tests/test_permissions_routes.py`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, cast
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client

from chats.accounts import throttle
from chats.forms import notes as forms
from chats.models import Chat, Mention, Message, Note, Person, Team, ending
from chats.models.notes import LONGEST_NOTE
from chats.permissions import notes as rights
from chats.views import noted
from chats.views.archive import Archive
from tests.views.conftest import AddTurn, ChatOf, ClientOf, count_queries, no_writes

CANARY = "canary-between-us"
Htmx = Callable[[Client], Client]


@pytest.fixture
def chat(owner: Person, mate: Person, team: Team, chat_of: ChatOf) -> Chat:
    """A chat that the team can read and the owner alone writes in."""
    cache.clear()
    return chat_of(owner, privacy="team", team=team)


def answer_of(chat: Chat) -> Message:
    return chat.messages.get(role="assistant")


def place(chat: Chat) -> str:
    return f"/chats/{chat.id}/notes/on/{answer_of(chat).id}/"


def write(client: Client, chat: Chat, text: str = CANARY, **fields: str) -> Any:
    return client.post(place(chat), {"text": text, "token": str(uuid4()), **fields})


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_a_note_is_written_read_edited_and_deleted(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person
) -> None:
    client, answer = client_of(mate), answer_of(chat)
    assert "No notes yet." in text_of(client.get(place(chat)))
    version = chat.version
    response = write(client, chat, f"\r\n{CANARY}\r\nSecond line  \r\n", part="0")
    assert response.status_code == 303
    assert response["Location"] == f"/chats/{chat.id}/?at={answer.id}#m{answer.id}-notes"
    note = Note.objects.get()
    assert (note.text, note.part, note.author) == (f"{CANARY}\nSecond line", 0, mate)
    page = text_of(client_of(owner).get(f"/chats/{chat.id}/"))
    assert f"{CANARY}\nSecond line</p>" in page
    assert f'?at={answer.id}#m{answer.id}-p0">on part 1<' in page
    assert page.count('class="message-act notes-add"') == 1, "the question has none yet"
    assert CANARY in text_of(client_of(owner).get(f"/chats/{chat.id}/notes/"))

    path = f"/chats/{chat.id}/notes/{note.id}/"
    assert f"{CANARY}\nSecond line</textarea>" in text_of(client.get(f"{path}edit/"))
    assert client.post(f"{path}edit/", {"text": "Other", "part": ""}).status_code == 303
    note.refresh_from_db()
    assert (note.text, note.part) == ("Other", None)
    assert ">edited<" in text_of(client.get(place(chat)))

    # Whose chat it is decides what stays in it, after a question.
    asked = client_of(owner).get(f"{path}delete/")
    assert "cannot be brought back" in text_of(asked)
    assert client_of(owner).post(f"{path}delete/").status_code == 422
    for _ in range(2):
        gone = client_of(owner).post(f"{path}delete/", {"confirmed": "yes"})
        assert gone.status_code in (302, 303)
    assert not Note.objects.exists()
    chat.refresh_from_db()
    assert chat.version == version + 3


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"text": " \n "}, forms.EMPTY),
        ({"text": "x" * (LONGEST_NOTE + 1)}, "This is 4,001 characters long; 4,000 is the most."),
        ({"part": "7"}, forms.GONE),
        ({"part": "-1"}, forms.GONE),
        ({"part": "1_0"}, forms.GONE),
        ({"token": "?"}, "This form was too old."),
    ],
)
def test_what_does_not_fit_is_said_and_given_back(
    client_of: ClientOf, htmx: Htmx, chat: Chat, mate: Person, fields: dict[str, str], sentence: str
) -> None:
    for client in (client_of(mate), htmx(client_of(mate))):
        response = write(client, chat, **{"text": "<b>Kept</b>", **fields})
        html = text_of(response)
        assert (response.status_code, Note.objects.count()) == (422, 0)
        assert sentence in html
        kept = fields.get("text", "&lt;b&gt;Kept").strip()
        assert kept in html


def test_a_form_writes_one_note_however_often_it_comes(
    client_of: ClientOf, chat: Chat, mate: Person
) -> None:
    client, token = client_of(mate), str(uuid4())
    for _ in range(3):
        assert write(client, chat, token=token).status_code == 303
    assert Note.objects.count() == 1
    response = write(client, chat, "Another text", token=token)
    assert response.status_code == 409
    assert "Another text</textarea>" in text_of(response)
    assert forms.USED in text_of(response)
    assert token not in text_of(response)


@pytest.mark.django_db(transaction=True)
def test_a_form_that_comes_twice_at_once_writes_one_note(
    client_of: ClientOf, chat: Chat, mate: Person
) -> None:
    token, start = str(uuid4()), Barrier(2)

    def send(client: Client) -> int:
        try:
            start.wait()
            return int(write(client, chat, token=token).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        statuses = list(threads.map(send, [client_of(mate), client_of(mate)]))
    assert (statuses, Note.objects.count()) == ([303, 303], 1)


def test_who_writes_too_many_waits_and_a_message_holds_so_many(
    client_of: ClientOf, chat: Chat, mate: Person, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, message = client_of(mate), answer_of(chat)
    monkeypatch.setitem(throttle.RATES, "noted", "2/m/key")
    statuses = [write(client, chat, "x" * n).status_code for n in (1, 2, 3)]
    assert statuses == [303, 303, 422]
    assert forms.OFTEN in text_of(write(client, chat, "y"))
    assert write(client_of(owner), chat).status_code == 303, "each person by themself"
    rest = range(noted.MOST - 3)
    Note.objects.bulk_create(Note(chat=chat, message=message, author=mate, text="z") for _ in rest)
    assert forms.FULL in text_of(write(client_of(owner), chat))
    page = text_of(client.get(f"/chats/{chat.id}/"))
    assert page.count('class="notes-one"') == noted.UNFOLDED
    assert f"All {noted.MOST} notes" in page


def test_who_may_not_read_notes_sees_nothing_of_them(
    client_of: ClientOf, htmx: Htmx, chat: Chat, owner: Person, stranger: Person, settings: Any
) -> None:
    settings.V0_ANONYMOUS_READING = True
    Chat.objects.filter(pk=chat.pk).update(privacy="public", team=None)
    write(client_of(owner), chat)
    for somebody in (stranger, None):
        client = client_of(somebody)
        page = text_of(client.get(f"/chats/{chat.id}/"))
        menu = text_of(client.get(f"/chats/{chat.id}/menu/"))
        details = text_of(client.get(f"/chats/{chat.id}/messages/{answer_of(chat).id}/"))
        for html in (
            page,
            menu,
            details,
            file_of(client, chat, "json"),
            file_of(client, chat, "md"),
        ):
            for word in (CANARY, "/notes/", "notes-add", "notes_between", "Notes between"):
                assert word not in html, (somebody, word)
        assert f'<div id="m{answer_of(chat).id}-notes" class="message-notes"></div>' in page
    assert client_of(stranger).get(f"/chats/{chat.id}/notes/").status_code == 403
    # A page from when they were let loses what it had.
    held = {"noted": str(answer_of(chat).id)}
    fragment = text_of(htmx(client_of(stranger)).get(f"/chats/{chat.id}/own/", held))
    assert f'<div id="m{answer_of(chat).id}-notes"></div>' in fragment
    assert CANARY not in fragment


def test_names_in_a_note_reach_those_who_may_read_it_and_others_stay_text(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person, stranger: Person, team: Team
) -> None:
    text = f"@{mate.name} @OWNER @stranger @nobody @{mate.email}"
    response = write(client_of(owner), chat, text)
    assert response.status_code == 200
    assert "Nobody who can read notes here is called “@stranger”, “@nobody”." in text_of(response)
    assert [mention.person for mention in Mention.objects.all()] == [mate], "nobody names themself"
    html = text_of(client_of(mate).get(place(chat)))
    assert f'<span class="mention" data-own>@{mate.name}</span>' in html
    assert "@stranger @nobody" in html
    # Two are called alike: their addresses tell them apart.
    other = Person.objects.create_user("twin@example.com", name=mate.name)
    team.memberships.create(person=other, role="member")
    Mention.objects.all().delete()
    response = write(client_of(owner), chat, f"@{mate.name}, @twin")
    assert "More than one person here is called" in text_of(response)
    assert [mention.person for mention in Mention.objects.all()] == [other]
    people = text_of(client_of(owner).get(f"/chats/{chat.id}/notes/people/"))
    assert [name in people for name in ('data-name="mate"', 'data-name="twin"')] == [True, True]
    assert [each.name in people for each in (stranger, owner)] == [False, False]


def test_an_edit_names_and_unnames_and_tells_nobody_twice(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person
) -> None:
    write(client_of(owner), chat, "@mate")
    note = Note.objects.get()
    see(client_of(mate), note)
    path = f"/chats/{chat.id}/notes/{note.id}/edit/"
    client_of(owner).post(path, {"text": "@mate again"})
    assert Mention.objects.get().seen_at
    client_of(owner).post(path, {"text": "nobody"})
    assert not Mention.objects.exists()


def see(client: Client, note: Note) -> Any:
    return client.post(f"/chats/{note.chat_id}/notes/seen/", {"note": [str(note.pk), "no id"]})


def test_a_mention_waits_in_needs_you_until_it_was_seen_and_while_one_may_read_it(
    client_of: ClientOf, htmx: Htmx, chat: Chat, owner: Person, mate: Person
) -> None:
    write(client_of(owner), chat, "@mate Tea & <i>biscuits</i>")
    note, client = Note.objects.get(), client_of(mate)
    with no_writes():
        page = text_of(client.get("/needs-you/"))
    assert f"{owner.shown_name} names you in a note" in page
    assert "Tea &amp; &lt;i&gt;biscuits" in page
    assert "<title>(1) Needs you " in page
    assert f'data-note="{note.pk}"' in page
    chat_page = text_of(client.get(f"/chats/{chat.id}/"))
    assert f'data-unseen="{note.pk}"' in chat_page
    assert "Nothing waits for you." in text_of(client_of(owner).get("/needs-you/"))

    for change, back in (
        ({"privacy": "private"}, {"privacy": "team"}),
        ({"privacy_wanted": "private"}, {"privacy_wanted": ""}),
    ):
        Chat.objects.filter(pk=chat.pk).update(**change)
        assert "Nothing waits for you." in text_of(client.get("/needs-you/"))
        assert not rights.mentions(mate).exists()
        Chat.objects.filter(pk=chat.pk).update(**back)
    assert rights.mentions(mate).count() == 1

    # The owner cannot have seen it for somebody else.
    see(client_of(owner), note)
    assert rights.mentions(mate).count() == 1
    assert see(client, note)["Location"] == "/needs-you/"
    assert "Nothing waits for you." in text_of(client.get("/needs-you/"))
    assert "data-unseen" not in text_of(client.get(f"/chats/{chat.id}/"))
    answered = see(htmx(client), note)
    assert (answered.status_code, "mark:sidebar" in answered["HX-Trigger"]) == (204, True)


def test_the_slots_of_a_page_are_fetched_again_with_those_that_lost_their_notes(
    client_of: ClientOf, htmx: Htmx, chat: Chat, owner: Person, add_turn: AddTurn
) -> None:
    for number in range(noted.RECENT):
        add_turn(chat, f"Turn {number}")
    client, path = htmx(client_of(owner)), f"/chats/{chat.id}/own/"
    first = chat.messages.order_by("position")[0]
    assert f"m{first.id}-notes" not in text_of(client.get(path))
    again = text_of(client.get(path, {"noted": [str(first.id), "x"]}))
    assert f'id="m{first.id}-notes"' in again
    note = Note.objects.create(chat=chat, message=first, author=owner, text=CANARY)
    assert CANARY in text_of(client.get(path))
    assert f'data-noted="{first.id}" >' in text_of(client.get(path))
    assert f'data-noted="{first.id}" open>' in text_of(client.get(path, {"open": str(first.id)}))
    few = count_queries(client, path)
    for _ in range(5):
        Note.objects.create(chat=chat, message=note.message, author=owner, text=CANARY)
    assert count_queries(client, path) == few


def test_an_answer_that_runs_has_no_place_for_notes_yet(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    page = text_of(client_of(owner).get(f"/chats/{chat_of(owner, state='streaming').id}/"))
    assert page.count('class="message-act notes-add"') == 1


def file_of(client: Client, chat: Chat, ending_: str) -> str:
    response = cast("StreamingHttpResponse", client.post(f"/chats/{chat.id}/export.{ending_}"))
    return b"".join(cast("Iterator[bytes]", response)).decode()


def test_exports_have_the_notes_at_their_end_for_those_who_may_read_them(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person
) -> None:
    write(client_of(mate), chat, f"{CANARY}\n# no heading\n```", part="0")
    told = json.loads(file_of(client_of(owner), chat, "json"))
    (note,) = told["notes_between_people"]
    assert (note["author"], note["part"]) == (mate.shown_name, 0)
    assert note["text"] == f"{CANARY}\n# no heading\n```"
    assert CANARY not in json.dumps(told["messages"])
    text = file_of(client_of(mate), chat, "md")
    end = text[text.index("## Notes between people") :]
    assert "v0 never got them." in end
    assert f"````\n{CANARY}\n# no heading\n```\n````" in end
    assert "Notes between people" not in file_of(client_of(owner), empty(chat), "md")
    assert "notes_between_people" not in file_of(client_of(owner), chat, "json")


def empty(chat: Chat) -> Chat:
    chat.notes.all().delete()
    return chat


def test_the_archive_of_an_account_has_ones_own_notes_in_whatever_chat(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person
) -> None:
    write(client_of(mate), chat)
    write(client_of(owner), chat, "The owner has this one")
    packed = b"".join(Archive(mate, lambda path: path).pieces())
    (told,) = json.loads(zipfile.ZipFile(io.BytesIO(packed)).read("notes.json"))
    assert (told["chat"], told["text"]) == (str(chat.id), CANARY)


def test_a_deleted_account_leaves_its_notes_without_its_name(
    client_of: ClientOf, chat: Chat, owner: Person, mate: Person, team: Team
) -> None:
    write(client_of(mate), chat)
    write(client_of(owner), chat, "@mate")
    name = mate.shown_name
    assert ending.outlook(mate).notes == 1
    teams = [each.membership.team_id for each in ending.outlook(mate).partings]
    ending.end(mate, giving=(), asked=teams, address=None)
    page = text_of(client_of(owner).get(place(chat)))
    assert [word in page for word in ("Deleted account", CANARY, name)] == [True, True, False]
    assert not Mention.objects.exists()


def test_no_search_finds_a_note(client_of: ClientOf, chat: Chat, owner: Person) -> None:
    """A search finds what every reader of the chat may see, and says so."""
    write(client_of(owner), chat)
    found = text_of(client_of(owner).get(f"/chats/{chat.id}/search/", {"q": CANARY}))
    assert 'class="hits-list"' not in found
    assert "are not searched" in found
