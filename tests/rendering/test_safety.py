"""Hostile text in every place that a message has, in Chromium, without the policy that would stop it
in the app: nothing runs, nothing loads, and no element or attribute is there that ours are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chats.live.html import render
from chats.rendering.fixed import fixed
from chats.rendering.message import message_node
from chats.rendering.shown import Shown
from chats.v0api.types import Attachment, parts_from_wire
from tests.rendering.seen import END, START

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = (
    "<script>seen()</script>",
    "<img src=x onerror=seen()>",
    "<svg onload=seen()>",
    "<svg><script>seen()</script></svg>",
    "<svg><animate onbegin=seen() attributeName=x dur=1s>",
    "<math><mi//xlink:href='javascript:seen()'>",
    "<iframe srcdoc='<script>parent.seen()</script>'></iframe>",
    "<iframe src='javascript:parent.seen()'></iframe>",
    "<object data='javascript:seen()'></object>",
    "<embed src='javascript:seen()'>",
    "<body onload=seen()>",
    "<details open ontoggle=seen()>",
    "<input autofocus onfocus=seen()>",
    "<video><source onerror=seen()></video>",
    "<audio src=x onerror=seen()>",
    "<marquee onstart=seen()>",
    "<style>@import 'http://127.0.0.1:9/a.css'; * {background: url(http://127.0.0.1:9/b)}</style>",
    "<link rel=stylesheet href=http://127.0.0.1:9/c.css>",
    "<link rel=preconnect href=http://127.0.0.1:9>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/d'>",
    "<base href=http://127.0.0.1:9/>",
    "<form action=http://127.0.0.1:9/e><button autofocus>x</button></form>",
    "<a href=javascript:seen()>x</a>",
    "</title><script>seen()</script>",
    "</textarea><script>seen()</script>",
    "</pre></code></div></article><script>seen()</script>",
    "--><script>seen()</script><!--",
    "]]><script>seen()</script>",
    "\"><script>seen()</script>",
    "'><script>seen()</script>",
    "\" onmouseover=seen() autofocus onfocus=seen() x=\"",
    "' onfocus=seen() autofocus x='",
    "`onfocus=seen()`",
    "{{ 7|add:7 }}{% debug %}",
    "[x](javascript:seen())",
    "[x](JaVaScRiPt:seen())",
    "[x](java\nscript:seen())",
    "[x](&#106;avascript:seen())",
    "[x](javascript&colon;seen())",
    "[x](data:text/html;base64,PHNjcmlwdD5zZWVuKCk8L3NjcmlwdD4=)",
    "[x](vbscript:seen())",
    "[x](https://a.b \"onmouseover=seen() x=\\\"\")",
    "[x](https://a.b 'a\" onfocus=\"seen()\" autofocus tabindex=\"1')",
    "[x]: javascript:seen()\n\n[x]",
    "<javascript:seen()>",
    "![x](http://127.0.0.1:9/f.png)",
    "![x](x\" onerror=\"seen())",
    "![x][y]\n\n[y]: http://127.0.0.1:9/g.png",
    "```\"><script>seen()</script>\nx\n```",
    "```html\n<script>seen()</script>\n```",
    "```js file=\"'><img src=x onerror=seen()>\"\nx\n```",
    "~~~x onload=seen()\n</code></pre><script>seen()</script>\n~~~",
    "| <script>seen()</script> | [x](javascript:seen()) |\n|---|---|\n| <img src=x onerror=seen()> | b |",
    "- <img src=x onerror=seen()>\n- [x](javascript:seen())\n\n  <script>seen()</script>",
    "> <script>seen()</script>\n> # <img src=x onerror=seen()>",
    "<div hx-get=/evil hx-trigger=load></div>",
    "<div data-hx-post=/evil data-hx-trigger=load id=at></div>",
    "<i id=at data-at=9 hx-swap-oob=attrs></i>",
    "<div ws-connect=/ws/evil/></div>",
    "<div hx-on:load=seen()></div>",
    "<template><script>seen()</script></template>",
    "<noscript><p title='</noscript><script>seen()</script>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=seen()&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=seen()>",
    "\u2028<script>seen()</script>\u2029",
    "\x00<scr\x00ipt>seen()</scr\x00ipt>",
    "\ufeff<script>seen()</script>",
    "<CodeProject><script>seen()</script></CodeProject><script>seen()</script>",
    "\x1b]8;;javascript:seen()\x07x\x1b]8;;\x07",
)  # fmt: skip

ELEMENTS = frozenset(
    "article h1 h2 div details summary p em strong del a ul ol li blockquote h3 h4 h5 h6 hr br table"
    " thead tbody tr th td pre code span button time i dl dt dd".upper().split()
) | {"svg", "a", "rect", "title"}  # fmt: skip
ATTRIBUTES = frozenset(
    ["id", "class", "data-message", "data-role", "data-state", "data-part", "data-pending", "data-stopping", "data-icon", "data-language", "data-open", "data-tight", "data-copy", "data-since", "data-tone", "data-mark", "data-version", "aria-labelledby", "aria-busy", "aria-hidden", "href", "title", "target", "rel", "type", "start", "align", "datetime", "open", "hidden", "tabindex",
     "data-kind", "data-timeline", "data-says", "data-status", "data-severity", "viewBox", "preserveAspectRatio", "role", "aria-label", "scope", "x", "y", "width", "height"]
)  # fmt: skip

STAMPS = {"startedAt": START, "finishedAt": END}


def everywhere(text: str) -> list[dict[str, Any]]:
    """A part of every type, with `text` wherever v0 may write."""
    return [
        {"type": "text", "text": text},
        {"type": "thinking", "text": text, "startedAt": text, "finishedAt": text},
        {"type": "file-read", "paths": [text]},
        {"type": "file-read", "paths": [text, text]},
        {"type": "file-edit", "operation": text, "path": text, "toPath": text},
        {"type": "search", "scope": text, "query": text},
        {"type": "bash", "command": text, "output": text, "startedAt": text},
        {
            "type": "tool-call",
            "name": text,
            "toolDisplayName": text,
            "input": {text: text},
            "output": text,
            "suggestedPermissions": [{"toolDisplayName": text, "userMessage": text, "input": text}],
        },
        {"type": "agent-action", "name": text, "summary": text, "data": {text: text}},
        {"type": "agent-action", "name": "exit_plan_mode", "data": {"plan": text}},
        {
            "type": "agent-action",
            "name": "ask_user_questions",
            "data": {
                "questions": [
                    {
                        "header": text,
                        "question": text,
                        "options": [{"label": text, "description": text}],
                    }
                ]
            },
        },
        {
            "type": "agent-action",
            "name": "get_or_request_integration",
            "data": {"requestedIntegrations": [text], "requestedMcpPresets": [text]},
        },
        {
            "type": "agent-action",
            "name": "configure_vercel_connect",
            "data": {"status": text, "service": text, "connectors": [{"name": text}]},
        },
        {
            "type": "agent-action",
            "name": "manage_todos",
            "data": {"todos": [{"content": text, "status": text}, text]},
        },
        {
            "type": "agent-action",
            "name": "diagnostics",
            "data": [{"message": text, "file": text, "line": 1, "severity": text}],
        },
        {
            "type": "agent-action",
            "name": "generate_image",
            "data": {"images": [{"url": f"https://a.b/{text}", "alt": text}, text or "a"]},
        },
        {"type": text, text: text},
        *(
            {"type": kind, "command": text, "paths": [text], "path": text, **STAMPS}
            for kind in ("bash", "file-read", "file-edit", "file-read")
        ),
    ]


def page_of(text: str, *, state: str) -> str:
    parts = parts_from_wire(everywhere(text))
    shown = [
        Shown("1", "assistant", state, created=text, parts=parts, finish_reason=text),
        Shown(
            "2",
            "user",
            "failed",
            created=text,
            author=text,
            text=text,
            attachments=(Attachment(text, text, text), Attachment("https://a.b/" + text)),
            problem=text,
            detail=text,
        ),
    ]
    nodes = [*map(message_node, shown), *fixed(title=text, version=1, marks={"own": 1})]
    return "".join(map(render, nodes))


@pytest.mark.parametrize("state", ["finished", "streaming"])
def test_hostile_text_is_only_text(browser: Browser, state: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.expose_function("seen", lambda: requests.append("executed"))
    for text in HOSTILE:
        page.set_content(f"<!doctype html><body>{page_of(text, state=state)}")
        found = page.evaluate(
            """() => {
              for (const details of document.querySelectorAll("details")) details.open = true;
              for (const a of document.querySelectorAll("summary, button")) a.click();
              const all = [...document.body.querySelectorAll("*")];
              return {
                elements: [...new Set(all.map((element) => element.tagName))],
                attributes: [...new Set(all.flatMap((element) => element.getAttributeNames()))],
                links: all.filter((element) => element.href && !/^#m1-p[0-9]+$/.test(element.getAttribute("href"))).map((element) => element.protocol),
                ids: all.map((element) => element.id).filter(Boolean),
              };
            }"""
        )
        assert set(found["elements"]) <= ELEMENTS, text
        assert set(found["attributes"]) <= ATTRIBUTES, text
        assert set(found["links"]) <= {"http:", "https:", "mailto:"}, text
        assert len(found["ids"]) == len(set(found["ids"])), text
        assert not {"at", "composer"} & set(found["ids"]), text
    assert requests == []
    context.close()


def test_the_page_of_this_test_would_notice(browser: Browser) -> None:
    page = browser.new_page()
    seen: list[str] = []
    page.expose_function("seen", lambda: seen.append("executed"))
    with page.expect_request("**/h.png"):
        page.set_content("<img src=http://127.0.0.1:9/h.png onerror=seen()>")
    page.wait_for_function("() => document.images[0].complete")
    page.evaluate("() => seen()")
    assert "executed" in seen
    page.close()
