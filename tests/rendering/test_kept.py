"""Ended messages are rendered once, within bounds, and never as they were before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chats.live.state import Node
from chats.rendering.kept import Kept
from chats.rendering.message import message_node
from chats.rendering.shown import Shown
from chats.v0api.types import parts_from_wire


class Making:
    """How often something was made."""

    def __init__(self) -> None:
        self.made: list[Shown] = []

    def __call__(self, shown: Shown) -> Node:
        self.made.append(shown)
        return Node(f"m{shown.id}", html=shown.text)


def said(id: str, text: str = "Hello") -> Shown:
    return Shown(id, "user", "finished", text=text)


def test_what_is_the_same_is_made_once() -> None:
    kept, make = Kept(), Making()
    assert kept.node(said("1"), make) is kept.node(said("1"), make)
    assert len(make.made) == 1


def test_any_difference_is_seen() -> None:
    kept, make = Kept(), Making()
    first = said("1")
    changes: dict[str, Any] = {
        "state": "failed",
        "author": "Olivia",
        "text": "Bye",
        "problem": "gone",
        "pending": True,
    }
    shapes = [first, *(replace(first, **{name: value}) for name, value in changes.items())]
    for shown in shapes:
        kept.node(shown, make)
    assert make.made == shapes


def test_one_and_true_are_not_the_same() -> None:
    answers = [
        message_node(
            Shown(
                "kept-1",
                "assistant",
                "finished",
                parts=parts_from_wire([{"type": "tool-call", "name": "x", "input": {"a": value}}]),
            )
        )
        for value in (1, True, 1)
    ]
    assert answers[0] == answers[2] != answers[1]


def test_what_was_used_longest_ago_is_let_go() -> None:
    kept, make = Kept(limit=3000, most=2000), Making()
    for id in ("1", "2", "1", "3"):
        kept.node(said(id, "x" * 900), make)
    assert [shown.id for shown in make.made] == ["1", "2", "3"]
    kept.node(said("1", "x" * 900), make)
    assert len(make.made) == 3
    kept.node(said("2", "x" * 900), make)
    assert len(make.made) == 4


def test_what_is_too_large_is_not_kept() -> None:
    kept, make = Kept(limit=3000, most=2000), Making()
    for _ in range(2):
        kept.node(said("1", "x" * 2500), make)
    assert len(make.made) == 2


def test_what_is_nested_too_deep_is_made_each_time() -> None:
    deep: object = 1
    for _ in range(5000):
        deep = [deep]
    call = parts_from_wire([{"type": "tool-call", "name": "x", "input": deep}])
    kept, make = Kept(), Making()
    for _ in range(2):
        kept.node(Shown("1", "assistant", "finished", parts=call), make)
    assert len(make.made) == 2
