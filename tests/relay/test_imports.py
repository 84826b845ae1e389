"""A chat of files is one POST, whatever v0 or the network does, and says how it stands."""

from __future__ import annotations

import io
import uuid
import zipfile
from typing import Any

import pytest

from tests.app_server import wait_until
from tests.relay.conftest import DOUBTS, QUICK
from tests.sandbox_server import Sandbox
from tests.world import World

REPOSITORY = {"kind": "repo", "repository": "vercel/next.js", "branch": "canary"}


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, "V0_IMPORT_TIMEOUT": "0"}


def bring(world: World, *files: tuple[str, tuple[str, bytes]], **fields: str) -> str:
    """Fills in the form; the new chat."""
    data = {"token": str(uuid.uuid4()), **fields}
    answer = world.client.post("/chats/import/", data=data, files=[*files])
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].strip("/").rpartition("/")[2]


def intent(world: World, chat: str) -> dict[str, Any]:
    return world.rows("SELECT * FROM chats_intent WHERE chat_id = ?", uuid.UUID(chat).hex)[0]


def is_there(world: World, chat: str) -> dict[str, Any]:
    """v0's chat, once it is here as far as there is anything of it."""
    wait_until(lambda: bool(world.chat(chat)["v0_id"]), what="v0's chat")
    wait_until(lambda: intent(world, chat)["lease_until"] is None, what="its messages")
    at_v0 = world.at_v0(f"/chats/{world.chat(chat)['v0_id']}")
    assert at_v0["metadata"]["v0web_intent"] == str(uuid.UUID(intent(world, chat)["id"]))
    assert (at_v0["title"], at_v0["privacy"]) == tuple(
        world.chat(chat)[name] for name in ("title", "privacy")
    )
    return dict(at_v0)


def files_of(world: World, chat: str) -> dict[str, str]:
    found = world.at_v0(f"/chats/{world.chat(chat)['v0_id']}/files")["files"]
    return {file["path"]: file["content"] for file in found}


def zipped(**files: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        for name, text in files.items():
            writing.writestr(name, text)
    return archive.getvalue()


def test_files_begin_a_chat_that_goes_on(world: World) -> None:
    token = str(uuid.uuid4())
    brought = [
        ("file", ("page.html", b"<h1>Tea</h1>")),
        ("file", (".env.example", "\ufeffNAME=Zoë".encode())),
    ]
    fields = {"kind": "files", "title": "Tea  shop", "privacy": "unlisted", "token": token}
    chat = bring(world, *brought, **fields)
    assert bring(world, *brought, **fields) == chat
    assert is_there(world, chat)["title"] == "Tea shop"
    assert world.chat(chat)["privacy"] == "unlisted"
    assert files_of(world, chat) == {"page.html": "<h1>Tea</h1>", ".env.example": "NAME=Zoë"}
    page = world.client.get(f"/chats/{chat}/").text
    assert "v0 has the files that this chat begins with. Write below what to do next." in page
    assert world.send(chat, "scenario: refusal\npace: 0").status_code == 303
    assert world.finished(chat)["state"] == "finished"
    assert (world.ledger["posts"], world.ledger["user_messages"]) == (2, 1)
    kept = world.rows("SELECT * FROM chats_attachment WHERE taken_at IS NULL")
    assert not kept, "what v0 has is swept here"


def test_an_archive_comes_from_here_or_from_an_address(world: World) -> None:
    archive = zipped(**{"src/page.html": "<h1>Tea</h1>", "logo.svg": "<svg/>"})
    chat = bring(world, ("archive", ("tea.zip", archive)), kind="zip", title="Tea")
    is_there(world, chat)
    assert files_of(world, chat) == {"src/page.html": "<h1>Tea</h1>", "logo.svg": "<svg/>"}
    address = "https://example.com/tea.zip?signed=1"
    bring(world, kind="zip", url=address, title="Far tea")
    wait_until(lambda: world.ledger["posts"] == 2, what="the second POST")
    assert world.sandbox.requests(world.app.key)[-1]["body"]["url"] == address


def test_a_repository_is_read_by_v0(world: World) -> None:
    chat = bring(world, **REPOSITORY)
    assert is_there(world, chat)["title"] == "next.js"
    body = world.sandbox.requests(world.app.key)[-1]["body"]
    assert body["repo"] == {"url": "https://github.com/vercel/next.js", "branch": "canary"}
    assert world.ledger["posts"] == 1


@pytest.mark.parametrize("fault", DOUBTS)
def test_a_chat_in_doubt_that_was_made_is_found(
    world: World, sandbox: Sandbox, fault: dict[str, object]
) -> None:
    sandbox.fault(path="chats.createFromRepo", when="after", key=world.app.key, **fault)
    is_there(world, bring(world, **REPOSITORY))
    assert world.ledger["posts"] == 1


def test_a_chat_in_doubt_that_was_not_made_is_said_to_be_unknown(
    world: World, sandbox: Sandbox
) -> None:
    sandbox.fault(path="chats.createFromFiles", kind="status", status=500, key=world.app.key)
    chat = bring(world, ("file", ("page.html", b"<h1>Tea</h1>")), kind="files", title="Lost tea")
    wait_until(lambda: intent(world, chat)["state"] == "unknown", what="the end of the doubt")
    page = world.client.get(f"/chats/{chat}/").text
    assert "could not be found out" in page
    assert "Try again" not in page
    world.post(f"/chats/{chat}/copy-again/")
    assert intent(world, chat)["state"] == "unknown"
    world.post(f"/chats/{chat}/look-again/")
    assert intent(world, chat)["state"] == "checking"
    assert world.ledger["posts"] == 1
    # What was typed is still there for another form.
    form = world.client.get(f"/chats/import/?chat={chat}").text
    assert 'value="Lost tea"' in form
    assert "page.html" in form


@pytest.mark.parametrize(
    ("status", "words", "way"),
    [
        (402, "there are no credits left", "Try again"),
        (404, "no such repository or branch", "Change and try again"),
        (422, "could not read that repository", "Change and try again"),
        (429, "too many requests", "Try again"),
    ],
)
def test_a_refusal_says_why_and_can_be_tried_again(
    world: World, sandbox: Sandbox, status: int, words: str, way: str
) -> None:
    rule = {"kind": "status", "status": status, "message": "Because <of> this"}
    sandbox.fault(path="chats.createFromRepo", key=world.app.key, **rule)
    chat = bring(world, **REPOSITORY)
    wait_until(lambda: intent(world, chat)["state"] == "refused", what="the refusal")
    page = world.client.get(f"/chats/{chat}/").text
    assert words in page
    assert f"{way}</" in page
    assert "Because &lt;of&gt; this" in page
    form = world.client.get(f"/chats/import/?chat={chat}").text
    assert 'value="https://github.com/vercel/next.js"' in form
    assert world.ledger["posts"] == 1
    world.post(f"/chats/{chat}/copy-again/")
    is_there(world, chat)
    assert world.ledger["posts"] == 2
