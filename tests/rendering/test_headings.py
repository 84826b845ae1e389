"""Headings of an answer as somebody hears them who goes from one to the next: no level is skipped."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats.live.html import render
from chats.live.state import Node
from tests.rendering.corpus import CORPUS, LINES
from tests.rendering.shape import blocks

AUTHOR = 2  # The message's own heading, which stands above its prose.


def levels(nodes: tuple[Node, ...]) -> list[int]:
    return [int(level) for level in re.findall(r"<h([1-6])\b", "".join(map(render, nodes)))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a\n## b\n### c\n## d\n# e", [3, 4, 5, 4, 3]),
        ("## a\n### b\n## c", [3, 4, 3]),
        ("#### a\n#### b", [3, 3]),
        ("# a\n#### b\n### c\n## d", [3, 4, 4, 4]),
        ("### a\n# b\n## c", [3, 3, 4]),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", [3, 4, 5, 6, 6, 6]),
        ("a\n===\nb\n---\nc", [3, 4]),
        ("- # a\n- ###### b\n\n# c\n> # d\n\n1. ## e", [3, 3, 3, 4, 4]),
    ],
)
def test_headings_keep_their_order_and_lose_their_gaps(text: str, expected: list[int]) -> None:
    assert levels(blocks(text)) == expected
    assert levels(blocks(text, range(len(text)))) == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*LINES, *CORPUS.values()]), max_size=14))
def test_no_heading_is_more_than_one_level_below_the_one_before(lines: list[str]) -> None:
    heard = [AUTHOR, *levels(blocks("\n".join(lines)))]
    assert all(after - before <= 1 for before, after in pairwise(heard))
    assert not {1, AUTHOR} & set(heard[1:])
