"""A copy of a chat is one POST, whatever v0 or the network does, and ends equal to v0's."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from tests.app_server import wait_until
from tests.relay.conftest import DOUBTS
from tests.relay.sameness import until_same
from tests.sandbox_server import Sandbox
from tests.world import World


@pytest.fixture
def chat(world: World) -> str:
    """A finished chat, before the first of the test's own POSTs."""
    id = world.ask("scenario: refusal\npace: 0")
    world.finished(id)
    # Copies with one title could not be told apart.
    world.post(f"/chats/{id}/rename/", title=f"Tea {id[:8]}")
    world.before = world.sandbox.ledger(world.app.key)
    return id


def duplicate(world: World, chat: str, *, token: str = "") -> str:
    answer = world.post(f"/chats/{chat}/duplicate/", token=token or str(uuid.uuid4()))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].strip("/").rpartition("/")[2]


def state(world: World, copy: str) -> str:
    found = world.rows("SELECT state FROM chats_intent WHERE chat_id = ?", copy.replace("-", ""))
    return str(found[0]["state"])


def is_complete(world: World, chat: str, copy: str) -> None:
    wait_until(lambda: bool(world.messages(copy)), what="the messages of the copy")
    v0_chat = world.chat(copy)["v0_id"]
    at_v0 = world.at_v0(f"/chats/{v0_chat}/messages")["messages"][::-1]
    rows, old = world.messages(copy), world.messages(chat)
    assert [row["v0_id"] for row in rows] == [message["id"] for message in at_v0]
    assert [row["text"] for row in rows] == [row["text"] for row in old]
    assert rows[-1]["parts"] == at_v0[-1]["parts"] == old[-1]["parts"]
    intent = world.rows("SELECT id FROM chats_intent WHERE chat_id = ?", copy.replace("-", ""))
    told = world.at_v0(f"/chats/{v0_chat}")
    assert told["metadata"]["v0web_intent"] == str(uuid.UUID(intent[0]["id"]))
    assert (told["privacy"], told["title"]) == ("private", world.chat(copy)["title"])


def test_a_copy_is_what_v0_has_and_goes_on_by_itself(world: World, chat: str) -> None:
    token = str(uuid.uuid4())
    copy = duplicate(world, chat, token=token)
    assert duplicate(world, chat, token=token) == copy
    is_complete(world, chat, copy)
    assert world.ledger["posts"] == 1
    assert world.client.get(f"/chats/{copy}/copying/").headers["HX-Refresh"] == "true"
    assert world.send(copy, "scenario: refusal\npace: 0").status_code == 303
    assert world.finished(copy)["state"] == "finished"
    assert len(world.messages(chat)) == 2


def test_a_copy_has_the_title_and_the_level_that_were_chosen(world: World, chat: str) -> None:
    fields = {"token": str(uuid.uuid4()), "title": " My  tea ", "privacy": "unlisted"}
    copy = world.post(f"/chats/{chat}/duplicate/", **fields).headers["location"].split("/")[2]
    wait_until(lambda: bool(world.messages(copy)), what="the messages of the copy")
    at_v0 = world.at_v0(f"/chats/{world.chat(copy)['v0_id']}")
    assert (at_v0["title"], at_v0["privacy"]) == ("My tea", "unlisted")
    here = world.chat(copy)
    assert (here["title"], here["privacy"], here["privacy_at_v0"]) == (
        "My tea",
        "unlisted",
        "unlisted",
    )
    assert world.ledger["posts"] == 1


def test_a_copy_goes_on_from_an_earlier_answer(world: World) -> None:
    """Two POSTs, as the form says: the copy, and the restore in it."""
    chat = world.ask(f"A landing page for tea {uuid.uuid4().hex[:6]}\npace: 0")
    world.finished(chat)
    made = world.at_v0(f"/chats/{world.chat(chat)['v0_id']}/files")
    world.send(chat, "make it dark\npace: 0")
    world.finished(chat)
    world.before = world.sandbox.ledger(world.app.key)
    run = str(uuid.UUID(world.messages(chat)[1]["id"]))
    fields = {"token": str(uuid.uuid4()), "run": run}
    answers = [world.post(f"/chats/{chat}/duplicate/", **fields) for _ in range(2)]
    (copy,) = {answer.headers["location"].split("/")[2] for answer in answers}
    wait_until(lambda: len(world.messages(copy)) == 6, what="the copy and its restore")
    assert world.finished(copy)["state"] == "finished"
    assert world.at_v0(f"/chats/{world.chat(copy)['v0_id']}/files") == made
    at_v0 = world.at_v0(f"/chats/{world.chat(copy)['v0_id']}/messages")["messages"][::-1]
    assert [row["v0_id"] for row in world.messages(copy)] == [each["id"] for each in at_v0]
    assert len(world.messages(chat)) == 4
    assert world.at_v0(f"/chats/{world.chat(chat)['v0_id']}/files") != made
    assert world.ledger["posts"] == 2


