"""What is found in a chat before it is shown to everybody, where, and what is said not to have been read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.template.loader import render_to_string
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from chats.models import Attachment, Chat, Instructions, Message, Person, Team
from chats.models.chats import Privacy
from chats.rendering.exposed import finds
from chats.views import exposure as views
from chats.views.exposure import UNSEEN, Exposure, concerns, exposure, is_unseen
from tests.app_server import ROOT
from tests.views.conftest import AddTurn, ChatOf, ClientOf, no_writes

RANDOM = "Zx9Kq2Lm7Rt4Vb8Nc3Wd6Yf1Hg5Jp0Sa"
TOKEN = f"ghp_{RANDOM}abcd"


def look(chat: Chat) -> Exposure:
    with no_writes():
        found = exposure(Chat.objects.get(pk=chat.pk), "public")
    assert found
    return found


def shown(found: Exposure | None) -> str:
    return render_to_string("chats/_share_exposed.html", {"exposed": found})


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> None:
    kept = {**settings.STORAGES}
    kept["default"] = {**kept["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = kept


def attach(chat: Chat, name: str, data: bytes) -> None:
    message = chat.messages.filter(role="user").first()
    row = Attachment(message=message, name=name, size=len(data))
    row.file.save(name, ContentFile(data))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each string in a JSON value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(each, (*path, key))


def planted(part: Any, path: tuple[Any, ...]) -> Any:
    made = deepcopy(part)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = f"{at[path[-1]]} {TOKEN}"
    return made


def all_parts() -> list[Any]:
    named: dict[str, Any] = {}
    for name in ("all-parts", "ask-questions", "plan", "permission", "integration", "mcp"):
        told = json.loads((ROOT / f"tests/transcripts/{name}.json").read_text("utf-8"))
        named |= {f"{part.get('type')} {sorted(part)}": part for part in told["parts"]}
    return list(named.values())


def test_a_key_is_found_wherever_it_is_planted_in_every_type_of_part() -> None:
    """In each string of each, whatever v0 calls it; the type itself alone is no text."""
    parts = all_parts()
    types = {part["type"] for part in parts}
    assert types >= {"text", "thinking", "bash", "tool-call", "agent-action", "file-edit", "search"}
    for part in parts:
        for path in leaves(part):
            row = Message(role="assistant", parts=["", planted(part, path)])
            told = list(views._of_message("/chats/x/", row))
            hits = [passage for passage in told if finds(passage.text)]
            assert [hit.href for hit in hits] == [f"/chats/x/?at={row.pk}#m{row.pk}-p1"], path


def test_what_is_no_object_is_looked_through_too() -> None:
    for part in (TOKEN, [TOKEN], {"type": ["odd"], TOKEN: 1}, {"value": {"deep": [[TOKEN]]}}):
        row = Message(role="assistant", parts=[part])
        assert any(finds(passage.text) for passage in views._of_message("/", row)), part


def test_every_text_that_readers_see_is_looked_through(
    owner: Person, chat_of: ChatOf, add_turn: AddTurn
) -> None:
    secrets = [f"xoxb-{n}{RANDOM}" for n in range(1, 8)]
    chat = chat_of(owner, f"Use {secrets[0]}")
    Chat.objects.filter(pk=chat.pk).update(title=f"About {secrets[1]}")
    Instructions.objects.create(chat=chat, text=secrets[2], of_team=secrets[3])
    answer = add_turn(chat, "More", content=f"Done: {secrets[4]}")
    asked = chat.messages.get(text="More")
    Message.objects.filter(pk=asked.pk).update(
        attachments=[{"url": f"https://files.example/{secrets[5]}.txt", "name": "a"}]
    )
    attach(chat, "keys.env", f"SLACK={secrets[6]}\n".encode())
    found = look(chat)
    assert len(found.places) == len(secrets)
    by_name = {place.name: place for place in found.places}
    assert set(by_name) == {
        *("Title", "Instructions", "File keys.env", "Message", "Text", "Answer")
    }
    assert by_name["Answer"].href == f"/chats/{chat.pk}/?at={answer.pk}#m{answer.pk}"
    html = shown(found)
    assert not [secret for secret in secrets if secret[6:14] in html]
    assert "xoxb…" in html
    assert "(38 characters)" in html


def test_the_same_key_is_told_once_with_its_other_places(
    owner: Person, chat_of: ChatOf, add_turn: AddTurn
) -> None:
    chat = chat_of(owner, TOKEN)
    for _ in range(3):
        add_turn(chat, f"Again {TOKEN}")
    # Four questions, and what is answered to each.
    Chat.objects.filter(pk=chat.pk).update(title="")
    (place,) = look(chat).places
    assert (place.kind, place.others) == ("a token of GitHub", 7)
    assert "and in 7 other places" in shown(look(chat))


def test_only_what_shows_the_chat_to_more_of_everybody_is_asked_about(
    owner: Person, team: Team, chat_of: ChatOf
) -> None:
    asked = {
        (old.value, new.value)
        for old in Privacy
        for new in Privacy
        if concerns(Chat(privacy=old, team=team), new)
    }
    narrow = ("private", "team", "team-edit")
    both = {(old, new) for old in narrow for new in ("unlisted", "public")}
    assert asked == both | {("unlisted", "public")}
    assert exposure(chat_of(owner, TOKEN), "private") is None


def test_somebody_has_to_say_that_they_looked_at_what_is_found_now(
    owner: Person, chat_of: ChatOf, add_turn: AddTurn
) -> None:
    chat = chat_of(owner, "Nothing")
    nothing = look(chat)

    def unseen(found: Exposure | None, **fields: str) -> bool:
        return is_unseen(RequestFactory().post("/", fields), found)

    assert not unseen(None)
    assert not unseen(nothing)
    assert "Nothing that looks like a key or a private address was found." in shown(nothing)
    assert 'name="looked"' not in shown(nothing)
    add_turn(chat, TOKEN)
    first = look(chat)
    assert unseen(first)
    assert unseen(first, looked="on")
    assert unseen(first, looked=nothing.digest)
    assert not unseen(first, looked=first.digest)
    assert f'name="looked" value="{first.digest}" required>' in shown(first)
    # More has come in between.
    add_turn(chat, f"xoxb-{RANDOM}")
    assert unseen(look(chat), looked=first.digest)
    other = chat_of(owner, TOKEN)
    assert look(other).digest != first.digest


def test_a_look_is_bounded_and_says_what_it_has_not_read(
    owner: Person, chat_of: ChatOf, add_turn: AddTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = chat_of(owner, f"Old {TOKEN}")
    Chat.objects.filter(pk=chat.pk).update(title="")
    add_turn(chat, "x" * 3000)
    add_turn(chat, f"New xoxb-{RANDOM}")
    assert len(look(chat).places) == 2
    assert not look(chat).is_cut
    monkeypatch.setattr(views, "MESSAGES", 2)
    found = look(chat)
    assert (found.messages, found.is_cut) == (2, True)
    assert [place.kind for place in found.places] == ["a token of Slack"]
    assert "too long to be looked through as a whole" in shown(found)
    monkeypatch.setattr(views, "MESSAGES", 100)
    monkeypatch.setattr(views, "CHARACTERS", 2000)
    found = look(chat)
    assert found.is_cut
    assert [place.kind for place in found.places] == ["a token of Slack"]
    monkeypatch.setattr(views, "CHARACTERS", 100_000)
    monkeypatch.setattr(views, "SHOWN", 1)
    assert len(look(chat).places) == 1
    assert look(chat).more == 1
    assert "And 1 more." in shown(look(chat))


def test_a_file_that_is_large_or_no_text_is_said_not_to_have_been_read(
    owner: Person, chat_of: ChatOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "FILE_BYTES", 100)
    chat = chat_of(owner, "Files")
    attach(chat, "a.txt", b"nothing")
    attach(chat, "b.bin", b"\xff\xfe")
    attach(chat, "c.txt", b"with \0 in it")
    attach(chat, "d.txt", TOKEN.encode() + b" " * 100)
    gone = Attachment.objects.get(name="c.txt")
    gone.file.storage.delete(str(gone.file.name))
    found = look(chat)
    assert (found.files, found.no_text, found.large) == (1, 2, 1)
    assert not found.places
    html = " ".join(shown(found).split())
    assert "2 messages and 1 file." in html
    assert "1 large file, 2 files that are no text, the files that v0 keeps" in html


def test_the_number_of_queries_does_not_grow_with_the_messages(
    owner: Person, chat_of: ChatOf, add_turn: AddTurn, django_assert_num_queries: Any
) -> None:
    chat = chat_of(owner, "One")
    for _ in range(30):
        add_turn(chat, "More")
    found = Chat.objects.select_related("instructions").get(pk=chat.pk)
    with django_assert_num_queries(2):
        exposure(found, "public")


def test_a_chat_is_made_public_only_by_who_says_that_they_looked(
    client_of: ClientOf, owner: Person, stranger: Person, chat_of: ChatOf, add_turn: AddTurn
) -> None:
    chat = chat_of(owner, TOKEN)
    Chat.objects.filter(pk=chat.pk).update(title="")
    path, client = f"/chats/{chat.pk}/share/", client_of(owner)

    def wanted() -> str:
        return Chat.objects.get(pk=chat.pk).privacy_wanted

    for level in ("unlisted", "public"):
        page = client.get(path, {"privacy": level}).content.decode()
        looked = re.search(r'name="looked" value="(\w+)"', page)
        seen = re.search(r'name="seen" value="([^"]*)"', page)
        assert looked, level
        assert seen, level
        fields = {"privacy": level, "seen": seen[1]}
        for field in ({}, {"looked": "on"}):
            refused = client.post(path, {**fields, **field})
            assert refused.status_code == 422
            assert UNSEEN in refused.content.decode()
            assert looked[1] in refused.content.decode()
            assert wanted() != level
        assert client.post(path, {**fields, "looked": looked[1]}).status_code == 303
        assert wanted() == level
    assert TOKEN[8:20] not in page
    # What takes access away asks for nothing.
    page = client.get(path, {"privacy": "private"}).content.decode()
    assert 'class="exposed"' not in page
    assert client_of(stranger).get(path).status_code == 404


def test_a_copy_for_everybody_is_asked_about_as_the_chat_would_be(
    client_of: ClientOf, owner: Person, stranger: Person, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, TOKEN, privacy="unlisted")
    Chat.objects.filter(pk=chat.pk).update(link_slug="a-slug", title="")
    Instructions.objects.create(chat=chat, text=f"xoxb-{RANDOM}")
    client = client_of(stranger)
    client.get("/shared/a-slug/")
    path = f"/chats/{chat.pk}/duplicate/"

    def copy(**fields: str) -> tuple[int, str]:
        answer = client.post(path, {"token": str(uuid4()), "title": "Mine", **fields})
        return answer.status_code, answer.content.decode()

    status, page = copy(privacy="public")
    looked = re.search(r'name="looked" value="(\w+)"', page)
    assert (status, UNSEEN in page, 'value="Mine"' in page) == (422, True, True)
    assert looked
    # Nothing of what only those see who write there.
    assert "Slack" not in page
    assert not Chat.objects.filter(owner=stranger).exists()
    assert copy(privacy="private")[0] == 303
    assert copy(privacy="public", looked=looked[1])[0] == 303


def test_a_chat_that_begins_public_is_asked_about_with_nothing_lost(
    client_of: ClientOf, owner: Person
) -> None:
    client = client_of(owner)

    def begin(place: str, **fields: str) -> tuple[int, str]:
        form = {"message": f"Use {TOKEN}", "token": str(uuid4()), "place": place}
        answer = client.post("/chats/", {**form, **fields})
        return answer.status_code, answer.content.decode()

    status, page = begin("public")
    looked = re.search(r'name="looked" value="(\w+)"', page)
    assert (status, UNSEEN in page, f"Use {TOKEN}</textarea>" in page) == (422, True, True)
    assert looked
    assert not Chat.objects.exists()
    # Another level can be chosen instead.
    assert "required> I have looked" not in page
    assert begin("private")[0] == 303
    assert begin("public", looked=looked[1])[0] == 303
    file = ContentFile(f"KEY={TOKEN}".encode(), name="keys.env")
    sent = client.post(
        "/chats/",
        {"message": "Look", "token": str(uuid4()), "place": "unlisted", "file": file},
    )
    assert sent.status_code == 422
    assert "File keys.env" in sent.content.decode()
    files = {"kind": "files", "token": str(uuid4()), "privacy": "public"}
    text = ContentFile(f"KEY={TOKEN}".encode(), name="keys.txt")
    sent = client.post("/chats/import/", {**files, "file": text})
    page = sent.content.decode()
    assert (sent.status_code, "File keys.txt" in page, UNSEEN in page) == (422, True, True)
    looked = re.search(r'name="looked" value="(\w+)"', page)
    kept = re.search(r'name="kept_file" value="([^"]+)"', page)
    assert looked
    assert kept, "nothing that was given is lost"
    files |= {"token": str(uuid4()), "looked": looked[1], "kept_file": kept[1]}
    assert client.post("/chats/import/", files).status_code == 303
