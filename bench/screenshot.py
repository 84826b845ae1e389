"""The picture in README: a finished run, as Chromium shows it.

    python -m bench.screenshot

Owns `docs/screenshot.png` and its dark twin. It starts an app and a sandbox of its own, signs in by
the form, asks, waits for the end and takes the picture; nothing in it is drawn by hand.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

# First, since it makes the environment of tests, in which the app is started here too.
from tests.conftest import FLAGS, chromium  # isort:skip

from tests.app_server import ROOT, AppServer, running_app
from tests.sandbox_server import running_sandbox

SIZE = {"width": 1280, "height": 880}
BEFORE = (
    "A pricing page with three plans for a team calendar",
    "A to-do list that keeps what is done",
)
ASKED = "A landing page for a small outdoor shop called Kettle: green, with a list of what we sell"


def take(app: AppServer, folder: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page(base_url=app.url, viewport=SIZE)  # type: ignore[arg-type]
        sign_in(page)
        for message in (*BEFORE, ASKED):
            ask(page, message)
        page.get_by_text("Thought for").first.click()
        page.focus("textarea")
        page.mouse.move(0, 0)
        for scheme, name in (("light", "screenshot.png"), ("dark", "screenshot-dark.png")):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.screenshot(path=folder / name)
        browser.close()


def sign_in(page: Page) -> None:
    page.goto("/")
    page.fill("[name=login]", "owner@example.com")
    page.fill("[name=password]", "demo")
    page.keyboard.press("Enter")
    page.wait_for_selector("textarea")


def ask(page: Page, message: str) -> None:
    page.goto("/")
    page.fill("textarea", message)
    page.keyboard.press("Enter")
    page.wait_for_selector("article[data-role=assistant][data-state=finished]", timeout=60_000)
    page.wait_for_selector("article[data-role=assistant] .cost", timeout=10_000)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        running_sandbox(Path(name) / "v0.sqlite3", pace=0.3) as sandbox,
        running_app(Path(name), sandbox, template=None, database=None) as app,
    ):
        take(app, ROOT / "docs")


if __name__ == "__main__":
    main()
