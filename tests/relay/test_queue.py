"""Messages that wait: they go out by themselves after an answer that ended well, once each and in order."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.app_server import ROOT, environment, wait_until
from tests.relay.conftest import QUICK
from tests.relay.test_decisions import share_with_team
from tests.sandbox_server import Sandbox
from tests.world import LIVE, World

Here = Callable[..., World]
MATE = "mate@example.com"
LONG = "Tell me everything.\nscenario: long size=60000 pace=0.5"
SHORT = "scenario: long size=6000 pace=0.2"
# Slow enough that messages can be queued before its end, on a busy machine too.
PACED = "pace: 1.5"
RACES = int(os.environ.get("RACES", "12"))


def running(world: World, message: str = LONG) -> str:
    """A chat in which an answer streams."""
    chat = world.ask(message)
    world.until(chat, "streaming")
    return chat


def queue(world: World, chat: str, *messages: str) -> None:
    for message in messages:
        assert world.send(chat, f"{message}\npace: 0").status_code == 303


def waiting(world: World, chat: str) -> list[dict[str, Any]]:
    """The rows of the queue, in their order."""
    return world.rows(
        "SELECT * FROM chats_queued WHERE chat_id = ? ORDER BY is_urgent DESC, position",
        UUID(chat).hex,
    )


def row(world: World, chat: str, words: str) -> str:
    return next(str(UUID(each["id"])) for each in waiting(world, chat) if words in each["payload"])


def drained(world: World, chat: str, *, within: float = 30) -> list[str]:
    """The first line of every message that was sent, once nothing waits and nothing runs."""

    def is_over() -> bool:
        return not waiting(world, chat) and world.answer(chat)["state"] not in LIVE

    wait_until(is_over, within=within, what="the end of the queue")
    return sent(world, chat)


def sent(world: World, chat: str) -> list[str]:
    return [each["text"].partition("\n")[0] for each in world.messages(chat, role="user")]


def act(world: World, chat: str, id: str, name: str, **fields: str) -> httpx.Response:
    answer = world.post(f"/chats/{chat}/queue/{id}/{name}/", **fields)
    assert answer.status_code == 303, answer.text
    return answer


def execute(world: World, query: str, *values: Any) -> None:
    with closing(sqlite3.connect(world.app.database, timeout=20)) as connection, connection:
        connection.execute(query, values)


def test_five_messages_go_out_in_order_with_nobody_watching(world: World) -> None:
    chat = running(world, SHORT)
    names = [f"Message {number}" for number in range(1, 6)]
    queue(world, chat, *names)
    world.client.close()
    assert drained(world, chat)[1:] == names
    assert [each["state"] for each in world.messages(chat)] == ["finished"] * 12
    assert (world.ledger["posts"], world.ledger["user_messages"]) == (6, 6)
    assert len(world.rows("SELECT 1 FROM chats_entry WHERE chat_id = ?", UUID(chat).hex)) == 6


@pytest.mark.parametrize(
    ("first", "why"),
    [
        pytest.param(LONG, "the last answer was stopped", id="stopped"),
        pytest.param(f"scenario: error\n{PACED}", "the last answer failed", id="failed"),
        pytest.param(f"scenario: plan\n{PACED}", "v0 asks something", id="asks"),
        pytest.param(f"scenario: length\n{PACED}", "the last answer was cut off", id="cut"),
    ],
)
def test_what_did_not_end_well_holds_the_queue_until_a_new_message_did(
    world: World, first: str, why: str
) -> None:
    chat = running(world, first)
    queue(world, chat, "Waits")
    if first == LONG:
        world.stop(chat)
    world.finished(chat)
    page = world.client.get(f"/chats/{chat}/").text
    assert f"On hold, because {why}" in page
    assert len(waiting(world, chat)) == 1
    queue(world, chat, "Goes at once")
    assert drained(world, chat)[1:] == ["Goes at once", "Waits"]
    assert world.ledger["posts"] == 3
    page = world.client.get(f"/chats/{chat}/").text
    assert ("Passed over" in page) is ("plan" in first)


def test_a_decision_on_a_card_goes_out_at_once_and_the_queue_follows_it(world: World) -> None:
    chat = running(world, f"scenario: plan\n{PACED}")
    queue(world, chat, "Waits")
    world.finished(chat)
    page = world.client.get(f"/chats/{chat}/").text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    fields = {"seen": seen, "token": str(uuid4()), "choice": "rejected", "text-content": "pace: 0"}
    assert world.post(f"/chats/{chat}/decide/", **fields).status_code == 303
    texts = drained(world, chat)
    assert (len(texts), texts[-1]) == (3, "Waits")


def test_a_press_lets_the_queue_go_on_past_what_holds_it(world: World) -> None:
    chat = running(world, f"scenario: plan\n{PACED}")
    queue(world, chat, "First", "Second")
    world.finished(chat)
    assert "Go on without an answer" in world.client.get(f"/chats/{chat}/").text
    act(world, chat, row(world, chat, "First"), "now")
    assert drained(world, chat)[1:] == ["First", "Second"]
    assert "Passed over" in world.client.get(f"/chats/{chat}/").text


def test_send_now_stops_what_runs_and_goes_before_all_others(world: World) -> None:
    chat = running(world)
    queue(world, chat, "First", "Second", "Third")
    act(world, chat, row(world, chat, "Third"), "now")
    assert drained(world, chat)[1:] == ["Third", "First", "Second"]
    assert world.messages(chat, role="assistant")[0]["state"] == "stopped"
    assert (world.ledger["posts"], world.ledger["stops"]) == (4, 1)


def test_what_is_edited_moved_or_removed_goes_out_as_it_stands_then(world: World) -> None:
    chat = running(world)
    queue(world, chat, "First", "Second", "Third")
    first, second, third = (row(world, chat, name) for name in ("First", "Second", "Third"))
    act(world, chat, third, "move", before=first)
    act(world, chat, second, "remove", confirmed="yes")
    page = world.client.get(f"/chats/{chat}/queue/{first}/edit/").text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    form = {"message": "Edited\npace: 0", "seen": seen, "options": "1", "model": "v0-mini"}
    act(world, chat, first, "edit", **form)
    act(world, chat, third, "now")
    assert drained(world, chat)[1:] == ["Third", "Edited"]
    body = world.sandbox.requests(world.app.key)[-1]["body"]
    assert "v0-mini" in json.dumps(body)
    # The text is in the composer again when the message has gone out meanwhile.
    late = world.post(f"/chats/{chat}/queue/{first}/edit/", message="Too late", seen=seen)
    assert late.status_code == 409
    assert ">Too late</textarea>" in late.text


@pytest.mark.parametrize("lost", ["rights", "account"])
def test_who_may_not_send_any_more_holds_the_queue_and_nothing_is_dropped(
    world: World, lost: str
) -> None:
    chat = running(world)
    share_with_team(world)
    with world.app.client_of(MATE) as mate:
        World(world.app, world.sandbox, mate).send(chat, "From the mate\npace: 0")
    queue(world, chat, "Behind it")
    if lost == "rights":
        execute(world, "UPDATE chats_chat SET privacy = 'team'")
    else:
        execute(world, "UPDATE chats_person SET is_active = 0 WHERE email = ?", MATE)
    id = row(world, chat, "From the mate")
    act(world, chat, id, "now")
    wait_until(
        lambda: [each["problem"] for each in waiting(world, chat)] == [lost, ""],
        what="the reason",
    )
    page = world.client.get(f"/chats/{chat}/").text
    words = "may not write here any more" if lost == "rights" else "the account of"
    assert "Not sent: " in page
    assert words in page
    execute(world, "UPDATE chats_person SET is_active = 1")
    act(world, chat, id, "remove", confirmed="yes")
    act(world, chat, row(world, chat, "Behind it"), "now")
    assert drained(world, chat)[1:] == ["Behind it"]
    assert world.ledger["posts"] == 2


def test_the_same_form_is_one_message_however_long_it_waits(world: World) -> None:
    chat, token = running(world, SHORT), str(uuid4())
    for _ in range(2):
        assert world.send(chat, "Once\npace: 0", token=token).status_code == 303
    assert len(waiting(world, chat)) == 1
    assert world.send(chat, "Other words", token=token).status_code == 409
    assert drained(world, chat)[1:] == ["Once"]
    assert world.send(chat, "Once\npace: 0", token=token).status_code == 303
    assert drained(world, chat)[1:] == ["Once"]
    assert world.ledger["posts"] == 2


def test_a_file_waits_with_its_message_and_goes_out_with_it(world: World) -> None:
    chat = running(world, SHORT)
    answer = world.client.post("/attachments/", files={"file": ("table.csv", b"one,two\n")})
    file = answer.text.partition('data-attachment="')[2].partition('"')[0]
    form = {"message": "Look\npace: 0", "token": str(uuid4()), "attachment": file}
    assert world.post(f"/chats/{chat}/messages/", **form).status_code == 303
    assert world.post(f"/attachments/{file}/remove/").status_code == 404
    assert "table.csv" in world.client.get(f"/chats/{chat}/queue/").text
    assert drained(world, chat)[1:] == ["Look"]
    found = world.at_v0(f"/chats/{world.chat(chat)['v0_id']}/messages")["messages"]
    newest = next(message for message in found if message["role"] == "user")
    assert [each["url"][:13] for each in newest["attachments"]] == ["data:text/csv"]


def test_servers_that_come_after_one_that_died_send_what_waited_once(
    here: Here, run_app: Callable[..., object], sandbox: Sandbox
) -> None:
    world = here()
    chat = running(world, SHORT)
    names = [f"After the restart {number}" for number in range(4)]
    queue(world, chat, *names)
    world.app.kill()
    assert len(waiting(world, chat)) == 4
    run_app(sandbox, database=world.app.database, **{**QUICK, "V0_SANDBOX_KEY": world.app.key})
    world.app.start()
    assert drained(world, chat)[1:] == names
    assert world.ledger["posts"] == 5


def ask(world: World, chat: str, message: str) -> subprocess.Popen[str]:
    settings = {**world.app.settings, "V0_BASE_URL": world.sandbox.base_url}
    command = [sys.executable, "manage.py", "ask", message, "--chat", chat]
    return subprocess.Popen(
        [*command, "--user", "owner@example.com", "--json"],
        cwd=ROOT,
        env=environment(world.app.database, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_waits_for_its_turn_and_prints_its_own_answer(world: World) -> None:
    chat = running(world)
    queue(world, chat, "Before it")
    command = ask(world, chat, "Say it\npace: 0")
    wait_until(lambda: len(waiting(world, chat)) == 2, within=60, what="the command's message")
    act(world, chat, row(world, chat, "Before it"), "now")
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, err
    assert json.loads(out)["message"] == str(UUID(world.answer(chat)["id"]))
    assert drained(world, chat)[1:] == ["Before it", "Say it"]


def test_the_command_says_why_its_turn_does_not_come(world: World) -> None:
    chat = running(world)
    command = ask(world, chat, "Say it")
    wait_until(lambda: bool(waiting(world, chat)), within=60, what="the command's message")
    world.stop(chat)
    _, err = command.communicate(timeout=60)
    assert (command.returncode, "the answer before it was stopped" in err) == (1, True), err
    assert len(waiting(world, chat)) == 1


def test_two_editors_who_move_at_once_lose_nothing(world: World) -> None:
    chat = running(world)
    share_with_team(world)
    names = [f"Message {number}" for number in range(6)]
    queue(world, chat, *names)
    ids = [str(UUID(each["id"])) for each in waiting(world, chat)]
    with world.app.client_of(MATE) as mate, ThreadPoolExecutor(2) as pool:

        def shuffle(client: httpx.Client, seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(12):
                one, other = chance.sample(ids, 2)
                place = chance.choice(("before", "after"))
                answer = client.post(f"/chats/{chat}/queue/{one}/move/", data={place: other})
                assert answer.status_code == 303

        for each in [pool.submit(shuffle, world.client, 1), pool.submit(shuffle, mate, 2)]:
            each.result()
    left = waiting(world, chat)
    assert sorted(str(UUID(each["id"])) for each in left) == sorted(ids)
    assert [each["position"] for each in left] == [1, 2, 3, 4, 5, 6]
    world.stop(chat)
    world.finished(chat)
    act(world, chat, str(UUID(left[0]["id"])), "now")
    order = [each["payload"].partition("Message ")[2][0] for each in left]
    assert [name[-1] for name in drained(world, chat)[1:]] == order
    assert world.ledger["posts"] == 7


def test_of_two_who_send_at_once_one_runs_and_the_other_waits(world: World) -> None:
    """RACES=1000 plays as many."""
    chats = [world.ask("pace: 0") for _ in range(RACES)]
    for chat in chats:
        world.finished(chat)
    share_with_team(world)
    before = world.ledger["posts"]
    with world.app.client_of(MATE) as mate, ThreadPoolExecutor(2) as pool:
        for chat in chats:
            posts = [
                pool.submit(
                    client.post,
                    f"/chats/{chat}/messages/",
                    data={"message": f"{name}\npace: 0", "token": str(uuid4())},
                )
                for client, name in ((world.client, "Owner"), (mate, "Mate"))
            ]
            assert [post.result().status_code for post in posts] == [303, 303]
    for chat in chats:
        assert sorted(drained(world, chat)[1:]) == ["Mate", "Owner"]
        first, second = world.messages(chat, role="assistant")[1:]
        assert first["ended_at"] <= second["created_at"]
    assert world.ledger["posts"] == before + 2 * RACES


def test_what_v0_runs_by_itself_is_waited_for(world: World, sandbox: Sandbox) -> None:
    chat = world.ask("A page about ants\npace: 0")
    world.finished(chat)
    sandbox.write(world.chat(chat)["v0_id"], "Go on.\nscenario: long size=4000 pace=0.2")
    world.client.get(f"/chats/{chat}/")
    world.until(chat, "streaming")
    queue(world, chat, "After that")
    assert drained(world, chat)[-1] == "After that"
    assert [each["state"] for each in world.messages(chat)] == ["finished"] * 6