@pytest.mark.parametrize("fault", DOUBTS)
def test_a_copy_in_doubt_that_was_made_is_found(
    world: World, sandbox: Sandbox, chat: str, fault: dict[str, object]
) -> None:
    sandbox.fault(path="chats.duplicate", when="after", key=world.app.key, **fault)
    copy = duplicate(world, chat)
    is_complete(world, chat, copy)
    assert world.ledger["posts"] == 1


def test_a_copy_in_doubt_that_was_not_made_is_said_to_be_unknown(
    world: World, sandbox: Sandbox, chat: str
) -> None:
    sandbox.fault(path="chats.duplicate", kind="status", status=500, key=world.app.key)
    copy = duplicate(world, chat)
    wait_until(lambda: state(world, copy) == "unknown", what="the end of the doubt")
    assert world.post(f"/chats/{copy}/copy-again/").status_code == 303
    assert state(world, copy) == "unknown"
    assert world.ledger["posts"] == 1


def test_a_refused_copy_can_be_wanted_again(world: World, sandbox: Sandbox, chat: str) -> None:
    sandbox.fault(path="chats.duplicate", kind="status", status=402, key=world.app.key)
    copy = duplicate(world, chat)
    wait_until(lambda: state(world, copy) == "refused", what="the refusal")
    assert "there are no credits left" in world.client.get(f"/chats/{copy}/").text
    assert world.ledger["posts"] == 1
    world.post(f"/chats/{copy}/copy-again/")
    is_complete(world, chat, copy)
    assert world.ledger["posts"] == 2


def test_a_long_copy_comes_whole_and_an_answer_that_runs_in_it_is_followed(
    world: World, sandbox: Sandbox, chat: str
) -> None:
    """Somebody at v0 goes on in the copy before it was read."""
    for number in range(50):
        sandbox.write(world.chat(chat)["v0_id"], f"{number}\nscenario: empty", run=False)
    key, name = world.app.key, world.chat(chat)["title"]
    sandbox.fault(path="chats.update", kind="status", status=503, times=3, key=key)
    copy = duplicate(world, chat)
    wait_until(lambda: bool(world.chat(copy)["v0_id"]), what="v0's copy")
    v0_copy = world.chat(copy)["v0_id"]
    assert world.messages(copy) == []
    running = sandbox.write(v0_copy, "Go on\nscenario: long size=4000 pace=0.2")
    wait_until(lambda: bool(world.messages(copy)), what="the messages of the copy")
    world.until(copy, "streaming")
    answer = world.answer(copy)
    assert (answer["v0_id"], answer["ended_at"]) == (running, None)
    assert world.send(copy, "Me too\npace: 0").status_code == 303
    wait_until(lambda: len(world.messages(copy)) == 2 + 100 + 2 + 2, what="what waited for it")
    assert world.finished(copy)["state"] == "finished"
    until_same(world, copy)
    assert world.chat(copy)["title"] == f"{name} (copy)"
    assert world.ledger["posts"] == 2


def test_a_copy_whose_process_died_is_found_by_the_next_one(
    here: Callable[..., World], sandbox: Sandbox
) -> None:
    """Killed after the POST has left and before v0 has answered it."""
    world = here()
    chat = world.ask("scenario: refusal\npace: 0")
    world.finished(chat)
    sandbox.fault(path="chats.duplicate", kind="hang", seconds=60, when="after", key=world.app.key)
    copy = duplicate(world, chat)
    wait_until(lambda: world.ledger["posts"] == 2, what="the POST to reach v0")
    world.app.kill()
    assert (state(world, copy), world.messages(copy)) == ("posting", [])
    world.app.start()
    is_complete(world, chat, copy)
    assert (state(world, copy), world.ledger["posts"]) == ("accepted", 2)
