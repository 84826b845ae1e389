"""What somebody can do with an earlier message and a failure: ask again, and have it fixed."""

from __future__ import annotations

from typing import Any

import pytest

from chats.models import Message, Person, Team
from chats.relay.trouble import MOST, trouble
from tests.views.conftest import AddTurn, ChatOf, ClientOf

FAILED = {"type": "bash", "command": "npm test", "output": "1 failed", "exitCode": 1}
WENT_WELL = {"type": "bash", "command": "ls", "output": "app", "exitCode": 0}


def answer(*parts: Any, **fields: Any) -> Message:
    return Message(role="assistant", parts=list(parts), **{"state": "finished", **fields})


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([FAILED], "This command failed with exit code 1. Fix it.\n\n````\n$ npm test\n1 failed"),
        ([FAILED, WENT_WELL], "This command failed"),
        ([{"type": "tool-call", "name": "sql", "status": "error", "output": {"m": 1}}], "sql fail"),
        (
            [
                {
                    "type": "agent-action",
                    "name": "diagnostics",
                    "summary": "2",
                    "data": [{"errors": 2}],
                }
            ],
            "Diagnostics found errors. Fix it.",
        ),
        (
            [{"type": "agent-action", "name": "diagnostics", "data": {"a": {"severity": "error"}}}],
            "Diagnostics found errors",
        ),
        ([{"type": "agent-action", "name": "diagnostics", "data": {"errors": []}}], ""),
        ([{"type": "agent-action", "name": "diagnostics", "summary": "errors"}], ""),
        ([{"type": "tool-call", "name": "sql", "status": "ok", "output": "error"}], ""),
        ([{"type": "bash", "command": "x", "output": "error"}, "odd", None, 7], ""),
        ([WENT_WELL], ""),
        ([], ""),
    ],
)
def test_what_went_wrong_is_found_in_what_is_stored(parts: list[Any], words: str) -> None:
    found = trouble(answer(*parts))
    assert (words in found) if words else found == ""
    assert trouble(answer(*parts, state="streaming")) == ""


def test_the_end_of_a_long_output_is_told() -> None:
    long = {**FAILED, "output": "x" * 10_000 + "the error"}
    assert len(trouble(answer(long))) < MOST + 200
    assert "the error" in trouble(answer(long))


def test_an_answer_that_v0_ended_with_an_error_can_be_fixed_and_one_that_never_began_cannot() -> (
    None
):
    failed = {"state": "failed", "detail": "overloaded", "v0_id": "m1"}
    assert "overloaded" in trouble(answer(**failed, problem="upstream"))
    assert trouble(answer(**failed, problem="credits")) == ""
    assert trouble(answer(**{**failed, "v0_id": ""}, problem="upstream")) == ""


def test_a_failure_is_offered_to_be_fixed_until_the_chat_goes_on(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person, mate: Person, team: Team
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    chat.messages.filter(role="assistant").update(parts=[FAILED])
    path = f"/chats/{chat.id}/"
    assert "Fix with v0" in client_of(owner).get(path).content.decode()
    assert "Fix with v0" not in client_of(mate).get(path).content.decode()
    add_turn(chat, "Go on")
    assert "Fix with v0" not in client_of(owner).get(path).content.decode()


def test_an_earlier_message_comes_back_with_what_it_was_sent_with(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, owner: Person, mate: Person, team: Team
) -> None:
    chat = chat_of(owner, "A tea <shop>", privacy="team", team=team)
    first = chat.messages.get(role="user")
    first.sent_with = {
        "model": "v0-max",
        "images": True,
        "mcp": [],
        "skills": [{"type": "remote", "id": "a/b/c"}],
    }
    first.save()
    add_turn(chat, "Something else")
    way = f"/chats/{chat.id}/?edit={first.id}"
    path = f"/chats/{chat.id}/"
    page = client_of(owner).get(path).content.decode()
    assert page.count("Ask again") == 2
    assert f'href="{way}#message"' in page
    assert "Ask again" not in client_of(mate).get(path).content.decode()
    again = " ".join(client_of(owner).get(way).content.decode().split())
    assert "A tea &lt;shop&gt;</textarea>" in again
    assert '<option value="v0-max" selected>' in again
    assert 'name="images" checked' in again
    assert 'name="skill" value="a/b/c" checked' in again
    assert 'name="mcp" value="chosen" checked' in again
    assert "A tea &lt;shop&gt;</textarea>" not in client_of(mate).get(way).content.decode()
