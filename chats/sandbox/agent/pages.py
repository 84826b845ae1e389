"""The small web page that the agent builds: what it holds, and the files that it is made of.

Owns `Page` and the three files that show it. Relies on `files`. The files work when opened in a
browser from disk: no build, no network, no third party. What somebody asked for is always escaped.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from chats.sandbox.files import Files, of_texts

Json = Any

IMPORTED: Json = {"imported": True}
"""In the place of a page: the files were brought along, and the agent does not know them."""

SECTIONS = {
    "contact form": """\
    <section id="contact">
      <h2>Get in touch</h2>
      <form class="stack" data-thanks="Thank you, we will answer soon.">
        <label>Your name <input name="name" autocomplete="name" required></label>
        <label>E-mail <input name="email" type="email" autocomplete="email" required></label>
        <label>Message <textarea name="message" rows="4" required></textarea></label>
        <button>Send</button>
        <p role="status"></p>
      </form>
    </section>
""",
    "newsletter": """\
    <section id="newsletter">
      <h2>Stay in the loop</h2>
      <form class="row" data-thanks="You are on the list.">
        <label>E-mail <input name="email" type="email" autocomplete="email" required></label>
        <button>Subscribe</button>
        <p role="status"></p>
      </form>
    </section>
""",
    "pricing": """\
    <section id="pricing">
      <h2>Pricing</h2>
      <table>
        <thead><tr><th>Plan</th><th>Price</th><th>For</th></tr></thead>
        <tbody>
          <tr><td>Starter</td><td>$0</td><td>Trying it out</td></tr>
          <tr><td>Regular</td><td>$9</td><td>Every day</td></tr>
          <tr><td>Team</td><td>$29</td><td>Five people</td></tr>
        </tbody>
      </table>
    </section>
""",
    "faq": """\
    <section id="faq">
      <h2>Questions</h2>
      <details><summary>How do I start?</summary><p>Pick something from the list above.</p></details>
      <details><summary>Can I change my mind?</summary><p>At any time, at no cost.</p></details>
    </section>
""",
    "testimonials": """\
    <section id="testimonials">
      <h2>What people say</h2>
      <blockquote>Exactly what we were looking for. <cite>Ada</cite></blockquote>
      <blockquote>Simple, quick and friendly. <cite>Grace</cite></blockquote>
    </section>
""",
    "gallery": """\
    <section id="gallery">
      <h2>Gallery</h2>
      <div class="gallery"><span></span><span></span><span></span><span></span></div>
    </section>
""",
}
"""What a section is called in a request → its HTML."""

STYLES = """\
:root {{
  color-scheme: {scheme};
  --accent: {accent};
  --ground: {ground};
  --card: {card};
  --text: {text};
  --quiet: {quiet};
}}

* {{ box-sizing: border-box; }}

body {{
  margin: 0;
  background: var(--ground);
  color: var(--text);
  font: {size}/1.6 system-ui, sans-serif;
}}

header {{
  padding: 4rem 1.5rem 3rem;
  border-bottom: 4px solid var(--accent);
  text-align: center;
}}

h1 {{ margin: 0; font-size: clamp(2rem, 6vw, 3.5rem); letter-spacing: -0.02em; }}
header p {{ margin: 0.5rem 0 0; color: var(--quiet); }}

main {{ max-width: 44rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }}

.items {{ display: grid; gap: 0.75rem; padding: 0; list-style: none; }}

.items button {{
  width: 100%;
  padding: 0.9rem 1.1rem;
  border: 1px solid transparent;
  border-radius: 0.75rem;
  background: var(--card);
  color: inherit;
  font: inherit;
  text-align: start;
  cursor: pointer;
}}

