"""What every answer of the demo carries, its errors too; production is in `test_production`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.app_server import AppServer, prepared_database, running_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, shared_folder: Path) -> Iterator[AppServer]:
    template = prepared_database(shared_folder)
    with running_app(tmp_path_factory.mktemp("app"), None, template=template) as app:
        yield app


@pytest.fixture
def client(app: AppServer) -> Iterator[httpx.Client]:
    with app.client_of("owner@example.com") as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/accounts/login/",
        "/admin/",
        "/chats/",
        "/there/is/none",
        "/static/none.css",
        "/healthz",
    ],
)
def test_every_answer_has_the_policy(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers


def test_a_refused_form_has_the_policy_too(client: httpx.Client) -> None:
    answer = client.post("/chats/", headers={"X-CSRFToken": "", "Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_what_is_not_there_and_what_is_hidden_look_alike(client: httpx.Client) -> None:
    pages = []
    for path in ("/there/is/none/", f"/chats/{uuid4()}/"):
        answer = client.get(path)
        assert answer.status_code == 404
        pages.append(re.sub(r"[\w-]{64}", "TOKEN", answer.text).replace(path, "PATH"))
    assert pages[0] == pages[1]
    assert "URLconf" not in pages[0]


def test_an_address_without_its_last_slash_is_completed(client: httpx.Client) -> None:
    answer = client.get("/accounts/login")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/accounts/login/")


def test_files_may_be_kept_but_pages_may_not(client: httpx.Client) -> None:
    page = client.get("/")
    assert {"private", "no-store"} <= set(re.split(r", *", page.headers["Cache-Control"]))
    assert "Cookie" in page.headers["Vary"]
    (file, *_) = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    answer = client.get(file)
    assert answer.status_code == 200
    assert "no-store" not in answer.headers["Cache-Control"]
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_a_file_is_sent_whole_in_part_or_not_again(client: httpx.Client, app: AppServer) -> None:
    page = client.get("/").text
    (file, *_) = re.findall(r'href="(/static/[^"]+\.css)"', page)
    whole = client.get(file)
    part = client.get(file, headers={"Range": "bytes=3-9"})
    assert (part.status_code, part.content) == (206, whole.content[3:10])
    assert client.head(file).content == b""
    same = client.get(file, headers={"If-Modified-Since": whole.headers["Last-Modified"]})
    assert same.status_code == 304
    assert client.post(file).status_code == 405
    assert "Warning" not in app.log
