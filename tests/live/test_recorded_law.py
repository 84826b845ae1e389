"""The law for streams that were recorded: any moment of one leads to any other, back ones too."""

from __future__ import annotations

from itertools import pairwise, permutations
from random import Random

import pytest

from chats.live.apply import apply
from chats.live.difference import Delete, difference
from chats.live.state import State
from chats.rendering.frames import frame
from tests.live.page import Page, page_html
from tests.live.recorded import NAMES, recorded
from tests.live.test_law import Settled, seen

MOMENTS, PAIRS = 20, 40


def moments(name: str) -> list[State]:
    """All States of a stream, or as many of a long one, the first and the last among them."""
    states = recorded(name)
    step = max(1, len(states) // MOMENTS)
    return [*states[:-1:step], states[-1]]


@pytest.mark.parametrize("name", NAMES)
def test_a_difference_leads_from_any_moment_of_a_stream_to_any_other(name: str) -> None:
    states = moments(name)
    known: Settled = {}
    shown = {id(state): seen(state, known=known) for state in states}
    for old, new in permutations(states, 2):
        operations = difference(old, new)
        once = seen(apply(old, operations), known=known)
        assert once == shown[id(new)]
        assert seen(apply(once, operations), known=known) == once


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_leads_from_any_moment_of_a_stream_to_any_other(name: str) -> None:
    states, random = moments(name), Random(name)
    shown = {id(state): Page(page_html(state)).shown for state in states}
    old = states[0]
    page = Page(page_html(old))
    for _ in range(min(PAIRS, len(states) * (len(states) - 1))):
        new = random.choice([state for state in states if state is not old])
        text = frame(difference(old, new), "new")
        for _ in range(2):
            page.apply(text)
            assert page.shown == shown[id(new)]
        old = new


@pytest.mark.parametrize("name", NAMES)
def test_a_page_that_takes_each_frame_of_a_stream_ends_as_the_stored_message(name: str) -> None:
    states = recorded(name)
    page = Page(page_html(states[0]))
    for old, new in pairwise(states):
        page.apply(frame(difference(old, new), "new"))
    assert page.shown == Page(page_html(states[-1])).shown
    assert page.missed == []


def test_a_growing_answer_costs_frames_of_what_is_new() -> None:
    states = recorded("long")
    sent = sum(len(frame(difference(old, new), "")) for old, new in pairwise(states))
    assert sent < 3 * len(page_html(states[-1]))


def test_recorded_streams_hold_what_the_law_is_about() -> None:
    html = "".join(page_html(recorded(name)[-1]) for name in NAMES)
    for kind in ("<table", "<ul", "<ol", "<pre", "<details", "😀"):
        assert kind in html
    operations = [
        operation
        for name in NAMES
        for old, new in pairwise(recorded(name))
        for operation in difference(old, new)
    ]
    assert any(isinstance(operation, Delete) for operation in operations)
