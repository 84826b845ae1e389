"""`/settings/data/`: one archive of everything that is somebody's, and of nothing that is not."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from chats.models import (
    Attachment,
    AuditEntry,
    Chat,
    Decision,
    Entry,
    Event,
    Follow,
    Instructions,
    Intent,
    Message,
    Mute,
    Person,
    Prompt,
    Queued,
    Seen,
    Team,
    record,
)
from chats.views import archive as archives
from chats.views.zips import PIECE, label
from tests.proof import proved
from tests.views.conftest import ChatOf, ClientOf

PAGE = "/settings/data/"


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    kept = {"BACKEND": settings.STORAGES["default"]["BACKEND"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": kept}
    return tmp_path


@pytest.fixture
def client_of() -> ClientOf:
    """Somebody who has proved a moment ago who they are."""

    def client_of(person: Person | None) -> Client:
        assert person
        client = Client()
        client.force_login(person)
        return proved(client, person)

    return client_of


def pieces(client: Client) -> Iterator[bytes]:
    response = cast("StreamingHttpResponse", client.post(PAGE))
    assert response.status_code == 200
    return iter(cast("Iterator[bytes]", response))


def archive(client: Client) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces(client)))) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


def read(found: dict[str, bytes], name: str) -> Any:
    return json.loads(found[f"{name}.json"])


def upload(person: Person, name: str, data: bytes, **of: Any) -> Attachment:
    row = Attachment(person=person, name=name, size=len(data), **of)
    row.file.save(uuid4().hex, ContentFile(data))
    row.save()
    return row


@pytest.fixture
def chat(chat_of: ChatOf, owner: Person, mate: Person, team: Team) -> Chat:
    """The owner's, in which the mate wrote and attached, too."""
    made = chat_of(owner, "Hello", privacy="team-edit", team=team)
    Instructions.objects.create(chat=made, text="Be brief")
    said = Message.objects.create(
        chat=made, position=9, role="user", state="finished", author=mate, text="By the mate"
    )
    upload(mate, "plan.txt", b"the plan", message=said)
    return made


def test_everything_of_ones_own_is_in_it(client_of: ClientOf, chat: Chat, owner: Person) -> None:
    answer = chat.messages.get(role="assistant")
    said = chat.messages.get(text="Hello")
    Decision.objects.create(
        asked=answer, part=0, kind="plan", choice="approved", person=owner, said=said
    )
    Intent.objects.create(
        token=uuid4(), person=owner, chat=chat, kind="send", digest="x", message=said
    )
    Queued.objects.create(
        chat=chat, person=owner, token=uuid4(), position=1, payload={"message": "Later"}
    )
    Prompt.objects.create(person=owner, name="Review", text="Review it")
    Mute.objects.create(person=owner, chat=chat)
    Follow.objects.create(person=owner, chat=chat)
    Seen.objects.create(person=owner, chat=chat, position=2)
    Entry.objects.create(message_id=answer.pk, person=owner, chat=chat, credits_total=1)
    upload(owner, "unsent.txt", b"not sent")
    client = client_of(owner)
    found = archive(client)
    assert read(found, "account")["email"] == "owner@example.com"
    assert [each["chat"] for each in read(found, "followed")] == [str(chat.pk)]
    assert [each["messages"] for each in read(found, "read")] == [2]
    assert [(each["team"], each["role"]) for each in read(found, "teams")] == [("Example", "owner")]
    folder = "chats/0001-about-hello"
    whole = read(found, f"{folder}/chat")
    assert [each["text"] for each in whole["messages"]] == ["Hello", "", "By the mate"]
    assert whole["chat"]["system"] == "Be brief"
    assert b"The answer to Hello" in found[f"{folder}/chat.md"]
    assert found[f"{folder}/files/01-plan.txt"] == b"the plan"
    assert found["files/01-unsent.txt"] == b"not sent"
    assert read(found, "decisions")[0]["choice"] == "approved"
    assert read(found, "sent")[0]["message"] == str(said.pk)
    assert read(found, "waiting")[0]["what"] == {"message": "Later"}
    assert read(found, "prompts")[0]["text"] == "Review it"
    assert read(found, "muted") == [{"chat": str(chat.pk)}]
    assert read(found, "usage")[0]["credits"]["total"] == "0.000000000001"
    assert [each["event"] for each in read(found, "audit")] == ["account.exported"]
    # The text in the archive says of every file in it what it is.
    names = {re.sub("/.*", "/", name) for name in found} - {"README.txt"}
    told = found["README.txt"].decode()
    assert all(re.search(f"^{name} ", told, re.MULTILINE) for name in names), names
    assert AuditEntry.objects.get().event == Event.DATA_EXPORTED


