"""live.js: what a frame leaves alone of what a reader has in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chats.live.difference import Delete, Move, Put, SetAttrs
from chats.live.state import Node
from tests.browser.live.following import (
    Follow,
    article,
    details,
    wait_for,
)
from tests.browser.live.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab


def test_what_a_reader_opened_stays_open_when_it_is_put_again(tab: Tab, follow: Follow) -> None:
    send = follow(article(details("one")))
    tab.click("summary")
    wait_for(tab, "document.querySelector('details').open")
    send(Put("m1-parts", details("one", "two")))
    assert tab.locator("details").get_attribute("open") == ""
    send(Put("messages", article(details("three"))))
    assert tab.locator("details").get_attribute("open") == ""
    assert tab.inner_text("#m1-p0-b") == "three"


def test_what_a_reader_closed_stays_closed(tab: Tab, follow: Follow) -> None:
    send = follow(article(details("one", is_open=True)))
    tab.click("summary")
    wait_for(tab, "!document.querySelector('details').open")
    send(SetAttrs("m1-p0", "details", (("open", ""), ("data-state", "done"))))
    assert tab.locator("details").get_attribute("open") is None
    assert tab.locator("details").get_attribute("data-state") == "done"
    send(Put("m1-parts", details("one", "two", is_open=True)))
    assert tab.locator("details").get_attribute("open") is None


def test_a_readers_choice_outlives_the_element(tab: Tab, follow: Follow) -> None:
    send = follow(article(details("one")))
    tab.click("summary")
    wait_for(tab, "document.querySelector('details').open")
    send(Put("m1-parts", details("one", tag="section")))
    send(Put("m1-parts", details("one")))
    assert tab.locator("details").get_attribute("open") == ""


def test_what_no_reader_touched_opens_and_closes_as_told(tab: Tab, follow: Follow) -> None:
    send = follow(article(details("one")))
    send(SetAttrs("m1-p0", "details", (("open", ""),)))
    assert tab.locator("details").get_attribute("open") == ""
    send(SetAttrs("m1-p0", "details", (), ("open",)))
    assert tab.locator("details").get_attribute("open") is None


def test_a_link_in_a_summary_is_no_choice(tab: Tab, follow: Follow) -> None:
    link = Node("m1-p0-h", "summary", html='<a href="#main">there</a>')
    send = follow(article(Node("m1-p0", "details", children=(link,))))
    tab.click("summary a")
    send(SetAttrs("m1-p0", "details", (("open", ""),)))
    assert tab.locator("details").get_attribute("open") == ""


def test_focus_and_selection_stay_in_a_block_that_grows(tab: Tab, follow: Follow) -> None:
    block = '<p>Some words to keep</p><pre tabindex="0">{}</pre>'
    send = follow(article(Node("m1-p0", html=block.format("one"))))
    tab.focus("pre")
    tab.evaluate(
        "() => { const text = document.querySelector('#m1-p0 p').firstChild;"
        " getSelection().setBaseAndExtent(text, 5, text, 10); }"
    )
    send(Put("m1-parts", Node("m1-p0", html=block.format("one\ntwo") + "<p>and more</p>")))
    assert tab.evaluate("document.activeElement.localName") == "pre"
    send(Put("m1-parts", Node("m1-p0", html="<p>Some words to keep and more</p>")))
    assert tab.evaluate("getSelection().toString()") == "words"


def test_a_scroller_stays_where_the_reader_scrolled_it(tab: Tab, follow: Follow) -> None:
    lines = [f"line {number}" for number in range(200)]

    def output(count: int) -> Node:
        text = "\n".join(lines[:count])
        return Node("m1-p0", html=f'<textarea readonly rows="4">{text}</textarea>')

    send = follow(article(output(100)))
    tab.evaluate("document.querySelector('textarea').scrollTop = 300")
    send(Put("m1-parts", output(200)))
    assert tab.evaluate("document.querySelector('textarea').scrollTop") == 300
    assert "line 199" in tab.text_content("textarea")  # type: ignore[operator]


def test_attributes_leave_children_alone(tab: Tab, follow: Follow) -> None:
    send = follow(article(details("one")))
    tab.evaluate("window.kept = document.querySelector('#m1-parts')")
    send(SetAttrs("m1", "article", (("data-state", "finished"), ("title", 'a "b"')), ("class",)))
    assert tab.evaluate("window.kept === document.querySelector('#m1-parts')")
    assert tab.locator("#m1").evaluate("e => [...e.getAttributeNames()].sort()") == [
        "data-message",
        "data-state",
        "id",
        "title",
    ]
    assert tab.locator("#m1").get_attribute("title") == 'a "b"'


def test_what_is_ones_own_stays_when_its_message_is_put_again(tab: Tab, follow: Follow) -> None:
    send = follow(article(details("one")))
    tab.evaluate("document.querySelector('#m1-own').textContent = '3 credits'")
    send(Put("messages", article(details("two"), state="finished")))
    assert tab.inner_text("#m1-own") == "3 credits"
    assert tab.text_content("#m1-p0-b") == "two"


def test_a_block_that_is_put_keeps_its_element_and_a_surplus_one_goes(
    tab: Tab, follow: Follow
) -> None:
    send = follow(article(details("one", "two")))
    tab.evaluate("window.kept = document.querySelector('#m1-p0-b0')")
    send(Put("m1-p0-b", Node("m1-p0-b0", html="<b>three</b>")), Delete("m1-p0-b1"))
    assert tab.evaluate("window.kept === document.querySelector('#m1-p0-b0')")
    assert tab.inner_html("#m1-p0-b") == '<div id="m1-p0-b0"><b>three</b></div>'


def test_the_same_time_keeps_the_readers_own_words(tab: Tab, follow: Follow) -> None:
    def head(text: str, since: str = "1") -> Node:
        return Node("m1-p0", html=f'<b>{text}</b><time data-since="{since}">UTC</time>')

    send = follow(article(head("one")))
    tab.evaluate("document.querySelector('time').textContent = '12 s'")
    send(Put("m1-parts", head("two")))
    assert tab.inner_text("#m1-p0") == "two12 s"
    send(Put("m1-parts", head("two", since="2")))
    assert tab.inner_text("#m1-p0") == "twoUTC"


def test_what_a_message_says_is_never_an_instruction_to_htmx(
    site: Site, tab: Tab, follow: Follow
) -> None:
    send = follow()
    said = '<p hx-get="/stolen" hx-trigger="load">x</p>'
    send(Put("messages", article(Node("m1-p0", html=said))))
    send(Put("m1-parts", Node("m1-p0", html=said * 2)))
    assert "/stolen" not in site.asked


def test_a_fixed_element_is_found_wherever_it_stands(tab: Tab, follow: Follow) -> None:
    send = follow()
    send(Put("", Node("title", "h1", html="Another")), Put("", Node("here", html="2 here")))
    assert tab.inner_text("#title") == "Another"
    assert tab.evaluate("document.querySelector('#title').parentElement.id") == ""
    assert tab.evaluate("document.querySelector('#here').parentElement.id") == "marks"


def folding(*steps: Node) -> Node:
    return Node("m1-g0", "details", children=(Node("m1-g0-h", "summary", html="Steps"), *steps))


def step(name: str, body: str) -> Node:
    head = Node(f"m1-{name}-h", "summary", html=name)
    return Node(f"m1-{name}", "details", children=(head, Node(f"m1-{name}-b", html=body)))


def test_a_step_that_is_folded_away_stays_the_same_element(tab: Tab, follow: Follow) -> None:
    send = follow(article(step("p0", "zero")))
    tab.evaluate("window.kept = document.querySelector('#m1-p0')")
    send(
        Put("m1-parts", folding()),
        Move("m1-g0", step("p0", "zero!")),
        Move("m1-g0", step("p1", "one")),
    )
    assert tab.evaluate("window.kept.parentElement.id") == "m1-g0"
    assert tab.text_content("#m1-g0") == "Stepsp0zero!p1one"
    assert not tab.evaluate("document.querySelector('#m1-g0').open")


@pytest.mark.parametrize("way", ["opened", "focused"])
def test_a_step_in_use_is_not_folded_away(tab: Tab, follow: Follow, way: str) -> None:
    send = follow(article(step("p0", "zero")))
    if way == "opened":
        tab.click("#m1-p0-h")
    else:
        tab.focus("#m1-p0-h")
    send(Put("m1-parts", folding()), Move("m1-g0", step("p0", "zero")))
    assert tab.evaluate("document.querySelector('#m1-g0').open")
    assert tab.evaluate("document.querySelector('#m1-p0').open") == (way == "opened")
    assert tab.evaluate("document.activeElement.id") == "m1-p0-h"
    send(Put("m1-parts", folding(step("p0", "zero"))))
    assert tab.evaluate("document.querySelector('#m1-g0').open"), "it stays so"


def test_a_group_that_becomes_a_wider_one_stays_open(tab: Tab, follow: Follow) -> None:
    send = follow(article(folding(step("p0", "zero"))))
    tab.click("#m1-g0-h")
    wider = Node("m1-g9", "details", children=(Node("m1-g9-h", "summary", html="More"),))
    send(Put("m1-parts", wider), Move("m1-g9", step("p0", "zero")), Delete("m1-g0", "details"))
    assert tab.evaluate("document.querySelector('#m1-g9').open")


def test_a_group_that_a_reader_closed_stays_closed(tab: Tab, follow: Follow) -> None:
    send = follow(article(folding(step("p0", "zero")), step("p1", "one")))
    tab.click("#m1-g0-h")
    tab.click("#m1-g0-h")
    tab.click("#m1-p1-h")
    send(Move("m1-g0", step("p1", "one")))
    assert not tab.evaluate("document.querySelector('#m1-g0').open")
    assert tab.evaluate("document.querySelector('#m1-p1').open")
