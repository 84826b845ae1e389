"""What somebody does in v0's own UI, with the same key, reaches our rows and our pages.

The edits go to the sandbox as that somebody would make them, past the app.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from tests.app_server import wait_until
from tests.relay.conftest import QUICK
from tests.relay.sameness import SOON, until_same
from tests.sandbox_server import Sandbox
from tests.world import World


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, **SOON}


class Elsewhere:
    """Somebody in v0's own UI."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = httpx.Client(
            base_url=world.sandbox.base_url,
            headers={"Authorization": f"Bearer {world.app.key}"},
            trust_env=False,
            timeout=30,
        )

    def id(self, chat: str) -> str:
        return str(self.world.chat(chat)["v0_id"])

    def rename(self, chat: str, title: str) -> None:
        self.http.patch(f"/chats/{self.id(chat)}", json={"title": title}).raise_for_status()

    def delete(self, chat: str) -> None:
        self.http.delete(f"/chats/{self.id(chat)}").raise_for_status()

    def begin(self, chat: str, message: str) -> threading.Thread:
        """Sends a message and reads its stream in a thread of its own; returns once v0 has it."""
        begun = threading.Event()

        def send() -> None:
            path = f"/chats/{self.id(chat)}/messages/stream"
            with self.http.stream("POST", path, json={"message": message}) as stream:
                begun.set()
                stream.read()

        thread = threading.Thread(target=send)
        thread.start()
        assert begun.wait(20)
        return thread

    def say(self, chat: str, message: str) -> None:
        self.begin(chat, message).join(30)


@pytest.fixture
def v0(world: World) -> Iterator[Elsewhere]:
    there = Elsewhere(world)
    yield there
    there.http.close()


def test_a_title_given_elsewhere_is_taken_over_when_the_chat_is_opened(
    world: World, v0: Elsewhere
) -> None:
    chat = world.ask("A page about moss")
    world.finished(chat)
    v0.rename(chat, "Renamed elsewhere")
    version = world.chat(chat)["version"]
    assert world.client.get(f"/chats/{chat}/").status_code == 200
    wait_until(lambda: world.chat(chat)["title"] == "Renamed elsewhere", what="the title")
    assert world.chat(chat)["version"] > version
    assert "Renamed elsewhere" in world.client.get(f"/chats/{chat}/").text


def test_messages_sent_elsewhere_come_in_their_order(world: World, v0: Elsewhere) -> None:
    chat = world.ask("A page about bees")
    world.finished(chat)
    v0.say(chat, "And one about wasps")
    until_same(world, chat)
    asked, answer = world.messages(chat)[2:]
    assert (asked["text"], asked["author_id"], asked["state"]) == (
        "And one about wasps",
        None,
        "finished",
    )
    assert answer["state"] == "finished"
    assert world.ledger["posts"] == 2, "one of ours, one of somebody else"
    page = world.client.get(f"/chats/{chat}/").text
    assert page.index("A page about bees") < page.index("And one about wasps")


def test_an_answer_that_runs_elsewhere_is_followed_and_never_posted(
    world: World, v0: Elsewhere
) -> None:
    chat = world.ask("A page about ants")
    world.finished(chat)
    thread = v0.begin(chat, "Go on.\nscenario: long size=4000 pace=0.1")
    world.until(chat, "streaming")
    assert world.send(chat, "At the same time\npace: 0").status_code == 303
    intents = "SELECT id FROM chats_intent WHERE chat_id = ?"
    assert len(world.rows(intents, UUID(chat).hex)) == 1
    thread.join(30)
    wait_until(lambda: len(world.messages(chat)) == 6, what="what waited for its end")
    assert world.finished(chat)["state"] == "finished"
    until_same(world, chat)
    assert world.messages(chat)[4]["text"] == "At the same time\npace: 0"
    assert (world.ledger["posts"], len(world.rows(intents, UUID(chat).hex))) == (3, 2)


