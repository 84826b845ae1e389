"""Going back to the files of an earlier answer is one POST, whatever v0 or the network does, and its
two messages are v0's own."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.app_server import wait_until
from tests.relay.conftest import DOUBTS
from tests.sandbox_server import Sandbox
from tests.world import World


@pytest.fixture
def chat(world: World) -> str:
    """A page that was made dark: its first answer can be gone back to."""
    id = world.ask("A landing page for a tea shop\npace: 0")
    world.finished(id)
    world.send(id, "make it dark\npace: 0")
    world.finished(id)
    world.before = world.sandbox.ledger(world.app.key)
    return id


def first(world: World, chat: str) -> dict[str, Any]:
    return world.messages(chat, role="assistant")[0]


def rewind(world: World, chat: str, *, token: str = "") -> int:
    run = str(uuid.UUID(first(world, chat)["id"]))
    fields = {"run": run, "token": token or str(uuid.uuid4())}
    return world.post(f"/chats/{chat}/rewind/", **fields).status_code


def files(world: World, chat: str) -> Any:
    return world.at_v0(f"/chats/{world.chat(chat)['v0_id']}/files")


def is_restored(world: World, chat: str) -> None:
    """The pair is here as it is at v0, and says what it went back to."""
    assert world.finished(chat)["state"] == "finished"
    at_v0 = world.at_v0(f"/chats/{world.chat(chat)['v0_id']}/messages")["messages"][::-1]
    rows = world.messages(chat)
    assert [row["v0_id"] for row in rows] == [message["id"] for message in at_v0]
    assert [bool(row["restorable"]) for row in rows] == [each["restorable"] for each in at_v0]
    asked, told = rows[-2:]
    assert (asked["text"], told["parts"]) == (at_v0[-2]["content"], at_v0[-1]["parts"])
    earlier = first(world, chat)
    assert uuid.UUID(json.loads(told["restored"])["message"]) == uuid.UUID(earlier["id"])
    page = world.client.get(f"/chats/{chat}/").text
    assert (
        f'as they were after <a class="message-link" href="?at={uuid.UUID(earlier["id"])}' in page
    )


def test_one_press_brings_the_files_back_and_tells_every_reader(world: World, chat: str) -> None:
    assert first(world, chat)["restorable"] == 1
    made_dark = files(world, chat)
    token = str(uuid.uuid4())
    assert [rewind(world, chat, token=token) for _ in range(3)] == [303] * 3
    is_restored(world, chat)
    assert (world.ledger["posts"], world.ledger["user_messages"]) == (1, 0)
    assert files(world, chat) != made_dark
    # It is the newest now, and the one before can be gone back to.
    assert [row["restorable"] for row in world.messages(chat, role="assistant")] == [0, 1, 0]
    assert rewind(world, chat) == 409
    assert world.ledger["posts"] == 1


@pytest.mark.parametrize("fault", DOUBTS)
def test_a_restore_in_doubt_that_was_made_is_found(
    world: World, sandbox: Sandbox, chat: str, fault: dict[str, object]
) -> None:
    sandbox.fault(path="chats.restoreMessage", when="after", key=world.app.key, **fault)
    assert rewind(world, chat) == 303
    is_restored(world, chat)
    assert world.ledger["posts"] == 1


def test_a_restore_in_doubt_that_was_not_made_is_said_to_be_unknown(
    world: World, sandbox: Sandbox, chat: str
) -> None:
    sandbox.fault(path="chats.restoreMessage", kind="status", status=500, key=world.app.key)
    before = files(world, chat)
    rewind(world, chat)
    # What somebody else writes meanwhile is not taken for it.
    sandbox.write(world.chat(chat)["v0_id"], "make it green", run=False)
    assert world.finished(chat)["problem"] == "unknown"
    assert "whether v0 brought the files back" in world.client.get(f"/chats/{chat}/").text
    wait_until(lambda: len(world.messages(chat)) == 8, what="what they wrote")
    page = world.client.get(f"/chats/{chat}/").text
    assert "make it green" in page
    assert "whether v0 brought the files back" in page
    assert "The files are again" not in page
    assert world.ledger["posts"] == 1
    assert before != files(world, chat)


def test_a_restore_that_was_unknown_is_recognised_when_v0_shows_it(
    world: World, sandbox: Sandbox, chat: str
) -> None:
    """v0's lists fail until nobody looks any more."""
    key, v0_chat = world.app.key, world.chat(chat)["v0_id"]
    sandbox.fault(path="chats.restoreMessage", kind="reset", bytes=None, when="after", key=key)
    lists = f"/chats/{v0_chat}/messages"
    sandbox.fault(path=lists, method="GET", kind="status", times=None, status=503, key=key)
    rewind(world, chat)
    assert world.finished(chat)["problem"] == "unknown"
    sandbox.clear_faults()
    world.client.get(f"/chats/{chat}/")
    wait_until(lambda: world.answer(chat)["state"] == "finished", what="the comparison")
    is_restored(world, chat)
    assert world.ledger["posts"] == 1


@pytest.mark.parametrize(
    ("status", "problem", "words"),
    [
        (402, "credits", "out of credits"),
        (409, "conflict", "they are the newest already"),
        (422, "invalid", "no files of that answer"),
    ],
)
def test_a_refused_restore_says_so_and_can_be_wanted_again(
    world: World, sandbox: Sandbox, chat: str, status: int, problem: str, words: str
) -> None:
    sandbox.fault(path="chats.restoreMessage", kind="status", status=status, key=world.app.key)
    rewind(world, chat)
    answer = world.finished(chat)
    assert (answer["state"], answer["problem"]) == ("failed", problem)
    page = world.client.get(f"/chats/{chat}/").text
    assert words in page
    assert "Try again" not in page
    assert world.ledger["posts"] == 1
    assert rewind(world, chat) == 303
    wait_until(lambda: world.ledger["posts"] == 2, what="the second wish")
    assert world.finished(chat)["state"] == "finished"


def test_it_waits_for_the_end_of_an_answer(world: World, chat: str) -> None:
    world.send(chat, "scenario: long size=4000 pace=0.2")
    world.until(chat, "streaming")
    answer = world.post(
        f"/chats/{chat}/rewind/",
        run=str(uuid.UUID(first(world, chat)["id"])),
        token=str(uuid.uuid4()),
    )
    assert answer.status_code == 409
    assert "Stop the answer" in answer.text
    assert world.ledger["posts"] == 1
    world.stop(chat)
    world.finished(chat)
    assert rewind(world, chat) == 303
    assert world.finished(chat)["state"] == "finished"
