"""`/chats/import/` and the choices of a copy: what is taken, what is refused in words, and that nothing
that was filled in is lost."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponseBase
from django.test import Client
from pytest_django.fixtures import Settings

from chats.forms import archives
from chats.models import Attachment, Chat, Intent, Person, Team
from tests.views.conftest import ChatOf, ClientOf

Send = Callable[..., HttpResponseBase]


@pytest.fixture
def client(client_of: ClientOf, owner: Person) -> Client:
    return client_of(owner)


@pytest.fixture
def send(client: Client) -> Send:
    def send(**fields: Any) -> HttpResponseBase:
        return client.post("/chats/import/", {"token": str(uuid4()), **fields})

    return send


def text(name: str, content: str = "Tea") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode())


def archive(*entries: str | zipfile.ZipInfo, name: str = "tea.zip") -> SimpleUploadedFile:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as writing:
        for entry in entries:
            writing.writestr(entry, "Tea")
    return SimpleUploadedFile(name, data.getvalue())


def words(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


def test_the_page_has_one_form_with_three_ways(client: Client) -> None:
    assert 'href="/chats/import/"' in words(client.get("/"))
    page = words(client.get("/chats/import/"))
    for name in ("kind", "file", "archive", "url", "repository", "branch", "title", "privacy"):
        assert f'name="{name}"' in page
    assert 'value="files" checked' in page
    assert 'value="repo" checked' in words(client.get("/chats/import/?kind=repo"))


def test_one_form_is_one_wish(client: Client, send: Send) -> None:
    token = str(uuid4())
    places = set()
    for _ in range(2):
        files = [text("page.html"), text(".env.example")]
        response = send(kind="files", file=files, title="Tea", token=token)
        assert response.status_code == 303
        places.add(response["Location"])
    chat = Chat.objects.get()
    assert places == {f"/chats/{chat.id}/"}
    intent = Intent.objects.get()
    assert (chat.title, chat.title_given, chat.privacy, chat.team) == ("Tea", True, "private", None)
    assert (intent.kind, intent.state, len(intent.payload["attachments"])) == (
        "files",
        "waiting",
        2,
    )
    assert {row.name for row in Attachment.objects.all()} == {"page.html", ".env.example"}
    page = words(client.get(f"/chats/{chat.id}/"))
    assert "Handing your files to v0" in page
    assert "You can write here when v0 has the files" in page
    other = send(kind="repo", repository="vercel/next.js", token=token)
    assert other.status_code == 409
    assert 'value="vercel/next.js"' in words(other)


FILES = [
    ({}, "Choose at least one file"),
    ({"file": [text(f"{n}.txt") for n in range(21)]}, "21 files are too many"),
    ({"file": [text("a.txt"), text("a.txt", "Coffee")]}, "Two files are called"),
    ({"file": [SimpleUploadedFile("a.zip", b"PK\x03\x04")]}, "is no text"),
    ({"file": [SimpleUploadedFile("a.bin", b"\xff\x00")]}, "cannot be sent"),
    ({"file": [text("a.txt")], "title": "x" * 201}, "at most 200 characters"),
    ({"file": [text("a.txt")], "privacy": "team"}, "Choose who can see"),
    ({"file": [text("a.txt")], "token": "odd"}, "too old"),
]


@pytest.mark.parametrize(("fields", "refusal"), FILES)
def test_files_that_cannot_be_taken_are_refused_and_kept(
    send: Send, fields: dict[str, Any], refusal: str
) -> None:
    for file in fields.get("file", ()):
        file.seek(0)
    response = send(kind="files", **fields)
    assert response.status_code == 422
    assert refusal in words(response)
    assert not Chat.objects.exists()
    kept = Attachment.objects.count()
    assert words(response).count('name="kept_file"') == kept


def test_what_was_kept_is_sent_the_next_time(send: Send, settings: Settings) -> None:
    refused = words(send(kind="files", file=[text("a.txt")], title="x" * 201))
    assert "x" * 201 in refused
    (row,) = Attachment.objects.all()
    more = {"kept_file": [str(row.pk)], "file": [text("b.txt")]}
    assert send(kind="files", **more).status_code == 303
    assert len(Intent.objects.get().payload["attachments"]) == 2
    settings.V0_ATTACHMENT_BYTES = 5
    assert "is the most" in words(send(kind="files", file=[text("c.txt"), text("d.txt", "Mate")]))


def test_a_file_of_somebody_else_is_none(send: Send, client_of: ClientOf, mate: Person) -> None:
    theirs = Attachment.objects.create(person=mate, name="a.txt", content_type="text/plain")
    assert send(kind="files", kept_file=[str(theirs.pk)]).status_code == 422
    assert not Intent.objects.exists()


def encrypted() -> SimpleUploadedFile:
    data = bytearray(archive("a.txt").read())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return SimpleUploadedFile("tea.zip", bytes(data))


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("a.txt")
    entry.external_attr = 0o120777 << 16
    return entry


def bomb() -> SimpleUploadedFile:
    """An archive that says of its one file that it is larger than anything."""
    data = bytearray(archive("a.txt").read())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (archives.LARGEST + 1).to_bytes(4, "little")
    return SimpleUploadedFile("tea.zip", bytes(data))


ARCHIVES = [
    (lambda: SimpleUploadedFile("tea.zip", b"PK\x03\x04 and no more"), "no ZIP archive"),
    (lambda: text("tea.zip"), "no ZIP archive"),
    (lambda: archive("../a.txt"), "leads out"),
    (lambda: archive("a/../../a.txt"), "leads out"),
    (lambda: archive("C:a.txt"), "leads out"),
    (lambda: archive("/etc/passwd"), "leads out"),
    (lambda: archive(link()), "leads out"),
    (lambda: archive("folder/"), "no files"),
    (encrypted, "password"),
    (bomb, "too large"),
    (lambda: archive(*(f"{n}" for n in range(2001))), "too many files"),
    (lambda: archive(*(f"{n}{'x' * 300}" for n in range(1800))), "too many files"),
]


@pytest.mark.parametrize(("made", "refusal"), ARCHIVES)
def test_an_archive_that_is_no_good_one_never_leaves(
    send: Send, made: Callable[[], SimpleUploadedFile], refusal: str
) -> None:
    response = send(kind="zip", archive=made(), url="")
    assert response.status_code == 422
    assert refusal in words(response)
    assert not Attachment.objects.exists()


ADDRESSES = [
    ("zip", "url", "http://example.com/a.zip"),
    ("zip", "url", "https://localhost/a.zip"),
    ("zip", "url", "https://me:secret@example.com/a.zip"),
    ("zip", "url", "data:application/zip;base64,UEsD"),
    ("zip", "url", ""),
    ("repo", "repository", ""),
    ("repo", "repository", "file:///etc"),
    ("repo", "repository", "https://127.0.0.1/a/b"),
    ("repo", "repository", "https://github.com/" + "a" * 2100),
]


@pytest.mark.parametrize(("kind", "field", "address"), ADDRESSES)
def test_only_an_address_that_v0_could_read_is_passed_on(
    send: Send, kind: str, field: str, address: str
) -> None:
    response = send(kind=kind, **{field: address}, branch="main")
    assert response.status_code == 422
    assert f'value="{address}"' in words(response)
    assert 'value="main"' in words(response)
    assert not Intent.objects.exists()


@pytest.mark.parametrize("given", ["vercel/next.js", "github.com/vercel/next.js/"])
def test_a_repository_may_be_named_in_short(send: Send, given: str) -> None:
    assert send(kind="repo", repository=given, branch="x" * 250).status_code == 303
    payload = Intent.objects.get().payload
    assert payload["url"] == "https://github.com/vercel/next.js"
    assert send(kind="repo", repository=given, branch="x" * 251).status_code == 422
    assert send(kind="repo", repository=given, branch="a b").status_code == 422


def test_a_level_of_a_team_is_offered_in_that_team_alone(
    send: Send, client: Client, client_of: ClientOf, stranger: Person, team: Team, chat_of: ChatOf
) -> None:
    page = words(client.get("/chats/import/"))
    assert f'<optgroup label="{team.name}">' in page
    level = f"{team.pk}:team-edit"
    assert send(kind="repo", repository="a/b", privacy=level).status_code == 303
    chat = Chat.objects.get()
    # Nobody else sees it before v0 has agreed.
    assert (chat.team, chat.privacy) == (team, "private")
    assert Intent.objects.get().payload["privacy"] == "team-edit"
    theirs = words(client_of(stranger).get("/chats/import/"))
    assert "optgroup" not in theirs
    assert "unlisted" in theirs
    source = chat_of(stranger)
    fields = {"token": str(uuid4()), "privacy": level, "title": "Mine"}
    refused = client_of(stranger).post(f"/chats/{source.id}/duplicate/", fields)
    assert refused.status_code == 422
    assert 'value="Mine"' in words(refused)
    assert not Chat.objects.filter(copied_from=source).exists()
