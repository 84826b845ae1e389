"""What an agent tells of its own work: to-dos, problems and images, and data of any other shape."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chats.live.html import render
from chats.rendering.parts import PartView
from chats.v0api.types import part_from_wire
from tests.rendering.seen import END, body, head, part, words
from tests.rendering.shape import exhaust


def action(name: str, data: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "agent-action", "name": name, "data": data, **fields}


TODOS = [
    {"content": "Read", "status": "completed"},
    {"content": "Write", "status": "in_progress"},
    {"content": "<b>", "status": "pending"},
]
PROBLEMS = [
    {"message": "unused", "severity": "warning", "path": "a.ts"},
    {"message": "bad <type>", "severity": 1, "file": "app/page.tsx", "line": 12},
    {"message": "worse", "severity": "Error"},
    "as text",
]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"todos": TODOS}, "Read (done) Write (being done) <b> (to do)"),
        (TODOS, "Read (done) Write (being done) <b> (to do)"),
        ({"items": ["a", {"title": "b", "done": True}]}, "a (to do) b (done)"),
        ({"tasks": [{"text": "a", "state": "cancelled"}]}, "a (dropped)"),
    ],
)
def test_to_dos_are_a_checklist(data: Any, expected: str) -> None:
    assert body(action("manage_todos", data)) == expected


def test_a_checklist_stands_open_and_says_how_far_it_is() -> None:
    wire = action("manage_todos", {"todos": TODOS}, summary="s")
    assert head(wire) == "Updated the to-do list s 1 of 3"
    assert "open" in dict(part(wire).attrs)


def test_a_checklist_is_updated_in_place() -> None:
    view = PartView("p", "agent-action")
    exhaust(view.update(part_from_wire(action("manage_todos", TODOS[:2])), is_live=True))
    before = view.node
    exhaust(view.update(part_from_wire(action("manage_todos", TODOS)), is_live=True))
    assert view.node.attrs == before.attrs
    assert [child.id for child in view.node.children[1].children] == ["p-b0"]
    ended = part_from_wire(action("manage_todos", TODOS, finishedAt=END))
    exhaust(view.update(ended, is_live=True, is_newest=False))
    assert "open" not in dict(view.node.attrs)


def test_problems_are_grouped_by_severity_the_worst_first() -> None:
    told = "2 errors app/page.tsx:12 bad <type> worse 1 warning a.ts unused 1 note as text"
    wire = action("diagnostics", PROBLEMS, summary="Found some")
    assert body(wire) == body(action("diagnostics", {"problems": PROBLEMS})) == told
    assert head(wire) == "Checked for problems Found some 2 errors"
    assert "open" in dict(part(wire).attrs)


def test_problems_may_come_sorted_and_warnings_alone_stay_folded() -> None:
    wire = action("diagnostics", {"errors": [], "warnings": [{"message": "a"}, "b"]})
    assert body(wire) == "2 warnings a b"
    assert "open" not in dict(part(wire).attrs)


@pytest.mark.parametrize(
    ("data", "link", "expected"),
    [
        ({"url": "https://a.b/c.png", "alt": "A cat"}, "https://a.b/c.png", "A cat"),
        ({"images": ["https://a.b/c.png"]}, "https://a.b/c.png", "Open the image"),
        ({"path": "public/a.png", "prompt": "A cat"}, "", "A cat public/a.png"),
    ],
)
def test_a_generated_image_is_a_link_and_loads_nothing(data: Any, link: str, expected: str) -> None:
    wire = action("generate_image", data)
    assert body(wire) == expected
    html = render(part(wire))
    assert re.findall('href="([^"]*)"', html) == ([link] if link else [])
    assert "<img" not in html


@pytest.mark.parametrize(
    "data", [1, "a", [], {}, [1], [[]], [{}], {"todos": [{"x": 1}]}, {"diagnostics": [{"severity": 1}]}, {"url": "javascript:alert(1)"}, {"images": [{"url": "http://a.b/c.png"}]}]
)  # fmt: skip
@pytest.mark.parametrize("name", ["manage_todos", "diagnostics", "generate_image"])
def test_data_of_another_shape_is_shown_as_it_is(name: str, data: Any) -> None:
    made = part(action(name, data))
    assert words(made.children[1]).startswith("Data")
    assert "href" not in render(made)
    assert "open" not in dict(made.attrs)
