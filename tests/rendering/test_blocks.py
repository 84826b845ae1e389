"""Markdown block by block: what is shown depends on the text alone, and a growth costs the same at
the end of a long text as at its beginning."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it.token import Token

from chats.live.state import Node
from chats.rendering import blocks as module
from chats.rendering import markdown, pieces
from chats.rendering.blocks import OPEN, STEP, Blocks
from chats.rendering.headings import Outline
from chats.rendering.markdown import PROSE, Markdown, References, Unit
from chats.rendering.source import Source
from tests.rendering.corpus import CORPUS, LINES
from tests.rendering.shape import blocks, exhaust, shape_of, shape_of_whole

ENDS = st.sampled_from(["\n", "\r\n", "\r"])
Chunked = tuple[str, list[int]]


@st.composite
def chunked(draw: st.DrawFn, *, least: int = 1) -> Chunked:
    """A text and the places at which it is cut."""
    end = draw(ENDS)
    lines = draw(st.lists(st.sampled_from(LINES), min_size=least, max_size=least + 14))
    text = end.join(lines) + draw(st.sampled_from(["", end, end + end]))
    return text, draw(st.lists(st.integers(0, len(text)), max_size=14))


@contextmanager
def limits(open: int, step: int) -> Iterator[None]:
    """Blocks that end early, so that short texts reach every limit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "OPEN", open)
        patch.setattr(module, "STEP", step)
        patch.setattr(module, "LINE", 2)
        patch.setattr(module, "JOINED", 3 * open)
        patch.setattr(pieces, "SIZE", max(8, open // 4))
        patch.setattr(module, "LONGEST_RUN", 2 * open)
        patch.setattr(markdown, "LONGEST_RUN", 2 * open)
        yield


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS)
def test_blocks_are_what_markdown_it_makes_of_the_whole(text: str) -> None:
    assert shape_of(blocks(text)) == shape_of_whole(text)


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS)
def test_every_chunking_of_the_corpus_ends_the_same(text: str) -> None:
    whole = blocks(text)
    for size in (1, 2, 3, 5, 8, 13):
        assert blocks(text, range(size, len(text), size)) == whole


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS)
def test_a_page_made_in_the_middle_shows_what_grew_there(text: str) -> None:
    grown, source = Blocks("b", PROSE), Source()
    for end in range(len(text)):
        exhaust(grown.grow(source.take(text[:end], closed=False), closed=False))
        assert grown.nodes == blocks(text[:end], closed=False)


@settings(max_examples=200, deadline=None)
@given(chunked())
@example(("- a\n\n-", [5, 6]))
def test_any_chunking_ends_like_the_whole(case: Chunked) -> None:
    text, cuts = case
    nodes = blocks(text, cuts)
    assert nodes == blocks(text)
    assert shape_of(nodes) == shape_of_whole(text)


@settings(max_examples=200, deadline=None)
@given(chunked())
def test_an_open_text_shows_the_same_however_it_came(case: Chunked) -> None:
    text, cuts = case
    assert blocks(text, cuts, closed=False) == blocks(text, closed=False)


@settings(max_examples=250, deadline=None)
@given(chunked(least=8), st.sampled_from([(24, 8), (40, 16), (100, 60)]))
@example(("]:\n\n![i](http://x.y/z)\n[bar] and [foo]\n      six", [4, 12, 30, 34, 45]), (40, 16))
def test_what_is_cut_for_its_length_is_cut_at_the_same_place(
    case: Chunked, sizes: tuple[int, int]
) -> None:
    text, cuts = case
    with limits(*sizes):
        assert blocks(text, cuts) == blocks(text)
        assert blocks(text, cuts, closed=False) == blocks(text, closed=False)


@settings(max_examples=200, deadline=None)
@given(chunked())
def test_ids_are_never_given_twice(case: Chunked) -> None:
    text, cuts = case
    for closed in (False, True):
        nodes = blocks(text, cuts, closed=closed)
        ids = [node.id for block in nodes for node in block.walk()]
        assert len(ids) == len(set(ids))
        assert [block.id for block in nodes] == [f"b{index}" for index in range(len(nodes))]


def test_finished_blocks_stay_the_same_objects() -> None:
    text = "# a\n\nb\n\n```\nc\n```\n\n- d\n- e\n\nf [g]\n\nh"
    grown = Blocks("b")
    exhaust(grown.grow(text, closed=False))
    before = grown.nodes
    exhaust(grown.grow(" i", closed=False))
    assert [new is old for new, old in zip(grown.nodes, before, strict=True)] == [True] * 5 + [
        False
    ]