.items button:hover {{ border-color: var(--accent); }}
.items button[aria-pressed="true"] {{ background: var(--accent); color: #fff; }}

section + section {{ margin-top: 3rem; }}

.stack, label {{ display: grid; gap: 0.5rem; }}
.row {{ display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end; }}

input, textarea {{
  padding: 0.6rem 0.8rem;
  border: 1px solid var(--quiet);
  border-radius: 0.5rem;
  background: var(--card);
  color: inherit;
  font: inherit;
}}

form button {{
  padding: 0.6rem 1.2rem;
  border: 0;
  border-radius: 0.5rem;
  background: var(--accent);
  color: #fff;
  font: inherit;
}}

table {{ width: 100%; border-collapse: collapse; }}
th, td {{ padding: 0.6rem; border-bottom: 1px solid var(--card); text-align: start; }}

.gallery {{ display: grid; grid-template-columns: repeat(2, 1fr); gap: 0.75rem; }}
.gallery span {{ aspect-ratio: 4 / 3; border-radius: 0.75rem; background: var(--accent); }}
"""

SCRIPT = """\
const items = document.querySelectorAll(".items button");
const count = document.querySelector("#count");

function show() {
  const picked = [...items].filter((item) => item.getAttribute("aria-pressed") === "true");
  count.textContent = picked.length ? `${picked.length} picked` : "Nothing picked yet";
}

for (const item of items) {
  item.addEventListener("click", () => {
    item.setAttribute("aria-pressed", String(item.getAttribute("aria-pressed") !== "true"));
    show();
  });
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.querySelector("[role=status]").textContent = form.dataset.thanks;
    form.reset();
  });
}

show();
"""

LIGHT = {"scheme": "light", "ground": "#ffffff", "card": "#f3f4f6", "text": "#111827"}
DARK = {"scheme": "dark", "ground": "#0b0f19", "card": "#1a2133", "text": "#f3f4f6"}


@dataclass(frozen=True, slots=True)
class Page:
    """`sections` are keys of `SECTIONS`; `notes` are (title, text) of sections of their own."""

    heading: str
    tagline: str
    list_title: str
    items: tuple[str, ...]
    colour: str = "indigo"
    accent: str = "#4f46e5"
    dark: bool = False
    large: bool = False
    sections: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_wire(cls, wire: dict[str, Json]) -> Page:
        lists = {name: tuple(wire[name]) for name in ("items", "sections")}
        notes = tuple((title, text) for title, text in wire["notes"])
        return cls(**{**wire, **lists, "notes": notes})

    def to_wire(self) -> dict[str, Json]:
        return asdict(self)

    def files(self) -> Files:
        texts = {"index.html": self._html(), "script.js": SCRIPT, "styles.css": self._styles()}
        return of_texts(texts)

    def _html(self) -> str:
        items = "".join(
            f'        <li><button aria-pressed="false">{escape(item)}</button></li>\n'
            for item in self.items
        )
        sections = "".join(SECTIONS[name] for name in self.sections)
        notes = "".join(
            f"    <section>\n      <h2>{escape(title)}</h2>\n      <p>{escape(text)}</p>\n"
            "    </section>\n"
            for title, text in self.notes
        )
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n  <meta charset="utf-8">\n'
            '  <meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"  <title>{escape(self.heading)}</title>\n"
            '  <link rel="stylesheet" href="styles.css">\n'
            '  <script src="script.js" defer></script>\n</head>\n<body>\n'
            f"  <header>\n    <h1>{escape(self.heading)}</h1>\n"
            f"    <p>{escape(self.tagline)}</p>\n  </header>\n  <main>\n"
            f'    <section id="list">\n      <h2>{escape(self.list_title)}</h2>\n'
            f'      <ul class="items">\n{items}      </ul>\n'
            '      <p id="count" role="status"></p>\n    </section>\n'
            f"{sections}{notes}  </main>\n</body>\n</html>\n"
        )

    def _styles(self) -> str:
        theme = DARK if self.dark else LIGHT
        quiet = "#94a3b8" if self.dark else "#6b7280"
        size = "1.25rem" if self.large else "1rem"
        return STYLES.format(**theme, accent=self.accent, quiet=quiet, size=size)
