"""One message as a node: its shape, its words, and that updates end where one rendering does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from chats.live.apply import apply
from chats.live.difference import Put, difference
from chats.live.html import render
from chats.live.state import Node, State
from chats.rendering.message import MessageRenderer, message_node
from chats.rendering.shown import Shown
from chats.rendering.words import PROBLEMS
from chats.v0api.types import Attachment, part_from_wire
from tests.rendering.corpus import LINES
from tests.rendering.seen import END, START, answer, below, words
from tests.rendering.shape import exhaust

ID = "0d9f6d3e-5d0c-4a55-9a0b-3b6a5f0f0a11"


def test_the_shape_of_an_answer() -> None:
    shown = Shown(
        ID,
        "assistant",
        "streaming",
        created=START,
        parts=(part_from_wire({"type": "text", "text": "a\n\n- b"}),),
    )
    assert [node.id.replace(ID, "") for node in message_node(shown).walk()] == [
        "m",
        "m-who",
        "m-parts",
        "m-p0",
        "m-p0-h",
        "m-p0-b",
        "m-p0-b0",
        "m-p0-b1",
        "m-p0-b1-0",
        "m-work",
        "m-end",
        "m-own",
        "m-notes",
        "m-actions",
    ]
    assert render(message_node(shown)).startswith(
        f'<article id="m{ID}" class="message" data-message="{ID}" data-role="assistant"'
        f' data-state="streaming" aria-labelledby="m{ID}-who" aria-busy="true">'
    )


def test_what_a_person_wrote_is_plain_text() -> None:
    text = "# no *Markdown* <script>\n\n  here & there"
    node = message_node(Shown("1", "user", "finished", text=text, author="Ada <b>", created=START))
    assert below(node, "m1-text").html == "# no *Markdown* &lt;script&gt;\n\n  here &amp; there"
    assert words(below(node, "m1-who")) == "Ada <b> 2026-01-01 10:00 UTC"
    assert f'<time class="message-time" datetime="{START}">' in render(node)


def test_a_message_of_a_person_that_came_with_parts_shows_them() -> None:
    parts = (part_from_wire({"type": "text", "text": "*a*"}),)
    node = message_node(Shown("1", "user", "finished", parts=parts))
    assert "<em>a</em>" in render(node)


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        (Attachment("https://a.b/c.pdf", "d.pdf", "application/pdf", 2048), "d.pdf application/pdf 2.0 KB"),
        (Attachment("https://a.b/c.pdf"), "c.pdf"),
        (Attachment("javascript:alert(1)", "<d>"), "<d>"),
        (Attachment("http://a.b/c", size=0), "c 0 bytes"),
        (Attachment(""), "Attachment"),
    ],
)  # fmt: skip
def test_an_attachment_is_a_row(attachment: Attachment, expected: str) -> None:
    node = message_node(Shown("1", "user", "finished", text="a", attachments=(attachment,)))
    files = below(node, "m1-files")
    assert words(files) == expected
    assert re.findall('href="([^"]*)"', files.html) == (
        [attachment.url] if attachment.url.startswith("https://") else []
    )
    assert not re.search("<(img|iframe|video)", files.html)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "sending"}, "Sending…"),
        ({"state": "checking"}, "Not sure whether v0 received this. Looking it up…"),
        ({"state": "streaming"}, "Working…"),
        ({"state": "streaming", "stopping": True}, "Stopping…"),
        ({"state": "stopped"}, "Stopped."),
        ({"state": "finished", "finish_reason": "stop"}, "v0 gave an empty answer."),
        (
            {"state": "finished", "finish_reason": "length"},
            "Cut off because the answer reached its length limit.",
        ),
        ({"state": "finished", "finish_reason": "content-filter"}, "Ended by v0's content filter."),
        (
            {"state": "finished", "finish_reason": "other"},
            "Ended early, for a reason that v0 does not name.",
        ),
        (
            {"state": "finished", "finish_reason": "brand-new"},
            "Ended early, for a reason that v0 does not name.",
        ),
        (
            {"state": "failed", "problem": "credits", "detail": "No <b>credits"},
            f"{PROBLEMS['credits'].what} {PROBLEMS['credits'].advice} No <b>credits",
        ),
        (
            {"state": "failed", "problem": "rate-limit", "again": END},
            f"{PROBLEMS['rate-limit'].what} It can be sent again after 2026-01-01 10:00:12 UTC .",
        ),
        (
            {"state": "failed", "problem": "brand-new"},
            "Something went wrong. It can be sent again.",
        ),
    ],
)
def test_what_everybody_is_told_at_the_end(fields: dict[str, Any], expected: str) -> None:
    node = message_node(Shown("1", "assistant", **fields))
    assert words(below(node, "m1-end")) == expected


def test_a_finished_answer_needs_no_words() -> None:
    node = answer({"type": "text", "text": "a"}, finish_reason="stop")
    assert below(node, "m1-end").html == ""
    assert below(node, "m1-own") == Node("m1-own", attrs=(("class", "message-own"),))


def test_an_answer_that_asked_a_person_is_marked_and_its_words_are_left_to_each_reader() -> None:
    node = answer({"type": "text", "text": "a"}, finish_reason="tool-calls", pending=True)
    assert words(below(node, "m1-end")) == ""
    assert ("data-pending", "") in node.attrs


def test_while_a_part_runs_nobody_need_be_told_that_something_does() -> None:
    running = {"type": "bash", "command": "a"}
    assert words(below(answer(running, state="streaming"), "m1-end")) == ""
    ended = {**running, "finishedAt": END}
    assert words(below(answer(ended, state="streaming"), "m1-end")) == "Working…"


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_says_what_happened_and_what_to_do(code: str) -> None:
    problem = PROBLEMS[code]
    assert problem.what.endswith(".")
    assert problem.advice.endswith(".")


def test_an_update_shares_what_did_not_change() -> None:
    first = part_from_wire({"type": "bash", "command": "a", "output": "b", "finishedAt": END})
    text = {"type": "text", "text": "# a\n\nb"}
    renderer = MessageRenderer("1")
    shown = Shown("1", "assistant", "streaming", parts=(first, part_from_wire(text)))
    exhaust(renderer.update(shown))
    before = renderer.node
    grown = part_from_wire({**text, "text": "# a\n\nb c"})
    exhaust(renderer.update(replace(shown, parts=(first, grown))))
    for id in ("m1-p0", "m1-p1-h", "m1-p1-b0", "m1-who", "m1-end"):
        assert below(renderer.node, id) is below(before, id)
    old, new = State(messages=(before,)), State(messages=(renderer.node,))
    assert difference(old, new) == (Put("m1-p1-b", below(renderer.node, "m1-p1-b1")),)


def test_a_text_that_is_rewritten_keeps_the_blocks_that_are_equal() -> None:
    renderer = MessageRenderer("1")
    for text in ("# a\n\nb\n\nc", "# a\n\nx\n\nc"):
        wire = {"type": "text", "text": text, "finishedAt": END}
        shown = Shown("1", "assistant", "finished", parts=(part_from_wire(wire),))
        before = getattr(renderer, "node", None)
        exhaust(renderer.update(shown))
    assert before
    shared = [
        below(renderer.node, f"m1-p0-b{at}") is below(before, f"m1-p0-b{at}") for at in range(3)
    ]
    assert shared == [True, False, True]


TEXTS = st.lists(st.sampled_from(LINES), max_size=8).map("\n".join)
STAMPS = st.sampled_from([{}, {}, {"startedAt": START}, {"startedAt": START, "finishedAt": END}])
WIRES = st.one_of(
    st.builds(lambda text, kind: {"type": kind, "text": text}, TEXTS, st.sampled_from(["text", "text", "thinking"])),
    st.builds(lambda paths: {"type": "file-read", "paths": paths}, st.lists(st.text(max_size=5), max_size=3)),
    st.builds(lambda text: {"type": "bash", "command": "a", "output": text}, st.text(max_size=40)),
    st.builds(lambda text: {"type": "agent-action", "name": "exit_plan_mode", "data": {"plan": text}}, TEXTS),
    st.builds(lambda data: {"type": "tool-call", "input": data}, st.integers() | st.none()),
    st.builds(lambda kind: {"type": kind}, st.sampled_from(["hologram", "text", "bash"])),
)  # fmt: skip
WHOLE = st.builds(lambda wire, stamps: {**wire, **stamps}, WIRES, STAMPS)


@st.composite
def runs(draw: st.DrawFn) -> list[Shown]:
    """States of one answer: parts that grow, end, change their type, go, and come back."""
    wires: list[dict[str, Any]] = []
    states = []
    for _ in range(draw(st.integers(1, 6))):
        match draw(st.sampled_from(["add", "add", "grow", "grow", "change", "remove", "end"])):
            case "add":
                wires = [*wires, draw(WHOLE)]
            case "grow" if wires and "text" in wires[-1]:
                grown = wires[-1]["text"] + draw(TEXTS | st.sampled_from(["\n", " a", "`"]))
                wires = [*wires[:-1], {**wires[-1], "text": grown}]
            case "change" if wires:
                at = draw(st.integers(0, len(wires) - 1))
                wires = [*wires[:at], draw(WHOLE), *wires[at + 1 :]]
            case "remove" if wires:
                wires = wires[:-1]
            case "end" if wires:
                wires = [*wires[:-1], {**wires[-1], "finishedAt": END}]
        parts = tuple(part_from_wire(wire) for wire in wires)
        states.append(Shown("1", "assistant", "streaming", parts=parts))
    return [*states, replace(states[-1], state=draw(st.sampled_from(["finished", "stopped"])))]


@settings(max_examples=150, deadline=None)
@given(runs())
def test_a_page_made_at_any_moment_equals_what_grew(run: Sequence[Shown]) -> None:
    renderer = MessageRenderer("1")
    for shown in run:
        exhaust(renderer.update(shown))
        assert renderer.node == message_node(shown)


@settings(max_examples=150, deadline=None)
@given(runs())
def test_the_difference_of_any_two_moments_leads_from_one_to_the_other(
    run: Sequence[Shown],
) -> None:
    renderer = MessageRenderer("1")
    states = []
    for shown in run:
        exhaust(renderer.update(shown))
        states.append(State(messages=(renderer.node,)))
    for old in states:
        now = apply(old, difference(old, states[-1]))
        assert list(map(render, now.messages)) == list(map(render, states[-1].messages))


def test_no_module_marks_a_string_as_safe_and_no_template_believes_one() -> None:
    root = Path(django_settings.BASE_DIR)
    for module in (root / "chats/rendering").glob("*.py"):
        assert not re.search("mark_saf[e]|SafeStrin[g]|format_html", module.read_text()), module
    for folder in ("parts", "message"):
        for template in (root / "templates" / folder).glob("*.html"):
            assert not re.search(r"\|\s*safe|autoescape|style=", template.read_text()), template
