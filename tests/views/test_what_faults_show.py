"""For each fault of the sandbox: what the page must show, as the server renders it.

Each is played through the app in a chat of its own, all at once: a fault of a further message knows its
chat by its path; those of a new chat come one by one. What v0 has in spite of a fault, the page shows
as if nothing had happened; of what it has not, the page says so and offers what is safe.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chats.sandbox.faults import KINDS
from tests.app_server import ROOT, wait_until
from tests.views.test_what_the_page_shows import SHOWS
from tests.views.told import Pages, Row, check, ended
from tests.world import World

Rule = dict[str, Any]

SEND = "/chats/{chat}/messages/stream"
LIST = "/chats/{chat}/messages"
RESUME = "/chats/{chat}/resume"

WHOLE = replace(SHOWS["all-parts"], title="", says="Play <b>this</b>.")
AGAIN = ("Try again",)
EDIT = ("Edit and send",)
ELSEWHERE = ("Ask this in a new chat",)
# Nobody knows whether v0 has it: sent once more it may cost twice.
UNKNOWN = Row(state="failed", end="could not be found out", offers=EDIT)


@dataclass(frozen=True, slots=True)
class Fault:
    """The rules to set; without a `row` the page shows the whole answer."""

    rules: tuple[Rule, ...]
    row: Row = WHOLE
    pace: float = 0.05


def of_post(kind: str, row: Row = WHOLE, **rule: Any) -> Fault:
    return Fault(({"path": SEND, "kind": kind, **rule},), row)


def refused(status: int, end: str, offers: tuple[str, ...], **rule: Any) -> Fault:
    return of_post("status", Row(state="failed", end=end, offers=offers), status=status, **rule)


def lag(times: int) -> Rule:
    return {"path": LIST, "method": "GET", "kind": "lag", "times": times}


def cut(kind: str, **rule: Any) -> Fault:
    """The stream breaks in its middle, and then the resume goes wrong."""
    rules = (
        {"path": SEND, "kind": "reset", "bytes": 2500},
        {"path": RESUME, "kind": kind, **rule},
    )
    return Fault(rules, pace=0.2)


FAULTS = {
    # v0 says no
    "401": refused(401, "API key", AGAIN),
    "402 in v0's words": refused(402, "Ask <b>Ada</b>.", AGAIN, message="Ask <b>Ada</b>."),
    "403": refused(403, "does not allow", ELSEWHERE),
    "404": refused(404, "no longer has this chat", ELSEWHERE),
    "409": refused(409, "busy", AGAIN),
    "413": refused(413, "larger than v0 accepts", EDIT),
    "418": refused(418, "did not accept", AGAIN),
    "422": refused(422, "could not read", EDIT),
    "429": refused(429, "too many requests", AGAIN),
    "429 for two minutes": refused(429, "after 20", AGAIN, retry_after=120),
    "402, but it arrived": of_post("status", status=402, when="after"),
    # v0 says nothing that can be relied on
    "500": of_post("status", UNKNOWN, status=500),
    "500, but it arrived": of_post("status", status=500, when="after"),
    "redirected": of_post("redirect", UNKNOWN),
    "redirected, but it arrived": of_post("redirect", when="after"),
    "silent": of_post("hang", UNKNOWN),
    "silent, but it arrived": of_post("hang", when="after"),
    "reset": of_post("reset", UNKNOWN),
    "reset, but it arrived": of_post("reset", when="after"),
    "closed": of_post("close", UNKNOWN),
    "closed, but it arrived": of_post("close", when="after"),
    "another content type": of_post("wrong-content-type"),
    # The stream breaks
    "reset early": of_post("reset", bytes=900),
    "reset late": of_post("reset", bytes=6000),
    "closed in the middle": of_post("close", bytes=3000),
    "ended too early in good order": of_post("close", bytes=3000, complete=True),
    "silent in the middle": of_post("stall", bytes=3000),
    "slow": of_post("slow", rate=20_000),
    # The stream says what is not so
    "a broken frame": of_post("malformed", frame=4),
    "an event that nobody knows": of_post("unknown-object", frame=4),
    "a delta that fits nothing": of_post("wrong-delta", frame=4),
    "a lost delta": of_post("lost-delta", frame=5),
    "no usage": of_post("no-usage"),
    "usage that comes late": of_post("late-usage"),
    "usage three times": of_post("duplicate-usage"),
    "usage that cannot be": of_post("odd-usage", amount="NaN"),
    "no closing snapshot": of_post("no-closing"),
    "a closing snapshot that is wrong": of_post("different-closing"),
    # Picking up again
    "a resume that is not found": cut("status", status=404),
    "resumes that fail": cut("status", status=500, times=2),
    "a resume that breaks": cut("reset", bytes=700),
    "a resume with the chat alone": cut("only-chat"),
    "a resume from the beginning": cut("replay"),
    # Lists that lag
    "a list without the newest": Fault((lag(1),)),
    "in doubt, and lists without the newest": Fault(
        ({"path": SEND, "kind": "reset", "when": "after"}, lag(2))
    ),
}
# What is played for the first message of a chat, too.
OF_A_NEW_CHAT = (
    "402 in v0's words",
    "429",
    "402, but it arrived",
    "500",
    "reset, but it arrived",
    "another content type",
    "reset late",
    "a lost delta",
    "no closing snapshot",
)
# Faults of a restore and of a chat that comes as a whole are played in tests/relay, with what pages say.
# What the app never asks for yet, as a kind of fault at an operation: why no page can show it.
NOT_YET = {
    ("starting", "chats.getPreview"): "No page shows a preview.",
    ("slow", "chats.getPreview"): "No page shows a preview.",
    ("status", "chats.getFiles"): "No page shows files, so none can be said to be unready.",
    ("status", "chats.updateFiles"): "No page changes files.",
    ("reset", "chats.downloadFiles"): "No page offers files to download.",
    ("status", "chats.deploy"): "No page deploys.",
}


def prompt(fault: Fault) -> str:
    return f"Play <b>this</b>.\nscenario: all-parts\npace: {fault.pace}"


def add(world: World, rule: Rule, path: str) -> None:
    world.sandbox.fault(**{**rule, "path": path, "key": world.app.key})


@pytest.fixture(scope="module")
def sent(world: World) -> Pages:
    """The page of each fault of a further message, by its name."""
    chats = {name: world.ask("scenario: empty") for name in FAULTS}
    ended(world, chats)
    for name, chat in chats.items():
        for rule in FAULTS[name].rules:
            add(world, rule, rule["path"].format(chat=world.chat(chat)["v0_id"]))
        assert world.send(chat, prompt(FAULTS[name])).status_code == 303
    pages = ended(world, chats)
    _all_were_used(world)
    return pages


@pytest.fixture(scope="module")
def created(world: World, sent: Pages) -> Pages:
    """The page of each fault of a first message, by its name."""
    world.sandbox.clear_faults()
    chats = {}
    for name in OF_A_NEW_CHAT:
        (rule,) = FAULTS[name].rules
        add(world, rule, "chats.createStream")
        chats[name] = world.ask(prompt(FAULTS[name]))
        wait_until(lambda: world.sandbox.faults()[-1]["used"] > 0, what=name)
    return ended(world, chats)


def _all_were_used(world: World) -> None:
    unused = [rule for rule in world.sandbox.faults() if not rule["used"]]
    assert unused == []


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_of_a_further_message_shows_what_it_must(sent: Pages, name: str) -> None:
    check(sent[name], FAULTS[name].row, turns=2)


@pytest.mark.parametrize("name", OF_A_NEW_CHAT)
def test_each_fault_of_a_new_chat_shows_what_it_must(created: Pages, name: str) -> None:
    check(created[name], FAULTS[name].row)


def test_while_it_is_in_doubt_the_page_says_that_it_is_being_looked_up(world: World) -> None:
    chat = world.ask("scenario: empty")
    world.finished(chat)
    v0_chat = world.chat(chat)["v0_id"]
    add(world, {"kind": "status", "status": 500}, SEND.format(chat=v0_chat))
    add(world, {"kind": "hang", "method": "GET", "times": None}, LIST.format(chat=v0_chat))
    world.send(chat, "A page about fog")
    world.until(chat, "checking")
    html = world.client.get(f"/chats/{chat}/").text
    check(html, Row(state="checking", end="Looking it up", says="A page about fog"), turns=2)
    world.sandbox.clear_faults()
    world.finished(chat)


# Those that no message can meet: `tests/relay/test_levels.py` plays them.
OF_SHARING = {"other-privacy"}


def test_no_fault_is_without_a_row_or_a_reason() -> None:
    played = {
        (rule["kind"], _operation(rule["path"])) for each in FAULTS.values() for rule in each.rules
    }
    assert {kind for kind, _ in played | set(NOT_YET)} | OF_SHARING == set(KINDS)
    assert not played & set(NOT_YET)
    for reason in NOT_YET.values():
        assert reason[0].isupper()
        assert reason.index(".") == len(reason) - 1, "one sentence"


def test_what_has_no_page_yet_is_never_asked_of_v0() -> None:
    """What fails here has a page now: it needs rows for its faults and no reason any more."""
    wanted = {_method(operation) for _, operation in NOT_YET}
    assert wanted <= set(_names("v0api")), "the client calls them otherwise"
    asked = {name for part in ("relay", "views", "management") for name in _names(part)}
    assert not wanted & asked


def _operation(path: str) -> str:
    names = {SEND: "messages.sendStream", LIST: "messages.list", RESUME: "chats.resume"}
    return names[path]


def _method(operation: str) -> str:
    name = operation.partition(".")[2]
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _names(package: str) -> Iterator[str]:
    """Methods that a package of the app defines or calls."""
    for file in (ROOT / "chats" / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.AsyncFunctionDef):
                yield node.name
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr
