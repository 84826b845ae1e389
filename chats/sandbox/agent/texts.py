"""Texts for scenarios: long Markdown, code, tables, lists, odd characters, hostile markup.

Owns the words and nothing else. Relies on nothing. Seeded where it is random, so that the same
prompt gives the same text.
"""

from __future__ import annotations

import random

SENTENCES = (
    "The page keeps its state in one place and draws from there.",
    "Every list reacts to the keyboard as well as to the pointer.",
    "A stylesheet of this size needs *no* preprocessor; custom properties are enough.",
    "Measure before you move anything, then measure **again**.",
    "The form answers in the page and never reloads it.",
    "Colours come from the [tokens](https://example.com/tokens) at the top.",
    "Use `defer` so that the script runs after the document has been read.",
    "Nothing is loaded from elsewhere, so the page opens from disk too.",
    "Names say what a thing is for, and only then how it looks.",
)

PYTHON = '''\
def total(prices: list[Decimal], *, rate: Decimal) -> Decimal:
    """The sum of `prices` with tax, rounded half up to cents."""
    net = sum(prices, Decimal(0))
    return (net * (1 + rate)).quantize(Decimal("0.01"), ROUND_HALF_UP)
'''
TYPESCRIPT = """\
export function debounce<T extends unknown[]>(run: (...args: T) => void, wait = 200) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...args: T) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), wait);
  };
}
"""
SHELL = "curl -fsS http://localhost:8000/healthz | jq .\n"
HTML = '<button class="primary" type="submit" disabled>Save &amp; close</button>\n'

CODE = (
    "## Four ways to say it\n\nIn Python:\n\n```python\n" + PYTHON + "```\n\nIn TypeScript:\n\n"
    "```ts\n" + TYPESCRIPT + "```\n\nOn the command line:\n\n```bash\n" + SHELL + "```\n\n"
    "And as markup, in a fence of tildes:\n\n~~~html\n" + HTML + "~~~\n\n"
    "Without a language:\n\n```\nplain   text\n\twith a tab\n```\n\nAnd indented:\n\n"
    "    four spaces\n    make a block\n\nInline it is `const a = 1` or ``a `tick` inside``.\n"
)

TABLE = (
    "## Plans compared\n\n| Plan | Seats | Price | Notes |\n| :--- | ---: | ---: | :---: |\n"
    + "".join(
        f"| {name} | {seats} | ${price}.00 | {note} |\n"
        for name, seats, price, note in (
            ("Starter", 1, 0, "`free`"),
            ("Regular", 3, 9, "**popular**"),
            ("Team", 10, 29, "shared \\| split"),
            ("Business", 50, 99, "*yearly*"),
            ("Enterprise", 500, 999, "[ask](https://example.com/ask)"),
        )
    )
    + "\nA second table, with a narrow shape:\n\n| Key | Value |\n|---|---|\n| a | 1 |\n| b | 2 |\n\n"
    "That is all of it.\n"
)

LIST = (
    "## Steps\n\n1. Read the brief\n2. Draw the page\n   - heading\n   - list\n     - one entry\n"
    "     - another entry\n   - footer\n3. Write it\n\n   A second paragraph of the third step.\n\n"
    "4. Check it\n\nOpen questions:\n\n- [x] colour\n- [ ] wording\n- [ ] a **bold** `code` mix\n\n"
    "* loose item one\n\n* loose item two\n\n* loose item three\n\n> A quote with a list:\n>\n"
    "> - first\n> - second\n\nDone.\n"
)

UNICODE = (
    "Emoji: 😀 👩‍💻 🏳️‍🌈 🇩🇪, outside the first plane: \U0001d4b3 𠮷.\n\n"
    "Combining: e\u0301 a\u0308 n\u0303 o\u0302\u0323. Precomposed: é ä ñ ộ.\n\n"
    "עברית ואז English ואז שוב עברית. مرحبا بالعالم 123.\n\n"
    "日本語の文章です。한국어 문장입니다. ไทย.\n\n"
    "Separators: a\u2028b\u2029c\u0085d, zero width: a\u200bb\u200dc, soft\u00adhyphen, "
    "nul: a\u0000b, bell: \u0007, bom: \ufeff, replacement: \ufffd.\n\n"
    "| Zeichen | Größe |\n|---|---|\n| ß | ẞ |\n| \U0001d518 | ½ |\n"
)

