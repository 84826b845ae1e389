"""What of a growing text is ready to be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.rendering.source import Source

PIECES = st.sampled_from(
    ["a", "\r", "\n", "\r\n", "<", "<Code", "<CodeProject", " id='x'>", ">", "/>", "</CodeProject>"]
)


def taken(text: str, cuts: list[int]) -> list[str]:
    source = Source()
    parts = [source.take(text[:cut], closed=False) for cut in sorted(cuts)]
    return [*parts, source.take(text, closed=True)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a<CodeProject id='b'>c</CodeProject>d", "ad"),
        ("a<CodeProject>b</CodeProject>c<CodeProject >d</CodeProject>e", "ace"),
        ("a<CodeProject>b", "a"),
        ("a<CodeProject", "a<CodeProject"),
        ("a<CodeProjects>b", "a<CodeProjects>b"),
        ("a</CodeProject>b", "a</CodeProject>b"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("a\0b\udfffc", "a\ufffdb\ufffdc"),
    ],
)
def test_what_is_left_out(text: str, shown: str) -> None:
    assert "".join(taken(text, [])) == shown


@given(st.lists(PIECES, max_size=20).map("".join), st.lists(st.integers(0, 200), max_size=20))
def test_every_chunking_gives_the_same_text(text: str, cuts: list[int]) -> None:
    cuts = [cut for cut in cuts if cut <= len(text)]
    assert "".join(taken(text, cuts)) == "".join(taken(text, []))


def test_an_end_is_held_back_only_while_it_could_become_something_else() -> None:
    source = Source()
    assert source.take("a <CodeP", closed=False) == "a "
    assert source.take("a <CodePen", closed=False) == "<CodePen"
    assert source.take("a <CodePen\r", closed=False) == ""
    assert source.take("a <CodePen\r\n", closed=False) == "\n"


def test_projects_stay_where_they_are_wanted() -> None:
    assert Source(with_projects=True).take("<CodeProject>a", closed=True) == "<CodeProject>a"
