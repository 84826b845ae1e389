"""What axe-core says of an open page, in light and in dark, and pictures for whoever wants to look.

Owns the way axe is asked: every rule that it has on, none left out. In light the page is asked about
everything; dark changes nothing but colours, so there it is asked about those alone. The sidebar is the same
on every page: it is left out where nothing stands in it that was not looked at before, as wide and as open.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from axe_playwright_python.base import AXE_SCRIPT

from tests.app_server import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARTEFACTS = ROOT / "artefacts"
COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """async ([left, options]) => (await axe.run(
  {exclude: left, include: [["html"]]},
  {resultTypes: ["violations"], preload: false, ...options},
)).violations"""
SIDEBAR = "#sidebar"
# Every kind of element in it, by everything of it but its texts, numbers and ids.
KINDS = """sidebar => [...sidebar.querySelectorAll("*"), sidebar].map(each => [
  each.tagName, each.className, each.matches(":popover-open"), each.parentElement.className,
  ...[...each.attributes].map(({name, value}) => /[0-9/]/.test(value) ? name : name + value),
].join(" "))"""
_looked_at: dict[tuple[str, int], set[str]] = {}


def picture(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")


def faults(page: Page, name: str, *, drawn: bool = False) -> list[str]:
    """What axe finds on the page as it stands, in words."""
    # Its words are there before its styles.
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    told = []
    for scheme, rules in (("dark", COLOURS), ("light", [])):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        options: dict[str, Any] = {"runOnly": rules} if rules else {}
        width = page.evaluate("innerWidth")
        known = _looked_at.setdefault((scheme, width), set())
        kinds = set(page.eval_on_selector_all(SIDEBAR, f"found => found.flatMap({KINDS})"))
        left = [[SIDEBAR]] if kinds and kinds <= known else []
        found = page.evaluate(RUN, [left, options])
        if not found:
            known |= kinds
        for fault in found:
            places = [node["target"] for node in fault["nodes"]][:5]
            told.append(f"{name}, {scheme}: {fault['id']} at {json.dumps(places)}")
        if drawn:
            picture(page, f"{name}-{scheme}")
    return told


def faultless(page: Page, name: str) -> None:
    found = faults(page, name, drawn=True)
    assert not found, "\n".join(found)
