"""Messages that wait while nothing may begin: none is lost, none goes out twice, and each goes out afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.app_server import wait_until
from tests.relay.conftest import QUICK
from tests.relay.test_queue import act, drained, execute, queue, row, running, waiting
from tests.world import World

LONG = "scenario: silence seconds=300\npace: 1"
SHORT = "scenario: silence seconds=1\npace: 1"
PLENTY = 100 * 10**12


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, "V0_HUB_CHECK": "0.5"}


@pytest.fixture(autouse=True)
def without_limits(request: pytest.FixtureRequest) -> None:
    """The server is the module's: what one test holds back is nothing to the next."""
    if "world" in request.fixturenames:
        world = request.getfixturevalue("world")
        for table in ("limit", "levers", "counter", "reservation"):
            execute(world, f"DELETE FROM chats_{table}")


def limit(world: World, credits: int) -> None:
    execute(world, "DELETE FROM chats_limit")
    execute(
        world,
        "INSERT INTO chats_limit (scope, key, period, credits, changed_at) "
        "VALUES ('installation', '', 'day', ?, datetime('now'))",
        credits,
    )


def pull(world: World, *, sends: int = 0, runs: int = 0, closed: bool = False) -> None:
    execute(world, "DELETE FROM chats_levers")
    execute(
        world,
        "INSERT INTO chats_levers (id, sends_per_minute, runs_at_once, is_closed, closed_words, "
        "stops_runs, default_model) VALUES (1, ?, ?, ?, '', 0, '')",
        *(sends, runs, closed),
    )


def waits_as(world: World, chat: str, words: str) -> None:
    """What people are told of the queue once the answer before it has ended."""
    world.finished(chat)
    assert words in world.client.get(f"/chats/{chat}/queue/").text


def problems(world: World, chat: str) -> list[str]:
    return [each["problem"] for each in waiting(world, chat)]


def test_what_waits_for_a_budget_goes_out_by_itself_when_that_has_room_again(world: World) -> None:
    chat = running(world, SHORT)
    queue(world, chat, "First", "Second")
    limit(world, 0)
    wait_until(lambda: problems(world, chat) == ["budget", ""], within=20, what="the reason")
    page = world.client.get(f"/chats/{chat}/").text
    assert "is used up" in page
    assert "It goes out when there is room again, by itself." in page
    refused = world.send(chat, "Refused")
    assert (refused.status_code, "Refused</textarea>" in refused.text) == (402, True)
    assert world.post(f"/chats/{chat}/queue/{row(world, chat, 'First')}/now/").status_code == 402
    assert world.ledger["posts"] == 1
    limit(world, PLENTY)
    assert drained(world, chat)[1:] == ["First", "Second"]
    assert (world.ledger["posts"], world.ledger["user_messages"]) == (3, 3)
    assert world.ledger["stops"] == 0


def test_what_was_to_go_out_first_still_does_when_there_is_room(world: World) -> None:
    chat = running(world, LONG)
    queue(world, chat, "First", "Second")
    act(world, chat, row(world, chat, "Second"), "now")
    limit(world, 0)
    wait_until(lambda: "budget" in problems(world, chat), within=20, what="the reason")
    assert world.state(chat) == "stopped"
    limit(world, PLENTY)
    assert drained(world, chat)[1:] == ["Second", "First"]
    assert world.ledger["posts"] == 3


def test_what_waits_while_no_new_runs_are_taken_goes_out_after_that(world: World) -> None:
    chat = running(world, SHORT)
    queue(world, chat, "Waits")
    pull(world, closed=True)
    waits_as(world, chat, "no new runs are taken at present")
    refused = world.send(chat, "Refused")
    assert (refused.status_code, "Refused</textarea>" in refused.text) == (409, True)
    assert (problems(world, chat), world.ledger["posts"]) == ([""], 1)
    pull(world)
    assert drained(world, chat)[1:] == ["Waits"]
    assert world.ledger["posts"] == 2


def test_what_waits_for_other_runs_of_its_author_goes_out_when_one_has_ended(world: World) -> None:
    other, chat = running(world, LONG), running(world, SHORT)
    queue(world, chat, "Waits")
    pull(world, runs=1)
    waits_as(world, chat, "when another run of its author has ended")
    # What is written later does not overtake it.
    queue(world, chat, "Behind it")
    assert (problems(world, chat), world.ledger["posts"]) == (["", ""], 2)
    world.stop(other)
    assert drained(world, chat)[1:] == ["Waits", "Behind it"]
    assert world.ledger["posts"] == 4


def test_what_waits_for_its_minute_goes_out_when_that_is_over(world: World) -> None:
    chat = running(world, SHORT)
    queue(world, chat, "Waits")
    pull(world, sends=1)
    waits_as(world, chat, "goes out within a minute")
    assert world.ledger["posts"] == 1
    earlier = f"{timezone.now() - timedelta(minutes=1):%Y-%m-%d %H:%M:%S.%f}"
    execute(world, "UPDATE chats_intent SET created_at = ?", earlier)
    assert drained(world, chat)[1:] == ["Waits"]
    assert world.ledger["posts"] == 2
