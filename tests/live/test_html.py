"""A node as HTML."""

from __future__ import annotations

from chats.live.html import render
from chats.live.state import Node


def test_values_of_attributes_are_escaped_and_html_is_taken_as_it_is() -> None:
    node = Node("m1", "p", (("title", "\"<a> & 'b'"), ("hidden", "")), "<b>safe</b>")
    assert render(node) == (
        '<p id="m1" title="&quot;&lt;a&gt; &amp; &#x27;b&#x27;" hidden><b>safe</b></p>'
    )


def test_children_are_rendered_in_their_order() -> None:
    node = Node("m1", children=(Node("m1-0", "b", html="x"), Node("m1-1", "i")))
    assert render(node) == '<div id="m1"><b id="m1-0">x</b><i id="m1-1"></i></div>'


def test_extra_goes_into_the_outermost_start_tag_only() -> None:
    node = Node("m1", children=(Node("m1-0"),))
    assert render(node, extra=" data-x") == '<div id="m1" data-x><div id="m1-0"></div></div>'


def test_fill_gives_a_leaf_what_one_reader_has_there() -> None:
    node = Node("m1", children=(Node("m1-own"), Node("m1-end", html="kept")))
    assert render(node, fill={"m1-own": "3 credits"}) == (
        '<div id="m1"><div id="m1-own">3 credits</div><div id="m1-end">kept</div></div>'
    )


def test_walk_visits_a_node_before_what_is_below_it() -> None:
    node = Node("a", children=(Node("b", children=(Node("c"),)), Node("d")))
    assert [each.id for each in node.walk()] == ["a", "b", "c", "d"]