def test_a_late_definition_changes_only_what_uses_it() -> None:
    grown = Blocks("b")
    exhaust(grown.grow("[a] and [b]\n\n[c]\n\n- [a]\n- d\n\ne\n\n[a]: https://x.y\n", closed=False))
    before = grown.nodes
    exhaust(grown.grow("", closed=True))
    assert [new is old for new, old in zip(grown.nodes, before, strict=True)] == [
        False,
        True,
        False,
        True,
    ]
    assert grown.nodes[2].children[1] is before[2].children[1]
    assert "https://x.y" in grown.nodes[0].html


def test_an_open_code_block_grows_by_its_lines() -> None:
    grown = Blocks("b")
    exhaust(grown.grow("```js title=a.js\nlet a\nlet b", closed=False))
    before = grown.nodes[0]
    assert before == Node(
        "b0",
        "pre",
        (("data-language", "a.js"), ("data-open", "")),
        children=(Node("b0-0", "code", html="let a\n"), Node("b0-1", "code", html="let b")),
    )
    exhaust(grown.grow(" = 1\n``", closed=False))
    after = grown.nodes[0]
    assert after.children[0] is before.children[0]
    assert [line.html for line in after.children] == ["let a\n", "let b = 1\n"]


def test_an_open_list_grows_by_its_items() -> None:
    grown = Blocks("b")
    exhaust(grown.grow("1. a\n2. b\n3. c", closed=False))
    before = grown.nodes[0]
    exhaust(grown.grow("d", closed=False))
    after = grown.nodes[0]
    assert (after.tag, after.attrs) == ("ol", (("data-tight", ""),))
    assert after.children[:2] == before.children[:2]
    assert after.children[0] is before.children[0]
    assert after.children[2].html == "<p>cd</p>\n"


def test_a_list_that_turns_loose_keeps_its_items() -> None:
    grown = Blocks("b")
    exhaust(grown.grow("- a\n- b\n- c\n", closed=False))
    before = grown.nodes[0]
    exhaust(grown.grow("\n- d\n", closed=False))
    after = grown.nodes[0]
    assert (before.attrs, after.attrs) == ((("data-tight", ""),), ())
    assert after.children[0] is before.children[0]


