"""Code as HTML: highlighted by classes, with its language and a button to copy it.

Owns which languages are highlighted and up to which size. Relies on Pygments for the tokens; gives
HTML that `markdown` still sanitises.
"""

from __future__ import annotations

import re
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import STANDARD_TYPES, _TokenType

# At about 1 MB a second: what one process may do between two other tasks.
HIGHLIGHTED = 32 * 1024

# Names that models write after a fence, where Pygments knows them by another name or not at all.
ALIASES = {
    "astro": "html", "env": "bash", "dotenv": "bash", "jsonc": "json", "mdx": "markdown",
    "shell": "bash", "svelte": "html", "yml": "yaml", "zsh": "bash",
}  # fmt: skip
LANGUAGES = frozenset({
    "bash", "c", "console", "cpp", "csharp", "css", "diff", "docker", "dockerfile", "go",
    "graphql", "html", "ini", "java", "javascript", "js", "json", "jsx", "kotlin", "lua",
    "make", "markdown", "md", "nginx", "php", "powershell", "py", "python", "rb", "ruby",
    "rust", "scss", "sh", "sql", "swift", "toml", "ts", "tsx", "typescript", "vue", "xml",
    "yaml",
})  # fmt: skip
LANGUAGE = re.compile(r"[a-z0-9+-]{1,20}")
FILE = re.compile(r"""\b(?:file|filename|title)=(?:"([^"]+)"|'([^']+)'|(\S+))""")

# A character that turns the direction of text can make code read otherwise than it runs.
TURNING = {
    code: f"[U+{code:04X}]"
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
# Classes that no style distinguishes would only make the answer longer.
PLAIN = frozenset({"", "w", "n", "nx", "p", "x", "g", "l", "ld", "err", "esc"})
CLASSES = frozenset(STANDARD_TYPES.values()) - PLAIN
COPY = '<button type="button" data-copy="">Copy</button>'


def visible(text: str) -> str:
    """`text` with the characters that turn its direction written out."""
    return text if text.isascii() else text.translate(TURNING)


def language(info: str) -> str:
    """The language that the words after a fence name, "" if none."""
    first = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    return first if LANGUAGE.fullmatch(first) else ""


def label(info: str) -> str:
    """What stands above a code block: the file that the fence names, else the language."""
    named = FILE.search(info)
    return next(filter(None, named.groups()), "") if named else language(info)


def block(content: str, info: str) -> str:
    """The inside of a finished `<pre>`."""
    name = language(info)
    known = f' class="language-{name}"' if name else ""
    return f"{COPY}<code{known}>{highlighted(visible(content), name)}</code>"


def line(content: str) -> str:
    """One line of an open code block."""
    return escape(visible(content), quote=False)


def highlighted(content: str, name: str) -> str:
    lexer = _lexer(name)
    if lexer is None or len(content) > HIGHLIGHTED:
        return escape(content, quote=False)
    return "".join(_span(kind, value) for kind, value in lexer.get_tokens(content))


def _lexer(name: str) -> Lexer | None:
    name = ALIASES.get(name, name)
    if name not in LANGUAGES:
        return None
    return find_lexer_class_by_name(name)(stripnl=False, ensurenl=False)


def _span(kind: _TokenType, value: str) -> str:
    text = escape(value, quote=False)
    name = STANDARD_TYPES.get(kind, "")
    return f'<span class="{name}">{text}</span>' if name in CLASSES else text
