"""What axe-core says of an open page, in light and in dark, and pictures for whoever wants to look.

Owns the way axe is asked: every rule that it has on, none left out. In light the page is asked about
everything; dark changes nothing but colours, so there it is asked about those alone. What is the same as
on a page that was looked at before, as it is drawn and not only as it is written, is left out: the sidebar
where no element of it is new, and any other piece of a page where all of it stood there in just this way.
Pictures are made for whoever sets `PICTURES`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from axe_playwright_python.base import AXE_SCRIPT

from tests.app_server import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARTEFACTS = ROOT / "artefacts"
COLOURS = ["color-contrast", "link-in-text-block"]
# The pieces of a page that may be left out, the sidebar first: its rows come and go.
PIECES = "#sidebar, main > *, #messages > article, body > :not(main, script)"
# Each element by all that axe could judge but words, numbers and ids; a piece by its elements, and by
# everything that it stands in.
RUN = """async ([rules, known, pieces]) => {
  const styles = [
    "color", "backgroundColor", "backgroundImage", "opacity", "fontSize", "fontWeight", "textShadow",
    "textDecorationLine", "position", "zIndex", "overflowX", "overflowY",
  ];
  const plain = (each) => [...each.attributes]
    .map(({ name, value }) => (/[0-9/]/.test(value) ? name : name + value)).join(" ");
  const kind = (each) => {
    const style = getComputedStyle(each);
    return [
      each.tagName, each.parentElement.className, plain(each), ...styles.map((name) => style[name]),
      each.matches(":popover-open"), each.checkVisibility({ visibilityProperty: true }),
      each.scrollWidth > each.clientWidth, each.scrollHeight > each.clientHeight,
      Boolean(each.textContent.trim()),
    ].join(" ");
  };
  const hash = async (text) => {
    const bytes = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
    return btoa(String.fromCharCode(...new Uint8Array(bytes)));
  };
  const before = new Set(known);
  const fresh = [];
  const left = [];
  for (const piece of document.querySelectorAll(pieces)) {
    const around = [];
    for (let at = piece.parentElement; at; at = at.parentElement) around.push(at.tagName, plain(at));
    const kinds = [piece, ...piece.querySelectorAll("*")].map(kind);
    const found = piece.id === "sidebar" ? [...new Set(kinds)] : [kinds.join("\\n")];
    const names = await Promise.all(found.map((each) => hash([...around, each].join("\\n"))));
    if (names.every((name) => before.has(name))) left.push(piece);
    fresh.push(...names.filter((name) => !before.has(name)));
  }
  const { violations } = await axe.run(
    { exclude: left, include: [["html"]] },
    { resultTypes: ["violations"], reporter: "no-passes", preload: false, ...rules },
  );
  return [violations, fresh];
}"""
_looked_at: dict[str, set[str]] = {"dark": set(), "light": set()}


def picture(page: Page, name: str) -> None:
    if "PICTURES" in os.environ:
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"{name}.png")


def faults(page: Page, name: str, *, drawn: bool = False) -> list[str]:
    """What axe finds on the page as it stands, in words."""
    # Its words are there before its styles.
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    told = []
    for scheme, rules in (("dark", {"runOnly": COLOURS}), ("light", {})):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        known = _looked_at[scheme]
        found, fresh = page.evaluate(RUN, [rules, list(known), PIECES])
        if not found:
            known.update(fresh)
        for fault in found:
            places = [node["target"] for node in fault["nodes"]][:5]
            told.append(f"{name}, {scheme}: {fault['id']} at {json.dumps(places)}")
        if drawn:
            picture(page, f"{name}-{scheme}")
    return told


def faultless(page: Page, name: str) -> None:
    found = faults(page, name, drawn=True)
    assert not found, "\n".join(found)
