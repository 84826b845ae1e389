"""Several people on one chat: two who write, twenty who watch, and whoever passes by.

The two are browsers. Those who watch are pages in Python with a socket each: what the server has sent them
waits in their sockets, and is applied when the run is over.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import (
    OWNER,
    PATIENCE,
    QUICK,
    has_state,
    is_live,
    mode,
    send,
    shows_what_is_stored,
)
from tests.browser.test_sockets import address, code, opened
from tests.conftest import PageOf
from tests.live.page import Page as Read
from tests.relay.test_decisions import share_with_team
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

MATE, STRANGER = "mate@example.com", "stranger@example.com"
# It goes on for long enough that somebody else can write meanwhile.
STREAM = "scenario: long size=8000 chunk=400\npace: 3"
WATCHERS = 20
# The ids of what is filled in for one reader at a time, by their ends.
OF_ONE = ("-own", "-notes")
FIXED = ("title", "waiting", "here", "mark-composer", "mark-own", "mark-queue", "mark-here")


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_ANONYMOUS_READING": "True", "V0_PRESENCE_GRACE": "0.5"}


class Watcher:
    """A page without a browser, as the server sent it, and its socket."""

    def __init__(self, app: AppServer, email: str | None, chat: str, html: str) -> None:
        self.page = Read(html)
        self.peer = opened(app, email, address(self.page, chat))

    @property
    def place(self) -> tuple[str, int]:
        return place(self.page)

    def reach(self, wanted: tuple[str, int]) -> None:
        """Apply what was sent until the position of that page, or a later one."""
        while self.place[0] != wanted[0] or self.place[1] < wanted[1]:
            payload = b"".join(frame.payload for frame in self.peer.message())
            self.page.apply(payload.decode())


def place(page: Read) -> tuple[str, int]:
    hub, _, number = page.by_id["at"].attrs["data-at"].partition(".")
    return hub, int(number or 0)


def shown(page: Read, *, of_all: bool) -> dict[str, Any]:
    """What frames speak of: ids, attributes and text; without what is one reader's own where it is
    `of_all`."""
    messages = page.by_id["messages"]
    if of_all:
        # Between them stands what is new for one reader.
        messages.content = [each for each in messages.elements if each.tag == "article"]
    for id, element in page.by_id.items():
        if of_all and id.endswith(OF_ONE):
            element.content = []
    return {id: page.by_id[id].plain() for id in ("messages", *FIXED)}


def end_equal(client: httpx.Client, chat: str, watchers: list[Watcher], *, of_all: bool) -> Read:
    """All of them have come to the same position, and show what a page that is made now shows."""
    while True:
        page = Read(client.get(f"/chats/{chat}/").raise_for_status().text)
        for watcher in watchers:
            watcher.reach(place(page))
        if all(watcher.place == place(page) for watcher in watchers):
            break
    wanted = shown(page, of_all=of_all)
    for watcher in watchers:
        assert watcher.page.missed == []
        assert shown(watcher.page, of_all=of_all) == wanted
    return page


def in_chat(page_of: PageOf, app: AppServer, email: str, chat: str) -> Page:
    page = page_of(app, email, path=f"/chats/{chat}/")
    is_live(page)
    return page


def test_two_people_drive_one_chat_and_twenty_who_watch_end_equal(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    share_with_team(world)
    owner, mate = (in_chat(page_of, app, email, chat) for email in (OWNER, MATE))
    expect(owner.locator("#here-people")).to_contain_text("Mateo is here", timeout=PATIENCE)
    expect(mate.locator("#here-people")).to_contain_text("Olivia is here", timeout=PATIENCE)
    expect(owner.locator("#here")).to_be_hidden()

    with app.client_of(STRANGER) as stranger, opened(app, STRANGER, f"/ws/chats/{chat}/") as peer:
        assert stranger.get(f"/chats/{chat}/").status_code == 404
        assert stranger.get(f"/chats/{chat}/here/").status_code == 404
        assert code(peer) == 4404

    with ExitStack() as sockets, app.client_of(MATE) as mates:
        htmls = {OWNER: world.client, MATE: mates}
        pages = {email: each.get(f"/chats/{chat}/").text for email, each in htmls.items()}
        watchers = [
            Watcher(app, email, chat, pages[email])
            for email in (OWNER, MATE)
            for _ in range(WATCHERS // 2)
        ]
        for watcher in watchers:
            sockets.enter_context(watcher.peer)

        send(owner, STREAM)
        for page in (owner, mate):
            has_state(page, "streaming")
            mode(page, "running")
            expect(page.locator(".message-text").last).to_contain_text("scenario: long")
        expect(mate.locator("#lately")).to_contain_text("Olivia Owner sent a message")
        # Both may send: what runs is one, and this waits for it.
        send(mate, QUICK)
        for page in (owner, mate):
            expect(page.locator(".queue-text")).to_have_count(1, timeout=PATIENCE)
        expect(owner.locator("#lately")).to_contain_text("Mateo Mate queued a message")
        expect(mate.locator("#lately")).not_to_contain_text("Mateo")
        assert not faults(owner, "together")

        wait_until(lambda: len(world.messages(chat)) == 6, within=60, what="the queued message")
        world.finished(chat)
        answers = world.messages(chat, role="assistant")
        assert [row["state"] for row in answers] == ["finished"] * 3
        # One run at a time: the next message began when the answer before it had ended.
        assert answers[1]["ended_at"] <= world.messages(chat)[4]["created_at"]
        assert world.ledger["user_messages"] == 3
        end_equal(world.client, chat, watchers, of_all=True)
        for page in (owner, mate):
            has_state(page, "finished")
            shows_what_is_stored(page, world, chat)
            writers = page.locator("[data-role=user] .message-author")
            expect(writers).to_have_text(["Olivia Owner", "Olivia Owner", "Mateo Mate"])

    mate.goto("/healthz")
    expect(owner.locator("#here-people")).to_be_hidden(timeout=PATIENCE)
    expect(owner.locator("#here")).to_be_hidden()


def test_the_frames_of_a_public_chat_show_what_the_anonymous_page_shows(
    app: AppServer, world: World
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    set_public(app, chat)
    path = f"/chats/{chat}/"
    with app.client_of() as visitor, ExitStack() as sockets:
        watchers = [Watcher(app, None, chat, visitor.get(path).text) for _ in range(2)]
        for watcher in watchers:
            sockets.enter_context(watcher.peer)
        assert world.send(chat, "scenario: all-parts\npace: 0.02").status_code == 303
        assert world.post(f"{path}rename/", title="For <everybody>").status_code == 303
        world.until(chat, "streaming")
        # In the middle, too, and by somebody who comes later.
        watchers.append(Watcher(app, None, chat, visitor.get(path).text))
        sockets.enter_context(watchers[-1].peer)
        world.finished(chat)
        wait_until(lambda: "3 people here" in visitor.get(path).text, what="all who came")
        page = end_equal(visitor, chat, watchers, of_all=False)
    words = str(shown(page, of_all=False))
    assert "For <everybody>" in words
    assert "3 people here" in words
    # Nothing of what is for those who are signed in.
    for name in ("here-people", "lately", "queue", "actions"):
        assert name not in page.by_id


def set_public(app: AppServer, chat: str) -> None:
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        connection.execute(
            "UPDATE chats_chat SET privacy = 'public' WHERE id = ?", [uuid.UUID(chat).hex]
        )