def test_nothing_of_others_is_in_it(
    client_of: ClientOf, chat: Chat, chat_of: ChatOf, mate: Person, owner: Person
) -> None:
    chat_of(owner, "secret of the owner")
    record(Event.CHAT_OPENED, actor=owner, address="192.0.2.7", person=mate, chat=chat)
    record(Event.SIGNED_IN, actor=owner, person=owner)
    found = archive(client_of(mate))
    everything = b"".join(found.values()).decode()
    assert not re.search("secret of|Hello|Be brief|owner@|192.0.2.7", everything)
    assert not any(name.startswith("chats/") for name in found)
    written = read(found, "messages-in-chats-of-others")
    assert [each["text"] for each in written] == ["By the mate"]
    assert found["files/01-plan.txt"] == b"the plan"
    events = [(each["event"], each["by"]) for each in read(found, "audit")]
    assert events == [("chat.opened", "owner"), ("account.exported", "mate@example.com")]


def test_a_chat_that_stayed_with_a_team_is_not_in_it(
    client_of: ClientOf, chat: Chat, owner: Person
) -> None:
    owner.memberships.all().delete()
    found = archive(client_of(owner))
    assert not any(name.startswith("chats/") for name in found)
    assert [each["text"] for each in read(found, "messages-in-chats-of-others")] == ["Hello"]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("../../etc/passwd", "01-_.._etc_passwd"),
        ("/abs\\olute\x00.txt", "01-_abs_olute_.txt"),
        ("CON", "01-CON"),
        (".hidden. ", "01-hidden"),
        ("\u202egpj.exe", "01-_gpj.exe"),
        ("\ud800", "01-_"),
        ("", "01-file"),
        ("w" * 200 + ".png", f"01-{'w' * 76}.png"),
        ("日本 (1).txt", "01-日本 (1).txt"),
    ],
)
def test_no_name_leads_out_of_the_archive(name: str, inside: str) -> None:
    assert label(1, name) == inside


def test_a_title_is_no_path(client_of: ClientOf, chat: Chat, owner: Person) -> None:
    Chat.objects.update(title="../..\\NUL")
    names = [name for name in archive(client_of(owner)) if name.startswith("chats/")]
    assert {name.split("/")[1] for name in names} == {"0001-nul"}


def test_a_file_that_is_lost_is_named_and_holds_nothing_up(
    client_of: ClientOf, chat: Chat, owner: Person, storage: Path
) -> None:
    for file in (storage / "attachments").iterdir():
        file.unlink()
    found = archive(client_of(owner))
    lost = "chats/0001-about-hello/files/01-plan.txt"
    assert (read(found, "unreadable"), lost in found) == ([lost], False)


def test_much_is_read_while_it_is_sent(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat_of(owner)
    client, many = client_of(owner), 15
    monkeypatch.setattr(archives, "CHUNK", 5)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            list(pieces(client))
        return len(queries)

    first = asked()
    for number in range(many):
        chat_of(owner, f"chat {number}")
    # So many for each chat, however many there are, and one more for each page of the list.
    assert asked() - first <= 9 * many + 3
    with CaptureQueriesContext(connection) as queries:
        sizes = [(len(piece), len(queries)) for piece in pieces(client)]
    assert max(size for size, _ in sizes) < 2 * PIECE
    assert sizes[0][1] < 10 < sizes[-1][1]


def test_a_file_is_read_in_pieces(client_of: ClientOf, owner: Person) -> None:
    # Nothing that could be made smaller.
    big = b"".join(uuid4().bytes for _ in range(1 << 14))
    upload(owner, "big.bin", big)
    found = list(pieces(client_of(owner)))
    assert max(map(len, found)) < 3 * PIECE
    with zipfile.ZipFile(io.BytesIO(b"".join(found))) as read_again:
        assert read_again.read("files/01-big.bin") == big


def test_the_page_offers_it_and_gets_change_nothing(
    client_of: ClientOf, chat: Chat, owner: Person
) -> None:
    html = client_of(owner).get(PAGE).content.decode()
    assert "your 1 chat, to read and as data" in html
    assert 'href="/settings/delete/"' in html
    response = client_of(owner).post(PAGE)
    assert response["Content-Type"] == "application/zip"
    named = re.fullmatch(
        r'attachment; filename="v0web-\d{4}-\d\d-\d\d\.zip"', response["Content-Disposition"]
    )
    assert named


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_is_for_nobody_who_has_not_proved_who_they_are(owner: Person, method: str) -> None:
    client = Client()
    client.force_login(owner)
    response = getattr(proved(client, owner, ago=3600), method)(PAGE)
    assert response["Location"].startswith("/accounts/again/")
    assert not AuditEntry.objects.exists()
