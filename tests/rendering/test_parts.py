"""Every type of part, in every state: its line, what it unfolds to, and what is made again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from chats.live.html import render
from chats.rendering.heads import ICONS
from chats.rendering.parts import PartView
from chats.v0api.types import part_from_wire
from tests.rendering.seen import END, START, body, head, part, words
from tests.rendering.shape import exhaust

ENDED = {"startedAt": START, "finishedAt": END}
QUESTIONS = {
    "questions": [
        {
            "id": "q",
            "header": "Style",
            "question": "Which look?",
            "multiSelect": True,
            "options": [
                {"id": "a", "label": "Quiet", "description": "One accent"},
                {"label": "Loud"},
            ],
        }
    ]
}


@pytest.mark.parametrize(
    ("wire", "running", "done"),
    [
        ({"type": "thinking", "text": "a"}, "Thinking…", "Thought for a moment"),
        (
            {"type": "thinking", "text": "a", "startedAt": START},
            "Thinking…",
            "Thought for a moment",
        ),
        ({"type": "file-read", "paths": ["a/b.tsx"]}, "Reading a/b.tsx", "Read a/b.tsx"),
        ({"type": "file-read", "paths": ["a", "b"]}, "Reading 2 files", "Read 2 files"),
        ({"type": "file-read"}, "Reading a file", "Read a file"),
        ({"type": "file-edit", "operation": "create", "path": "a"}, "Creating a", "Created a"),
        ({"type": "file-edit", "operation": "update", "path": "a"}, "Updating a", "Updated a"),
        ({"type": "file-edit", "operation": "patch", "path": "a"}, "Patching a", "Patched a"),
        ({"type": "file-edit", "operation": "delete", "path": "a"}, "Deleting a", "Deleted a"),
        (
            {"type": "file-edit", "operation": "rename", "path": "a", "toPath": "b"},
            "Renaming a → b",
            "Renamed a → b",
        ),
        ({"type": "file-edit", "operation": "fold_up", "path": "a"}, "Fold up a", "Fold up a"),
        (
            {"type": "search", "scope": "repo", "query": "q"},
            "Searching the codebase q",
            "Searched the codebase q",
        ),
        (
            {"type": "search", "scope": "web", "query": "q"},
            "Searching the web q",
            "Searched the web q",
        ),
        ({"type": "bash", "command": "ls"}, "Running ls", "Ran ls"),
        (
            {"type": "bash", "command": "rm", "isDangerous": True},
            "Running rm Dangerous",
            "Ran rm Dangerous",
        ),
        ({"type": "bash", "command": "ls", "exitCode": 0}, "Running ls exit 0", "Ran ls exit 0"),
        ({"type": "tool-call", "name": "n", "toolDisplayName": "N"}, "Using N", "Used N"),
        ({"type": "tool-call", "name": "n"}, "Using n", "Used n"),
        ({"type": "tool-call"}, "Using a tool", "Used a tool"),
        (
            {"type": "agent-action", "name": "diagnostics", "summary": "2 warnings"},
            "Checking for problems 2 warnings",
            "Checked for problems 2 warnings",
        ),
        (
            {"type": "agent-action", "name": "new_thing", "summary": "s"},
            "New thing s",
            "New thing s",
        ),
        ({"type": "hologram"}, "Did something new hologram", "Did something new hologram"),
        (7, "Did something new", "Did something new"),
    ],
)
def test_a_step_is_said_in_one_line(wire: Any, running: str, done: str) -> None:
    assert head(wire, state="streaming") == running
    assert head(wire) == done


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ("00.400", "a moment"),
        ("12.900", "12 s"),
        ("59.999", "59 s"),
    ],
)
def test_a_thought_says_how_long_it_took(seconds: str, said: str) -> None:
    wire = {"type": "thinking", "text": "a", "startedAt": START}
    wire["finishedAt"] = f"2026-01-01T10:00:{seconds}Z"
    assert head(wire) == f"Thought for {said}"


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        ("2026-01-01T10:02:00Z", "2 min"),
        ("2026-01-01T10:03:05Z", "3 min 5 s"),
        ("2026-01-01T12:00:00Z", "2 h"),
        ("2026-01-01T12:01:00Z", "2 h 1 min"),
        ("2026-01-01T09:00:00Z", "a moment"),
        ("2026-01-01T10:00:05", "a moment"),
        ("yesterday", "a moment"),
    ],
)
def test_a_clock_that_says_nonsense_is_not_believed(finished: str, said: str) -> None:
    wire = {"type": "thinking", "text": "a", "startedAt": START, "finishedAt": finished}
    assert head(wire) == f"Thought for {said}"


def test_what_runs_has_a_clock_and_what_is_done_its_duration() -> None:
    wire = {"type": "bash", "command": "ls", "startedAt": START}
    assert f'<time class="part-time" data-since="{START}"></time>' in render(
        part(wire, state="streaming")
    )
    assert head({**wire, "finishedAt": END}) == "Ran ls 12 s"
    assert "data-since" not in render(part(wire))


@pytest.mark.parametrize(
    ("wire", "state", "expected"),
    [
        ({"type": "bash", "command": "a"}, "streaming", "running"),
        ({"type": "bash", "command": "a"}, "sending", "running"),
        ({"type": "bash", "command": "a", "finishedAt": END}, "streaming", "done"),
        ({"type": "bash", "command": "a"}, "stopped", "done"),
        ({"type": "bash", "command": "a"}, "failed", "done"),
        ({"type": "bash", "command": "a", "exitCode": 1}, "finished", "failed"),
        ({"type": "tool-call", "status": "error"}, "streaming", "failed"),
        ({"type": "tool-call", "status": "ok"}, "finished", "done"),
    ],
)
def test_the_state_of_a_part(wire: Any, state: str, expected: str) -> None:
    attrs = dict(part(wire, state=state).attrs)
    assert (attrs["data-part"], attrs["data-state"]) == (wire["type"], expected)


@pytest.mark.parametrize(
    ("wire", "state", "expected"),
    [
        ({"type": "text", "text": "a"}, "streaming", "div"),
        ({"type": "thinking", "text": "a"}, "streaming", "details open"),
        ({"type": "thinking", "text": "a"}, "finished", "details"),
        ({"type": "thinking", "text": ""}, "streaming", "details open"),
        ({"type": "thinking", "text": ""}, "finished", "details hidden"),
        ({"type": "file-read", "paths": ["a"]}, "finished", "div"),
        ({"type": "file-read", "paths": ["a", "b"]}, "finished", "details"),
        ({"type": "bash", "command": "a"}, "streaming", "div"),
        ({"type": "bash", "command": "a", "output": "b"}, "streaming", "details open"),
        ({"type": "bash", "command": "a", "output": "b"}, "finished", "details"),
        ({"type": "bash", "command": "a", "output": "b", "exitCode": 2}, "finished", "details open"),
        ({"type": "tool-call", "input": {"a": 1}}, "finished", "details"),
        ({"type": "tool-call", "output": "a", "status": "error"}, "finished", "details open"),
        ({"type": "tool-call", "suggestedPermissions": [{}]}, "finished", "details open"),
        ({"type": "agent-action", "name": "a", "data": 1}, "finished", "details"),
        ({"type": "agent-action", "name": "exit_plan_mode", "data": {"plan": "a"}}, "finished", "details open"),
        ({"type": "hologram"}, "finished", "details"),
    ],
)  # fmt: skip
def test_what_unfolds_and_what_stands_open(wire: Any, state: str, expected: str) -> None:
    made = part(wire, state=state)
    flags = [name for name in ("open", "hidden") if name in dict(made.attrs)]
    assert " ".join([made.tag, *flags]) == expected
    assert made.children[0].tag == ("summary" if made.tag == "details" else "div")


def test_the_same_thought_only_closes_when_it_is_over() -> None:
    view = PartView("p", "thinking")
    exhaust(view.update(part_from_wire({"type": "thinking", "text": "a"}), is_live=True))
    before = view.node
    exhaust(view.update(part_from_wire({"type": "thinking", "text": "a b"}), is_live=True))
    assert view.node.attrs == before.attrs
    assert view.node.children[0] is before.children[0]


def test_a_part_that_is_the_same_object_costs_nothing() -> None:
    view = PartView("p", "text")
    same = part_from_wire({"type": "text", "text": "a", "finishedAt": END})
    exhaust(view.update(same, is_live=True))
    before = view.node
    exhaust(view.update(same, is_live=False))
    assert view.node is before


def test_output_grows_by_pieces_of_whole_lines() -> None:
    view = PartView("p", "bash")
    line = "x" * 99 + "\n"
    wire = {"type": "bash", "command": "a", "output": line * 100}
    exhaust(view.update(part_from_wire(wire), is_live=True))
    before = view.node.children[1].children
    assert [len(piece.html) % 100 for piece in before] == [0, 0, 0]
    exhaust(view.update(part_from_wire({**wire, "output": line * 101}), is_live=True))
    after = view.node.children[1].children
    assert [new is old for new, old in zip(after, before, strict=True)] == [True, True, False]
    exhaust(view.update(part_from_wire({**wire, "output": "other"}), is_live=True))
    assert [piece.html for piece in view.node.children[1].children] == ["other"]


def test_output_is_what_a_terminal_leaves_to_read() -> None:
    output = "\x1b[1;31mred\x1b[0m <b>\r\n10%\r20%\r\n\x1b]0;title\x07done\x1b["
    made = part({"type": "bash", "command": "a", "output": output}).children[1].children
    assert made[0].html == "red &lt;b&gt;\n10%\n20%\ndone"


def test_endless_output_is_shown_up_to_a_limit_that_is_told() -> None:
    made = part({"type": "bash", "command": "a", "output": "0123456789\n" * 40_000})
    assert sum(len(node.html) for node in made.walk()) < 270_000
    assert words(made).endswith("177856 more characters are not shown.")


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"type": "file-read", "paths": ["a/b", "<c>"]}, "a/b <c>"),
        ({"type": "tool-call", "input": {"a": [1, "é"]}}, 'Input { "a": [ 1, "é" ] }'),
        ({"type": "tool-call", "output": "plain\ntext"}, "Output plain text"),
        ({"type": "tool-call", "output": "no", "status": "error"}, "Error no"),
        ({"type": "tool-call", "input": "", "output": False}, "Input Output false"),
        (
            {"type": "tool-call", "suggestedPermissions": [
                {"toolName": "T", "toolDisplayName": "Run it", "userMessage": "Why", "input": {"a": 1}}
            ]},
            'Permission asked: Run it Why { "a": 1 }',
        ),
        ({"type": "agent-action", "name": "a", "data": {"b": None}}, 'Data { "b": null }'),
        (
            {"type": "agent-action", "name": "ask_user_questions", "data": QUESTIONS},
            "Style Which look? Quiet One accent Loud More than one may be chosen.",
        ),
        (
            {"type": "agent-action", "name": "exit_plan_mode", "data": {"plan": "# A\n\n- *b*"}},
            "A b",
        ),
        (
            {"type": "agent-action", "name": "get_or_request_integration", "data": {
                "requestedIntegrations": ["Neon", {"name": "Blob"}], "requestedMcpPresets": ["Linear"]
            }},
            "Neon Blob Linear",
        ),
        (
            {"type": "agent-action", "name": "configure_vercel_connect", "data": {
                "status": "setup-required", "service": "slack", "setupUrl": "https://a.b",
                "connectorName": "c", "environments": ["production", "preview"],
            }},
            "Status setup required Service slack Connector c Environments production, preview",
        ),
        ({"type": "hologram", "x": "<b>"}, 'As v0 sent it { "type": "hologram", "x": "<b>" }'),
        (["a"], 'As v0 sent it { "value": [ "a" ] }'),
    ],
)  # fmt: skip
def test_what_a_step_unfolds_to(wire: Any, expected: str) -> None:
    assert body(wire) == expected


@pytest.mark.parametrize("data", [None, 1, "a", [], {}, {"plan": 1}, {"questions": 7}, [[]]])
@pytest.mark.parametrize(
    "name",
    [
        "ask_user_questions",
        "exit_plan_mode",
        "get_or_request_integration",
        "configure_vercel_connect",
    ],
)
def test_data_of_any_shape_is_shown_as_it_is(name: str, data: Any) -> None:
    made = body({"type": "agent-action", "name": name, "data": data})
    assert made == "" if data is None else made.startswith("Data")


def test_questions_of_odd_shapes_are_read_as_far_as_they_go() -> None:
    odd = {"questions": [1, {}, {"question": "Which?", "options": [2, {"label": "A"}, {}]}]}
    assert body({"type": "agent-action", "name": "ask_user_questions", "data": odd}) == "Which? A"


def test_json_that_is_too_deep_or_too_long_is_bounded() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert body({"type": "tool-call", "input": deep}) == "Input Nested too deep to be shown."
    long = body({"type": "tool-call", "output": "x" * 70_000})
    assert long.endswith("4464 more characters are not shown.")


def test_a_first_line_break_of_a_value_is_kept() -> None:
    assert "\n\n\na</pre>" in render(part({"type": "tool-call", "output": "\n\na"}))


def test_every_icon_that_is_named_is_drawn() -> None:
    root = Path(settings.BASE_DIR)
    source = (root / "chats/rendering/heads.py").read_text()
    named = {*ICONS.values(), *re.findall(r'"(file-plus|trash|pencil|globe|search|spark)"', source)}
    for template in (root / "templates/parts").glob("*.html"):
        named.update(re.findall(r'icon="([\w-]+)"', template.read_text()))
    css = (root / "static/css/parts.css").read_text()
    for icon in named:
        assert f'[data-icon="{icon}"] {{ --icon: url("../icons/{icon}.svg"); }}' in css
        assert (root / f"static/icons/{icon}.svg").is_file()
