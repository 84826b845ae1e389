"""Chats that begin with files: what is taken, what is refused, and what the agent makes of it."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from chats.sandbox import files
from tests.sandbox.asking import Client

Json = Any

TEXTS = {"README.md": "# Größe\n", "src/app.ts": "export {};\n"}


def archive(entries: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, data in entries.items():
            writing.writestr(name, data)
    return written.getvalue()


def data_url(data: bytes) -> str:
    return "data:application/zip;base64," + base64.b64encode(data).decode()


def created(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["tokens"]["total"] == 0
    return answer.json()["chat"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


def from_files(client: Client, texts: dict[str, str], **fields: Json) -> httpx.Response:
    named = [{"name": name, "content": content} for name, content in texts.items()]
    return client.post("/chats/from-files", {"files": named, **fields})


def test_texts_become_files(client: Client) -> None:
    fields = {"title": "Mine", "privacy": "team", "metadata": {"a": "1"}}
    chat = created(from_files(client, TEXTS, **fields))
    assert {name: chat[name] for name in fields} == fields
    assert client.files(chat["id"]) == TEXTS
    assert client.messages(chat["id"]) == []
    assert client.ledger()["chats"][chat["id"]]["posts"] == 1


def test_what_was_brought_along_is_left_alone_and_requests_are_written_down(client: Client) -> None:
    chat_id = created(from_files(client, TEXTS))["id"]
    client.send(chat_id, "Make it dark")
    message = client.send(chat_id, "Add a contact form")[-1]
    kept = client.files(chat_id)
    requests = kept.pop("REQUESTS.md")
    assert kept == TEXTS
    assert requests == "# Requests\n\n- Make it dark\n\n- Add a contact form\n"
    assert "`REQUESTS.md`" in message["content"]
    assert [part["path"] for part in message["parts"] if part["type"] == "file-edit"] == [
        "REQUESTS.md"
    ]


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "a\\b", "a/", "a" * 1_025])
def test_a_path_that_leaves_the_project_is_refused(client: Client, name: str) -> None:
    status, words = refusal(from_files(client, {"fine": "a", name: "b"}))
    assert (status, words.partition(": ")[0]) == (422, "files[1].name")


def test_a_name_may_be_given_once(client: Client) -> None:
    twice = [{"name": "a", "content": "1"}, {"name": "a", "content": "2"}]
    answer = client.post("/chats/from-files", {"files": twice})
    assert refusal(answer) == (422, "files[1].name: must be unique")


@pytest.mark.parametrize("kind", ["base64", "percent"])
def test_an_archive_is_read_from_a_data_url(client: Client, kind: str) -> None:
    data = archive({"a.txt": b"text", "img/b.bin": b"\xff\xfe\x00", "empty/": b""})
    url = data_url(data) if kind == "base64" else "data:application/zip," + quote(data)
    chat = created(client.post("/chats/from-zip", {"url": url}))
    listed = client.get(f"/chats/{chat['id']}/files").json()["files"]
    assert listed == [
        {"path": "a.txt", "content": "text", "encoding": "utf8"},
        {"path": "img/b.bin", "content": "//4A", "encoding": "base64"},
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 and then nothing", "is no ZIP archive"),
        (b"", "is no ZIP archive"),
        (archive({}), "is an empty ZIP archive"),
        (archive({"../a": b"1"}), "holds '../a', which must stay inside the project"),
        (archive({str(number): b"" for number in range(1_001)}), "must hold at most 1000 files"),
        (archive({"a": bytes(33 * 1024 * 1024)}), "must hold at most 33554432 bytes"),
    ],
    ids=["broken", "nothing", "empty", "path", "many", "bomb"],
)  # fmt: skip
def test_an_archive_that_cannot_be_taken_is_refused(
    client: Client, data: bytes, words: str
) -> None:
    answer = client.post("/chats/from-zip", {"url": data_url(data)})
    assert refusal(answer) == (422, f"url: {words}")
    assert client.get("/chats").json()["chats"] == []


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    honest = archive({"a": b"1" * 1_000})
    lying = honest.replace(struct.pack("<L", 1_000), struct.pack("<L", 10))
    assert lying != honest
    with pytest.raises(files.BadArchive):
        files.unzipped(lying)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("data:application/zip;base64,!!!", "url: is not in base64"),
        ("data:nothing", "url: is no data URL"),
        ("http://a.example/b.zip", "url: must be an https or a data URL"),
        ("file:///etc/passwd", "url: must be an https or a data URL"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused(client: Client, url: str, words: str) -> None:
    assert refusal(client.post("/chats/from-zip", {"url": url})) == (422, words)


def test_an_archive_elsewhere_is_stood_for_and_never_fetched(client: Client) -> None:
    url = "https://nowhere.invalid/shop.zip"
    chat = created(client.post("/chats/from-zip", {"url": url}))
    assert url in client.files(chat["id"])["README.md"]


@pytest.mark.parametrize(
    "url", ["https://github.com/ada/shop", "https://github.com/ada/shop.git", "ada/shop"]
)
def test_a_repository_is_stood_for_and_never_fetched(client: Client, url: str) -> None:
    repository = {"url": url, "branch": "next"}
    chat = created(client.post("/chats/from-repo", {"repo": repository}))
    assert chat["title"] == "shop"
    kept = client.files(chat["id"])
    assert "https://github.com/ada/shop (next)" in kept["README.md"]
    assert sorted(kept) == ["README.md", "index.html", "package.json"]


@pytest.mark.parametrize("url", ["https://example.com/a/b", "shop", "https://github.com/ada"])
def test_what_is_no_repository_is_refused(client: Client, url: str) -> None:
    answer = client.post("/chats/from-repo", {"repo": {"url": url}})
    assert refusal(answer) == (422, "repo.url: must be a GitHub repository")
