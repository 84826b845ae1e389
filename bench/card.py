"""The picture of a link that somebody passes on: `static/card.png`, 1200 by 630.

    python -m bench.card

Owns how it looks, and draws it in Chromium from the product's own mark and colours, so that it is
made anew when they change.
"""

from __future__ import annotations

from playwright.sync_api import sync_playwright

# First, since it makes the environment of tests.
from tests.conftest import FLAGS, chromium  # isort:skip

from tests.app_server import ROOT

SIZE = {"width": 1200, "height": 630}
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; height: 630px; display: grid; align-content: center; gap: 36px;
  padding: 0 110px; box-sizing: border-box; background: #151516; color: #ededee;
  font: 40px/1.35 system-ui, "DejaVu Sans", sans-serif; }}
svg {{ width: 150px; height: 150px; }}
h1 {{ margin: 0; font-size: 104px; letter-spacing: -0.03em; line-height: 1; }}
p {{ margin: 0; color: #a9a9b1; }}
</style>{mark}<h1>v0web</h1><p>A team's own chat for v0</p>"""


def main() -> None:
    mark = (ROOT / "static" / "favicon.svg").read_text("utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        page.set_content(PAGE.format(mark=mark))
        page.screenshot(path=ROOT / "static" / "card.png")
        browser.close()


if __name__ == "__main__":
    main()
