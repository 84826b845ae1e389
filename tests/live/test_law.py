"""page(old) with frame(old, new) applied equals page(new), for any two States.

Told twice: by operations on values (`apply`, which hubs use), and by frames on HTML (`Page`, which
knows nothing of `chats.live`). `tests/browser/test_law.py` tells it a third time, in Chromium.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chats.live.apply import apply
from chats.live.difference import Delete, Move, Operation, Put, SetAttrs, Stale, difference
from chats.live.state import Node, State
from chats.rendering.frames import frame
from tests.live.page import Page, Shown, page_html, with_history
from tests.live.states import changed, random_chat, state_of

# A Random that hypothesis steers finds the smallest case, a seeded one makes rich ones.
randoms = st.one_of(st.randoms(use_true_random=False), st.integers(0, 1 << 32).map(Random))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[State, State]:
    """Two States of one chat that have nothing, little or nearly everything in common."""
    random = draw(randoms)
    chat = random_chat(random)
    steps = draw(st.sampled_from((None, 1, 3, 12)))
    other = random_chat(random) if steps is None else chat
    for _ in range(steps or 0):
        other = changed(random, other)
    return state_of(chat), state_of(other)


@st.composite
def trees(draw: st.DrawFn, id: str = "t", depth: int = 3) -> Node:
    """Any tree at all whose ids are unique, in which children have any order."""
    indexes = draw(st.lists(st.integers(0, 4), unique=True, max_size=4)) if depth else []
    names = draw(st.lists(st.sampled_from(("class", "hidden", "title")), unique=True))
    return Node(
        id,
        draw(st.sampled_from(("div", "section"))),
        tuple((name, draw(st.sampled_from(("", "a", '"<&')))) for name in names),
        "" if indexes else draw(st.sampled_from(("", "x", "<b>y</b>"))),
        tuple(draw(trees(f"{id}-{index}", depth - 1)) for index in indexes),
    )


Settled = dict[int, tuple[Node, Node]]


def seen(
    state: State, messages: Iterable[Node] | None = None, known: Settled | None = None
) -> State:
    """What can be seen of a State: no order of attributes, nor of fixed elements. `known` are nodes that
    were looked at before, kept with what was seen of them: States share most of theirs."""
    known = {} if known is None else known

    def settled(node: Node) -> Node:
        before = known.get(id(node))
        if before is None:
            attrs, children = tuple(sorted(node.attrs)), tuple(map(settled, node.children))
            made = Node(node.id, node.tag, attrs, node.html, children)
            before = known[id(node)] = (node, made)
            known[id(made)] = (made, made)
        return before[1]

    fixed = sorted(map(settled, state.fixed), key=lambda node: node.id)
    shown = state.messages if messages is None else messages
    return State(tuple(fixed), tuple(map(settled, shown)))


def after(page: str, *frames: str) -> Shown:
    shown = Page(page)
    for each in frames:
        shown.apply(each)
    return shown.shown


def expected(old: State, new: State) -> Shown:
    return Page(page_html(new, with_history(old, new))).shown


@given(pairs())
@settings(max_examples=200, deadline=None)
def test_a_difference_leads_from_any_state_to_any_other(pair: tuple[State, State]) -> None:
    old, new = pair
    operations = difference(old, new)
    assume(Stale() not in operations)
    once = apply(old, operations)
    assert seen(once) == seen(new, with_history(old, new))
    assert seen(apply(once, operations)) == seen(once)
    assert difference(new, new) == ()


@given(pairs())
@settings(max_examples=200, deadline=None)
def test_a_frame_leads_any_page_to_any_other(pair: tuple[State, State]) -> None:
    old, new = pair
    operations = difference(old, new)
    assume(Stale() not in operations)
    text = frame(operations, "new")
    assert after(page_html(old), text) == expected(old, new)
    assert after(page_html(old), text, text) == expected(old, new)


@given(trees(), trees())
@settings(deadline=None)
def test_no_shape_of_a_tree_is_a_special_case(one: Node, other: Node) -> None:
    old, new = State(messages=(one,)), State(messages=(other,))
    operations = difference(old, new)
    assert seen(apply(old, operations)) == seen(new)
    assert seen(apply(apply(old, operations), operations)) == seen(new)
    text = frame(operations, "new")
    assert after(page_html(old), text) == after(page_html(old), text, text) == expected(old, new)


@st.composite
def foldings(draw: st.DrawFn) -> Node:
    """Steps in their order, any of which are folded into groups named after their first one."""
    steps = [Node(f"p{index}", html=draw(st.sampled_from("ab"))) for index in range(7)]
    shown = [step for step in steps if draw(st.integers(0, 5))]
    nodes: list[Node] = []
    while shown:
        size = draw(st.integers(1, 4))
        run, shown = shown[:size], shown[size:]
        head = Node(f"g{run[0].id}-h", "summary", html=str(size))
        nodes += run if size < 2 else [Node(f"g{run[0].id}", "details", children=(head, *run))]
    return Node("parts", children=tuple(nodes))


@given(foldings(), foldings())
@settings(max_examples=150, deadline=None)
def test_steps_are_folded_and_unfolded_in_any_way(one: Node, other: Node) -> None:
    old, new = State(messages=(one,)), State(messages=(other,))
    operations = difference(old, new)
    assert seen(apply(old, operations)) == seen(new)
    assert seen(apply(apply(old, operations), operations)) == seen(new)
    text = frame(operations, "new")
    assert after(page_html(old), text) == after(page_html(old), text, text) == expected(old, new)


def test_a_step_that_ends_moves_into_its_group_and_nothing_else_is_sent() -> None:
    head, steps = Node("g-h", "summary", html="4 steps"), [Node(f"p{at}") for at in range(4)]
    before = (Node("text"), Node("g", "details", children=(head, *steps)), Node("p4", html="runs"))
    group = Node("g", "details", children=(replace(head, html="5 steps"), *steps, Node("p4")))
    old = State(messages=(Node("m", children=before),))
    new = State(messages=(Node("m", children=(before[0], group, Node("p5"))),))
    assert difference(old, new) == (
        Put("g", group.children[0]),
        Move("g", Node("p4")),
        Put("m", Node("p5")),
    )


def test_a_group_comes_around_steps_that_stay_the_same_elements() -> None:
    steps = tuple(Node(f"p{at}") for at in range(2))
    group = Node("g", "details", children=(Node("g-h", "summary"), *steps))
    old = State(messages=(Node("m", children=(Node("text"), *steps)),))
    new = State(messages=(Node("m", children=(Node("text"), group)),))
    assert difference(old, new) == (
        Put("m", replace(group, children=group.children[:1])),
        *(Move("g", step) for step in steps),
    )


def test_what_moves_out_of_a_group_that_goes_is_there_before_it_goes() -> None:
    steps = tuple(Node(f"p{at}") for at in range(1, 3))
    group = Node("g1", "details", children=(Node("g1-h", "summary"), *steps))
    wider = Node("g0", "details", children=(Node("g0-h", "summary"), Node("p0"), *steps))
    old = State(messages=(Node("m", children=(Node("p0"), group)),))
    new = State(messages=(Node("m", children=(wider,)),))
    assert difference(old, new) == (
        Put("m", replace(wider, children=wider.children[:1])),
        *(Move("g0", step) for step in wider.children[1:]),
        Delete("g1", "details"),
    )


@given(randoms)
@settings(max_examples=30, deadline=None)
def test_a_hub_that_follows_another_arrives_where_that_one_is(random: Random) -> None:
    chat = random_chat(random)
    theirs = ours = state_of(chat)
    for _ in range(20):
        chat = changed(random, chat)
        new = state_of(chat)
        operations = difference(theirs, new)
        if Stale() in operations:
            theirs = ours = new
            continue
        shown = with_history(ours, new)
        theirs, ours = new, apply(ours, operations)
        assert seen(ours) == seen(new, shown)


@given(pairs(), randoms)
@settings(deadline=None)
def test_every_operation_of_a_difference_is_needed(
    pair: tuple[State, State], random: Random
) -> None:
    old, new = pair
    operations = list(difference(old, new))
    assume(operations and Stale() not in operations)
    del operations[random.randrange(len(operations))]
    with suppress(LookupError):
        assert seen(apply(old, operations)) != seen(new, with_history(old, new))
    assert after(page_html(old), frame(operations, "new")) != expected(old, new)


def blocks(*texts: str) -> State:
    return State(
        messages=(
            Node("b", children=tuple(Node(f"b-{i}", html=text) for i, text in enumerate(texts))),
        )
    )


@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(lambda ops: (ops[1], ops[0], *ops[2:]), id="two blocks swapped"),
        pytest.param(lambda ops: ops[:-1], id="last block dropped"),
        pytest.param(lambda ops: (ops[0], *ops[2:]), id="middle block dropped"),
    ],
)
def test_a_mutated_frame_is_found_out(mutation: object) -> None:
    old, new = blocks("one"), blocks("one", "two", "three", "four")
    operations: tuple[Operation, ...] = difference(old, new)
    assert after(page_html(old), frame(operations, "")) == expected(old, new)
    mutated = mutation(operations)  # type: ignore[operator]
    assert after(page_html(old), frame(mutated, "")) != expected(old, new)
    assert seen(apply(old, mutated)) != seen(new)


def test_a_long_answer_that_grows_is_one_small_operation() -> None:
    old = blocks(*(f"block {index}" for index in range(1000)))
    body = old.messages[0]
    last = replace(body.children[-1], html="block 999 and more")
    grown = (*body.children[:-1], last, Node("b-1000", html="another"))
    new = State(messages=(replace(body, children=grown),))
    assert difference(old, new) == (Put("b", last), Put("b", Node("b-1000", html="another")))


def test_an_attribute_that_changes_moves_no_children() -> None:
    old = State(messages=(Node("m", attrs=(("a", "1"), ("b", "")), children=(Node("m-0"),)),))
    new = State(messages=(replace(old.messages[0], attrs=(("a", "2"), ("c", ""))),))
    assert difference(old, new) == (SetAttrs("m", "div", (("a", "2"), ("c", "")), ("b",)),)


def test_attributes_in_another_order_are_no_difference() -> None:
    old = State(messages=(Node("m", attrs=(("a", "1"), ("b", "2"))),))
    assert difference(old, State(messages=(Node("m", attrs=(("b", "2"), ("a", "1"))),))) == ()


def test_the_first_block_of_an_empty_part_does_not_replace_its_body() -> None:
    assert difference(State(messages=(Node("b"),)), blocks("one")) == (
        Put("b", Node("b-0", html="one")),
    )


def test_a_surplus_block_is_deleted_and_a_surplus_mark_too() -> None:
    assert difference(blocks("one", "two"), blocks("one")) == (Delete("b-1", "div"),)
    marked = State(fixed=(Node("mark-own", "i"),))
    assert difference(marked, State()) == (Delete("mark-own", "i"),)


def messages(*ids: str) -> State:
    return State(messages=tuple(Node(id) for id in ids))


def test_a_message_that_left_stays_as_history() -> None:
    assert difference(messages("m1", "m2"), messages("m2", "m3")) == (Put("messages", Node("m3")),)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(("m2",), ("m1", "m2"), id="an older one comes in"),
        pytest.param(("m1", "m3"), ("m1", "m2", "m3"), id="one comes in between"),
        pytest.param(("m1", "m2"), ("m2", "m1"), id="two change places"),
    ],
)
def test_a_message_that_belongs_earlier_makes_the_list_stale(
    old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    operations = difference(messages(*old), messages(*new))
    assert operations == (Stale(),)
    with pytest.raises(LookupError):
        apply(messages(*old), operations)


def test_apply_keeps_what_an_operation_leaves_alone() -> None:
    old = State(messages=(blocks("one", "two").messages[0], Node("c", children=(Node("c-0"),))))
    for operation in (Delete("c-0"), SetAttrs("c-0", "div", (("a", ""),)), Put("c", Node("c-1"))):
        new = apply(old, (operation,))
        assert new.messages[0] is old.messages[0]
        assert new.messages[1] != old.messages[1]


def test_apply_raises_for_an_element_that_is_not_there() -> None:
    for operation in (Put("nowhere", Node("n")), SetAttrs("nowhere", "div", ())):
        with pytest.raises(LookupError):
            apply(blocks("one"), (operation,))
    assert apply(blocks("one"), (Delete("nowhere"),)) == blocks("one")
