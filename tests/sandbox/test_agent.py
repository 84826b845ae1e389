"""The agent leaves real files that show what was asked, changes them on request, and tells the
truth about them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from chats.sandbox.agent.reading import is_question, new_page, subject
from tests.sandbox.asking import Client

PAGE = "Build a landing page for a coffee roaster in green with a list of beans, mugs and filters"


class Outline(HTMLParser):
    """Texts by tag, and the names of open tags, which must balance."""

    VOID = frozenset({"meta", "link", "input", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.setdefault(self.open[-1], []).append(data.strip())


def outline(files: dict[str, str]) -> dict[str, list[str]]:
    page = Outline(files["index.html"])
    assert page.open == []
    return page.texts


def test_a_page_shows_the_heading_the_colour_and_the_list_that_were_asked_for(
    client: Client,
) -> None:
    files = client.files(client.new_chat(PAGE))
    assert sorted(files) == ["index.html", "script.js", "styles.css"]
    texts = outline(files)
    assert texts["h1"] == texts["title"] == ["Coffee Roaster"]
    assert texts["button"] == ["Beans", "Mugs", "Filters"]
    assert "--accent: #15803d;" in files["styles.css"]
    assert "color-scheme: light;" in files["styles.css"]
    assert 'href="styles.css"' in files["index.html"]
    assert 'src="script.js"' in files["index.html"]
    assert "http" not in "".join(files.values())


def test_follow_ups_change_the_files_and_the_prose_says_so(client: Client) -> None:
    chat_id = client.new_chat(PAGE)
    steps = (
        ("make it dark", "styles.css", "color-scheme: dark;", "dark"),
        ("Add a contact form, please", "index.html", '<textarea name="message"', "contact form"),
        ("rename the heading to Bean & Co", "index.html", "<h1>Bean &amp; Co</h1>", "Bean & Co"),
        ("Use purple instead", "styles.css", "--accent: #7e22ce;", "purple"),
        ("add Cold brew to the list", "index.html", ">Cold brew</button>", "Cold brew"),
        ("Make the text bigger", "styles.css", "font: 1.25rem", "larger"),
        ("Show our opening hours", "index.html", "<h2>Show Our Opening Hours</h2>", "section"),
    )
    for prompt, path, expected, told in steps:
        before = client.files(chat_id)
        message = client.send(chat_id, prompt)[-1]
        after = client.files(chat_id)
        assert expected not in before[path], prompt
        assert expected in after[path], prompt
        assert told in message["content"], prompt
        edited = [part["path"] for part in message["parts"] if part["type"] == "file-edit"]
        assert edited == [name for name in after if after[name] != before[name]], prompt
        outline(after)
    assert "color-scheme: dark;" in client.files(chat_id)["styles.css"]


def test_one_request_may_ask_for_several_changes(client: Client) -> None:
    chat_id = client.new_chat(PAGE)
    client.send(chat_id, "Rename the heading to Night Owl and make it dark and add an FAQ")
    files = client.files(chat_id)
    assert outline(files)["h1"] == ["Night Owl"]
    assert "color-scheme: dark;" in files["styles.css"]
    assert 'id="faq"' in files["index.html"]


def test_what_is_so_already_is_left_alone(client: Client) -> None:
    chat_id = client.new_chat(PAGE)
    before = client.files(chat_id)
    message = client.send(chat_id, "What colour is it?")[-1]
    assert client.files(chat_id) == before
    assert [part["type"] for part in message["parts"]] == ["thinking", "file-read", "text"]
    assert "green" in message["content"]


def test_the_sizes_in_the_closing_prose_are_those_of_the_files(client: Client) -> None:
    chat_id = client.new_chat(PAGE)
    content = client.newest(chat_id)["content"]
    for path, text in client.files(chat_id).items():
        assert f"| `{path}` | {len(text.encode()):,} |" in content


def test_what_somebody_typed_is_escaped_in_the_page(client: Client) -> None:
    chat_id = client.new_chat('Build a page called "<script>alert(1)</script>"')
    client.send(chat_id, "add <img src=x onerror=alert(1)> to the list")
    html = client.files(chat_id)["index.html"]
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_an_answer_thinks_reads_searches_edits_runs_and_tells(client: Client) -> None:
    parts = client.newest(client.new_chat(PAGE))["parts"]
    assert [part["type"] for part in parts] == [
        "thinking",
        "text",
        "file-read",
        "search",
        "search",
        "file-edit",
        "file-edit",
        "file-edit",
        "bash",
        "text",
    ]
    assert all(part["startedAt"] <= part["finishedAt"] for part in parts)
    prose = parts[-1]["text"]
    assert prose.startswith("## ")
    assert all(mark in prose for mark in ("\n- ", "\n| --- |", "```css\n"))


@pytest.mark.parametrize(
    ("prompt", "heading"),
    [
        ("Create a todo app", "Todo App"),
        ("Design a website about the history of trains", "History Of Trains"),
        ('Make a page titled "Hello World" with two buttons', "Hello World"),
        ("I need a dashboard for sales.", "Sales"),
        ("", "A Small Page"),
    ],
)
def test_the_heading_is_what_the_page_is_about(prompt: str, heading: str) -> None:
    assert subject(prompt) == heading


def test_colours_are_names_or_hexadecimal() -> None:
    assert new_page("A site in #ff00aa").accent == "#ff00aa"
    assert new_page("A teal site").accent == "#0f766e"


@pytest.mark.parametrize(
    ("prompt", "question"),
    [
        ("Hello", True),
        ("What colours did you use?", True),
        ("Can you add a newsletter?", False),
        ("How about making it dark", True),
        ("Add a footer", False),
    ],
)
def test_a_question_is_told_from_a_request(prompt: str, question: bool) -> None:
    assert is_question(prompt) is question
