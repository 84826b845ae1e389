"""A message as Markdown: texts render as they do on the page, and nothing swallows what follows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats.rendering.shown import File, Shown
from chats.rendering.transcript import fence, heading, message, plain, span
from chats.v0api.types import Attachment, parts_from_wire
from tests.rendering.corpus import LINES
from tests.rendering.documents import has, levelled, rendered
from tests.rendering.seen import END, START
from tests.rendering.shape import shape_of_whole

DEFINITION = re.compile(r"\[[^\]]*\]:")


def written(*wires: Any, **fields: Any) -> str:
    return message(
        Shown("1", "assistant", "finished", parts=parts_from_wire(list(wires)), **fields)
    )


OTHERS: Sequence[dict[str, Any]] = (
    {"type": "thinking", "text": "```\nopen"},
    {"type": "bash", "command": "echo '```'", "output": "~~~~\n`````"},
    {"type": "file-read", "paths": ["`a` b", ""]},
    {"type": "file-edit", "operation": "*new*", "path": "[a](b)"},
    {"type": "tool-call", "name": "a*b", "input": {"a": "```"}, "output": "- x"},
    {"type": "agent-action", "name": "exit_plan_mode", "data": {"plan": "1. a\n\n   ```\n   b"}},
    {"type": "agent-action", "name": "ask_user_questions", "data": {"questions": [{"question": "> a"}]}},
    {"type": "hologram", "depth": 3},
)  # fmt: skip
PROSES = st.lists(
    st.sampled_from([line for line in LINES if not DEFINITION.search(line)]), max_size=8
)
TEXTS = st.builds(lambda lines: {"type": "text", "text": "\n".join(lines)}, PROSES)


@settings(max_examples=120, deadline=None)
@given(st.lists(TEXTS | TEXTS | st.sampled_from(OTHERS), max_size=6))
def test_texts_render_as_they_do_on_the_page_whatever_stands_around_them(
    wires: list[dict[str, Any]],
) -> None:
    texts = [levelled(shape_of_whole(wire["text"])) for wire in wires if wire["type"] == "text"]
    document = written(*wires)
    assert has(rendered(document), texts), document


@settings(max_examples=150, deadline=None)
@given(st.text("`~ \na*_\\", max_size=30))
def test_a_fence_and_a_span_survive_what_they_hold(text: str) -> None:
    held = rendered(f"{fence(text)}\n\n# after")
    assert held[-3:] == [("<", "h"), ("text", "after"), (">", "h")]
    assert ("text", text.rstrip("\n")) in held or not text.strip("\n")
    line = rendered(f"a {span(text)} b")
    assert line[:2] == [("<", "p"), ("text", "a ")] or not span(text)
    if span(text):
        assert [each[1] for each in line if each[0] == "<"] == ["p", "code"]
        assert line[3] == ("text", re.sub(r"\n+", " ", text))


@settings(max_examples=100, deadline=None)
@given(st.text("`~ \na*_\\[]()<>&|#!1.-+", max_size=30))
def test_words_mean_nothing_to_markdown(text: str) -> None:
    expected = " ".join(text.split())
    found = rendered(f"**x** {plain(text)}")
    wanted = [("<", "strong"), ("text", "x"), (">", "strong")]
    wanted += [("text", f" {expected}")] if expected else []
    assert found == [("<", "p"), *wanted, (">", "p")]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"type": "text", "text": "  \n"}, ""),
        ({"type": "text", "text": "a\n\n"}, "a"),
        ({"type": "text", "text": "```js\nlet a\n"}, "```js\nlet a\n```"),
        ({"type": "text", "text": "~~~~\n```"}, "~~~~\n```\n~~~~"),
        ({"type": "text", "text": 'a<CodeProject id="1">b</CodeProject>c'}, "ac"),
        (
            {"type": "thinking", "text": "a\n\nb", "startedAt": START, "finishedAt": END},
            "> **Thought** for 12 s\n>\n> a\n>\n> b",
        ),
        ({"type": "thinking", "text": " "}, ""),
        ({"type": "file-read", "paths": ["a", "b c"]}, "**Read** 2 files `a` `b c`"),
        (
            {"type": "file-edit", "operation": "rename", "path": "a", "toPath": "b"},
            "**Renamed** `a` → `b`",
        ),
        ({"type": "search", "scope": "web", "query": "a`b"}, "**Searched the web** ``a`b``"),
        (
            {"type": "bash", "command": "ls", "output": "\x1b[32mok\x1b[0m\r\n", "exitCode": 0},
            "**Ran** (exit 0)\n\n```sh\nls\n```\n\nOutput:\n\n```\nok\n```",
        ),
        (
            {"type": "tool-call", "name": "ping", "input": {}, "output": "é", "status": "error"},
            "**Failed to use** ping\n\nInput:\n\n```json\n{}\n```\n\nOutput:\n\n```\né\n```",
        ),
        (
            {
                "type": "agent-action",
                "name": "ask_user_questions",
                "data": {"questions": [{"question": "Which?", "options": [{"label": "A"}]}]},
            },
            "**Asked questions**\n\n**Which?** *A*",
        ),
        (
            {
                "type": "agent-action",
                "name": "manage_todos",
                "data": {"todos": [{"content": "*a*", "status": "done"}, {"content": "b"}]},
            },
            "**Updated the to-do list**\n\n> - [x] \\*a\\*\n> - [ ] b",
        ),
        (
            {
                "type": "agent-action",
                "name": "diagnostics",
                "data": {"errors": [{"message": "No", "file": "a.ts", "line": 3}]},
            },
            "**Checked for problems**\n\n> - error: `a.ts:3` No",
        ),
        (
            {
                "type": "agent-action",
                "name": "generate_image",
                "data": {"images": ["https://x.test/a", "public/b.png"]},
            },
            "**Generated an image**\n\n[Open](<https://x.test/a>), `public/b.png`",
        ),
        ("odd", '**Did something**\n\n```json\n{\n  "value": "odd"\n}\n```'),
    ],
)
def test_each_part_is_readable(wire: Any, expected: str) -> None:
    assert written(wire) == expected


def test_what_a_person_wrote_comes_with_the_names_of_its_files() -> None:
    shown = Shown(
        "1",
        "user",
        "finished",
        created=START,
        author="Ada *<b>*",
        text="Make it:\n```\na",
        files=(File("a_b.png", "id"),),
        attachments=(Attachment("https://x.test/a b>.pdf"), Attachment("javascript:alert(1)")),
    )
    assert heading(shown) == "## Ada \\*\\<b\\>\\*, 2026-01-01 10:00 UTC"
    assert message(shown) == (
        "Make it:\n```\na\n```\n\n"
        "**Attached:** a\\_b.png, [a b\\>.pdf](<https://x.test/a%20b%3E.pdf>), javascript:alert(1)"
    )


def test_how_it_ended_is_said() -> None:
    shown = Shown("1", "assistant", "failed", problem="upstream", detail="*Over*loaded\nnow")
    assert message(shown).endswith("It can be sent again.\n\n> \\*Over\\*loaded now")
    assert message(Shown("1", "assistant", "stopped")) == "*Stopped.*"
    back = Shown("1", "assistant", "finished", restores="2", restored_from=START)
    assert "as they were after the answer of 2026-01-01 10:00 UTC.*" in message(back)
