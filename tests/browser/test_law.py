"""The law in Chromium: page(old) with frame(old, new) applied equals page(new).

With the shipped htmx and hx-ws and our extension, over a real socket, for some hundred (transcript,
p, q) in one page; the applier of `tests.live.page` must see the same on each of them. A frame that lost
a block, or in which two changed places, must be found out by both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from chats.live.difference import Operation, Put, Stale, difference
from chats.live.state import State
from chats.rendering.frames import frame
from tests.browser.live.site import Site, Socket, page, running_site
from tests.live.page import Page, Shown, page_html, with_history
from tests.live.recorded import NAMES, recorded
from tests.live.states import transcript

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

HASTE = '{"retry":0.001,"longest":0.02}'
MADE_UP, STEPS, PAIRS = 12, 40, 12

APPLY = """async (pages) => {
  const main = document.querySelector("main");
  for (const id of ["title", "marks"]) document.getElementById(id)?.remove();
  let missed = [];
  document.addEventListener("htmx:oobErrorNoTarget", ({ detail }) => missed.push(detail.target));
  const plain = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    const content = [];
    for (const child of node.childNodes) {
      const [made, last] = [plain(child), content.at(-1)];
      if (typeof made === "string" && typeof last === "string") content[content.length - 1] += made;
      else content.push(made);
    }
    const attrs = [...node.attributes].map(({ name, value }) => [name.toLowerCase(), value]).sort();
    return [node.localName, attrs, content];
  };
  const shown = () => {
    const fixed = [document.querySelector("#title"), ...document.querySelector("#marks").children];
    return {
      messages: plain(document.querySelector("#messages")),
      fixed: Object.fromEntries(fixed.filter((e) => e && e.id !== "at").map((e) => [e.id, plain(e)])),
    };
  };
  const heard = (name) =>
    new Promise((resolve, reject) => {
      document.addEventListener(name, resolve, { once: true });
      setTimeout(reject, 5000, new Error(`no ${name}`));
    });
  const apply = async (index) => {
    missed = [];
    const done = heard("htmx:wsAfterMessage");
    wrapper.send(String(index));
    await done;
    // The page reconnects over what it misses: the next frame comes over the next socket.
    if (missed.length) await heard("htmx:wsOpen");
    return missed;
  };
  const results = [];
  for (const [index, html] of pages.entries()) {
    if (html !== null) main.innerHTML = html;
    const once = { missed: await apply(index) };
    if (pages[index + 1] === null) continue;
    once.shown = shown();
    await apply(index);
    results.push({ ...once, again: shown() });
  }
  return JSON.stringify(results);
}"""


@dataclass(frozen=True)
class Case:
    old: State
    new: State
    operations: tuple[Operation, ...]

    @property
    def text(self) -> str:
        return frame(self.operations, "new")

    @property
    def expected(self) -> Shown:
        return Page(page_html(self.new, with_history(self.old, self.new))).shown


def cases(seed: int) -> list[Case]:
    """Two moments each of every recorded stream and of made up chats, some of them backwards."""
    random = Random(seed)
    made_up = [transcript(random, STEPS) for _ in range(MADE_UP)]
    found = []
    for states in (*map(recorded, NAMES), *made_up):
        for number in range(PAIRS):
            p, q = sorted(random.sample(range(len(states)), 2), reverse=number % 3 == 0)
            operations = difference(states[p], states[q])
            if operations and Stale() not in operations:
                found.append(Case(states[p], states[q], operations))
    return found


def mutated(case: Case, random: Random) -> Iterator[Case]:
    """The case with an operation dropped and, where blocks are appended, with two of them swapped."""
    operations = list(case.operations)
    del operations[random.randrange(len(operations))]
    yield Case(case.old, case.new, tuple(operations))
    known = {each.id for node in (*case.old.fixed, *case.old.messages) for each in node.walk()}
    appended = [
        (index, operation.parent)
        for index, operation in enumerate(case.operations)
        if isinstance(operation, Put) and operation.parent and operation.node.id not in known
    ]
    for (one, parent), (other, same) in pairwise(appended):
        if parent == same:
            operations = list(case.operations)
            operations[one], operations[other] = operations[other], operations[one]
            yield Case(case.old, case.new, tuple(operations))
            return


def by_python(case: Case) -> tuple[Shown, list[str]]:
    shown = Page(page_html(case.old))
    shown.apply(case.text)
    return shown.shown, shown.missed


class Chromium:
    """A tab whose pages are shown one after the other, each with its frame over the socket."""

    def __init__(self, site: Site, tab: Tab) -> None:
        self.site, self.tab = site, tab

    def apply(self, *chains: list[Case]) -> list[dict[str, Any]]:
        """Each chain is a page and frames that it takes one after the other: what is shown and which
        targets were missed after the last of them, and what is shown after that one again."""
        cases = [case for chain in chains for case in chain]
        pages = [
            page_html(case.old) if case is chain[0] else None for chain in chains for case in chain
        ]

        def answer(socket: Socket, text: str) -> None:
            socket.send(cases[int(text)].text)

        self.site.answer = answer
        # As JSON: carrying values in Playwright's own way made this test three times as long.
        results: list[dict[str, Any]] = json.loads(self.tab.evaluate(APPLY, pages))
        return results


@pytest.fixture
def chromium(browser: Browser) -> Iterator[Chromium]:
    with running_site() as site:
        site.pages["/"] = page(live=HASTE)
        tab = browser.new_page()
        tab.add_init_script(
            'document.addEventListener("htmx:wsOpen", ({ detail }) =>'
            " (window.wrapper = detail.socketWrapper))"
        )
        tab.goto(site.url)
        tab.wait_for_function("() => window.wrapper")
        yield Chromium(site, tab)
        tab.close()


def test_a_frame_leads_any_page_to_any_other_in_a_browser(chromium: Chromium) -> None:
    found = cases(seed=3)
    assert len(found) >= 340
    for kind in ("<table", "<ul", "<ol", "<pre", "<details", "data-part", '"delete"', '"attrs"'):
        assert sum(kind in case.text for case in found) > 20, kind
    results = chromium.apply(*([case] for case in found))
    for case, result in zip(found, results, strict=True):
        shown, missed = by_python(case)
        assert result["shown"] == shown == case.expected
        assert result["missed"] == missed == []
        assert result["again"] == shown


def test_a_page_that_takes_every_frame_of_a_stream_ends_as_the_stored_message(
    chromium: Chromium,
) -> None:
    chains = [
        [Case(old, new, difference(old, new)) for old, new in pairwise(recorded(name))]
        for name in NAMES
    ]
    for chain, result in zip(chains, chromium.apply(*chains), strict=True):
        assert result["shown"] == result["again"] == Page(page_html(chain[-1].new)).shown
        assert result["missed"] == []


def test_a_mutated_frame_is_found_out_by_both(chromium: Chromium) -> None:
    random = Random(4)
    dropped, swapped = [], []
    for case in cases(seed=5)[::4]:
        drop, *swap = mutated(case, random)
        dropped.append(drop)
        swapped += swap
    assert len(dropped) > 70
    assert len(swapped) > 20
    mutants = [*dropped, *swapped]
    results = chromium.apply(*([case] for case in mutants))
    for case, result in zip(mutants, results, strict=True):
        shown, _ = by_python(case)
        assert result["shown"] == shown != case.expected
