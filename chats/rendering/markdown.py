"""Markdown to safe HTML: the one door through which an agent's prose enters a page.

Owns the dialect (CommonMark with tables, strikethrough and bare http links; no HTML, no images) and
the sanitiser, which is the last step whatever came before it. Relies on markdown-it-py and nh3;
knows nothing of nodes, and never marks a string as safe for templates.

Headings get the level that their place on the page has, by `headings`.
An image becomes a link with its alternative text, since a picture that loads tells its server who
reads. A link whose text looks like an address of another host shows the real one behind it.
Nothing is dropped: what is nested too deep, too long or too intricate to be read in bounded time
is shown as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as read_table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from chats.rendering import code, headings
from chats.rendering.headings import Outline
from chats.rendering.links import SCHEMES, honest
from chats.rendering.mending import mended

References = MutableMapping[str, Any]

DEEPEST = 40
COLUMNS = 30
# What one inline run may hold. Brackets are counted because each one is looked for to the end.
LONGEST_RUN = 16 * 1024
BRACKETS = 200
COLONS = 200

TAGS = frozenset({
    "p", "br", "em", "strong", "del", "code", "pre", "span", "button", "ul", "ol", "li",
    "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "a", "table", "thead", "tbody",
    "tr", "th", "td",
})  # fmt: skip
LANGUAGE_CLASS = re.compile(r"language-[a-z0-9+-]{1,20}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A top-level block: its kind, its lines `[start, end)` of the source, and what it was read as."""

    kind: str
    start: int
    end: int
    tokens: Sequence[Token]

    @property
    def inside(self) -> Sequence[Token]:
        return self.tokens[1:-1]

    @property
    def is_too_deep(self) -> bool:
        return any(token.level >= DEEPEST - 1 for token in self.tokens)


class Markdown:
    """A reader and writer of the dialect. Has no state between two calls."""

    def outline(self, source: str) -> list[Unit]:
        """The blocks of `source`, without what is inside their lines."""
        tokens: list[Token] = []
        MARKDOWN.block.parse(source, MARKDOWN, {}, tokens)
        return list(_units(tokens))

    def read(
        self,
        source: str,
        references: References,
        *,
        outline: Outline = (),
        is_open: bool = False,
    ) -> list[Unit]:
        """The blocks of `source`, which is under the headings of `outline`; definitions of links are
        looked up in `references` and added.

        Where `is_open`, more follows: what the last line left open is shown as if it were closed.
        """
        env = {"references": references, "outline": outline, "is_open": is_open}
        return list(_units(MARKDOWN.parse(source, env)))

    def html(self, tokens: Sequence[Token]) -> str:
        return clean(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))

    def code(self, content: str, info: str) -> str:
        return clean(code.block(content, info))


def clean(html: str) -> str:
    return CLEANER.clean(html)


def _units(tokens: Sequence[Token]) -> Iterator[Unit]:
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            first = tokens[start]
            first_line, end = first.map or (0, 0)
            kind = first.type.removesuffix("_open")
            yield Unit(kind, first_line, end, tokens[start : index + 1])
            start = index + 1


class _Renderer(RendererHTML):
    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        name = code.label(token.info)
        named = f' data-language="{escape(name)}"' if name else ""
        return f"<pre{named}>{code.block(token.content, token.info)}</pre>\n"

    def code_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return f"<pre>{code.block(tokens[idx].content, '')}</pre>\n"

    def code_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return f"<code>{escape(code.visible(tokens[idx].content), quote=False)}</code>"

    def s_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "<del>"

    def s_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</del>"


def _inline(state: StateCore) -> None:
    if state.env["is_open"]:
        _mend(state.tokens)
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = []
        if is_bounded(token.content):
            state.md.inline.parse(token.content, state.md, state.env, token.children)
            token.children = list(honest(token.children))
        else:
            token.children.append(Token("text", "", 0, content=token.content))


def _mend(tokens: Sequence[Token]) -> None:
    """Close what the last run left open; the cells that its row does not have yet are empty."""
    for token in reversed(tokens):
        if token.type == "inline" and token.content:
            token.content = mended(token.content)
            return
        if token.nesting >= 0 and token.type not in ("inline", "td_open"):
            return


def is_bounded(content: str) -> bool:
    """Whether reading `content` as one inline run takes a bounded time."""
    return (
        len(content) <= LONGEST_RUN
        and content.count("[") <= BRACKETS
        and content.count(":") <= COLONS
    )


def _shape(state: StateCore) -> None:
    """Levels of headings, alignment without a style attribute."""
    outline: Outline = state.env["outline"]
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close") and token.level:
            token.tag = headings.tag_inside(outline)
        elif token.type == "heading_open":
            outline = headings.under(outline, int(token.tag[1]))
            token.tag = headings.tag(outline)
        elif token.type == "heading_close":
            token.tag = headings.tag(outline)
        elif token.type in ("th_open", "td_open") and token.attrs:
            token.attrs = {"align": str(token.attrs["style"]).rpartition(":")[2]}


def _bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A short source can ask for a great many empty cells: no more than COLUMNS in a row."""
    wide = state.src.count("|", state.bMarks[start], state.eMarks[start]) > COLUMNS
    return not wide and read_table(state, start, end, silent)


def _kept(tag: str, attribute: str, value: str) -> str | None:
    match tag, attribute:
        case "code", "class":
            return value if LANGUAGE_CLASS.fullmatch(value) else None
        case "ol", "start":
            return value if value.isascii() and value.isdigit() and len(value) < 10 else None
        case (("th" | "td"), "align"):
            return value if value in ("left", "center", "right") else None
        case _:
            return value


def _parser() -> MarkdownIt:
    parser = MarkdownIt(
        "js-default",
        {"html": False, "linkify": True, "maxNesting": DEEPEST},
        renderer_cls=_Renderer,
    )
    parser.disable(["html_block", "html_inline", "replacements", "smartquotes"])
    parser.core.ruler.disable("linkify")
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.after("inline", "shape", _shape)
    parser.block.ruler.at("table", _bounded_table, {"alt": ["paragraph", "reference"]})
    if parser.linkify is None:
        raise ImportError("linkify-it-py is not installed")
    for name in ("ftp:", "//", "mailto:"):
        parser.linkify.add(name, None)
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    return parser


MARKDOWN: Final = _parser()
# `button` and `data-copy` carry no action of their own; `start`, `data-language` and the classes of
# `span` are filtered. Everything else that HTML has is not in the list.
CLEANER: Final = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=set(),
    attributes={
        "a": {"href", "title"},
        "code": {"class"},
        "ol": {"start"},
        "pre": {"data-language"},
        "th": {"align"},
        "td": {"align"},
    },
    attribute_filter=_kept,
    tag_attribute_values={"button": {"type": {"button"}, "data-copy": {""}}},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    allowed_classes={"span": set(code.CLASSES)},
    link_rel="noopener noreferrer nofollow",
    url_schemes=set(SCHEMES),
    url_relative="deny",
)
PROSE: Final = Markdown()
