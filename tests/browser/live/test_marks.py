"""marks.js: what is one person's own is fetched again when a mark says that it is old."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from chats.live.difference import Put, SetAttrs
from chats.live.html import render
from chats.live.state import Node
from chats.rendering.frames import beat
from tests.browser.live.following import (
    Follow,
    article,
    details,
    stand,
    wait_for,
)
from tests.browser.live.site import PATIENCE, Site, page

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab


QUICK = '{"retry":0.01,"longest":0.05}'


def marked(name: str, version: int) -> Node:
    return Node(f"mark-{name}", "i", (("data-mark", name), ("data-version", str(version))))


FRAGMENT = (
    '<div id="{0}" hx-get="/{0}" hx-trigger="mark:{0} from:body" hx-sync="this:queue last"></div>'
)


def test_a_changed_mark_fetches_its_fragment_once_for_many_changes(
    site: Site, tab: Tab, follow: Follow
) -> None:
    site.pages["/queue"] = '<div id="queue">fetched</div>'
    site.pages["/own"] = '<div id="own">fetched</div>'
    send = follow(
        marks=render(marked("queue", 1)) + render(marked("own", 1)),
        beside=FRAGMENT.format("queue") + FRAGMENT.format("own"),
    )
    for version in (2, 3, 4):
        send(SetAttrs("mark-queue", "i", (("data-version", str(version)),)))
    wait_for(tab, "document.querySelector('#queue').textContent === 'fetched'")
    assert site.asked.count("/queue") == 1
    assert site.asked.count("/own") == 0


def test_a_mark_that_no_page_had_is_a_change_too(site: Site, tab: Tab, follow: Follow) -> None:
    site.pages["/queue"] = '<div id="queue">fetched</div>'
    send = follow(beside=FRAGMENT.format("queue"))
    send(Put("", marked("queue", 1)))
    wait_for(tab, "document.querySelector('#queue').textContent === 'fetched'")


@pytest.mark.parametrize("style", ["outerHTML", "own"])
def test_a_fragment_older_than_its_mark_is_fetched_again(
    site: Site, tab: Tab, follow: Follow, style: str
) -> None:
    versions = iter((1, 1, 2))

    def fragment() -> str:
        version = next(versions)
        return (
            f'<div id="queue" data-marked="queue" data-version="{version}" hx-get="/queue" '
            f'hx-trigger="mark:queue from:body" hx-target="this" hx-swap="{style}">'
            f"version {version}</div>"
        )

    site.pages["/queue"] = fragment
    send = follow(marks=render(marked("queue", 1)), beside=FRAGMENT.format("queue"))
    send(SetAttrs("mark-queue", "i", (("data-version", "2"),)))
    wait_for(tab, "document.querySelector('#queue').textContent === 'version 2'")
    assert site.asked.count("/queue") == 3


def test_a_mark_that_changes_while_its_fragment_is_on_the_way_is_heard(
    site: Site, tab: Tab, follow: Follow
) -> None:
    """Whoever asked is not there any more, and what takes its place was made before the change."""
    answers, release = iter(("first", "second")), Event()

    def fragment() -> str:
        answer = next(answers)
        release.wait(PATIENCE)
        return FRAGMENT.format("needs").replace("></div>", f' hx-swap="outerHTML">{answer}</div>')

    site.pages["/needs"] = fragment
    send = follow(
        marks=render(marked("needs", 1)),
        beside=FRAGMENT.format("needs").replace(">", ' hx-swap="outerHTML">', 1),
    )
    tab.evaluate("window.fired = 0; document.body.addEventListener('mark:needs', () => fired++)")
    for version in (2, 3):
        send(SetAttrs("mark-needs", "i", (("data-version", str(version)),)))
        wait_for(tab, "count => fired === count", version - 1)
    release.set()
    wait_for(tab, "document.querySelector('#needs').textContent === 'second'")
    assert site.asked.count("/needs") == 2


@pytest.mark.parametrize(("state", "asks"), [("finished", True), ("streaming", False)])
def test_an_ended_message_that_comes_whole_asks_for_what_is_ones_own(
    tab: Tab, follow: Follow, state: str, *, asks: bool
) -> None:
    send = follow()
    tab.evaluate(
        "window.fired = [];"
        "for (const name of ['own', 'queue'])"
        " document.body.addEventListener(`mark:${name}`, () => fired.push(name))"
    )
    send(Put("messages", article(details("one"), state=state)))
    send(Put("", marked("queue", 1)))
    # Both would wait equally long, so that what comes later ends the wait.
    wait_for(tab, "fired.includes('queue')")
    assert tab.evaluate("fired") == (["own", "queue"] if asks else ["queue"])


def test_after_a_gap_the_list_of_chats_is_asked_for(site: Site, tab: Tab) -> None:
    site.pages["/"] = page(live=QUICK)
    tab.goto(site.url)
    tab.evaluate("document.body.addEventListener('mark:sidebar', () => (window.asked = true))")
    first = site.socket()
    first.send(beat("h.2"))
    stand(tab, "h.2")
    assert tab.evaluate("window.asked") is None
    first.close(1012)
    site.socket().send(beat("h.3"))
    wait_for(tab, "window.asked")
