"""The time of a finished answer: every number is one of v0's clock, and each bar leads to its part."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats.live.html import render
from chats.rendering import words as said
from chats.rendering.timeline import AXIS, LEAST, MOST, timeline
from chats.v0api.types import parts_from_wire
from tests.rendering.seen import END, START, answer, below, words

ZERO = datetime(2026, 1, 1, 10, tzinfo=UTC)
DONE = {"startedAt": START, "finishedAt": END}


def at(milliseconds: int) -> str:
    moment = ZERO + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def took(began: int, milliseconds: int, kind: str = "bash", **fields: Any) -> dict[str, Any]:
    stamps = {"startedAt": at(began), "finishedAt": at(began + milliseconds)}
    return {"type": kind, "command": "a", "text": "a", **stamps, **fields}


MOMENTS = st.one_of(st.none(), st.integers(0, 100_000), st.sampled_from([0, 0, 5_000]))
KINDS = st.sampled_from(["text", "thinking", "file-read", "file-edit", "search", "bash", "tool-call", "hologram"])  # fmt: skip
TIMES = st.lists(st.tuples(KINDS, MOMENTS, MOMENTS), max_size=12)


@settings(max_examples=150, deadline=None)
@given(TIMES, st.sampled_from([0.0, 0.0, 3.0, 90_000.0]))
def test_every_number_is_one_of_the_parts(times: list[tuple[str, Any, Any]], waited: float) -> None:
    wires = []
    for kind, began, ended in times:
        wire = {"type": kind, "text": "a"}
        wire |= {} if began is None else {"startedAt": at(began)}
        wires.append(wire | ({} if ended is None else {"finishedAt": at(ended)}))
    told = timeline(parts_from_wire(wires), waited=waited)
    believed = {
        index: (began, ended)
        for index, (_, began, ended) in enumerate(times)
        if began is not None and ended is not None and began <= ended
    }
    bars = {bar.index: bar for row in told.rows for bar in row.bars if bar.index >= 0}
    assert bars.keys() == believed.keys()
    first = min((began for began, _ in believed.values()), default=0)
    last = max((ended for _, ended in believed.values()), default=0)
    assert Fraction(told.total).limit_denominator(1000) == Fraction(last - first, 1000)
    for index, (began, ended) in believed.items():
        assert (bars[index].began, bars[index].ended) == (
            (began - first) * 1000,
            (ended - first) * 1000,
        )
        assert 0 <= bars[index].x <= bars[index].x + bars[index].width <= AXIS + 0.01
        assert bars[index].width >= LEAST
    longest = max((ended - began for began, ended in believed.values()), default=0)
    assert (told.longest.seconds if told.longest else 0) == longest / 1000
    assert told.steps == sum(kind != "text" for kind, _, _ in times)
    assert (told.waited, "waiting" in [row.kind for row in told.rows]) == (waited, waited > 0)
    for row in told.rows:
        assert row.seconds <= max(told.total, told.waited)


@pytest.mark.parametrize(
    ("stamps", "bars"),
    [
        ({}, 0),
        ({"startedAt": START}, 0),
        ({"finishedAt": END}, 0),
        ({"startedAt": END, "finishedAt": START}, 0),
        ({"startedAt": START, "finishedAt": START}, 1),
        ({"startedAt": "yesterday", "finishedAt": END}, 0),
        ({"startedAt": "2026-01-01T10:00:00", "finishedAt": "2026-01-01T10:00:05"}, 0),
        ({"startedAt": "0001-01-01T00:00:00+14:00", "finishedAt": END}, 1),
        ({"startedAt": 7, "finishedAt": None}, 0),
        (DONE, 1),
    ],
)
def test_a_clock_that_is_missing_or_runs_backwards_is_not_believed(stamps: Any, bars: int) -> None:
    told = timeline(parts_from_wire([{"type": "bash", **stamps}]))
    assert sum(len(row.bars) for row in told.rows) == bars
    assert told.steps == 1


def test_what_runs_side_by_side_counts_once() -> None:
    told = timeline(parts_from_wire([took(0, 2000), took(1000, 3000), took(9000, 500)]))
    assert (told.total, told.rows[0].seconds) == (9.5, 4.5)


def test_a_night_of_waiting_leaves_room_for_the_work() -> None:
    told = timeline(parts_from_wire([took(0, 1000)]), waited=30_000)
    waiting, work = (row.bars[0] for row in told.rows)
    assert (waiting.width, work.x, work.width) == (250, 250, 750)
    assert told.is_shortened
    assert not timeline(parts_from_wire([took(0, 9000)]), waited=1).is_shortened


def test_of_very_many_parts_the_longest_are_shown_and_the_rest_counted() -> None:
    told = timeline(parts_from_wire([took(at * 100, at % 7) for at in range(MOST + 50)]))
    assert (sum(len(row.bars) for row in told.rows), told.rest) == (MOST, 50)


STORY = (
    took(0, 2400, "thinking"),
    took(2400, 600, "file-read", paths=["app/<a>.tsx"]),
    took(3000, 9000, "bash", command="npm test"),
    took(12_000, 1000, "file-edit", operation="update", path="app/<a>.tsx"),
    took(13_000, 0, "file-edit", operation="rename", path="b.ts", toPath="c.ts"),
    took(13_000, 2000, "text"),
)


def test_a_finished_answer_tells_its_time_its_steps_and_the_longest() -> None:
    made = below(answer(*STORY, waited=125.0), "m1-work")
    assert words(made).startswith(
        "Worked for 15 s · 5 steps · waited 2 min 5 s for a person Waiting for a person"
    )
    assert "Longest: Ran npm test , 9.0 s" in words(made)
    rows = re.findall('class="timeline-row" [^>]*data-kind="([^"]*)"', made.html)
    assert rows == ["waiting", "thinking", "reading", "editing", "commands", "writing"]
    bars = re.findall(r'<a href="#m1-p(\d)" aria-label="([^"]*)"', made.html)
    assert bars[1] == ("1", "Read app/&lt;a&gt;.tsx, 0.6 s")
    assert sorted(index for index, _ in bars) == list("012345")
    table = made.html.partition("<tbody>")[2]
    assert re.findall(r"<td>([^<]*)</td></tr>", table) == ["2 min 5 s", "2.4 s", "0.6 s", "9.0 s", "1.0 s", "0 s", "2.0 s"]  # fmt: skip


def test_the_files_are_listed_with_what_was_done_and_where() -> None:
    made = below(answer(*STORY), "m1-work")
    assert "Changed 2 files" in words(made)
    files = made.html.partition("work-files")[2]
    assert re.findall(r"<code>([^<]*)</code>", files) == ["app/&lt;a&gt;.tsx", "b.ts"]
    assert re.findall(r'<a href="#m1-p(\d)">([^<]*)</a>', files) == [("1", "read"), ("3", "updated"), ("4", "renamed to c.ts")]  # fmt: skip


def test_a_file_that_was_changed_again_and_again_is_told_up_to_a_limit() -> None:
    edit = {"type": "file-edit", "operation": "patch", "path": "a"}
    made = below(answer(*[edit] * 25), "m1-work")
    assert words(made).endswith(", patched and 5 more")
    read = {"type": "file-read", "paths": [f"{at}" for at in range(203)]}
    assert words(below(answer(read), "m1-work")).endswith("199 read 3 more files.")


@pytest.mark.parametrize("state", ["sending", "checking", "streaming"])
def test_an_answer_that_runs_has_no_numbers_yet(state: str) -> None:
    assert below(answer(*STORY, state=state), "m1-work").html == ""


def test_an_answer_that_only_says_something_has_none_either() -> None:
    assert below(answer(took(0, 9000, "text")), "m1-work").html == ""


def test_a_step_without_a_clock_still_has_its_file() -> None:
    made = below(answer({"type": "file-edit", "operation": "create", "path": "a"}), "m1-work")
    assert words(made) == "Changed 1 file a created"


def test_nothing_is_drawn_with_styles_and_every_target_is_on_the_page() -> None:
    made = answer(*STORY)
    html = render(made)
    assert "style=" not in html
    ids = {node.id for node in made.walk()}
    assert {target.removeprefix("#") for target in re.findall(r'href="(#[^"]*)"', html)} <= ids


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (0.04, "under 0.1 s"),
        (0.3, "0.3 s"),
        (9.99, "9.9 s"),
        (10, "10 s"),
        (61, "1 min 1 s"),
    ],
)
def test_short_times_have_a_decimal(seconds: float, expected: str) -> None:
    assert said.took(seconds) == expected
