"""Links that lead where they say, and images that load nothing.

Owns which targets a link may have, and what is added to one whose text names another host. Works on
markdown-it's inline tokens; the sanitiser of `markdown` comes after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from markdown_it.token import Token

from chats.rendering.code import visible

SCHEMES = frozenset({"http", "https", "mailto"})
HOST = re.compile(r"[\w.-]+")
MAILBOX = re.compile(r"[^\s\"'<>@]+@[\w.-]+")
# What a reader takes for an address: anything behind two slashes, or names joined by dots.
SLASHED = re.compile(r"//([^\s/?#]+)")
DOTTED = re.compile(r"\s*(?:[^\s/@]*@)?((?:[\w-]+\.)+([^\W\d_]{2,}))(?=[/:?#\s]|$)")
# Ends of file names, and of names such as Next.js, that no host has.
FILES = frozenset({
    "cjs", "css", "env", "html", "js", "json", "jsx", "lock", "mdx", "mjs", "png", "prisma", "scss",
    "sql", "svg", "toml", "ts", "tsx", "txt", "yaml", "yml",
})  # fmt: skip


def honest(tokens: Sequence[Token]) -> Iterator[Token]:
    """Inline tokens with images as links, and links only where one may lead."""
    opened: list[Token] = []
    shown = ""
    for token in tokens:
        match token.type:
            case "link_open":
                opened.append(token)
                shown = ""
                if target(token):
                    yield token
            case "link_close":
                yield from _closed(token, target(opened.pop()), shown)
            case "image":
                shown += token.content
                yield from _image(token, is_linked=bool(opened))
            case _:
                if opened and token.type == "text":
                    token.content = visible(token.content)
                shown += token.content
                yield token


def target(link: Token) -> str:
    """The host that a link leads to, or the address that it writes to; "" when it may not be one."""
    try:
        parts = urlsplit(str(link.attrs.get("href", "")))
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme == "mailto":
        return parts.path if MAILBOX.fullmatch(parts.path) else ""
    return host if parts.scheme in SCHEMES and HOST.fullmatch(host) else ""


def _closed(close: Token, real: str, shown: str) -> Iterator[Token]:
    """The end of a link, and where it leads when its text names another host."""
    if real:
        yield close
        if _pretends(shown, real):
            yield _text(f" ({visible(real)})")


def _pretends(shown: str, real: str) -> bool:
    said = SLASHED.findall(shown)
    if (dotted := DOTTED.match(shown)) and dotted[2].lower() not in FILES:
        said.append(dotted[1])
    return any(_bare(host) != _bare(real) for host in said)


def _bare(host: str) -> str:
    host = host.rpartition("@")[2].partition(":")[0]
    return host.lower().rstrip(".,;!)").removeprefix("www.")


def _image(image: Token, *, is_linked: bool) -> Iterator[Token]:
    words = visible(_plain(image.children or ())) or "image"
    link = Token("link_open", "a", 1, attrs={"href": str(image.attrs.get("src", ""))})
    real = "" if is_linked else target(link)
    if real:
        yield link
    yield _text(words)
    yield from _closed(Token("link_close", "a", -1), real, words)


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(
        " " if token.type == "softbreak" else _plain(token.children or ()) or token.content
        for token in tokens
    )


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
