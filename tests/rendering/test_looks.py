"""Parts with their styles in Chromium: nothing widens a narrow page, and code can be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from chats.live.html import render
from tests.rendering.seen import END, answer
from tests.rendering.test_safety import everywhere

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

SHEETS = ("tokens", "base", "chat", "parts", "work", "prose", "code")
LONG = "components/" + "a-very-long-name" * 30
CODE = "const a = 1 // " + "x" * 300
Open = Callable[..., "Page"]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """`opened(*wires, width=390)`: a page with an answer of these parts, styles and scripts."""
    root = Path(settings.BASE_DIR)
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])

    def opened(
        *wires: Any, width: int = 390, state: str = "finished", theme: str = "light"
    ) -> Page:
        links = "".join(f'<link rel="stylesheet" href="/static/css/{name}.css">' for name in SHEETS)
        html = (
            f'<!doctype html><html data-theme="{theme}"><meta name="viewport"'
            f' content="width=device-width">{links}<body><div class="thread"><div class="messages">'
            f'{render(answer(*wires, state=state))}</div></div><script type="module"'
            f' src="/static/js/copy.js"></script>'
        )

        def serve(route: Route) -> None:
            path = root / route.request.url.partition("localhost/")[2]
            if path.is_file():
                route.fulfill(path=path)
            else:
                route.fulfill(body=html, content_type="text/html; charset=utf-8")

        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 800})
        page.route("http://localhost/**", serve)
        page.goto("http://localhost/")
        return page

    yield opened
    context.close()


@pytest.mark.parametrize("state", ["finished", "streaming"])
def test_nothing_widens_a_page_of_390_pixels(opened: Open, state: str) -> None:
    table = f"| {LONG} | `{LONG}` |\n|---|---|\n| a | {'b ' * 200} |\n\n"
    text = f"{LONG}\n\n# {LONG}\n\n- `{LONG}`\n  ```\n  {CODE}\n  ```\n\n{table}```js\n{CODE}\n"
    page = opened(*everywhere(LONG), {"type": "text", "text": text}, state=state)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_finished_code_block_and_an_open_one_stand_at_the_same_place(opened: Open) -> None:
    boxes = []
    for end in ("", "\n```"):
        page = opened({"type": "text", "text": f"```js\nlet a\nlet b{end}"}, state="streaming")
        boxes.append(page.locator("pre").bounding_box())
        page.close()
    assert boxes[0] == boxes[1]


def test_the_button_copies_the_code_and_says_so(opened: Open) -> None:
    code = "let a = '<b>'\n\n  let b\n"
    page = opened({"type": "text", "text": f"1. a\n\n```js\n{code}```", "finishedAt": END})
    button = page.get_by_role("button", name="Copy")
    button.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == code
    button.wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_icon_loads(opened: Open, theme: str) -> None:
    page = opened(*everywhere("a"), theme=theme)
    sources = page.evaluate(
        """() => [...document.querySelectorAll(".part-icon")].map(
          (icon) => getComputedStyle(icon).maskImage.match(/url\\("(.*)"\\)/)[1])"""
    )
    assert sources
    for source in set(sources):
        assert page.evaluate(
            """async (source) => {
              const image = new Image();
              image.src = source;
              await image.decode();
              return image.naturalWidth > 0;
            }""",
            source,
        )
