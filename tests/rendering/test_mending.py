"""The end of an open text looks as it will, and not like the marks that make it so."""

from __future__ import annotations

import re

import pytest

from chats.live.html import render
from chats.rendering.mending import mended
from tests.rendering.shape import blocks


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a **b", "a **b**"),
        ("a **b c*", "a **b c**"),
        ("a **", "a "),
        ("**", ""),
        ("a `b", "a `b`"),
        ("a ``b `c", "a ``b `c``"),
        ("a `", "a "),
        ("a ```", "a "),
        ("`a` `b", "`a` `b`"),
        ("a `b` **c", "a `b` **c**"),
        ("**a `b", "**a `b`**"),
        ("[a](https://b", "a"),
        ("![a](https://b", "a"),
        ("[a](https://b) [c](d", "[a](https://b) c"),
        ("**[a](b", "**a**"),
        ("a ~~", "a "),
        ("2 ** 3", "2 ** 3"),
        ("a **b** c", "a **b** c"),
        ("[a]", "[a]"),
        ("a[0] = b", "a[0] = b"),
        ("\\**a", "\\**a"),
        ("snake_", "snake_"),
        ("f(x**y", "f(x**y"),
    ],
)
def test_what_a_run_left_open_is_closed(content: str, expected: str) -> None:
    assert mended(content) == expected


@pytest.mark.parametrize(
    "mark", ["-", "=", "---", "1", "1.", "#", ">", "*", "```", "|", "|--", "!["]
)
def test_a_line_of_marks_alone_waits_for_what_it_marks(mark: str) -> None:
    assert blocks(f"a\n{mark}", closed=False) == blocks("a\n", closed=False)


def test_a_word_of_a_growing_answer_never_flickers() -> None:
    text = (
        "Changes:\n- **Form**: see [the docs](https://a.b/c) and `page.tsx`\n- *b* ~~c~~\n\n"
        "| A | B |\n|---|---|\n| **x** | `y` |\n\n# Next\n\n1. [z](https://d.e)\n"
    )
    for end in range(len(text)):
        html = "".join(map(render, blocks(text[:end], closed=False)))
        shown = re.sub("<[^>]*>", "", html)
        assert not re.search(r"https?:|`|\*\*|\]\(|---|#", shown), text[:end]


def test_a_finished_text_is_shown_as_it_was_written() -> None:
    assert render(blocks("a **b [c](d")[0]) == '<p id="b0">a **b [c](d</p>'
