"""Operations as htmx messages."""

from __future__ import annotations

from chats.live.difference import MESSAGES, PAGE, Delete, Move, Put, SetAttrs, Stale
from chats.live.state import Node
from chats.rendering import frames

AT = '<i id="at" data-at="h.2" hx-swap-oob="attrs"></i>'


def test_a_move_names_where_to() -> None:
    assert frames.frame([Move("m1-g0", Node("m1-p0", html="a"))], "h.2") == (
        f'<div id="m1-p0" hx-swap-oob="move:#m1-g0">a</div>{AT}'
    )


def test_a_put_names_the_element_it_goes_into() -> None:
    node = Node("m1", "article", (("data-state", "streaming"),), children=(Node("m1-parts"),))
    assert frames.frame([Put(MESSAGES, node)], "h.2") == (
        '<article id="m1" data-state="streaming" hx-swap-oob="put:#messages">'
        f'<div id="m1-parts"></div></article>{AT}'
    )


def test_a_fixed_element_that_no_page_has_goes_to_the_marks() -> None:
    assert frames.frame([Put(PAGE, Node("title", "h1", html="A chat"))], "h.2") == (
        f'<h1 id="title" hx-swap-oob="put:#marks">A chat</h1>{AT}'
    )


def test_attributes_come_with_the_names_that_went() -> None:
    set_attrs = SetAttrs("m1-p0", "details", (("data-state", 'a"b'),), ("open", "aria-busy"))
    assert frames.frame([set_attrs], "h.2") == (
        '<details id="m1-p0" data-state="a&quot;b" hx-swap-oob="attrs"'
        f' data-gone="open aria-busy"></details>{AT}'
    )


def test_a_delete_is_an_empty_element() -> None:
    assert frames.frame([Delete("m1-p0-b1", "li")], "h.2") == (
        f'<li id="m1-p0-b1" hx-swap-oob="delete"></li>{AT}'
    )


def test_a_stale_list_is_said_at_the_position() -> None:
    assert frames.frame([Stale()], "h.2") == (f'<i id="at" data-stale hx-swap-oob="attrs"></i>{AT}')


def test_operations_keep_their_order_and_the_position_comes_last() -> None:
    text = frames.frame([Delete("b"), Put("a", Node("a-0"))], "h.2", 7)
    assert text.index('id="b"') < text.index('id="a-0"') < text.index('id="at"')
    assert text.endswith('<i id="at" data-at="h.2" data-version="7" hx-swap-oob="attrs"></i>')


def test_a_beat_says_the_position_and_nothing_else() -> None:
    assert frames.beat("h.2") == AT


def test_a_mark_of_one_person_leaves_the_position_alone() -> None:
    assert frames.mark("sidebar", 3) == (
        '<i id="mark-sidebar" data-mark="sidebar" data-version="3" hx-swap-oob="put:#marks"></i>'
    )
