"""Deltas are those of jsondiffpatch 0.7: equal to vectors that it made, and they bring about what
they tell, in both styles, by two readings of the format."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chats.sandbox.diff import diff
from chats.v0api import deltas
from tests.sandbox.applying import applied

Json = Any

VECTORS: list[dict[str, Json]] = json.loads(
    Path(__file__).with_name("diff_vectors.json").read_text("utf-8")
)


def shared(vector: dict[str, Json]) -> tuple[list[Json], list[Json]]:
    """Both lists, with the elements that were one object in JavaScript being one here."""
    left, right = copy.deepcopy(vector["left"]), copy.deepcopy(vector["right"])
    for at, to in vector["shared"]:
        right[to] = left[at]
    return left, right


def test_every_vector_of_the_library_is_met() -> None:
    different = []
    for vector in VECTORS:
        left, right = shared(vector)
        made = diff(left, right, identity=vector["identity"])
        if json.dumps(made) != json.dumps(vector["delta"]):
            different.append((vector, made))
    assert len(VECTORS) > 200
    assert different == []


scalars = st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("xyz", max_size=2), inner),
    max_leaves=12,
)
parts = st.dictionaries(st.sampled_from(["type", "text", "paths", "input"]), values, max_size=4)


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[Json], list[Json]]:
    """A list and a later state of it, in which untouched elements are the same objects."""
    left = draw(st.lists(parts, max_size=6))
    right: list[Json] = list(left)
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["insert", "remove", "move", "change"]))
        at = draw(st.integers(0, max(len(right) - 1, 0)))
        if kind == "insert" or not right:
            right.insert(at, draw(parts))
        elif kind == "remove":
            right.pop(at)
        elif kind == "move":
            right.insert(draw(st.integers(0, len(right) - 1)), right.pop(at))
        else:
            right[at] = {**right[at], **draw(parts)}
    return left, right


@given(pair=edits())
def test_a_delta_brings_about_what_it_tells_and_the_client_reads_it_as_we_do(
    pair: tuple[list[Json], list[Json]],
) -> None:
    left, right = pair
    before = copy.deepcopy(left)
    for identity in (False, True):
        delta = json.loads(json.dumps(diff(left, right, identity=identity)))
        assert applied(before, delta) == right
        assert left == before
        if delta is not None:
            assert deltas.apply(copy.deepcopy(left), delta) == right


@given(value=values)
def test_a_value_does_not_differ_from_itself(value: Json) -> None:
    assert diff(value, value, identity=True) is None


@given(texts=st.lists(st.text("ab", max_size=3)))
def test_a_copy_has_no_delta(texts: list[str]) -> None:
    value = [{"type": "text", "text": text} for text in texts]
    assert diff(value, copy.deepcopy(value)) is None


def test_a_scalar_that_stands_twice_spoils_the_comparison_by_position() -> None:
    """So does the library: equal elements at different indexes make it compare by identity."""
    assert diff(["a", "a", []], ["a", "a", []]) == {"2": [[]], "_t": "a", "_2": [[], 0, 0]}


def test_text_growth_carries_the_old_and_the_new_text_in_full() -> None:
    left = [{"type": "text", "text": "Let"}]
    right = [{"type": "text", "text": "Let me"}]
    assert diff(left, right) == {"0": {"text": ["Let", "Let me"]}, "_t": "a"}


def test_a_move_is_told_only_by_identity() -> None:
    one, two = {"type": "text", "text": "a"}, {"type": "bash", "command": "b"}
    assert diff([one, two], [two, one], identity=True) == {"_t": "a", "_1": ["", 0, 3]}
    assert diff([one, two], [dict(two), dict(one)]) == {
        "0": {"type": ["text", "bash"], "text": ["a", 0, 0], "command": ["b"]},
        "1": {"type": ["bash", "text"], "command": ["b", 0, 0], "text": ["a"]},
        "_t": "a",
    }


def test_true_is_not_one() -> None:
    assert diff([1, 0], [True, False]) == {
        "0": [True],
        "1": [False],
        "_t": "a",
        "_0": [1, 0, 0],
        "_1": [0, 0, 0],
    }