def test_a_long_table_is_shown_in_sections_and_ends_as_one() -> None:
    row = "| " + "word " * 12 + "| b |\n"
    text = "| a | b |\n|---|---|\n" + row * (3 * OPEN // len(row))
    grown = Blocks("b")
    exhaust(grown.grow(text, closed=False))
    sections = grown.nodes[0].children
    assert len(sections) > 2
    assert all(section.html.startswith("<table>\n<thead>") for section in sections)
    assert sum(section.html.count("<tr>") - 1 for section in sections) == text.count("\n") - 2
    exhaust(grown.grow("\n", closed=False))
    assert shape_of(grown.nodes) == shape_of_whole(text)


def test_a_row_of_few_cells_never_becomes_a_thousand() -> None:
    text = "|a" * 30 + "|\n" + "|-" * 30 + "|\n" + "|b\n" * 20_000
    html = "".join(node.html for block in blocks(text) for node in block.walk())
    assert html.count("<td") < 20_000


def test_one_long_line_is_pieces_of_plain_text() -> None:
    text = "word **not bold** " * 12_000
    for nodes in (blocks(text), blocks(text, closed=False)):
        pieces = nodes[0].children
        assert all(len(piece.html) <= 4 * 1024 for piece in pieces)
        assert "".join(piece.html for piece in pieces).strip() == text.strip()


def test_a_long_paragraph_becomes_several() -> None:
    text = "a line of *words* that goes on\n" * 2_000
    nodes = blocks(text)
    assert max(len(node.html) for node in nodes) < 3 * OPEN
    assert sum(node.html.count("<em>") for node in nodes) == 2_000


class Counting(Markdown):
    """Counts the characters that are read and written."""

    def __init__(self) -> None:
        self.count = 0

    def outline(self, source: str) -> list[Unit]:
        self.count += len(source)
        return super().outline(source)

    def read(
        self,
        source: str,
        references: References,
        *,
        outline: Outline = (),
        is_open: bool = False,
    ) -> list[Unit]:
        self.count += len(source)
        return super().read(source, references, outline=outline, is_open=is_open)

    def html(self, tokens: Sequence[Token]) -> str:
        html = super().html(tokens)
        self.count += len(html)
        return html

    def code(self, content: str, info: str) -> str:
        self.count += len(content)
        return super().code(content, info)


def mixed(size: int) -> str:
    chance = random.Random(7)
    words = ["the", "quick", "**brown**", "fox", "builds", "`a page`", "[links](https://a.b)"]

    def some(least: int, most: int) -> str:
        return " ".join(chance.choices(words, k=chance.randint(least, most)))

    makers: list[Callable[[], str]] = [
        lambda: some(20, 90),
        lambda: "\n".join("- " + some(3, 15) for _ in range(chance.randint(2, 10))),
        lambda: "## " + some(2, 5),
        lambda: "```tsx\n" + "const [a, setA] = useState(0)\n" * chance.randint(5, 40) + "```",
        lambda: "| a | b |\n|---|---|\n" + "| c | d |\n" * chance.randint(2, 10),
        lambda: "> " + some(5, 30),
    ]
    made = ""
    while len(made) < size:
        made += chance.choice(makers)() + "\n\n"
    return made[:size]


def cost_of_chunks(text: str, chunks: int) -> list[int]:
    """The characters read and written for each chunk; the last one closes the text."""
    counting = Counting()
    grown, costs, before = Blocks("b", counting), [], 0
    for index in range(chunks):
        start, end = len(text) * index // chunks, len(text) * (index + 1) // chunks
        exhaust(grown.grow(text[start:end], closed=index == chunks - 1))
        costs.append(counting.count - before)
        before = counting.count
    return costs


def test_a_chunk_costs_the_same_at_the_end_of_200_kb() -> None:
    costs = cost_of_chunks(mixed(200_000), 5_000)
    early, late = sum(costs[500:1500]), sum(costs[-1001:-1])
    assert late < 1.5 * early
    assert sum(costs) / len(costs) < 3_000


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("word ", id="one line"),
        pytest.param("a line of words\n", id="one paragraph"),
        pytest.param("- item of a list\n", id="one list"),
        pytest.param("  - item of a list\n    more\n", id="one item"),
        pytest.param("> a line of words\n", id="one quote"),
        pytest.param("| a | b | c |\n|---|---|---|\n", id="one table"),
        pytest.param("[a]: https://b.c\n", id="definitions"),
        pytest.param("\n", id="blank lines"),
        pytest.param("    code\n", id="indented code"),
        pytest.param("<CodeProject>", id="not Markdown"),
    ],
)
def test_a_chunk_costs_the_same_in_one_endless_block(line: str) -> None:
    size = 40_000
    text = (line + "| 1 | 2 | 3 |\n" * size if line.startswith("|") else line * size)[:size]
    costs = cost_of_chunks("- first\n" * line.startswith(" ") + text, 150)
    assert max(costs[:-1]) < 12 * (OPEN + STEP)
    assert sum(costs[-51:-1]) <= 1.5 * sum(costs[50:100]) + 100


def test_an_open_code_block_is_not_read_again() -> None:
    costs = cost_of_chunks("```js\n" + "let a = 1\n" * 20_000, 2_000)
    assert sum(costs[10:-1]) == 0


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(">" * 10_000 + " x", id="quotes in quotes"),
        pytest.param("- " * 5_000 + "x", id="lists in lists"),
        pytest.param("".join("  " * level + "- a\n" for level in range(300)), id="deep lists"),
        pytest.param("[" * 50_000, id="brackets"),
        pytest.param("![" * 25_000, id="images"),
        pytest.param("[a](" * 12_000, id="links"),
        pytest.param("*" * 50_000, id="stars"),
        pytest.param("**a_b " * 9_000, id="emphasis"),
        pytest.param("".join("`" * count + " " for count in range(300)), id="backticks"),
        pytest.param("://" * 16_000, id="schemes"),
        pytest.param("a" + "\u0301" * 100_000, id="combining marks"),
        pytest.param("[\n" * 10_000, id="definitions that never end"),
        pytest.param("|a" * 2_000 + "|\n" + "|-" * 2_000 + "|\n" + "|b\n" * 2_000, id="columns"),
    ],
)
def test_nothing_of_a_pathological_text_is_lost(text: str) -> None:
    nodes = blocks(text)
    shown = "".join(part[1] for part in shape_of(nodes) if part[0] == "text")
    for character in set(text) - set("\n >-|[]*`"):
        assert character in shown
    assert all(len(node.html) < 16 * len(text) + 1_000 for block in nodes for node in block.walk())


def test_work_is_given_in_small_pieces() -> None:
    grown = Blocks("b", PROSE)
    assert exhaust(grown.grow(mixed(100_000), closed=True)) > 20
