"""One chat with several people in it: who is here, who wrote what, what somebody has just done, and that
everybody who may read it is told of the same run."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Chat, Decision, Guest, Membership, Message, Person, Presence, Queued, Team
from chats.relay import elsewhere
from chats.v0api import types
from chats.views.here import told
from tests.app_server import ROOT
from tests.views.conftest import AddTurn, ChatOf, ClientOf, no_writes

LONG_AGO = timezone.now() - timedelta(days=1)


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", text)).split())


def part_of(page: str, id: str) -> str:
    """The words of one element that has no other of its tag inside."""
    found = re.search(rf'<(\w+)[^>]* id="{id}"[^>]*>(.*?)</\1>', page, re.DOTALL)
    assert found, id
    return words(found[2])


# --- Who is here ---


def people_of(*names: str) -> list[Person]:
    return [Person(name=name, email=f"{name}@example.com".lower()) for name in names]


@pytest.mark.parametrize(
    ("names", "nameless", "expected"),
    [
        ((), 0, ""),
        ((), 1, "Somebody else"),
        ((), 4, "4 others"),
        (("Ada Lovelace",), 0, "Ada"),
        (("Ada", "Ben Nevis"), 0, "Ada and Ben"),
        (("Ada", "Ben", "Cleo"), 0, "Ada, Ben and Cleo"),
        (("Ada", "Ben"), 1, "Ada, Ben and 1 other"),
        (("Ada", "Ben", "Cleo", "Dan"), 0, "Ada, Ben and 2 others"),
        (("Ada",), 7, "Ada and 7 others"),
    ],
)
def test_the_first_names_and_how_many_are_left(
    names: tuple[str, ...], nameless: int, expected: str
) -> None:
    assert told(people_of(*names), nameless) == expected


def test_readers_who_are_signed_in_are_told_who_else_is_here(
    client_of: ClientOf,
    chat_of: ChatOf,
    owner: Person,
    mate: Person,
    stranger: Person,
    settings: Settings,
) -> None:
    settings.V0_ANONYMOUS_READING = True
    chat, other = chat_of(owner, privacy="public"), chat_of(owner)
    soon = timezone.now() + timedelta(minutes=1)
    for process, person, count, until in (
        ("a", owner, 1, soon),
        ("a", mate, 1, soon),
        ("b", mate, 1, soon),
        ("b", None, 2, soon),
        ("dead", stranger, 1, LONG_AGO),
    ):
        Presence.objects.create(
            process=process, chat=chat, person=person, sockets=count, until=until
        )
    owners = client_of(owner)
    with no_writes():
        fragment = owners.get(f"/chats/{chat.pk}/here/").content.decode()
    assert words(fragment).endswith("MM Mateo and 2 others are here")
    assert "Olivia" in words(client_of(mate).get(f"/chats/{chat.pk}/here/").content.decode())
    assert client_of(None).get(f"/chats/{chat.pk}/here/").status_code == 403
    assert "Mateo" not in client_of(None).get(f"/chats/{chat.pk}/").content.decode()
    alone = client_of(owner).get(f"/chats/{other.pk}/here/").content.decode()
    assert "hidden" in alone
    assert words(alone) == ""


# --- Who wrote what ---


def heard(id: str, author: str) -> types.Message:
    wire = {"id": id, "role": "user", "content": id, "createdAt": "2026-01-01T00:00:00Z"}
    return types.Message.from_wire({**wire, "authorId": author, "parts": []})


def compared(chat: Chat, *messages: types.Message) -> None:
    known = elsewhere.claim(chat.pk, 0)
    assert known
    seen = types.Chat.from_wire({"id": chat.v0_id, "title": chat.title, "updatedAt": "now"})
    assert elsewhere.take(known, seen, messages[::-1], ()).changed


def writers(page: str) -> list[str]:
    found = re.findall(r'class="message-author">(.*?)(?=<a class="message-link")', page, re.DOTALL)
    return [words(text) for text in found if not text.startswith("v0<")]


def test_what_was_written_at_v0_says_so_and_by_whom_where_that_is_known(
    client_of: ClientOf, owner: Person, mate: Person, settings: Settings
) -> None:
    settings.V0_AUTHORS = {"user_mate": mate.email, "user_gone": "gone@example.com"}
    chat = Chat.objects.create(owner=owner, v0_id="c", v0_updated_at="before", compared_at=None)
    Message.objects.create(
        chat=chat, position=1, role="user", state="finished", author=owner, text="Here", v0_id="u0"
    )
    listed = [heard("u0", "user_key"), heard("u1", "user_mate"), heard("u2", "user_gone")]
    compared(chat, *listed, heard("u3", "user_other"))
    page = client_of(owner).get(f"/chats/{chat.pk}/").content.decode()
    assert writers(page) == [
        "Olivia Owner",
        "Mateo Mate written at v0",
        "Somebody at v0",
        "Somebody at v0",
    ]
    assert "user_" not in page
    assert "data-alone" not in page
    exported = client_of(owner).post(f"/chats/{chat.pk}/export.md")
    text = b"".join(exported.streaming_content).decode()  # type: ignore[attr-defined]
    assert re.findall("^## (.*), 20", text, re.MULTILINE)[:3] == [
        "Olivia Owner",
        "Mateo Mate, written at v0",
        "Somebody at v0",
    ]


def test_what_came_with_a_copy_was_not_written_at_v0(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    chat = Chat.objects.create(owner=owner, v0_id="copy", copied_from=chat_of(owner))
    chat.intents.create(token=uuid4(), person=owner, kind="duplicate")
    compared(chat, heard("u1", "user_key"))
    assert writers(client_of(owner).get(f"/chats/{chat.pk}/").content.decode()) == ["Somebody"]


def test_messages_say_who_wrote_them_wherever_others_could_have(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, team: Team
) -> None:
    def says(chat: Chat, person: Person = owner) -> list[bool]:
        """The page, and a page that is open when it changes."""
        client = client_of(person)
        page = client.get(f"/chats/{chat.pk}/").content.decode()
        own = client.get(f"/chats/{chat.pk}/own/").content.decode()
        return ["data-alone" not in page, 'data-gone="data-alone"' in own]

    alone = chat_of(owner)
    assert says(alone) == [False, False]
    assert says(chat_of(owner, privacy="team-edit", team=team)) == [True, True]
    by_mate = chat_of(owner)
    by_mate.messages.filter(role="user").update(author=mate)
    assert says(by_mate) == [True, True]
    Guest.objects.create(chat=alone, email=mate.email, person=mate, role="editor")
    assert says(alone) == says(alone, mate) == [True, True]


# --- What somebody has just done ---


def lately(client: Client, chat: Chat, since: Any = None) -> str:
    """What a page that was made a while ago is told now."""
    began = since or (timezone.now() - timedelta(seconds=5)).isoformat()
    with no_writes():
        page = client.get(f"/chats/{chat.pk}/own/", {"since": began}).content.decode()
    found = re.search(r'<p class="lately-line">(.*?)</p>', page, re.DOTALL)
    return words(found[1]).partition(" ")[2] if found else ""


@pytest.fixture
def shared(chat_of: ChatOf, owner: Person, mate: Person, team: Team) -> Chat:
    """Which was quiet for a day."""
    chat = chat_of(owner, privacy="team-edit", team=team)
    chat.messages.update(created_at=LONG_AGO)
    return chat


def test_what_a_mate_does_is_told_once_and_never_to_themselves(
    client_of: ClientOf, shared: Chat, owner: Person, mate: Person, add_turn: AddTurn
) -> None:
    owners, mates = client_of(owner), client_of(mate)
    assert lately(owners, shared) == ""

    assert mates.post(f"/chats/{shared.pk}/rename/", {"title": "Tea"}).status_code == 303
    assert lately(owners, shared) == "Mateo Mate renamed the chat"
    assert lately(mates, shared) == ""

    answer = add_turn(shared, "More", state="streaming")
    shared.messages.filter(role="user").update(author=mate)
    assert lately(owners, shared) == "Mateo Mate sent a message"
    asked = answer.chat.messages.filter(role="user").last()
    assert asked
    assert lately(owners, shared, asked.created_at.isoformat()) == ""

    mates.post(f"/chats/{shared.pk}/stop/")
    assert lately(owners, shared) == "Mateo Mate stopped the answer"
    shared.queue.create(person=mate, token=uuid4(), position=1, payload={"message": "x"})
    assert lately(owners, shared) == "Mateo Mate queued a message"
    # One's own act after it hides nothing of what others did.
    owners.post(f"/chats/{shared.pk}/rename/", {"title": "Coffee"})
    assert lately(owners, shared) == "Mateo Mate queued a message"
    assert lately(mates, shared) == "Olivia Owner renamed the chat"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("answered", "answered the question"), ("approved", "approved the plan")],
)
def test_a_decision_is_told_as_one(
    client_of: ClientOf, shared: Chat, owner: Person, mate: Person, choice: str, expected: str
) -> None:
    asked = shared.messages.get(role="assistant")
    said = Message.objects.create(
        chat=shared, position=3, role="user", state="finished", author=mate, text="Yes"
    )
    Decision.objects.create(asked=asked, part=0, kind="plan", choice=choice, person=mate, said=said)
    assert lately(client_of(owner), shared) == f"Mateo Mate {expected}"


def test_nobody_else_is_told_and_nothing_that_is_old(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person, settings: Settings
) -> None:
    settings.V0_ANONYMOUS_READING = True
    chat = chat_of(owner, privacy="public")
    assert lately(client_of(stranger), chat) == "Olivia Owner sent a message"
    assert lately(client_of(None), chat) == ""
    assert 'id="lately"' not in client_of(None).get(f"/chats/{chat.pk}/").content.decode()
    for nonsense in ("x", "2026-01-01T00:00:00", "2026-99-01T00:00:00Z"):
        assert lately(client_of(stranger), chat, nonsense) == ""
    chat.messages.update(created_at=timezone.now() - timedelta(minutes=1))
    assert lately(client_of(stranger), chat, LONG_AGO.isoformat()) == ""


# --- The same for everybody ---


Reader = Callable[[Chat], Client]


@pytest.fixture
def readers(
    client_of: ClientOf, mate: Person, stranger: Person, team: Team, settings: Settings
) -> dict[str, tuple[str, Reader]]:
    """Whoever may read and not write, each at a level that lets them."""
    settings.V0_ANONYMOUS_READING = True
    Membership.objects.filter(person=mate).update(role="viewer")

    def invited(chat: Chat) -> Client:
        Guest.objects.create(chat=chat, email=stranger.email, person=stranger, role="reader")
        return client_of(stranger)

    def by_link(person: Person | None) -> Reader:
        def opened(chat: Chat) -> Client:
            client = client_of(person)
            assert client.get(f"/shared/{chat.link_slug}/").status_code == 302
            return client

        return opened

    return {
        "viewer": ("team", lambda chat: client_of(mate)),
        "invited reader": ("private", invited),
        "with the link": ("unlisted", by_link(stranger)),
        "with the link, not signed in": ("unlisted", by_link(None)),
        "anonymous": ("public", lambda chat: client_of(None)),
    }


def test_every_reader_sees_the_same_run_card_and_number_of_waiting_messages(
    readers: dict[str, tuple[str, Reader]],
    client_of: ClientOf,
    chat_of: ChatOf,
    owner: Person,
    team: Team,
) -> None:
    source = ROOT / "tests/transcripts/ask-questions.json"
    parts = json.loads(source.read_text("utf-8"))["parts"]
    asking = {"asks": "questions", "v0_id": "a", "parts": parts}
    for who, (level, reader) in readers.items():
        chat = chat_of(owner, privacy=level, team=team)
        chat.link_slug = uuid4().hex
        chat.save()
        chat.messages.filter(role="assistant").update(**asking)
        for position in (1, 2):
            chat.queue.create(
                person=owner, token=uuid4(), position=position, payload={"message": "canary"}
            )
        client, owners = reader(chat), client_of(owner)
        pages = [each.get(f"/chats/{chat.pk}/").content.decode() for each in (client, owners)]
        answer = f"m{chat.messages.get(role='assistant').pk}"
        shown = [
            re.search(rf'id="{answer}-parts".*?id="{answer}-own"', p, re.DOTALL) for p in pages
        ]
        assert shown[0], who
        assert shown[1]
        # What is asked is a part of the message: the same one, character for character.
        assert shown[0][0] == shown[1][0], who
        assert "Which pages" in words(shown[0][0]) or "?" in words(shown[0][0])
        assert part_of(pages[0], "waiting") == "2 messages waiting", who
        own = client.get(f"/chats/{chat.pk}/own/").content.decode()
        for page in (pages[0], own):
            assert "Waiting for an answer from a person." in page, who
            assert 'id="ask"' not in page, who
            assert "canary" not in page, who
        assert 'id="ask"' in pages[1]
        Queued.objects.all().delete()
        chat.messages.filter(role="assistant").update(state="streaming", asks="", v0_id="")
        running = client.get(f"/chats/{chat.pk}/").content.decode()
        assert re.search(rf'id="{answer}"[^>]*data-state="streaming"', running), who