def test_an_answer_of_somebody_else_is_stopped_like_any_other(world: World, v0: Elsewhere) -> None:
    chat = world.ask("A page about flies")
    world.finished(chat)
    thread = v0.begin(chat, "Go on.\nscenario: long size=60000 pace=0.5")
    world.until(chat, "streaming")
    assert world.stop(chat).status_code == 303
    assert world.finished(chat)["state"] == "stopped"
    thread.join(30)
    assert world.ledger["stops"] == 1
    until_same(world, chat)


def test_a_chat_deleted_elsewhere_stays_readable_and_takes_no_messages(
    world: World, v0: Elsewhere
) -> None:
    chat = world.ask("A page about dodos")
    world.finished(chat)
    v0.delete(chat)
    world.client.get(f"/chats/{chat}/")
    wait_until(lambda: world.chat(chat)["at_v0"] == "gone", what="that it is gone")
    page = world.client.get(f"/chats/{chat}/").text
    assert "This chat was deleted at v0." in page
    assert "A page about dodos" in page
    assert "data-composer" not in page
    assert "hx-swap-oob" in world.client.get(f"/chats/{chat}/own/").text
    actions = world.client.get(f"/chats/{chat}/actions/").text
    assert 'data-mode="closed"' in actions
    assert "<button" not in actions
    assert world.send(chat, "Are you there?").status_code == 403
    assert world.ledger["posts"] == 1


def test_a_chat_that_v0_closes_or_serves_no_more_says_so(world: World, v0: Elsewhere) -> None:
    chat = world.ask("A page about keys")
    world.finished(chat)
    place = f"{world.sandbox.origin}/_sandbox/chats/{v0.id(chat)}"
    v0.http.patch(place, json={"writePermission": False}).raise_for_status()
    wait_until(lambda: not world.chat(chat)["write_permission"], what="what v0 allows")
    assert world.send(chat, "May I?").status_code == 403
    v0.http.patch(place, json={"older": True}).raise_for_status()
    world.client.get(f"/chats/{chat}/")
    wait_until(lambda: world.chat(chat)["at_v0"] == "old", what="that it is old")
    assert "was made with an older version" in world.client.get(f"/chats/{chat}/").text


def test_a_failing_v0_is_left_in_peace_and_then_asked_again(
    world: World, v0: Elsewhere, sandbox: Sandbox
) -> None:
    chat = world.ask("A page about rain")
    world.finished(chat)
    until_same(world, chat)
    for operation in ("chats.get", "chats.list"):
        sandbox.fault(path=operation, kind="status", status=429, times=2, key=world.app.key)
    v0.rename(chat, "After the rain")
    world.client.get(f"/chats/{chat}/")
    wait_until(lambda: world.chat(chat)["title"] == "After the rain", what="the title")


def test_a_chat_that_v0_does_not_show_keeps_no_other_waiting(
    world: World, v0: Elsewhere, sandbox: Sandbox
) -> None:
    hidden, other = world.ask("A page about caves"), world.ask("A page about hills")
    for chat in (hidden, other):
        world.finished(chat)
    path = f"/chats/{v0.id(hidden)}"
    sandbox.fault(path=path, kind="status", status=403, times=None, key=world.app.key)
    begin = len(world.app.log)
    wait_until(lambda: "does not show chat" in world.app.log[begin:], what="the refusal")
    v0.rename(other, "Hills elsewhere")
    wait_until(lambda: world.chat(other)["title"] == "Hills elsewhere", what="the title")
    assert "reading what changed" not in world.app.log[begin:]
    world.client.get(f"/chats/{hidden}/").raise_for_status()


def test_what_failed_here_stays_where_it_was_typed(world: World, sandbox: Sandbox) -> None:
    there = Elsewhere(world)
    chat = world.ask("First")
    world.finished(chat)
    sandbox.fault(path="messages.sendStream", kind="status", status=402, key=world.app.key)
    world.send(chat, "Never arrived")
    assert world.finished(chat)["state"] == "failed"
    there.say(chat, "From elsewhere")
    until_same(world, chat)
    assert [row["text"] for row in world.messages(chat, role="user")] == [
        "First",
        "Never arrived",
        "From elsewhere",
    ]
    there.http.close()
