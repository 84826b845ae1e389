"""What stands on every page of a chat."""

from __future__ import annotations

import pytest

from chats.live.html import render
from chats.rendering.fixed import fixed, marks


def test_the_title_is_escaped_and_never_empty() -> None:
    title, *_ = fixed(title="<b>Shop</b>", version=3, marks={})
    assert render(title) == '<h1 id="title" data-version="3">&lt;b&gt;Shop&lt;/b&gt;</h1>'
    title, *_ = fixed(title=" ", version=1, marks={})
    assert title.html == "New chat"


@pytest.mark.parametrize(
    ("waiting", "here", "expected"),
    [
        (0, 0, '<p id="waiting" hidden></p><p id="here" hidden></p>'),
        (1, 1, '<p id="waiting">1 message waiting</p><p id="here" hidden></p>'),
        (2, 3, '<p id="waiting">2 messages waiting</p><p id="here">3 people here</p>'),
    ],
)
def test_counters_are_hidden_when_they_say_nothing(waiting: int, here: int, expected: str) -> None:
    _, *nodes = fixed(title="a", version=1, marks={}, waiting=waiting, here=here)
    assert "".join(map(render, nodes)) == expected


def test_a_mark_names_itself_and_its_version() -> None:
    *_, mark = fixed(title="a", version=1, marks={"own": 7})
    assert render(mark) == '<i id="mark-own" data-mark="own" data-version="7" hidden></i>'


def test_the_mark_of_the_queue_moves_only_while_something_waits_or_when_nothing_does_any_more() -> (
    None
):
    assert [marks(version, waiting)["queue"] for version, waiting in ((4, 0), (5, 1), (6, 2))] == [
        *(0, 5, 6)
    ]
    assert marks(7, 0) == {"composer": 7, "own": 7, "notes": 7, "queue": 0, "here": 0}
