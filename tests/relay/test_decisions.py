"""What an agent waits for is decided through the form of its card: once, by those who may, and as the
API wants it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from chats.relay.decisions import digest
from chats.v0api.pending import pending_task
from chats.v0api.types import parts_from_wire
from tests.app_server import wait_until
from tests.world import World

Fields = dict[str, str | list[str]]


def waiting(world: World, scenario: str, prompt: str = "") -> str:
    """A chat whose newest answer waits for a person."""
    chat = world.ask(f"{prompt}\nscenario: {scenario}\npace: 0")
    answer = world.finished(chat)
    assert answer["asks"], answer
    return chat


def form_of(page: str) -> Fields:
    """The hidden fields of the card on a page."""
    found = re.search(r'<form class="ask".*?</form>', page, re.DOTALL)
    assert found, page[-3000:]
    fields = re.findall(r'<input type="hidden" name="(seen|token)" value="([^"]+)">', found[0])
    assert len(fields) == 2
    return dict(fields)


def card(world: World, chat: str) -> Fields:
    return form_of(world.client.get(f"/chats/{chat}/").text)


def decide(world: World, chat: str, **fields: str | list[str]) -> httpx.Response:
    given = {
        **card(world, chat),
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return world.client.post(f"/chats/{chat}/decide/", data=given)


def sent_task(world: World, chat: str) -> dict[str, Any]:
    rows = world.rows(
        "SELECT d.* FROM chats_decision d JOIN chats_message m ON m.id = d.asked_id"
        " WHERE m.chat_id = ? ORDER BY d.decided_at",
        uuid.UUID(chat).hex,
    )
    found: dict[str, Any] = json.loads(rows[-1]["task"])
    return found


PLAN = "plan"
CASES: list[tuple[str, Fields, dict[str, Any], str]] = [
    ("plan", {"choice": "approved"}, {"status": "approved"}, "Approved the plan."),
    ("plan", {"choice": "rejected", "text_content": "Too big"}, {"status": "rejected", "content": "Too big"}, "Too big"),
    ("plan", {"choice": "request-changes", "text_content": "Use blue"}, {"status": "request-changes", "content": "Use blue"}, "Use blue"),
    ("integration", {"choice": "skipped"}, {"connectedIntegrationNames": []}, "Skipped connecting"),
    ("permission", {"choice": "allowed"}, {"type": "confirmed-permissions"}, "Allowed"),
    ("connect polls=1", {"choice": "ready"}, {"type": "vercel-connect-setup"}, "is set up"),
]  # fmt: skip


@pytest.mark.parametrize(("scenario", "given", "task", "words"), CASES)
def test_a_decision_goes_out_once_and_is_kept(
    world: World, scenario: str, given: Fields, task: dict[str, Any], words: str
) -> None:
    chat = waiting(world, scenario)
    asked = world.answer(chat)
    before = world.ledger["posts"]
    if scenario.startswith("connect"):
        until_ready(world, chat)
    answer = decide(world, chat, model="v0-max", **given)
    assert answer.status_code == 303, answer.text[-2000:]
    final = world.finished(chat)
    assert final["id"] != asked["id"]
    assert final["state"] == "finished", final
    assert json.loads(json.dumps(final["parts"])) == world.v0_answer(chat)["parts"]
    assert world.ledger["posts"] == before + 1
    assert sent_task(world, chat).items() >= task.items()
    assert body(world) == {"task": sent_task(world, chat), **MAX}
    assert final["waited_since"] == asked["ended_at"]
    page = world.client.get(f"/chats/{chat}/").text
    assert words in page
    assert re.search(r"Worked for [^<]* · waited [^<]* for a person<", page)
    told = re.findall(r'<p class="own-told">(.*?)</p>', page, re.DOTALL)
    assert len(told) == 1
    assert " by Olivia" in told[0]
    event = NOTED.get((scenario, str(given["choice"])))
    assert event is None or world.noted(event)[-1]["names"] in (["Run a script"], ["Linear"])


# What of them the audit log has.
NOTED = {
    ("permission", "allowed"): "tool.permitted",
    ("connect polls=1", "ready"): "tool.connected",
}
MAX = {"modelConfiguration": {"modelId": "v0-max", "imageGenerations": False}}


def body(world: World) -> dict[str, Any]:
    """The newest charged request."""
    found: dict[str, Any] = world.sandbox.requests(world.app.key)[-1]["body"]
    return found


def until_ready(world: World, chat: str) -> None:
    """Ask for the status of the set-up until it is ready: `polls=1` lets it become so by itself."""
    request = world.answer(chat)["parts"][-1]["data"]["requestId"]
    path = f"/chats/{world.chat(chat)['v0_id']}/connect/status?requestId={request}"
    assert any(world.at_v0(path)["status"] == "ready" for _ in range(5))


def test_questions_take_options_and_own_words(world: World) -> None:
    chat = waiting(world, "ask-questions")
    asked = world.answer(chat)["parts"][-1]["data"]["questions"]
    answer = decide(
        world, chat, choice="answered", option_0="1", text_1="Only a map", option_1=["0", "2"]
    )
    assert answer.status_code == 303
    assert world.finished(chat)["state"] == "finished"
    first, second = sent_task(world, chat)["answers"]
    assert first == {
        "questionId": asked[0]["id"],
        "questionText": asked[0]["question"],
        "selectedLabels": [asked[0]["options"][1]["label"]],
    }
    assert second["selectedLabels"] == [asked[1]["options"][place]["label"] for place in (0, 2)]
    assert second["customText"] == "Only a map"


REFUSED: list[tuple[str, Fields, str]] = [
    ("ask-questions", {"choice": "answered", "option_0": "0"}, "has no answer yet"),
    ("ask-questions", {"choice": "answered", "option_0": ["0", "1"], "option_1": "0"}, "takes one"),
    ("ask-questions", {"choice": "", "text_0": "Kept words"}, "Choose one of the buttons"),
    ("plan", {"choice": "request-changes"}, "Write what should change"),
    ("plan", {"choice": "approved", "text_content": "x" * 10_001}, "10,000 characters"),
    ("integration", {"choice": "connected"}, "Mark what you have connected"),
    ("integration", {"choice": "connected", "connected": "Something else"}, "Mark what you have"),
]


@pytest.mark.parametrize(("scenario", "given", "sentence"), REFUSED)
def test_what_decides_nothing_is_refused_before_v0_hears_of_it(
    world: World, scenario: str, given: Fields, sentence: str
) -> None:
    chat = waiting(world, scenario)
    before = world.ledger["posts"]
    answer = decide(world, chat, **given)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert form_of(answer.text)["seen"] == card(world, chat)["seen"]
    for words in (given.get("text_content"), given.get("text_0")):
        assert words is None or str(words) in answer.text
    assert world.ledger["posts"] == before


def test_a_permission_is_refused_by_an_ordinary_message(world: World) -> None:
    chat = waiting(world, "permission")
    asked = world.answer(chat)
    with closing(sqlite3.connect(world.app.database, timeout=20)) as connection, connection:
        connection.execute("UPDATE chats_chat SET model = 'v0-max'")
        connection.execute(
            "INSERT INTO chats_instructions (chat_id, text, of_team) VALUES (?, 'Be brief.', '')",
            [chat.replace("-", "")],
        )
    assert decide(world, chat, choice="denied", text_reason="Not today").status_code == 303
    assert world.finished(chat)["id"] != asked["id"]
    said = world.messages(chat, role="user")[-1]
    assert said["text"] == "Do not run this action. Continue without it.\n\nNot today"
    assert body(world) == {"message": said["text"], "systemPrompt": "Be brief.", **MAX}
    assert "Denied by Olivia" in world.client.get(f"/chats/{chat}/").text
    assert world.noted("tool.refused")[-1] == {"names": ["Run a script"]}


def test_a_task_that_was_passed_over_says_so_and_is_no_longer_open(world: World) -> None:
    chat = waiting(world, "plan")
    fields = {**card(world, chat), "choice": "approved"}
    world.send(chat, "Never mind.\nscenario: refusal\npace: 0")
    world.finished(chat)
    before = world.ledger["posts"]
    page = world.client.get(f"/chats/{chat}/").text
    assert "Passed over" in page
    assert 'class="ask"' not in page
    late = world.client.post(f"/chats/{chat}/decide/", data=fields)
    assert late.status_code == 409
    assert world.ledger["posts"] == before


def test_the_same_form_twice_is_one_decision(world: World) -> None:
    chat = waiting(world, "plan")
    fields = {**card(world, chat), "choice": "approved"}
    before = world.ledger["posts"]
    assert world.client.post(f"/chats/{chat}/decide/", data=fields).status_code == 303
    assert world.client.post(f"/chats/{chat}/decide/", data=fields).status_code == 303
    world.finished(chat)
    assert world.client.post(f"/chats/{chat}/decide/", data=fields).status_code == 303
    assert world.ledger["posts"] == before + 1


def test_what_v0_does_not_take_leaves_the_task_open(world: World) -> None:
    chat = waiting(world, "plan")
    world.sandbox.fault(path="messages.resolveStream", kind="status", status=402, times=1)
    assert decide(world, chat, choice="approved").status_code == 303
    assert world.finished(chat)["problem"] == "credits"
    page = world.client.get(f"/chats/{chat}/").text
    assert "Try again" not in page
    assert decide(world, chat, choice="approved").status_code == 303
    assert world.finished(chat)["state"] == "finished"


REASONS = {
    409: "it no longer waited for exactly that",
    422: "v0 did not accept what was filled in",
    402: "The v0 account is out of credits",
}


@pytest.mark.parametrize("status", REASONS)
def test_what_v0_refuses_is_read_again_and_explained_at_the_card_as_it_was_left(
    world: World, status: int
) -> None:
    chat = waiting(world, "ask-questions")
    world.sandbox.fault(
        path="messages.resolveStream", kind="status", status=status, message="In v0's words"
    )
    world.sandbox.fault(path="chats.get", kind="status", after=1_000_000)
    given: Fields = {"option_0": "1", "option_1": ["0", "2"], "text_1": "And a <map>"}
    answer = decide(world, chat, choice="answered", model="v0-max", **given)
    assert answer.status_code == 303
    assert world.finished(chat)["state"] == "failed"
    page = world.client.get(f"/chats/{chat}/").text
    shown = page[page.index('<form class="ask"') :]
    shown = shown[: shown.index("</form>")]
    assert REASONS[status] in shown
    assert "In v0&#x27;s words" in shown
    assert "And a &lt;map&gt;" in shown
    ticked = re.findall(r'name="(option-\d)" value="(\d)" checked', shown)
    assert ticked == [("option-0", "1"), ("option-1", "0"), ("option-1", "2")]
    assert '<option value="v0-max" selected>' in shown
    assert 'href="#ask"' in page, "what failed leads back to the card"
    fragment = world.client.get(f"/chats/{chat}/own/", params={"seen": form_of(page)["seen"]}).text
    asked = world.messages(chat, role="assistant")[0]["id"]
    assert f"{uuid.UUID(asked).hex}own" not in fragment.replace("-", ""), (
        "who fills it in is left alone"
    )
    wait_until(
        lambda: any(
            rule["path"] == "chats.get" and rule["seen"] for rule in world.sandbox.faults()
        ),
        what="another look at v0",
    )
    assert decide(world, chat, choice="answered", **given).status_code == 303
    assert world.finished(chat)["state"] == "finished"
    assert 'class="ask-refusal"' not in world.client.get(f"/chats/{chat}/").text


def test_what_was_written_for_a_task_that_has_moved_on_is_kept_in_the_composer(
    world: World,
) -> None:
    chat = waiting(world, "plan")
    late = {**card(world, chat), "choice": "request-changes", "text-content": "Use a calm blue"}
    assert decide(world, chat, choice="approved").status_code == 303
    answer = world.client.post(f"/chats/{chat}/decide/", data=late)
    assert answer.status_code == 409
    assert "This was decided already" in answer.text
    assert ">Use a calm blue</textarea>" in answer.text
    assert "Approved by Olivia" in answer.text
    world.finished(chat)


WAITS = "Waiting for an answer from a person."


def test_who_cannot_decide_is_told_that_somebody_is_waited_for_until_they_are_not(
    world: World,
) -> None:
    chat = waiting(world, "plan")
    share_with_team(world, "team")
    with world.app.client_of("mate@example.com") as mate:

        def shown() -> list[str]:
            return [mate.get(f"/chats/{chat}/{path}").text for path in ("", "own/")]

        assert all(WAITS in page for page in shown())
        assert WAITS not in world.client.get(f"/chats/{chat}/").text, "the card says it"
        assert decide(world, chat, choice="approved").status_code == 303
        world.finished(chat)
        assert not any(
            WAITS in page for page in (*shown(), world.client.get(f"/chats/{chat}/").text)
        )
        assert all("Approved by Olivia" in page for page in shown())


def test_an_end_on_a_tool_that_asks_for_nothing_is_explained_while_it_is_the_end(
    world: World,
) -> None:
    chat = world.ask("scenario: tool-calls\npace: 0")
    world.finished(chat)
    page = world.client.get(f"/chats/{chat}/").text
    assert "as if something were to follow" in page
    assert 'value="Continue"' in page
    share_with_team(world, "team")
    with world.app.client_of("mate@example.com") as mate:
        page = mate.get(f"/chats/{chat}/").text
        assert "as if something were to follow" in page
        assert 'value="Continue"' not in page
        world.send(chat, "scenario: refusal\npace: 0")
        world.finished(chat)
        for path in ("", "own/"):
            assert "as if something" not in mate.get(f"/chats/{chat}/{path}").text


def test_a_doubt_over_a_decision_is_looked_up_and_never_sent_again(world: World) -> None:
    chat = waiting(world, "plan")
    before = world.ledger["posts"]
    world.sandbox.fault(path="messages.resolveStream", kind="reset", bytes=0, times=1)
    assert decide(world, chat, choice="approved").status_code == 303
    final = world.finished(chat)
    assert final["state"] == "finished"
    assert world.ledger["posts"] == before + 1


def test_a_task_that_was_answered_elsewhere_is_read_again_and_explained(world: World) -> None:
    chat = waiting(world, "plan")
    fields = {**card(world, chat), "choice": "approved"}
    v0_chat = world.chat(chat)["v0_id"]
    world.sandbox.write(v0_chat, "Somebody answered in v0 itself.")
    assert world.client.post(f"/chats/{chat}/decide/", data=fields).status_code in (303, 409)
    wait_until(
        lambda: any("in v0 itself" in row["text"] for row in world.messages(chat, role="user")),
        within=20,
        what="the message from elsewhere",
    )
    assert 'class="ask"' not in world.client.get(f"/chats/{chat}/").text


MATES = [
    ("plan", "approved", 303),
    ("permission", "denied", 303),
    ("permission", "allowed", 403),
    ("integration", "skipped", 303),
    ("integration", "connected", 403),
    ("connect polls=0", "ready", 403),
]


@pytest.mark.parametrize(("scenario", "choice", "status"), MATES)
def test_a_mate_may_answer_but_not_grant(
    world: World, scenario: str, choice: str, status: int
) -> None:
    chat = waiting(world, scenario)
    share_with_team(world)
    before = world.ledger["posts"]
    with world.app.client_of("mate@example.com") as mate:
        page = mate.get(f"/chats/{chat}/").text
        fields = {**form_of(page), "choice": choice}
        assert mate.post(f"/chats/{chat}/decide/", data=fields).status_code == status
        if status == 403:
            assert f'value="{choice}"' not in page
            assert world.ledger["posts"] == before


@pytest.mark.parametrize("who", ["stranger@example.com", None])
def test_nobody_else_sees_the_card_or_decides(world: World, who: str | None) -> None:
    chat = waiting(world, "plan")
    fields = {**card(world, chat), "choice": "approved"}
    with world.app.client_of(who) as client:
        assert client.post(f"/chats/{chat}/decide/", data=fields).status_code in (302, 404)
    assert not world.rows("SELECT 1 FROM chats_decision d JOIN chats_message m ON m.id = d.asked_id WHERE m.chat_id = ?", uuid.UUID(chat).hex)  # fmt: skip


# `make test-scale` has 200 of them.
RACES = int(os.environ.get("RACES", "24"))


def test_two_people_who_press_different_buttons_at_once_lead_to_one_post(world: World) -> None:
    chats = [world.ask("scenario: plan\npace: 0") for _ in range(RACES)]
    seen = {}
    for chat in chats:
        asked = world.finished(chat)
        task = pending_task(parts_from_wire(asked["parts"]))
        assert task is not None
        seen[chat] = digest(uuid.UUID(asked["id"]), task)
    share_with_team(world)
    before = world.ledger["posts"]
    with world.app.client_of("mate@example.com") as mate, ThreadPoolExecutor(2) as pool:
        for chat in chats:
            posts = [
                pool.submit(
                    client.post,
                    f"/chats/{chat}/decide/",
                    data={
                        "seen": seen[chat],
                        "token": str(uuid.uuid4()),
                        "choice": choice,
                        "text-content": f"For {choice}.",
                    },
                )
                for client, choice in ((world.client, "rejected"), (mate, "request-changes"))
            ]
            assert sorted(post.result().status_code for post in posts) == [303, 409]
    for chat in chats:
        world.finished(chat)
    assert world.ledger["posts"] == before + RACES


def share_with_team(world: World, level: str = "team-edit") -> None:
    """Every chat is the team's from now on, and its mates may edit at this level."""
    with closing(sqlite3.connect(world.app.database, timeout=20)) as connection, connection:
        connection.execute(
            "UPDATE chats_chat SET privacy = ?,"
            " team_id = (SELECT team_id FROM chats_membership LIMIT 1)",
            [level],
        )
