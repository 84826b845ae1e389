"""v0 says no, and goes on saying no to whoever asks whether it has the message: what is told is that no."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.app_server import wait_until
from tests.sandbox_server import Sandbox
from tests.world import World

HELLO = "scenario: refusal\npace: 0"

Spoil = Callable[[Sandbox, str, str], object]


def refusing(status: int) -> Spoil:
    def spoil(sandbox: Sandbox, v0_chat: str, key: str) -> object:
        return sandbox.fault(path="*", kind="status", status=status, times=None, key=key)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "problem", "stands"),
    [
        pytest.param(refusing(401), "unauthorized", "", id="wrong key"),
        pytest.param(refusing(402), "credits", "", id="out of credits"),
        pytest.param(refusing(429), "rate-limit", "", id="rate limit"),
        pytest.param(lambda v0, chat, key: v0.delete(chat), "gone", "gone", id="deleted at v0"),
        pytest.param(
            lambda v0, chat, key: v0.edit(chat, older=True), "old", "old", id="an older API"
        ),
    ],
)
def test_a_refusal_that_lasts_is_no_doubt(
    world: World, spoil: Spoil, problem: str, stands: str
) -> None:
    chat = world.ask(HELLO)
    world.finished(chat)
    spoil(world.sandbox, world.chat(chat)["v0_id"], world.app.key)
    world.send(chat, "What comes next")
    answer = world.finished(chat)
    assert (answer["state"], answer["problem"]) == ("failed", problem)
    assert world.messages(chat, role="user")[-1]["state"] == "failed"
    assert world.ledger["user_messages"] == 1
    # Nobody has to open the chat again to be told.
    wait_until(lambda: world.chat(chat)["at_v0"] == stands, what="how the chat stands at v0")


def test_a_new_chat_that_a_wrong_key_cannot_make_says_so(world: World) -> None:
    refusing(401)(world.sandbox, "", world.app.key)
    chat = world.ask(HELLO)
    assert world.finished(chat)["problem"] == "unauthorized"
    assert (world.ledger["posts"], world.ledger["user_messages"]) == (1, 0)
