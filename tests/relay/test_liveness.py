"""A run does not depend on any browser, request or process: the one that dies is replaced."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.app_server import ROOT, environment, wait_until
from tests.sandbox_server import Sandbox
from tests.world import World

Here = Callable[..., World]

LONG = "Tell me everything.\nscenario: long size=12000 pace=0.35"


def streaming(world: World, chat: str) -> None:
    world.until(chat, "streaming")
    wait_until(lambda: bool(world.answer(chat)["parts"]), what="saved parts")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_server_that_ends_in_the_middle_goes_on_when_it_is_back(here: Here, end: str) -> None:
    world = here()
    chat = world.ask(LONG)
    streaming(world, chat)
    getattr(world.app, end)()
    assert world.answer(chat)["state"] == "streaming"
    world.app.start()
    answer = world.finished(chat)
    assert answer["state"] == "finished"
    assert answer["parts"] == world.v0_answer(chat)["parts"]
    assert world.ledger["posts"] == 1


def test_a_server_that_stops_gives_its_runs_away_at_once(here: Here) -> None:
    world = here(V0_LEASE="600", V0_LEASE_RENEW="100")
    chat = world.ask(LONG)
    streaming(world, chat)
    world.app.stop()
    assert world.answer(chat)["holder"] == ""
    world.app.start()
    assert world.finished(chat)["state"] == "finished"


def test_a_server_killed_before_v0_answered_finds_out_what_became_of_it(
    here: Here, sandbox: Sandbox
) -> None:
    world = here(V0_HEADERS_TIMEOUT="60")
    sandbox.fault(
        path="chats.createStream", kind="hang", seconds=60, when="after", key=world.app.key
    )
    chat = world.ask("A page about dust")
    wait_until(lambda: world.ledger["user_messages"] == 1, what="v0 to have the message")
    world.app.kill()
    world.app.start()
    answer = world.finished(chat)
    assert answer["state"] == "finished"
    assert answer["parts"] == world.v0_answer(chat)["parts"]
    assert world.ledger["posts"] == 1


def test_two_servers_share_the_work_and_run_each_answer_once(
    here: Here, run_app: Callable[..., object], sandbox: Sandbox
) -> None:
    from tests.relay.conftest import QUICK

    world = here()
    run_app(sandbox, database=world.app.database, **{**QUICK, "V0_SANDBOX_KEY": world.app.key})
    chats = [world.ask(f"A page about number {number}") for number in range(8)]
    for chat in chats:
        assert world.finished(chat)["state"] == "finished"
        assert world.answer(chat)["parts"] == world.v0_answer(chat)["parts"]
    assert world.ledger["posts"] == 8


def test_a_run_goes_on_after_the_person_has_left(here: Here) -> None:
    world = here()
    chat = world.ask(LONG)
    world.client.close()
    assert world.finished(chat)["state"] == "finished"


def test_stop_reaches_v0_once_and_keeps_the_text(here: Here) -> None:
    world = here()
    chat = world.ask("scenario: long size=60000 pace=1")
    streaming(world, chat)
    assert world.stop(chat).status_code == 303
    assert world.stop(chat).status_code == 303
    answer = world.finished(chat)
    assert answer["state"] == "stopped"
    assert answer["parts"] == world.v0_answer(chat)["parts"] != []
    assert world.ledger["stops"] == 1
    assert world.stop(chat).status_code == 303
    assert world.ledger["stops"] == 1


def test_stop_right_after_sending_works_before_v0_has_named_the_answer(here: Here) -> None:
    world = here()
    chat = world.ask("scenario: long size=60000 pace=1")
    world.stop(chat)
    assert world.finished(chat)["state"] == "stopped"


def test_a_stop_that_comes_too_late_leaves_a_finished_answer(here: Here, sandbox: Sandbox) -> None:
    world = here()
    sandbox.fault(path="messages.stop", kind="status", status=409, key=world.app.key)
    chat = world.ask(LONG)
    streaming(world, chat)
    world.stop(chat)
    assert world.finished(chat)["state"] == "finished"


def test_ask_prints_the_answer_without_a_server(here: Here) -> None:
    world = here()
    world.app.stop()
    printed = ask(world, "A page about bread")
    assert printed.returncode == 0, printed.stderr
    chat = printed.stdout.strip().splitlines()[-1].strip("/").rpartition("/")[2]
    answer = world.answer(chat)
    texts = [part["text"] for part in answer["parts"] if part["type"] == "text"]
    assert printed.stdout.startswith("\n\n".join(texts))
    assert world.ledger["posts"] == 1


def test_ask_lets_a_running_server_do_the_work(here: Here) -> None:
    world = here()
    printed = ask(world, "A page about butter")
    assert printed.returncode == 0, printed.stderr
    assert world.ledger["posts"] == 1


def test_ask_says_why_it_failed_and_exits_1(here: Here, sandbox: Sandbox) -> None:
    world = here()
    sandbox.fault(path="chats.createStream", kind="status", status=402, key=world.app.key)
    printed = ask(world, "A page about salt")
    assert printed.returncode == 1
    assert "credits" in printed.stderr


def ask(world: World, message: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "ask", message, "--user", "owner@example.com"]
    settings = environment(world.app.database, **world.app.settings)
    return subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60, check=False
    )
