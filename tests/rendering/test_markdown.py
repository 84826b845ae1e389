"""The dialect and its sanitiser: what an agent's prose may put into a page."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from chats.rendering.markdown import PROSE, clean

REL = 'target="_blank" rel="noopener noreferrer nofollow"'


def html(text: str) -> str:
    return "".join(PROSE.html(unit.tokens) for unit in PROSE.read(text, {})).strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*a* **b** `c` ~~d~~", "<p><em>a</em> <strong>b</strong> <code>c</code> <del>d</del></p>"),
        ("# a", "<h3>a</h3>"),
        ("## a", "<h3>a</h3>"),
        ("# a\n## b\n### c", "<h3>a</h3>\n<h4>b</h4>\n<h5>c</h5>"),
        ("a\n===", "<h3>a</h3>"),
        ("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("a  \nb", "<p>a<br>\nb</p>"),
        ("***", "<hr>"),
    ],
)
def test_the_dialect(text: str, expected: str) -> None:
    assert html(text) == expected


def test_columns_keep_their_alignment_without_a_style() -> None:
    made = html("| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | 3 |")
    assert '<th align="left">a</th>' in made
    assert '<td align="center">2</td>' in made
    assert '<td align="right">3</td>' in made
    assert "style" not in made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](https://b.c/d?e=1&f=2)", f'<a href="https://b.c/d?e=1&amp;f=2" {REL}>a</a>'),
        ("[a](http://b.c 'd')", f'<a href="http://b.c" title="d" {REL}>a</a>'),
        ("<https://b.c>", f'<a href="https://b.c" {REL}>https://b.c</a>'),
        ("https://b.c/d_e", f'<a href="https://b.c/d_e" {REL}>https://b.c/d_e</a>'),
        ("<mailto:a@b.c>", f'<a href="mailto:a@b.c" {REL}>mailto:a@b.c</a>'),
        ("[write](mailto:a@b.c)", f'<a href="mailto:a@b.c" {REL}>write</a>'),
        ("[b.c](https://www.b.c)", f'<a href="https://www.b.c" {REL}>b.c</a>'),
        ("[https://b.co](https://d.e)", f'<a href="https://d.e" {REL}>https://b.co</a> (d.e)'),
        (
            "[http://1.2.3.4:5](https://d.e)",
            f'<a href="https://d.e" {REL}>http://1.2.3.4:5</a> (d.e)',
        ),
        ("[https://d.e:1/](https://d.e)", f'<a href="https://d.e" {REL}>https://d.e:1/</a>'),
        (
            "[see https://b.co](https://d.e)",
            f'<a href="https://d.e" {REL}>see https://b.co</a> (d.e)',
        ),
        ("[Next.js](https://d.e)", f'<a href="https://d.e" {REL}>Next.js</a>'),
        ("[app/b.tsx](https://d.e)", f'<a href="https://d.e" {REL}>app/b.tsx</a>'),
        ("[b.co](mailto:a@d.e)", f'<a href="mailto:a@d.e" {REL}>b.co</a> (a@d.e)'),
        ("[b.co](https://d.e)", f'<a href="https://d.e" {REL}>b.co</a> (d.e)'),
        ("[`b.co`](https://d.e)", f'<a href="https://d.e" {REL}><code>b.co</code></a> (d.e)'),
        ("[*b*.co](https://d.e)", f'<a href="https://d.e" {REL}><em>b</em>.co</a> (d.e)'),
        ("[u@b.co](https://d.e)", f'<a href="https://d.e" {REL}>u@b.co</a> (d.e)'),
        ("[//b.co/x](https://d.e)", f'<a href="https://d.e" {REL}>//b.co/x</a> (d.e)'),
        ("[b.co](https://b.co@d.e)", f'<a href="https://b.co@d.e" {REL}>b.co</a> (d.e)'),
        ("[b.co](https://b.co.d.e)", f'<a href="https://b.co.d.e" {REL}>b.co</a> (b.co.d.e)'),
        ("[a](/b/c)", "a"),
        ("[a](b.tsx)", "a"),
        ("[a](//b.c/d)", "a"),
        ("[a](#b)", "a"),
        ("[a]()", "a"),
        ("[a](ftp://b.c)", "a"),
        ("[a](https:b.c)", "a"),
        ("[a](http:///b)", "a"),
        ("[a](https://[bad)", "a"),
        ("[a](tel:1)", "a"),
        ("[a](ws://b.c)", "a"),
        ("[a](blob:https://b.c/d)", "a"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("[a](JaVaScRiPt:alert(1))", "[a](JaVaScRiPt:alert(1))"),
        ("[a](java&#10;script:alert(1))", "a"),
        ("[a](vbscript:x)", "[a](vbscript:x)"),
        ("[a](file:///etc/passwd)", "[a](file:///etc/passwd)"),
        ("[a](data:text/html,<script>)", "[a](data:text/html,&lt;script&gt;)"),
        ("<javascript:alert(1)>", "&lt;javascript:alert(1)&gt;"),
        ("[a](<java\tscript:alert(1)>)", "a"),
    ],
)
def test_a_link_leads_where_it_says(text: str, expected: str) -> None:
    assert html(text) == f"<p>{expected}</p>"


def test_a_host_in_other_letters_is_told_as_it_is_spelled() -> None:
    made = html("<https://xn--80ak6aa92e.com>")
    assert made.endswith("</a> (xn--80ak6aa92e.com)</p>")


def test_a_character_that_turns_the_text_is_seen_in_links_and_code() -> None:
    assert "[U+202E]" in html("[a\u202eb](https://c.d)")
    assert "[U+2066]" in html("`a\u2066b`")
    assert "[U+202E]" in html("```\na\u202eb\n```")
    assert "[U+202E]" not in html("a\u202eb")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![a *b*](https://c.d/e.png)", f'<a href="https://c.d/e.png" {REL}>a b</a>'),
        ("![](https://c.d/e.png)", f'<a href="https://c.d/e.png" {REL}>image</a>'),
        ("![b.co](https://c.d/e.png)", f'<a href="https://c.d/e.png" {REL}>b.co</a> (c.d)'),
        ("![a](/b.png)", "a"),
        ("[![a](https://b.c)](https://d.e)", f'<a href="https://d.e" {REL}>a</a>'),
    ],
)
def test_an_image_is_a_link_or_its_words(text: str, expected: str) -> None:
    assert html(text) == f"<p>{expected}</p>"


def test_code_has_its_language_its_colours_and_a_button() -> None:
    assert html("```ts\nlet a = 'b'\n```") == (
        '<pre data-language="ts"><button type="button" data-copy="">Copy</button>'
        '<code class="language-ts"><span class="kd">let</span> a <span class="o">=</span> '
        "<span class=\"s1\">'b'</span>\n</code></pre>"
    )


@pytest.mark.parametrize(
    ("info", "label", "language"),
    [
        ("tsx", "tsx", "tsx"),
        ('tsx file="app/page.tsx"', "app/page.tsx", "tsx"),
        ("tsx title='a b'", "a b", "tsx"),
        ("C++", "c++", "c++"),
        ("x" * 21, None, None),
        ('"><script>', None, None),
        ('tsx file="<script>\'&"', "&lt;script&gt;'&amp;", "tsx"),
        ("", None, None),
    ],
)
def test_what_stands_behind_a_fence(info: str, label: str | None, language: str | None) -> None:
    made = html(f"~~~{info}\na\n~~~")
    named = re.search(r'<pre data-language="([^"]*)"', made)
    kept = re.search(r'<code class="language-([^"]*)"', made)
    assert (named[1] if named else None) == label
    assert (kept[1] if kept else None) == language


@pytest.mark.parametrize("language", ["tsx", "jsonc", "svelte", "console", "no-such", "diff"])
@pytest.mark.parametrize("code", ["", "\n\n a\n\n", "\ta & <b>'\"", "'''\nunclosed", "- a\n+ b\n"])
def test_highlighting_changes_no_character(language: str, code: str) -> None:
    made = html(f"````{language}\n{code}\n````")
    inside = re.fullmatch(r".*?<code[^>]*>(.*)</code></pre>", made, re.DOTALL)
    assert inside
    text = re.sub("<[^>]*>", "", inside[1])
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, character)
    assert text == code + "\n"


def test_very_long_code_is_not_highlighted() -> None:
    assert "<span" not in html("```js\n" + "let a = 1\n" * 4_000 + "```")


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=alert(1)>", ""),
        ('<p id="at" hx-get="/x" data-hx-get="/x" style="a" class="b" onclick="c">d</p>', "<p>d</p>"),
        ('<a href="https://a.b" hx-boost="true" ping="x" download>c</a>', f'<a href="https://a.b" {REL}>c</a>'),
        ('<a href="javascript:x" target="_self" rel="opener">c</a>', f"<a {REL}>c</a>"),
        ('<code class="language-js evil">a</code>', "<code>a</code>"),
        ('<code class="language-js">a</code>', '<code class="language-js">a</code>'),
        ('<span class="kd composer">a</span>', '<span class="kd">a</span>'),
        ('<button type="submit" form="composer" formaction="/x" name="a">b</button>', "<button>b</button>"),
        ('<ol start="javascript:1"><li>a</ol>', "<ol><li>a</li></ol>"),
        ('<td align="evil">a</td>', "a"),
        ("<svg><a xlink:href='javascript:x'>a</a></svg>", ""),
        ("<math><mtext><style><img src=x></style></mtext></math>", ""),
        ("<form><input name=a><textarea>b", "b"),
        ("<base href=//x><meta http-equiv=refresh><link rel=preconnect href=//y>", ""),
        ("<iframe srcdoc='<script>x</script>'></iframe>", ""),
        ("<!-- a --><template>b</template>", ""),
    ],
)  # fmt: skip
def test_the_sanitiser_keeps_its_list_and_nothing_else(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


def test_prose_may_be_made_in_any_thread() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(html, ["# a\n\n- *b*\n\n```js\nlet c\n```"] * 40))
    assert len(set(made)) == 1
