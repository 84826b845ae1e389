"""What is set up at Vercel: v0 is asked seldom, the page says how it stands, and one press is one POST."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.relay.conftest import QUICK
from tests.relay.test_decisions import card, waiting
from tests.world import World

HTMX = {"HX-Request": "true"}
STATUS = "chats.getConnectStatus"


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, "V0_CONNECT_EVERY": "0.1"}


def poll(world: World, chat: str, *, shown: str = "") -> httpx.Response:
    """What an open page gets for one of its polls."""
    query = {"seen": str(card(world, chat)["seen"]), "shown": shown}
    return world.client.get(f"/chats/{chat}/connect/", params=query, headers=HTMX)


def until(world: World, chat: str, words: str) -> str:
    """The fragment that says so, after as many polls as it takes."""
    for _ in range(100):
        text = poll(world, chat).text
        if words in text:
            return text
    raise AssertionError(text)


def asked(world: World) -> int:
    """How many times v0 was asked how far a set-up is, since the counter was set."""
    return int(world.sandbox.faults()[0]["seen"])


def count(world: World) -> None:
    world.sandbox.fault(path=STATUS, kind="status", after=1_000_000)


def set_up(world: World, chat: str, result: str) -> None:
    """Somebody follows the page at Vercel."""
    url = world.answer(chat)["parts"][-1]["data"]["setupUrl"]
    assert httpx.get(url, trust_env=False).status_code == 200
    if result:
        assert httpx.post(url, data={"result": result}, trust_env=False).status_code == 303


def test_v0_is_asked_once_in_an_interval_however_many_look_on(here: Callable[..., World]) -> None:
    world = here(V0_CONNECT_EVERY="60")
    chat = waiting(world, "connect")
    count(world)
    with ThreadPoolExecutor(6) as pool:
        polls = list(pool.map(lambda _: poll(world, chat), range(12)))
    assert {answer.status_code for answer in polls} == {200}
    assert asked(world) == 1
    press = {**card(world, chat), "choice": "ready"}
    assert world.client.post(f"/chats/{chat}/decide/", data=press).status_code == 422
    assert asked(world) == 2, "whoever presses is told what is true now"


def test_a_page_is_told_each_news_once_and_goes_on_when_it_is_ready(world: World) -> None:
    chat = waiting(world, "connect")
    before = world.ledger["posts"]
    text = until(world, chat, "Waiting for the page at Vercel")
    shown = re.search(r"shown=([\w-]+)", text)
    assert shown
    assert poll(world, chat, shown=shown[1]).status_code == 204
    set_up(world, chat, "")
    until(world, chat, "Waiting for Linear")
    assert world.ledger["posts"] == before
    set_up(world, chat, "ready")
    text = until(world, chat, "It is set up.")
    token = re.search(r'"token": "([\w-]+)"', text)
    assert token
    press = {"seen": card(world, chat)["seen"], "token": token[1], "choice": "ready"}
    with ThreadPoolExecutor(2) as pool:
        path = f"/chats/{chat}/decide/"
        posts = [pool.submit(world.client.post, path, data=press, headers=HTMX) for _ in range(2)]
        assert [post.result().status_code for post in posts] == [204, 204]
    assert world.finished(chat)["state"] == "finished"
    assert world.ledger["posts"] == before + 1
    over = world.client.get(f"/chats/{chat}/connect/", params=press, headers=HTMX)
    assert "hx-" not in over.text


ENDS: list[tuple[str, dict[str, Any], str]] = [
    ("connect polls=0 end=error", {}, "Linear refused the connection."),
    ("connect", {"kind": "status", "status": 404}, "v0 has forgotten this set-up"),
    ("connect", {"kind": "status", "status": 403, "times": None}, "v0 did not answer just now"),
]


@pytest.mark.parametrize(("scenario", "fault", "words"), ENDS)
def test_what_goes_wrong_is_said_and_only_asked_again_where_that_helps(
    world: World, scenario: str, fault: dict[str, Any], words: str
) -> None:
    chat = waiting(world, scenario)
    if fault:
        world.sandbox.fault(path=STATUS, **fault)
    text = until(world, chat, words)
    assert ("hx-get" in text) == ("did not answer" in words)
    assert words in world.client.get(f"/chats/{chat}/").text, "a page that is opened later knows"


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("connect", "It is not set up yet."),
        ("connect polls=0 end=error", "It was not set up. Linear refused the connection."),
    ],
)
def test_a_press_before_it_is_ready_is_answered_without_a_post(
    world: World, scenario: str, words: str
) -> None:
    chat = waiting(world, scenario)
    before = world.ledger["posts"]
    press = {**card(world, chat), "choice": "ready", "model": "v0-max"}
    answer = world.client.post(f"/chats/{chat}/decide/", data=press)
    assert answer.status_code == 422
    assert words in answer.text
    assert '<option value="v0-max" selected>' in answer.text
    assert world.ledger["posts"] == before


def test_a_project_is_made_once_and_told_from_then_on(world: World) -> None:
    chat = waiting(world, "integration")
    page = world.client.get(f"/chats/{chat}/").text
    assert "Create the Vercel project" in page
    before, noted = world.ledger["posts"], len(world.noted("tool.connected"))
    for _ in range(2):
        made = world.post(f"/chats/{chat}/project/")
        assert made.status_code == 303, made.text[-2000:]
        project = world.at_v0(f"/chats/{world.chat(chat)['v0_id']}")["vercelProjectId"]
        assert world.chat(chat)["vercel_project"] == project
    page = world.client.get(f"/chats/{chat}/").text
    assert project in page
    assert "Create the Vercel project" not in page
    assert world.ledger["posts"] == before, "a project costs nothing"
    assert world.noted("tool.connected")[noted:] == [{"names": ["Vercel project"]}]


def test_a_project_that_is_not_made_is_explained_and_what_was_marked_stays(world: World) -> None:
    chat = waiting(world, "integration")
    world.sandbox.fault(
        path="chats.createVercelProject", kind="status", status=403, message="Not in this team"
    )
    given = {**card(world, chat), "connected": ["Linear"], "model": "v0-pro"}
    answer = world.client.post(f"/chats/{chat}/project/", data=given)
    assert answer.status_code == 409
    assert "v0 did not make the project. It says: Not in this team" in answer.text
    assert 'value="Linear" checked' in answer.text
    assert '<option value="v0-pro" selected>' in answer.text
    assert not world.chat(chat)["vercel_project"]


def test_a_project_that_v0_made_by_itself_is_known(world: World) -> None:
    chat = waiting(world, "connect")
    project = world.at_v0(f"/chats/{world.chat(chat)['v0_id']}")["vercelProjectId"]
    assert world.chat(chat)["vercel_project"] == project
