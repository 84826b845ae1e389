"""Whatever somebody does at v0 past the app, the rows and the page end as v0 has it.

Everything is drawn from one seed: what is edited, when, and what is done here meanwhile.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from html import escape
from urllib.error import HTTPError
from uuid import UUID

import pytest

from tests.app_server import wait_until
from tests.relay.conftest import QUICK
from tests.relay.sameness import SOON, listed, until_same
from tests.sandbox_server import Sandbox
from tests.world import LIVE, World

EDITS, BATCH = 200, 25
SLOW = "scenario: long size=900 pace=0.05"
ENDLESS = "scenario: silence seconds=300\npace: 1"
AT_ONCE = "scenario: refusal\npace: 0"
# Kinds of edits, and how often each comes.
KINDS = {
    "title": 24,
    "privacy": 12,
    "metadata": 8,
    "run": 10,
    "message": 12,
    "insert": 12,
    "rewrite": 12,
    "remove": 10,
}
ALWAYS_FIT = ("title", "privacy", "metadata")
LEVELS = ("private", "team", "team-edit", "unlisted", "public")


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, **SOON}


@dataclass
class Chat:
    """A chat and what was done here: what people typed, and the title that they gave."""

    id: str
    v0_id: str
    typed: list[str]
    title: str = ""
    is_gone: bool = False


class Unfit(Exception):
    """There is nothing in the chat that this kind of edit could change."""


@dataclass
class Play:
    """Edits at v0, and people here, in an order that only the seed knows."""

    world: World
    v0: Sandbox
    chats: list[Chat]
    chance: random.Random = field(default_factory=lambda: random.Random(20261121))
    edits: int = 0

    def edit(self) -> None:
        """One edit that v0 takes; in a chat in which an answer runs it takes fewer kinds."""
        chat = self.chance.choice([chat for chat in self.chats if not chat.is_gone])
        kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
        try:
            self._edit(chat, kind)
        except Unfit:
            self._edit(chat, self.chance.choice(ALWAYS_FIT))
        except HTTPError as refusal:
            if refusal.code != 409:
                raise
            self._edit(chat, self.chance.choice(ALWAYS_FIT))
        self.edits += 1

    def _edit(self, chat: Chat, kind: str) -> None:
        number = f"{self.edits} elsewhere"
        match kind:
            case "title":
                self.v0.edit(chat.v0_id, title=f"Title {number}")
            case "privacy":
                self.v0.edit(chat.v0_id, privacy=self.chance.choice(LEVELS))
            case "metadata":
                self.v0.edit(chat.v0_id, metadata={"edit": number})
            case "run":
                self.v0.write(chat.v0_id, f"Asked {number}\n{SLOW}")
            case "message":
                self.v0.write(chat.v0_id, f"Asked {number}\n{AT_ONCE}", run=False)
            case "insert":
                before = self._some(chat)
                self.v0.write(chat.v0_id, f"Put {number}\n{AT_ONCE}", run=False, before=before)
            case "rewrite":
                self.v0.rewrite(chat.v0_id, self._some(chat), f"Rewritten {number}")
            case "remove":
                self.v0.remove(chat.v0_id, self._some(chat))

    def _some(self, chat: Chat) -> str:
        """v0's id of a message that nobody typed here."""
        found = listed(self.world, chat.id)
        ids = [str(item["id"]) for item in found if item["content"] not in chat.typed]
        if not ids:
            raise Unfit
        return self.chance.choice(ids)

    def here(self) -> None:
        """What people do here between two edits: they open, ask and rename."""
        chat = self.chance.choice(self.chats)
        number = f"{self.edits} here"
        if self.chance.random() < 0.3:
            assert self.world.client.get(f"/chats/{chat.id}/").status_code == 200
        if self.chance.random() < 0.15:
            text = f"Typed {number}\n{self.chance.choice((SLOW, AT_ONCE))}"
            if self.world.send(chat.id, text).status_code == 303:
                chat.typed.append(text)
        if self.chance.random() < 0.03:
            renamed = self.world.post(f"/chats/{chat.id}/rename/", title=f"Given {number}")
            # What v0 has closed takes no title any more.
            chat.title = f"Given {number}" if renamed.status_code == 303 else chat.title

    def delete(self, chat: Chat) -> None:
        self.v0.delete(chat.v0_id)
        chat.is_gone = True

    def settle(self) -> None:
        """Some chats are opened, the others are left to the sweep; all come to say what v0 says."""
        for chat in self.chance.sample(self.chats, len(self.chats) // 2):
            self.world.client.get(f"/chats/{chat.id}/")
        for chat in self.chats:
            until_at_rest(self.world, chat)
            if not chat.is_gone:
                until_same(self.world, chat.id, within=30)


def until_at_rest(world: World, chat: Chat) -> None:
    wait_until(lambda: is_at_rest(world, chat), what="the end of its answer")
    if chat.is_gone:
        wait_until(lambda: world.chat(chat.id)["at_v0"] == "gone", what="that the chat is gone")


def is_at_rest(world: World, chat: Chat) -> bool:
    return all(row["state"] not in LIVE for row in world.messages(chat.id))


def begun(world: World, texts: list[str]) -> list[Chat]:
    ids = [world.ask(text) for text in texts]
    for id in ids:
        world.finished(id)
    return [
        Chat(id, str(world.chat(id)["v0_id"]), [text]) for id, text in zip(ids, texts, strict=True)
    ]


def page_is_as_stored(world: World, chat: Chat) -> None:
    """Every message is on the page, once and in its order, with what was typed and what v0 says."""
    rows, stored = world.messages(chat.id), world.chat(chat.id)
    page = world.client.get(f"/chats/{chat.id}/?from={UUID(rows[0]['id'])}").text
    places = [page.index(f'id="m{UUID(row["id"])}"') for row in rows]
    assert places == sorted(places)
    assert page.count("data-message=") == len(rows)
    assert escape(stored["title"]) in page
    for row in rows:
        if row["role"] == "user" or row["content"].startswith("Rewritten"):
            assert escape((row["text"] or row["content"]).partition("\n")[0]) in page
    assert ("This chat was deleted at v0." in page) == chat.is_gone
    is_wider = stored["privacy_at_v0"] != "private" and not chat.is_gone
    assert ("At v0 this chat is" in page) == is_wider


def test_two_hundred_edits_elsewhere_end_as_v0_has_it(world: World, sandbox: Sandbox) -> None:
    """Between and during runs, in several chats at once. What is typed here stays, and is one POST
    each; a title given here stays; no level of v0 ever changes who may see a chat here."""
    play = Play(world, sandbox, begun(world, [f"Page {n}\n{AT_ONCE}" for n in range(6)]))
    long, *_, doomed, busy = play.chats
    for number in range(14):
        sandbox.write(long.v0_id, f"Long ago {number}\n{AT_ONCE}", run=False)
    while play.edits < EDITS:
        play.edit()
        play.here()
        if play.edits % BATCH == 0:
            play.settle()
        if play.edits == 3 * BATCH:
            play.delete(doomed)
        if play.edits == 6 * BATCH:
            sandbox.write(busy.v0_id, f"Asked last\n{ENDLESS}")
            wait_until(lambda: not is_at_rest(world, busy), what="an answer that is followed")
            play.delete(busy)
    for chat in play.chats:
        rows = world.messages(chat.id, role="user")
        assert [row["text"] for row in rows if row["author_id"] is not None] == chat.typed
        stored = world.chat(chat.id)
        assert (stored["title_given"], stored["privacy"]) == (bool(chat.title), "private")
        assert chat.title in ("", stored["title"])
        page_is_as_stored(world, chat)
    assert world.ledger["posts"] == sum(len(chat.typed) for chat in play.chats)
