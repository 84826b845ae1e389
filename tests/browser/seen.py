"""A chat page in a browser: what its reader does, waits for and sees.

Owns the reading of messages from an open page and from HTML as the server sends it, both through the
browser's own parser, and leaves out what is one person's own (the slots `-own` and `-notes`, the line above
what is new) or the clock's (words of a `<time>`). Never reloads a page and never touches what it looks at.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.app_server import wait_until
from tests.sandbox_server import Sandbox
from tests.world import LIVE, World

if TYPE_CHECKING:
    from playwright.sync_api import Page

OWNER = "owner@example.com"
# An answer that has said something and then runs for as long as a test needs it to.
RUNNING = "scenario: silence seconds=300\npace: 1"
QUICK = "scenario: refusal\npace: 0"
ANSWER = ".message[data-role=assistant]"
PATIENCE = 30_000  # milliseconds, for what must happen soon

Seen = dict[str, Any]

READ = """(html) => {
  const root = html === null ? document : new DOMParser().parseFromString(html, "text/html");
  const plain = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    const isClock = node.localName === "time";
    const content = [];
    for (const child of isClock || /-(own|notes)$/.test(node.id) ? [] : node.childNodes) {
      if (child.nodeType === Node.COMMENT_NODE) continue;
      const [made, last] = [plain(child), content.at(-1)];
      if (typeof made === "string" && typeof last === "string") content[content.length - 1] += made;
      else content.push(made);
    }
    const names = node.getAttributeNames().filter((name) => !(isClock && name === "title")).sort();
    return [node.localName, names.map((name) => [name, node.getAttribute(name)]), content];
  };
  return JSON.stringify({
    title: root.querySelector("#title").textContent,
    messages: [...root.querySelectorAll("#messages > article")].map(plain),
  });
}"""


def seen(page: Page) -> Seen:
    """The title and every message of an open page: tags, attributes, text."""
    found: Seen = json.loads(page.evaluate(READ, None))
    return found


def rendered(page: Page, html: str) -> Seen:
    """The same of a page as the server sends it; `page` lends its parser."""
    found: Seen = json.loads(page.evaluate(READ, html))
    return found


def ends_as_stored(page: Page, world: World, chat: str, *, state: str = "finished") -> None:
    """The answer ends, as v0 has it; and the open page shows what the stored rows render to."""
    has_state(page, state)
    answer = world.finished(chat)
    assert answer["state"] == state
    assert answer["parts"] == storable(world.v0_answer(chat)["parts"])
    shows_what_is_stored(page, world, chat)


def storable(parts: Any) -> Any:
    """Parts as they are stored: no database takes NUL."""
    return json.loads(json.dumps(parts).replace(r"\u0000", r"\ufffd"))


def shows_what_is_stored(page: Page, world: World, chat: str) -> None:
    def stored() -> Seen:
        return rendered(page, world.client.get(f"/chats/{chat}/").raise_for_status().text)

    shows(page, stored)
    assert len(seen(page)["messages"]) == len(world.messages(chat))


def shows(page: Page, wanted: Callable[[], Seen]) -> None:
    """What is on its way may still arrive, on both sides; then they are exactly the same."""
    try:
        wait_until(lambda: seen(page) == wanted(), within=10)
    except AssertionError:
        found = different(wanted(), seen(page))
        assert not found, "\n".join(found)


def different(wanted: Seen, found: Seen) -> list[str]:
    before, after = (json.dumps(each, indent=0).splitlines() for each in (wanted, found))
    return list(unified_diff(before, after, "wanted", "seen", lineterm="", n=6))


# What a person does


def ask(page: Page, text: str) -> str:
    """A new chat from the home page that `page` shows; its uuid."""
    page.fill("#message", text)
    page.press("#message", "Enter")
    page.wait_for_url("**/chats/*/")
    return chat_of(page)


def send(page: Page, text: str) -> None:
    page.fill("#message", text)
    page.press("#message", "Enter")


def chat_of(page: Page) -> str:
    return page.url.strip("/").rpartition("/")[2]


# What a person waits for


def is_live(page: Page) -> None:
    expect(page.locator("html[data-connection=live]")).to_have_count(1, timeout=PATIENCE)


def has_state(page: Page, state: str) -> None:
    expect(page.locator(ANSWER).last).to_have_attribute("data-state", state, timeout=PATIENCE)


def has_ended(page: Page) -> bool:
    return page.locator(ANSWER).last.get_attribute("data-state") not in LIVE


def mode(page: Page, name: str) -> None:
    """What stands beside the field: ready, running or stopping."""
    expect(page.locator("#actions")).to_have_attribute("data-mode", name, timeout=PATIENCE)


def answer_text(page: Page) -> str:
    """The words of the newest answer, folded parts included."""
    return str(page.locator(f"{ANSWER} .message-parts").last.text_content())


@contextmanager
def standing_still(sandbox: Sandbox) -> Iterator[None]:
    """Inside the block v0 says nothing and hears nothing, and every connection to it stays open."""
    os.kill(sandbox.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(sandbox.process.pid, signal.SIGCONT)
