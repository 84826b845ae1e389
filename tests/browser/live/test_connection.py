"""live.js: where a connection begins, how it comes back, and a list that has to be fetched."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from chats.live.difference import Delete, Operation, Put, SetAttrs, Stale
from chats.live.html import render
from chats.live.state import Node
from chats.rendering.frames import beat, frame, mark
from tests.browser.live.following import (
    Early,
    article,
    connection,
    details,
    stand,
    wait_for,
    wait_until_closed,
)
from tests.browser.live.site import PATIENCE, Site, page

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab


QUICK = '{"retry":0.01,"longest":0.05}'
# What is waited for while there is no connection, in milliseconds.
WAITS = """window.waits = [];
const wait = setTimeout;
window.setTimeout = (action, after, ...rest) => {
  if (document.documentElement.dataset.connection === "offline") waits.push(after);
  return wait(action, after, ...rest);
};"""
SLOW = '{"retry":30,"longest":60}'


def test_a_connection_names_the_position_of_the_page(site: Site, tab: Tab) -> None:
    tab.goto(site.url)
    socket = site.socket()
    assert socket.path.startswith("/ws/chats/c1/?")
    assert socket.query == {"at": "h.1", "after": "a1", "version": "7"}


def test_a_page_without_a_position_connects_to_the_plain_address(site: Site, tab: Tab) -> None:
    site.pages["/"] = page(at="", socket="/ws/me/")
    tab.goto(site.url)
    socket = site.socket()
    assert socket.path == "/ws/me/"
    wait_for(tab, "document.documentElement.dataset.connection === 'live'")
    socket.send(mark("sidebar", 1))
    wait_for(tab, "document.querySelector('#marks > #mark-sidebar')")
    assert len(site.all) == 1


def test_only_the_first_frame_makes_a_connection_live(site: Site, tab: Tab) -> None:
    tab.goto(site.url)
    socket = site.socket()
    assert connection(tab) == "connecting"
    socket.send(beat("h.1"))
    wait_for(tab, "document.documentElement.dataset.connection === 'live'")


@pytest.mark.parametrize("code", [1012, 1013, 1011, 1000, 1001, None])
def test_a_lost_connection_comes_back_to_where_the_page_stands(
    site: Site, tab: Tab, code: int | None
) -> None:
    site.pages["/"] = page(live=QUICK)
    tab.goto(site.url)
    socket = site.socket()
    socket.send(frame((), "h.9", 12))
    stand(tab, "h.9")
    socket.cut() if code is None else socket.close(code)
    assert site.socket().query == {"at": "h.9", "after": "a1", "version": "12"}


def test_the_wait_grows_until_a_frame_comes_and_not_only_an_open_socket(
    site: Site, tab: Tab, early: Early
) -> None:
    site.pages["/"] = page(live='{"retry":0.001,"longest":0.1}')
    early(WAITS)
    tab.goto(site.url)
    for _ in range(5):
        site.socket().close(1013)
    last = site.socket()

    def waits() -> list[float]:
        # Silence, 45 s, is waited for as well, and hx-ws waits for ever.
        found: list[float] = tab.evaluate("waits.filter((after) => after < 1000)")
        return found

    assert waits() == [1, 2, 4, 8, 16]
    last.send(beat("h.1"))
    wait_for(tab, "document.documentElement.dataset.connection === 'live'")
    last.close(1012)
    site.socket()
    assert waits()[5:] == [1]


def test_frames_that_break_again_and_again_are_asked_for_ever_less_often(
    site: Site, kept: Tab, early: Early
) -> None:
    """Frames that break raise: a tab of which that is expected."""
    site.pages["/"] = page(live='{"retry":0.001,"longest":60}')
    early("Math.random = () => 1;" + WAITS)
    kept.goto(site.url)
    for _ in range(5):
        socket = site.socket()
        socket.send(beat("h.2"))
        socket.send(frame([SetAttrs("nowhere", "i", (("title", "x"),))], "h.3"))
    assert site.socket().query["at"] == ""
    assert kept.evaluate("waits.filter((after) => after < 1000)") == [1, 2, 4, 8, 16]


def test_a_server_that_is_down_is_asked_again_until_it_is_back(site: Site, tab: Tab) -> None:
    site.pages["/"] = page(live=QUICK)
    tab.goto(site.url)
    socket = site.socket()
    site.refuses = True
    socket.close(1012)
    for _ in range(3):
        site.refused.get(timeout=PATIENCE)
    assert connection(tab) == "offline"
    site.refuses = False
    site.socket().send(beat("h.2"))
    wait_for(tab, "document.documentElement.dataset.connection === 'live'")


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(SetAttrs("nowhere", "div", (("title", "x"),)), id="attributes of nothing"),
        pytest.param(Put("nowhere", Node("n")), id="a child of nothing"),
        pytest.param(Delete("nowhere"), id="nothing to delete"),
        pytest.param(Put("0", Node("n")), id="a selector that raises"),
    ],
)
def test_a_page_that_is_not_what_a_frame_takes_it_for_asks_for_everything(
    site: Site, kept: Tab, operation: Operation
) -> None:
    site.pages["/"] = page(render(article()), live=QUICK)
    kept.goto(site.url)
    socket = site.socket()
    socket.send(frame([operation], "h.2"))
    again = site.socket()
    assert again.query == {"at": "", "after": "a1", "version": "7"}
    again.send(frame([Put("messages", article(details("everything")))], "h.3"))
    stand(kept, "h.3")
    assert connection(kept) == "live"
    assert kept.text_content("#m1-p0-b") == "everything"


def test_silence_is_a_lost_connection(site: Site, tab: Tab) -> None:
    site.pages["/"] = page(live='{"silence":0.2}')
    tab.goto(site.url)
    first = site.socket()
    first.send(beat("h.5"))
    assert site.socket().query["at"] == "h.5"
    wait_until_closed(first)


def test_every_frame_begins_the_silence_anew(site: Site, tab: Tab, early: Early) -> None:
    early(
        """window.armed = [];
        const [wait, clear] = [setTimeout, clearTimeout];
        window.setTimeout = (action, after) => {
          const id = wait(action, after);
          if (after === 45_000) armed.push(id);
          return id;
        };
        window.clearTimeout = (id) => {
          armed = armed.filter((other) => other !== id);
          clear(id);
        };"""
    )
    tab.goto(site.url)
    socket = site.socket()
    before = tab.evaluate("armed")
    socket.send(beat("h.2"))
    stand(tab, "h.2")
    after = tab.evaluate("armed")
    assert len(before) == len(after) == 1
    assert before != after


def test_frames_of_a_connection_that_was_given_up_are_not_applied(site: Site, tab: Tab) -> None:
    site.pages["/"] = page(render(article()))
    tab.goto(site.url)
    first = site.socket()
    tab.evaluate(
        "document.addEventListener('htmx:wsAfterMessage',"
        " () => window.dispatchEvent(new Event('online')), { once: true })"
    )
    first.send(beat("h.2"))
    with suppress(ConnectionClosed):
        first.send(frame([Put("m1-parts", Node("m1-p0", html="late"))], "h.3"))
    second = site.socket()
    assert second.query["at"] == "h.2"
    second.send(frame([Put("m1-parts", Node("m1-p1", html="now"))], "h.4"))
    stand(tab, "h.4")
    assert tab.text_content("#m1-parts") == "now"
    wait_until_closed(first)
    assert sum(not socket.ended.is_set() for socket in site.all) == 1


def test_coming_online_does_not_wait_for_the_next_try(site: Site, tab: Tab) -> None:
    site.pages["/"] = page(live=SLOW)
    tab.goto(site.url)
    site.socket().close(1012)
    wait_for(tab, "document.documentElement.dataset.connection === 'offline'")
    tab.evaluate("window.dispatchEvent(new Event('online'))")
    site.socket().send(beat("h.2"))
    wait_for(tab, "document.documentElement.dataset.connection === 'live'")


@pytest.mark.parametrize(("away", "reconnects"), [(31, True), (29, False)])
def test_a_page_that_was_hidden_for_long_connects_anew(
    site: Site, tab: Tab, away: int, *, reconnects: bool
) -> None:
    tab.goto(site.url)
    site.socket().send(beat("h.2"))
    stand(tab, "h.2")
    tab.evaluate(
        """(away) => {
          const turn = (hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
          };
          turn(true);
          const later = performance.now() + away * 1000;
          performance.now = () => later;
          turn(false);
        }""",
        away,
    )
    assert connection(tab) == ("connecting" if reconnects else "live")
    if reconnects:
        assert site.socket().query["at"] == "h.2"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (4401, "You are signed out."),
        (4403, "You cannot see this chat any more."),
        (4404, "This chat is gone."),
    ],
)
def test_when_access_ends_the_text_goes_and_no_connection_is_tried(
    site: Site, tab: Tab, code: int, words: str
) -> None:
    site.pages["/"] = page(render(article(details("secret"))), live=QUICK)
    tab.goto(site.url)
    socket = site.socket()
    socket.send(beat("h.2"))
    stand(tab, "h.2")
    socket.close(code)
    wait_for(tab, "document.documentElement.dataset.connection === 'closed'")
    assert tab.inner_text("main") == words
    assert tab.inner_text("body").strip() == words
    assert tab.title() == words
    tab.evaluate("window.dispatchEvent(new Event('online'))")
    assert site.socket_within(0.3) is None


def test_a_page_that_was_left_is_seen_again_when_its_connection_lives(site: Site, tab: Tab) -> None:
    site.pages["/"] = page(render(article(details("secret"))), live=QUICK)
    tab.goto(site.url)
    socket = site.socket()
    socket.send(beat("h.2"))
    stand(tab, "h.2")
    left = "window.dispatchEvent(new PageTransitionEvent('{}', {{ persisted: true }}))"
    tab.evaluate(left.format("pagehide"))
    tab.evaluate(left.format("pageshow"))
    assert tab.evaluate("'left' in document.documentElement.dataset")
    again = site.socket()
    again.send(beat("h.2"))
    wait_for(tab, "!('left' in document.documentElement.dataset)")
    assert "secret" in (tab.text_content("#messages") or "")
    tab.evaluate(left.format("pagehide"))
    tab.evaluate(left.format("pageshow"))
    site.socket().close(4403)
    wait_for(tab, "!('left' in document.documentElement.dataset)")
    assert "secret" not in (tab.text_content("body") or "")


# A list that operations cannot bring up to date


def test_a_stale_list_is_fetched_and_followed_from_there(site: Site, tab: Tab) -> None:
    old = [Node(f"m{n}", "article", (("data-message", str(n)),), f"<p>{n}</p>") for n in (2, 3)]
    site.pages["/"] = page("".join(map(render, old)), live=QUICK)
    tab.goto(site.url + "/?x=1")
    socket = site.socket()
    new = [Node("m1", "article", (("data-message", "1"),), "<p>one</p>"), old[1]]
    site.pages["/"] = page(
        "".join(map(render, new)),
        at='<i id="at" data-at="h.8" data-after="m1" data-version="9"></i>',
        marks=render(Node("mark-own", "i", (("data-mark", "own"), ("data-version", "4")))),
    ).replace(">A chat</h1>", ">Renamed</h1>")
    tab.evaluate(
        "window.kept = document.querySelector('#m3');"
        "document.querySelector('#messages').dataset.pinned = ''"
    )
    socket.send(frame([Stale()], "h.2"))
    again = site.socket()
    assert again.query == {"at": "h.8", "after": "m1", "version": "9"}
    assert "/?x=1&from=2" in site.asked
    assert tab.inner_text("#messages").split() == ["one", "3"]
    assert tab.evaluate("window.kept === document.querySelector('#m3')")
    assert tab.locator("#messages").get_attribute("data-pinned") == ""
    assert tab.inner_text("#title") == "Renamed"
    assert tab.locator("#mark-own").get_attribute("data-version") == "4"
    assert tab.locator("#at").get_attribute("data-stale") is None
    wait_until_closed(socket)


def test_a_list_that_is_stale_again_at_once_is_fetched_once_more(site: Site, tab: Tab) -> None:
    def shows(word: str) -> None:
        site.pages["/"] = page(f"<article id='m2' data-message='2'>{word}</article>")

    shows("old")
    tab.goto(site.url)
    socket = site.socket()
    shows("newer")
    socket.send(frame([Stale()], "h.2"))
    again = site.socket()
    shows("newest")
    again.send(frame([Stale()], "h.3"))
    assert site.socket()
    assert tab.inner_text("#messages") == "newest"


def test_a_list_that_could_not_be_fetched_is_asked_for_again(site: Site, tab: Tab) -> None:
    site.pages["/"] = page("<article id='m2' data-message='2'>old</article>", live=QUICK)
    tab.goto(site.url)
    socket = site.socket()
    site.pages["/"] = "<!doctype html><html><body>an error page</body></html>"
    with tab.expect_response(lambda response: "from=2" in response.url):
        socket.send(frame([Stale()], "h.2"))
    site.pages["/"] = page("<article id='m3' data-message='3'>new</article>", live=QUICK)
    again = None
    for _ in range(200):
        with suppress(ConnectionClosed):
            socket.send(beat("h.3"))
        if again := site.socket_within(0.05):
            break
    assert again
    assert again.query["at"] == "h.1"
    assert tab.inner_text("#messages") == "new"


def test_a_renewed_list_leaves_what_is_read_where_it_is(site: Site, tab: Tab) -> None:
    def messages(first: int) -> str:
        return "".join(
            f"<article id='m{n}' data-message='{n}'>{'<p>line</p>' * 20}</article>"
            for n in range(first, 10)
        )

    site.pages["/"] = page(messages(5), live=QUICK)
    tab.goto(site.url)
    socket = site.socket()
    # Not every browser anchors what is read by itself.
    tab.evaluate("document.documentElement.style.overflowAnchor = 'none'")
    tab.evaluate("window.scrollTo(0, document.querySelector('#m7').offsetTop + 40)")
    top = tab.evaluate("document.querySelector('#m7').getBoundingClientRect().top")
    site.pages["/"] = page(messages(2))
    socket.send(frame([Stale()], "h.2"))
    site.socket()
    assert tab.locator("article").count() == 8
    assert tab.evaluate("document.querySelector('#m7').getBoundingClientRect().top") == top
