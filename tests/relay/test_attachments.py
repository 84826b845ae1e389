"""Files of messages on their way to v0: read at the moment of the POST, and kept by us alone."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.app_server import wait_until
from tests.relay.conftest import QUICK
from tests.sandbox_server import Sandbox
from tests.world import World

PACE = "pace: 0"
MIB = 1024 * 1024
TEXT = b"one,two\n1,2\n"


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, "V0_SWEEP_EVERY": "0.5"}


def upload(world: World, name: str, data: bytes) -> str:
    """The id of the file, as the row that comes back has it."""
    answer = world.client.post("/attachments/", files={"file": (name, data)})
    assert answer.status_code == 200, answer.text
    return answer.text.partition('data-attachment="')[2].partition('"')[0]


def post(world: World, path: str, *ids: str, **fields: Any) -> httpx.Response:
    form = {"message": PACE, "token": str(uuid4()), "attachment": list(ids), **fields}
    return world.client.post(path, data=form)


def chat_in(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].strip("/").rpartition("/")[2]


def at_v0(world: World, chat: str) -> list[str]:
    """The addresses of what v0 has with the newest message of a person."""
    found = world.at_v0(f"/chats/{world.chat(chat)['v0_id']}/messages")["messages"]
    newest = next(message for message in found if message["role"] == "user")
    return [attachment["url"] for attachment in newest["attachments"]]


def test_v0_gets_files_as_data_urls_and_addresses_as_they_are(world: World) -> None:
    file = upload(world, "table.csv", TEXT)
    chat = chat_in(post(world, "/chats/", file, url="https://example.com/a.png"))
    assert world.finished(chat)["state"] == "finished"
    data = "data:text/csv;base64," + base64.b64encode(TEXT).decode()
    assert at_v0(world, chat) == [data, "https://example.com/a.png"]
    assert world.client.get(f"/attachments/{file}/").content == TEXT
    # v0's echo of the bytes is nowhere with us: one row says which file of ours it is.
    for row in (*world.messages(chat), *world.rows("SELECT payload FROM chats_intent")):
        assert "base64" not in str(row)
    page = world.client.get(f"/chats/{chat}/").text
    assert f'<a href="/attachments/{file}/">table.csv</a>' in page
    assert 'href="https://example.com/a.png"' in page
    assert world.ledger["posts"] == 1


def test_a_form_without_scripts_carries_the_files_itself(world: World) -> None:
    chat = chat_in(post(world, "/chats/"))
    world.finished(chat)
    form = {"message": PACE, "token": str(uuid4())}
    path = f"/chats/{chat}/messages/"
    files = [("file", (name, TEXT)) for name in ("a.csv", "b.csv")]
    assert world.client.post(path, data=form, files=files).status_code == 303
    assert world.finished(chat)["state"] == "finished"
    assert len(at_v0(world, chat)) == 2


def test_the_most_that_one_message_may_have_arrives(world: World) -> None:
    files = [upload(world, f"{each}.txt", b"x" * (2 * MIB)) for each in range(4)]
    chat = chat_in(post(world, "/chats/", *files))
    assert world.finished(chat)["state"] == "finished"
    assert [len(url) for url in at_v0(world, chat)] == [
        len("data:text/plain;base64,") + 2796204
    ] * 4
    # v0's list of such messages has more bytes than are read at once: it is read in smaller pieces.
    world.send(chat, PACE)
    assert world.finished(chat)["state"] == "finished"


def test_an_echo_that_no_line_of_a_stream_can_hold_is_read_by_get(
    world: World, sandbox: Sandbox
) -> None:
    chat = chat_in(post(world, "/chats/", upload(world, "a.txt", b"text")))
    world.finished(chat)
    line = 'data: {"object":"message","attachments":[{"url":"data:,' + "x" * 17 * MIB + '"}]}\n\n'
    sandbox.fault(path="messages.sendStream", kind="malformed", frame=3, text=line)
    assert world.send(chat, PACE).status_code == 303
    answer = world.finished(chat)
    assert answer["state"] == "finished"
    assert answer["parts"] == world.v0_answer(chat)["parts"]
    assert world.ledger["posts"] == 2


def test_what_v0_refused_is_sent_again_with_its_files(world: World, sandbox: Sandbox) -> None:
    chat = chat_in(post(world, "/chats/"))
    world.finished(chat)
    sandbox.fault(path="messages.sendStream", kind="status", status=429)
    file = upload(world, "a.csv", TEXT)
    assert post(world, f"/chats/{chat}/messages/", file).status_code == 303
    refused = world.finished(chat)
    assert refused["problem"] == "rate-limit"
    form = {"run": refused["id"], "token": str(uuid4())}
    assert world.post(f"/chats/{chat}/again/", **form).status_code == 303
    assert world.finished(chat)["state"] == "finished"
    assert at_v0(world, chat) == ["data:text/csv;base64," + base64.b64encode(TEXT).decode()]
    assert world.ledger["posts"] == 3


def test_a_copy_of_a_chat_has_its_files(world: World) -> None:
    file = upload(world, "table.csv", TEXT)
    chat = chat_in(post(world, "/chats/", file))
    world.finished(chat)
    answer = world.post(f"/chats/{chat}/duplicate/", token=str(uuid4()))
    copy = chat_in(answer)
    wait_until(lambda: bool(world.messages(copy)), what="the messages of the copy")
    [told] = json.loads(world.messages(copy)[0]["attachments"])
    assert (told["name"], told["file"] != file) == ("table.csv", True)
    assert world.client.get(f"/attachments/{told['file']}/").content == TEXT


def test_what_was_not_sent_for_a_day_goes_by_itself(world: World) -> None:
    file, young = upload(world, "old.txt", b"text"), upload(world, "young.txt", b"text")
    folder = Path(world.app.settings["V0_VAR"]) / "attachments"
    kept = {path.name for path in folder.iterdir()}
    with closing(sqlite3.connect(world.app.database, timeout=20)) as connection, connection:
        old = "UPDATE chats_attachment SET created_at = '2026-01-01 00:00:00' WHERE id = ?"
        connection.execute(old, [UUID(file).hex])
    gone = kept - {UUID(file).hex}
    wait_until(lambda: {path.name for path in folder.iterdir()} == gone, what="the sweep")
    assert world.client.get(f"/attachments/{file}/").status_code == 404
    assert world.client.get(f"/attachments/{young}/").status_code == 200


def test_more_than_that_ends_in_a_sentence(world: World) -> None:
    answer = world.client.post("/attachments/", files={"file": ("a.txt", b"x" * (8 * MIB + 1))})
    assert (answer.status_code, "8.0\xa0MB is the most" in answer.text) == (422, True)
    answer = world.client.post("/attachments/", files={"file": ("a.txt", b"x" * (10 * MIB))})
    assert answer.status_code == 413
    assert "Go back: what you wrote is still there." in answer.text


def test_a_file_that_cannot_be_read_stops_the_message_before_it_leaves(world: World) -> None:
    file = upload(world, "lost.txt", b"text")
    shutil.rmtree(Path(world.app.settings["V0_VAR"]) / "attachments")
    chat = chat_in(post(world, "/chats/", file))
    answer = world.finished(chat)
    assert (answer["state"], answer["problem"]) == ("failed", "files")
    assert "could not be read here" in world.client.get(f"/chats/{chat}/").text
    assert world.client.get(f"/attachments/{file}/").status_code == 404
    assert world.ledger["posts"] == 0
