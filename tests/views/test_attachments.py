"""`/attachments/…`: what is taken, who may read it, and that nothing of it can run here."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Attachment, Chat, Intent, Message, Person
from chats.relay import uploads
from tests.views.conftest import ChatOf, ClientOf

MIB = 1024 * 1024
SCRIPT = "<script>document.title='ran'</script>"


def png(width: int = 2, height: int = 3, tail: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    rows = zlib.compress(b"".join(b"\0" + b"\x80" * 3 * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    begin = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return begin + chunk(b"IDAT", rows) + chunk(b"IEND", b"") + tail


def huge_png(side: int) -> bytes:
    return png()[:16] + struct.pack(">II", side, side) + png()[24:]


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../bomb.txt", b"0" * 20 * MIB)
    return file.getvalue()


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    kept = {**settings.STORAGES}
    kept["default"] = {**kept["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = kept
    return tmp_path


@pytest.fixture
def client(client_of: ClientOf, owner: Person) -> Client:
    return client_of(owner)


def upload(client: Client, name: str, data: bytes, kind: str = "", **more: object):  # type: ignore[no-untyped-def]
    file = SimpleUploadedFile("x", data, kind or "application/octet-stream")
    file.__dict__["_name"] = name  # Past what a polite client would clean.
    return client.post("/attachments/", {"file": file, **more})


def stored(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def send(client: Client, chat: Chat, *files: Attachment | str, text: str = "Look", **more: object):  # type: ignore[no-untyped-def]
    ids = [str(file.id) if isinstance(file, Attachment) else file for file in files]
    form = {"message": text, "token": str(uuid4()), "attachment": ids, **more}
    return client.post(f"/chats/{chat.id}/messages/", form)


# What is sent, and "" where it is kept as a file, or a piece of the sentence that refuses it.
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
    + b"\0" * 9
    + b"\xff\xc0\x00\x0b\x08\x00\x05\x00\x07\x01\x01\x11\x00"
)
HOSTILE = [
    ("evil.svg", f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}</svg>'.encode(), "image/svg+xml", ""),
    ("evil.html", f"<!doctype html>{SCRIPT}".encode(), "text/html", ""),
    ("evil.xhtml", f"<html xmlns='http://www.w3.org/1999/xhtml'>{SCRIPT}</html>".encode(), "", ""),
    ("evil.xml", b"<?xml-stylesheet href='data:text/xsl,x'?><a/>", "text/xml", ""),
    ("bomb.xml", b"<!DOCTYPE a [<!ENTITY b '" + b"b" * 999 + b"'>]><a>&b;&b;</a>", "text/xml", ""),
    ("picture.png", f"<html>{SCRIPT}".encode(), "image/png", ""),
    ("picture.html", png(), "text/html", ""),
    ("both.png", png(tail=SCRIPT.encode()), "image/png", ""),
    ("both.gif", b"GIF89a/*\x05\x00*/=1;alert(1)//", "image/gif", ""),
    ("worker.js", b"self.onfetch = 1", "text/javascript", ""),
    ("style.css", b"body { display: none }", "text/css", ""),
    ("../../../etc/passwd", b"root", "text/plain", ""),
    ("..\\..\\boot.ini", b"boot", "text/plain", ""),
    ("/abs/olute.txt", b"text", "text/plain", ""),
    ("C:\\Windows\\a.txt", b"text", "text/plain", ""),
    (".htaccess", b"Options +ExecCGI", "text/plain", ""),
    ("a\r\nSet-Cookie: a=b\r\n.txt", b"text", "text/plain", ""),
    ('"><img src=x onerror=alert(1)>.txt', b"text", "text/plain", ""),
    ("a;filename=evil.html", b"text", "text/plain", ""),
    ("invoice\u202etxt.exe", b"text", "text/plain", ""),
    ("n" * 900 + ".txt", b"text", "text/plain", ""),
    ("%2e%2e%2fx.txt", b"text", "text/plain", ""),
    ("bomb.zip", zip_bomb(), "application/zip", ""),
    ("bomb.gz", gzip.compress(b"0" * MIB), "application/gzip", "cannot be sent"),
    ("program.exe", b"MZ\x90\0\x03\0\0\0", "image/png", "cannot be sent"),
    ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword", "cannot be sent"),
    ("text.txt", b"a\0b", "text/plain", "cannot be sent"),
    ("empty.png", b"", "image/png", "is empty"),
    ("spaces.txt", b" \n ", "text/plain", "cannot be sent"),
    ("cut.png", png()[:15], "image/png", "begins like a picture and is none"),
    ("endless.jpg", b"\xff\xd8" + b"\xff" * MIB, "image/jpeg", "begins like a picture and is none"),
    ("flat.png", huge_png(0), "image/png", "begins like a picture and is none"),
    ("bomb.png", huge_png(60_000), "image/png", "50 million is the most"),
    ("large.txt", b"a" * (8 * MIB + 1), "text/plain", "8.0\xa0MB is the most"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "kind", "refused"), HOSTILE, ids=[row[0][:20] for row in HOSTILE]
)
def test_hostile_files_change_nothing_and_run_nothing(
    client: Client, folder: Path, name: str, data: bytes, kind: str, refused: str
) -> None:
    response = upload(client, name, data, kind)
    page = response.content.decode()
    assert "<script" not in page
    assert "<img src=x" not in page
    if refused:
        assert response.status_code == 422
        assert refused in page
        assert not Attachment.objects.exists()
        assert stored(folder) == []
        return
    row = Attachment.objects.get()
    assert response.status_code == 200
    # One file under a name of ours, as it came: nothing was unpacked, and no name led elsewhere.
    assert [file.relative_to(folder) for file in stored(folder)] == [
        Path(f"attachments/{row.id.hex}")
    ]
    assert stored(folder)[0].read_bytes() == data
    assert 0 < len(row.name) <= 120
    assert row.name.isprintable()
    assert not set(row.name) & set("/\\\u202e")
    served = client.get(f"/attachments/{row.id}/")
    assert served.content == data
    assert served["X-Content-Type-Options"] == "nosniff"
    policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert served["Content-Security-Policy"] == policy
    assert served["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in served["Cache-Control"]
    assert "Set-Cookie" not in served
    disposition, is_picture = served["Content-Disposition"], data[:4] in (png()[:4], b"GIF8")
    assert "\n" not in disposition
    if is_picture:
        assert served["Content-Type"] in ("image/png", "image/gif")
        assert disposition.startswith("inline;")
        assert row.name.endswith((".png", ".gif"))
    else:
        assert served["Content-Type"] == "application/octet-stream"
        assert disposition.startswith("attachment;")


@pytest.mark.parametrize(
    ("data", "kind", "size"),
    [
        (png(), "image/png", (2, 3)),
        (JPEG, "image/jpeg", (7, 5)),
        (b"GIF89a\x04\x00\x09\x00\x00\x00\x00;", "image/gif", (4, 9)),
        (b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\x09\0\0\x13\0\0", "image/webp", (10, 20)),
        (b"RIFF\x1a\0\0\0WEBPVP8L\x0a\0\0\0\x2f\x03\x40\x01\0" + bytes(6), "image/webp", (4, 6)),
        (b"RIFF\x1a\0\0\0WEBPVP8 \x0a\0\0\0" + bytes(3) + b"\x9d\x01\x2a\x08\0\x06\0", "image/webp", (8, 6)),
        (b"%PDF-1.7 \xff", "application/pdf", (None, None)),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "text/csv", (None, None)),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_what_a_file_is_is_told_by_its_content(
    client: Client, data: bytes, kind: str, size: tuple[int | None, int | None]
) -> None:
    assert upload(client, "a.csv", data, "text/html").status_code == 200
    row = Attachment.objects.get()
    assert (row.content_type, (row.width, row.height)) == (kind, size)


ADDRESSES = {
    "https://example.com/a.png": True,
    "https://files.example.com:8443/a%20b.pdf?x=1#y": True,
    "http://example.com/a.png": False,
    "javascript:alert(1)": False,
    "data:text/html,x": False,
    "file:///etc/passwd": False,
    "//example.com/a": False,
    "https://user:pass@example.com/a": False,
    "https://localhost/a": False,
    "https://printer.local/a": False,
    "https://metadata.google.internal/": False,
    "https://127.0.0.1/a": False,
    "https://2130706433/a": False,
    "https://0177.0.0.1/a": False,
    "https://127.1/a": False,
    "https://[::1]/a": False,
    "https://[::ffff:127.0.0.1]/a": False,
    "https://169.254.169.254/latest": False,
    "https://example.com:0/a": False,
    "https://example.com/a b": False,
    "https://example.com/\u0430": False,
    "https://example.com/<script>": False,
    "https://example.com/" + "a" * 2048: False,
}


@pytest.mark.parametrize("url", ADDRESSES, ids=lambda url: url[:40])
def test_an_address_is_only_looked_at(client: Client, url: str) -> None:
    response = client.post("/attachments/", {"url": url})
    assert response.status_code == (200 if ADDRESSES[url] else 422)
    assert Attachment.objects.filter(url=url).exists() == ADDRESSES[url]
    if not ADDRESSES[url]:
        assert "begin with https://" in response.content.decode()


def test_what_was_not_sent_is_its_persons_alone(
    client: Client, client_of: ClientOf, mate: Person, folder: Path
) -> None:
    upload(client, "a.txt", b"mine")
    row = Attachment.objects.get()
    for other in (client_of(mate), client_of(None)):
        assert other.get(f"/attachments/{row.id}/").status_code == 404
        assert other.post(f"/attachments/{row.id}/remove/").status_code == 404
        assert str(row.id) not in other.get(f"/attachments/?attachment={row.id}").content.decode()
    assert str(row.id) in client.get(f"/attachments/?attachment={row.id}").content.decode()
    assert client.post(f"/attachments/{row.id}/remove/").status_code == 200
    assert client.get(f"/attachments/{row.id}/").status_code == 404
    assert stored(folder) == []


def test_nobody_sends_or_takes_what_is_not_theirs(
    client: Client, client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person
) -> None:
    upload(client_of(mate), "a.txt", b"theirs")
    row = Attachment.objects.get()
    response = send(client, chat_of(owner), row)
    assert response.status_code == 422
    assert "is not here any more" in response.content.decode()
    assert ">Look</textarea>" in response.content.decode()
    assert send(client, chat_of(owner), str(uuid4())).status_code == 422
    assert send(client, chat_of(owner), "garbage").status_code == 422
    assert not Intent.objects.exists()
    # Nor once it was sent, to a chat that cannot be read.
    assert send(client_of(mate), chat_of(mate), row).status_code == 303
    assert send(client, chat_of(owner), row).status_code == 422
    assert Attachment.objects.count() == 1


def test_a_sent_file_is_its_messages_and_stays(
    client: Client, chat_of: ChatOf, owner: Person, folder: Path
) -> None:
    chat = chat_of(owner)
    upload(client, "a.png", png())
    upload(client, "b.txt", b"text")
    one, two = Attachment.objects.all()
    assert send(client, chat, two, one).status_code == 303
    asked = chat.messages.get(position=3)
    assert [told["name"] for told in asked.attachments] == ["b.txt", "a.png"]
    assert Intent.objects.get().payload == {"message": "Look", "files": [str(two.id), str(one.id)]}
    page = client.get(f"/chats/{chat.id}/").content.decode()
    assert f'<img class="message-picture" src="/attachments/{one.id}/"' in page
    assert f'<a href="/attachments/{two.id}/">b.txt</a>' in page
    assert client.post(f"/attachments/{one.id}/remove/").status_code == 404
    assert client.get(f"/attachments/{one.id}/").status_code == 200
    assert len(stored(folder)) == 2


def test_a_message_that_was_not_taken_keeps_its_files(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    copying = Intent.objects.create(token=uuid4(), person=owner, chat=chat, kind="duplicate")
    upload(client, "a.txt", b"text")
    row = Attachment.objects.get()
    response = send(client, chat, row)
    assert response.status_code == 409
    assert f'name="attachment" value="{row.id}" checked' in response.content.decode()
    row.refresh_from_db()
    assert row.taken_at is None
    copying.delete()
    response = send(client, chat, row, text=" ")
    assert response.status_code == 422
    assert "Write a few words, too" in response.content.decode()
    assert f'value="{row.id}" checked' in response.content.decode()


def test_a_form_without_scripts_brings_its_files_once(
    client: Client, chat_of: ChatOf, owner: Person, folder: Path
) -> None:
    chat, token = chat_of(owner), str(uuid4())
    for _ in range(2):
        file = SimpleUploadedFile("a.txt", b"text")
        response = send(client, chat, file=file, url="https://example.com/b.pdf", token=token)
        assert response.status_code == 303
    assert [told["name"] for told in chat.messages.get(position=3).attachments] == [
        "a.txt",
        "b.pdf",
    ]
    assert Intent.objects.count() == 1
    assert len(stored(folder)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_form_that_comes_twice_at_once_brings_its_files_once(
    client: Client, chat_of: ChatOf, owner: Person, folder: Path
) -> None:
    chat, token = chat_of(owner), str(uuid4())

    def post(_: int) -> int:
        try:
            file = SimpleUploadedFile("a.txt", b"text")
            again = Client()
            again.cookies = client.cookies
            return int(send(again, chat, file=file, token=token).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(post, range(4))) == [303] * 4
    assert Intent.objects.count() == Attachment.objects.count() == len(stored(folder)) == 1


def test_sending_again_sends_the_same_files(
    client: Client, chat_of: ChatOf, owner: Person, folder: Path
) -> None:
    chat = chat_of(owner)
    upload(client, "a.txt", b"text")
    send(client, chat, Attachment.objects.get())
    answer = chat.messages.get(position=4)
    Message.objects.filter(chat=chat, position__gt=2).update(state="failed", problem="unsent")
    form = {"run": str(answer.id), "token": str(uuid4())}
    for _ in range(2):
        assert client.post(f"/chats/{chat.id}/again/", form).status_code == 303
    again = chat.messages.get(position=5)
    assert [told["name"] for told in again.attachments] == ["a.txt"]
    assert again.files.get().file == Attachment.objects.first().file  # type: ignore[union-attr]
    assert len(stored(folder)) == 1
    assert uploads.urls(uploads.ids_in(again.attachments)) == ("data:text/plain;base64,dGV4dA==",)


def test_what_was_asked_comes_back_with_its_files(
    client: Client, client_of: ClientOf, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner)
    upload(client, "a.txt", b"text")
    send(client, chat, file := Attachment.objects.get())
    chat.messages.update(state="finished")
    asked = chat.messages.get(position=3)
    for path in (f"/chats/{chat.id}/?edit={asked.id}", f"/?chat={chat.id}&ask={asked.id}"):
        page = client.get(path).content.decode()
        assert f'name="attachment" value="{file.id}" checked' in page
        assert f"{file.id}/remove/" not in page
        assert str(file.id) not in client_of(stranger).get(path).content.decode()
    assert send(client, chat, file, text="Look again").status_code == 303
    copy = chat.messages.get(position=5).files.get()
    assert (copy.name, copy.file) == ("a.txt", file.file)
    assert client.get(f"/attachments/{copy.id}/").content == b"text"


def test_what_v0_echoes_is_kept_without_its_bytes_and_is_never_one_of_ours() -> None:
    said = [
        {"url": "data:text/csv;base64,YWJjZA==", "name": "a.csv"},
        {"url": "DATA:image/svg+xml,<svg>"},
        {"url": "https://example.com/a", "size": 3, "file": str(uuid4())},
        "garbage",
    ]
    assert uploads.echoed(said) == [
        {"contentType": "text/csv", "size": 4, "url": "", "name": "a.csv"},
        {"contentType": "image/svg+xml", "size": 5, "url": ""},
        {"url": "https://example.com/a", "size": 3},
    ]
    assert uploads.echoed({"url": "data:,"}) == []


def test_any_storage_of_djangos_will_do(
    client: Client, chat_of: ChatOf, owner: Person, settings: Settings
) -> None:
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": memory}
    upload(client, "a.txt", b"text")
    file = Attachment.objects.get()
    chat = chat_of(owner)
    send(client, chat, file)
    assert client.get(f"/attachments/{file.id}/").content == b"text"
    assert uploads.urls([str(file.id)]) == ("data:text/plain;base64,dGV4dA==",)
    chat.delete()
    uploads.sweep()
    assert not file.file.storage.exists(str(file.file.name))


def test_limits_of_a_message_are_said(
    client: Client, chat_of: ChatOf, owner: Person, settings: Settings
) -> None:
    settings.V0_ATTACHMENTS, settings.V0_ATTACHMENT_BYTES = 2, 2048
    rows: list[str] = []
    for name in ("a.txt", "b.txt", "c.txt"):
        upload(client, name, b"a" * 900)
        rows = [str(row.id) for row in Attachment.objects.all()]
    response = send(client, chat_of(owner), *rows)
    assert response.status_code == 422
    assert "3 files are too many: 2 is the most" in response.content.decode()
    # While they are chosen, too.
    response = upload(client, "d.txt", b"a" * 2000, attachment=rows[0])
    assert "Together these files have 2.8\xa0KB; 2.0\xa0KB is the most" in response.content.decode()
    assert Attachment.objects.count() == 3
    assert not Intent.objects.exists()


def test_what_waits_unsent_has_an_end(client: Client, owner: Person) -> None:
    Attachment.objects.bulk_create(Attachment(person=owner, name="a") for _ in range(100))
    response = upload(client, "a.txt", b"text")
    assert response.status_code == 422
    assert "Too many files of yours wait" in response.content.decode()


def test_unsent_files_go_after_a_day_and_those_of_deleted_chats_at_once(
    client: Client, chat_of: ChatOf, owner: Person, folder: Path
) -> None:
    for name in ("old.txt", "new.txt", "sent.txt", "of a deleted chat.txt"):
        upload(client, name, name.encode())
    old, new, sent, deleted = Attachment.objects.all()
    chat, gone = chat_of(owner), chat_of(owner)
    send(client, chat, sent)
    send(client, gone, deleted)
    Attachment.objects.filter(pk__in=[old.pk, sent.pk]).update(
        created_at=timezone.now() - timedelta(days=2)
    )
    gone.delete()
    uploads.sweep()
    assert set(Attachment.objects.all()) == {new, sent}
    assert [file.read_bytes() for file in stored(folder)] == [
        name for _, name in sorted([(new.id.hex, b"new.txt"), (sent.id.hex, b"sent.txt")])
    ]


def test_nothing_chosen_is_said(client: Client) -> None:
    response = client.post("/attachments/", {})
    assert response.status_code == 422
    assert "Choose a file first." in response.content.decode()
