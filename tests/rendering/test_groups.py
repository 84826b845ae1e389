"""Long runs of steps: what folds, what never does, and that the law holds while runs grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats.live.apply import apply
from chats.live.difference import Move, difference
from chats.live.html import render
from chats.live.state import Node, State
from chats.rendering.frames import frame
from chats.rendering.groups import LEAST
from chats.rendering.message import MessageRenderer, message_node
from chats.rendering.shown import Shown
from chats.v0api.types import part_from_wire
from tests.live.page import Page, page_html
from tests.rendering.seen import END, START, answer, below, words
from tests.rendering.shape import exhaust

STAMPS = {"startedAt": START, "finishedAt": END}
Wire = dict[str, Any]
READ: Wire = {"type": "file-read", "paths": ["a.tsx"], **STAMPS}
EDIT: Wire = {"type": "file-edit", "operation": "update", "path": "b.tsx", **STAMPS}
SEARCH: Wire = {"type": "search", "scope": "repo", "query": "q", **STAMPS}
RUN: Wire = {"type": "bash", "command": "npm test", "output": "ok", **STAMPS}
TOOL: Wire = {"type": "tool-call", "name": "n", "status": "ok", **STAMPS}
THOUGHT: Wire = {"type": "thinking", "text": "a", **STAMPS}
TEXT: Wire = {"type": "text", "text": "a", **STAMPS}
TODOS: Wire = {"type": "agent-action", "name": "manage_todos", "data": {"todos": ["a"]}, **STAMPS}
ASK: Wire = {
    "type": "agent-action",
    "name": "ask_user_questions",
    "data": {"questions": []},
    **STAMPS,
}
FAILED_RUN: Wire = {**RUN, "exitCode": 1}
FAILED_TOOL: Wire = {**TOOL, "status": "error"}
DANGEROUS: Wire = {**RUN, "isDangerous": True}
WAITING: Wire = {**TOOL, "suggestedPermissions": [{}]}
RUNNING: Wire = {"type": "bash", "command": "npm run dev", "startedAt": START}
QUIET: tuple[Wire, ...] = (READ, EDIT, SEARCH, RUN, TOOL, THOUGHT)
LOUD: tuple[Wire, ...] = (FAILED_RUN, FAILED_TOOL, DANGEROUS, WAITING, ASK, {"type": "hologram"})


def shape(node: Node) -> list[Any]:
    """The parts of an answer by index, a list where they are folded."""
    return [
        [int(step.id.partition("-p")[2]) for step in child.children[1:]]
        if "-g" in child.id
        else int(child.id.partition("-p")[2])
        for child in below(node, "m1-parts").children
    ]


def test_a_long_run_folds_into_one_line_that_opens() -> None:
    made = answer(TEXT, READ, READ, RUN, THOUGHT, SEARCH, EDIT, TEXT)
    assert shape(made) == [0, [1, 2, 3, 4, 5, 6], 7]
    group = below(made, "m1-g1")
    assert (group.tag, dict(group.attrs)) == ("details", {"class": "group"})
    said = "Read 1 file, searched once, changed 1 file, ran 1 command 12 s"
    assert words(below(made, "m1-g1-h")) == said


@pytest.mark.parametrize(
    ("wires", "said"),
    [
        ([{**READ, "paths": [f"{at}", "x"]} for at in range(5)], "Read 6 files 12 s"),
        ([{"type": "file-read"}] * 4, "Read 4 files"),
        ([RUN, RUN, RUN, EDIT, EDIT], "Changed 1 file, ran 3 commands 12 s"),
        ([SEARCH, TOOL, SEARCH, TOOL], "Searched 2 times, used tools 2 times 12 s"),
        ([THOUGHT] * 4, "Thought 4 times 12 s"),
    ],
)
def test_the_line_counts_by_kind(wires: list[Any], said: str) -> None:
    assert words(below(answer(*wires), "m1-g0-h")) == said


def test_a_few_steps_are_no_run_and_what_shows_nothing_does_not_count() -> None:
    empty = {"type": "thinking", "text": "", **STAMPS}
    assert shape(answer(READ, RUN, EDIT, empty)) == [0, 1, 2, 3]
    assert shape(answer(READ, RUN, EDIT, empty, EDIT)) == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("loud", LOUD)
def test_what_has_to_be_seen_ends_the_run(loud: dict[str, Any]) -> None:
    assert shape(answer(*[READ] * 4, loud, *[RUN] * 4)) == [[0, 1, 2, 3], 4, [5, 6, 7, 8]]


def test_the_step_that_runs_stands_behind_the_group_with_its_clock() -> None:
    made = answer(*[READ] * 4, RUNNING, state="streaming")
    assert shape(made) == [[0, 1, 2, 3], 4]
    assert f'data-since="{START}"' in render(below(made, "m1-p4-h"))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("stopped", [[0, 1, 2, 3], 4]),
        ("failed", [[0, 1, 2, 3], 4]),
        ("finished", [[0, 1, 2, 3, 4]]),
    ],
)
def test_what_an_answer_was_cut_off_in_stays_to_be_seen(state: str, expected: list[Any]) -> None:
    assert shape(answer(*[READ] * 4, RUNNING, state=state)) == expected


def test_only_the_newest_to_do_list_stands_open() -> None:
    made = answer(TODOS, *[READ] * 4, TODOS)
    assert shape(made) == [0, [1, 2, 3, 4], 5]
    assert "open" not in dict(below(made, "m1-p0").attrs)
    assert "open" in dict(below(made, "m1-p5").attrs)


STEPS = st.sampled_from([*QUIET, *QUIET, *LOUD, TEXT, TODOS, RUNNING])
STATES = st.sampled_from(["streaming", "finished", "stopped", "failed"])
MUST_BE_SEEN = ("failed", "running")


@settings(max_examples=80, deadline=None)
@given(st.lists(STEPS, max_size=14), STATES)
def test_a_folded_line_never_hides_what_failed_runs_or_waits(
    wires: list[dict[str, Any]], state: str
) -> None:
    made = answer(*wires, state=state)
    indexes: list[int] = []
    for child in shape(made):
        if not isinstance(child, list):
            indexes.append(child)
            continue
        assert len(child) >= LEAST
        for index in child:
            assert dict(below(made, f"m1-p{index}").attrs)["data-state"] == "done"
            wire = wires[index]
            assert wire not in LOUD
            assert wire["type"] not in ("text", "agent-action")
        indexes += child
    assert indexes == list(range(len(wires)))


@st.composite
def streams(draw: st.DrawFn) -> list[Shown]:
    """States of an answer whose steps begin one after the other or side by side, end, fail and go."""
    wires: list[dict[str, Any]] = []
    states = []
    for wire in draw(st.lists(STEPS, min_size=4, max_size=12)):
        begun = {key: value for key, value in wire.items() if key in ("type", "command", "name")}
        wires = [*wires, draw(st.sampled_from([wire, begun, begun]))]
        ended = draw(st.integers(0, len(wires)))
        if ended < len(wires):
            wires = [*wires[:ended], draw(STEPS), *wires[ended + 1 :]]
        if draw(st.integers(0, 9)) == 0:
            wires = wires[:-1]
        states.append(_streaming(wires))
    return [*states, replace(states[-1], state=draw(STATES))]


def _streaming(wires: Sequence[Any]) -> Shown:
    return Shown("1", "assistant", "streaming", parts=tuple(map(part_from_wire, wires)))


@settings(max_examples=40, deadline=None)
@given(streams(), st.integers(0, 20))
def test_a_page_follows_runs_that_grow_break_and_join(run: list[Shown], start: int) -> None:
    renderer = MessageRenderer("1")
    states = []
    for shown in run:
        exhaust(renderer.update(shown))
        assert renderer.node == message_node(shown)
        states.append(State(messages=(renderer.node,)))
    page = Page(page_html(states[0]))
    for old, new in [*pairwise(states), (states[-1], states[start % len(states)])]:
        operations = difference(old, new)
        text = frame(operations, "new")
        page.apply(text)
        assert page.missed == []
        assert page.shown == Page(page_html(new)).shown
        page.apply(text)
        page.missed.clear()
        assert page.shown == Page(page_html(new)).shown
        assert list(map(render, apply(old, operations).messages)) == list(map(render, new.messages))


def test_a_step_that_ends_in_a_long_run_costs_a_frame_of_that_step() -> None:
    renderer, sizes = MessageRenderer("1"), []
    parts = [part_from_wire({**RUN, "command": f"echo {at}"}) for at in range(60)]
    before = None
    for count in range(10, 60):
        running = part_from_wire({**RUNNING, "command": f"echo {count}"})
        shown = Shown("1", "assistant", "streaming", parts=(*parts[:count], running))
        exhaust(renderer.update(shown))
        if before is not None:
            operations = difference(State(messages=(before,)), State(messages=(renderer.node,)))
            assert sum(isinstance(each, Move) for each in operations) == 1
            sizes.append(len(frame(operations, "")))
        before = renderer.node
    assert max(sizes) < min(sizes) + 60
