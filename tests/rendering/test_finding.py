"""What of a message can be searched, and how words are compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats.rendering.finding import Excerpt, Passage, excerpt, needle, passages, spaced
from chats.rendering.shown import File, Shown
from chats.v0api.types import Attachment, parts_from_wire


def found(text: str, query: str) -> str | None:
    place = excerpt(text, needle(query))
    return place.found if place else None


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Hello", "hell", "Hell"),
        ("Hello", "HELLO", "Hello"),
        ("100% _done_", "0% _", "0% _"),
        ("100 done", "%", None),
        ("a.c", "a.c", "a.c"),
        ("abc", "a.c", None),
        ("ПРИВЕТ", "привет", "ПРИВЕТ"),
        ("die Straße dort", "STRASSE", "Straße"),
        ("strasse", "Straße", "strasse"),
        ("İstanbul 😀 x", "x", "x"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("two\n\n  lines\there", "two LINES here", "two lines here"),
        ("日本語の文章", "語の", "語の"),
        ("", "a", None),
    ],
)
def test_words_are_found_as_they_are_whatever_their_case(
    text: str, query: str, expected: str | None
) -> None:
    assert found(text, query) == expected


def test_an_excerpt_shows_what_is_around_the_first_place_and_counts_all() -> None:
    text = f"{'a' * 100} needle {'b' * 50}needle{'c' * 200}"
    place = excerpt(text, "needle")
    assert place == Excerpt(f"…{'a' * 59} ", "needle", f" {'b' * 50}needle{'c' * 63}…", 2)
    assert excerpt("needle", "needle") == Excerpt("", "needle", "", 1)


WORDS = st.text("aAßİΣςΩ \n%_😀é", max_size=20)


@settings(max_examples=200, deadline=None)
@given(WORDS, WORDS, WORDS)
def test_what_is_there_is_found_and_shown(before: str, wanted: str, after: str) -> None:
    query = spaced(wanted)
    if not query:
        return
    text = f"{before} {wanted} {after}"
    place = excerpt(
        text, needle(query.swapcase()) if query.swapcase().swapcase() == query else needle(query)
    )
    assert place
    assert needle(query) in place.found.casefold()
    assert spaced(text) == f"{place.before}{place.found}{place.after}"


PARTS: list[tuple[Any, Passage]] = [
    ({"type": "text", "text": "a *b*"}, Passage("m1-p0", "Text", "a *b*")),
    ({"type": "thinking", "text": "a"}, Passage("m1-p0", "Thinking", "a")),
    ({"type": "file-read", "paths": ["a", "b"]}, Passage("m1-p0", "Files read", "a\nb")),
    (
        {"type": "file-edit", "operation": "rename", "path": "a", "toPath": "b"},
        Passage("m1-p0", "File changed", "a\nb"),
    ),
    ({"type": "search", "query": "a"}, Passage("m1-p0", "Search", "a")),
    (
        {"type": "bash", "command": "ls", "output": "\x1b[32mgr\x1b[0meen"},
        Passage("m1-p0", "Command", "ls\ngreen"),
    ),
    (
        {
            "type": "tool-call",
            "name": "get",
            "input": {"id": 12, "deep": [{"word": "in"}, None, True]},
            "output": "out",
        },
        Passage("m1-p0", "Tool", "get\nid\n12\ndeep\nword\nin\nout"),
    ),
    (
        {"type": "agent-action", "name": "x", "summary": "s", "data": {"plan": "# p"}},
        Passage("m1-p0", "Action", "s\nplan\n# p"),
    ),
    (
        {"type": "hologram", "shape": "cube", "startedAt": "2026"},
        Passage("m1-p0", "Other", "type\nhologram\nshape\ncube"),
    ),
    (5, Passage("m1-p0", "Other", "value\n5")),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "expected"), PARTS, ids=lambda value: str(value)[:30])
def test_every_kind_of_part_is_searched(wire: Any, expected: Passage) -> None:
    shown = Shown("1", "assistant", "finished", parts=parts_from_wire([wire]))
    assert list(passages(shown)) == [expected]


def test_what_a_person_typed_and_attached_is_searched() -> None:
    shown = Shown(
        "1",
        "user",
        "finished",
        text="Look",
        files=(File("a.png", "id"),),
        attachments=(Attachment("https://x.test/y", "b.pdf"),),
    )
    assert list(passages(shown)) == [
        Passage("m1", "Message", "Look"),
        Passage("m1", "Files", "a.png b.pdf"),
    ]


def test_a_value_that_is_huge_or_deep_takes_a_bounded_time() -> None:
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    for value in (deep, ["x"] * 100_000):
        wire = {"type": "tool-call", "name": "a", "output": value}
        (passage,) = passages(Shown("1", "assistant", "finished", parts=parts_from_wire([wire])))
        assert len(passage.text) < 30_000
