"""What stands on every page of a chat."""

from __future__ import annotations

import pytest

from chats.live.html import render
from chats.rendering.fixed import fixed


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