HOSTILE = """\
## Markup that must stay text

<script>document.title = "ran"</script>
<img src=x onerror="document.title = 'ran'">
<svg onload="document.title='ran'"><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>
<iframe srcdoc="<script>parent.document.title='ran'</script>"></iframe>
<style>body { display: none }</style>
<div id="messages" hx-get="/accounts/login/" hx-trigger="load" hx-swap-oob="true">swapped</div>
<form action="https://example.com/"><button formaction="javascript:alert(1)">go</button></form>
<base href="https://example.com/"><meta http-equiv="refresh" content="0;url=https://example.com/">

[link](javascript:document.title='ran') [data](data:text/html,<script>alert(1)</script>)
[vb](vbscript:msgbox) [entity](&#106;avascript:alert(1)) [tab](java\tscript:alert(1))
![image](https://example.com/track.png) ![x](x"onerror="alert(1))
<https://example.com/"onmouseover="alert(1)> [a]: <javascript:alert(1)>

[ref]: javascript:alert(1) "title' onclick='alert(1)"
A [ref] and a [mailto](mailto:a@example.com?subject=<script>) and http://example.com/<b>.

```html" onmouseover="alert(1)
<script>alert("in a fence")</script>
</code></pre><script>alert(1)</script>
```

| <b>a</b> | `<script>` |
|---|---|
| <img src=x onerror=alert(1)> | {{ 7*7 }} {% debug %} ${7*7} |

<!-- a comment --> <![CDATA[ data ]]> &lt;script&gt; &amp;amp; \\<escaped\\>
"""


def paragraph(chance: random.Random) -> str:
    return " ".join(chance.choices(SENTENCES, k=chance.randint(2, 5))) + "\n\n"


def bullets(chance: random.Random) -> str:
    rows = chance.choices(SENTENCES, k=chance.randint(3, 8))
    return "".join(f"- {row}\n" for row in rows) + "\n"


def numbered(chance: random.Random) -> str:
    rows = chance.choices(SENTENCES, k=chance.randint(3, 6))
    return "".join(f"{number}. {row}\n" for number, row in enumerate(rows, 1)) + "\n"


def table(chance: random.Random) -> str:
    rows = "".join(
        f"| row {number} | {chance.randint(1, 9_999)} | `{chance.choice(('ok', 'late', 'new'))}` |\n"
        for number in range(chance.randint(3, 12))
    )
    return "| Name | Count | State |\n| --- | ---: | --- |\n" + rows + "\n"


def code(chance: random.Random, lines: int = 0) -> str:
    rows = "".join(
        f'  const value{number} = compute({chance.randint(0, 999)}, "{chance.choice("abc")}");\n'
        for number in range(lines or chance.randint(4, 14))
    )
    return f"```ts\nexport function part{chance.randint(0, 99)}() {{\n{rows}}}\n```\n\n"


def long_markdown(chance: random.Random, size: int) -> str:
    """Exactly `size` characters of mixed Markdown, with one block of code of 120 lines in it."""
    blocks = [f"# A long answer of {size:,} characters\n\n"]
    length, chapter = len(blocks[0]), 0
    kinds = (paragraph, paragraph, bullets, paragraph, numbered, table, paragraph, code)
    while length < size:
        if chapter % len(kinds) == 0:
            blocks.append(f"## Part {chapter // len(kinds) + 1}\n\n")
        block = code(chance, 120) if chapter == 7 else kinds[chapter % len(kinds)](chance)
        blocks.append(block)
        length = sum(map(len, blocks))
        chapter += 1
    return "".join(blocks)[:size]
