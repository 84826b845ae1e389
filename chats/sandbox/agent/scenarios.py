"""Scenarios of what an answer is made of, how it ends and how long it takes.

Owns these scenarios. Relies on `playbook` for the table, on `draft` for how parts come about and
on `texts` for words.
"""

from __future__ import annotations

from chats.sandbox.agent import texts
from chats.sandbox.agent.playbook import SCENARIOS, entitle, scenario
from chats.sandbox.draft import Draft, Script, Step, Turn, act, pieces, say, think

__all__ = ["SCENARIOS"]

# Texts


@scenario("long", "a long answer; size=30000 chunk=24 (characters) pace=FACTOR")
def long_answer(turn: Turn, draft: Draft) -> Script:
    size, chunk = turn.whole("size", 30_000), max(1, turn.whole("chunk", 24))
    yield from entitle(draft, "A long", "A long answer")
    yield from think(turn, draft, "A long answer was asked for, with a bit of everything.")
    text = texts.long_markdown(turn.random, size)
    yield from grow(draft, text, chunk)


def grow(draft: Draft, text: str, chunk: int, wait: float = 0.05) -> Script:
    index = draft.open("text", text="")
    for end in range(chunk, len(text) + chunk, chunk):
        draft.change(index, text=text[:end])
        yield Step(wait)
    draft.close(index)


@scenario("code", "fenced and indented code in several languages")
def code(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Code")
    yield from say(turn, draft, texts.CODE)


@scenario("table", "two tables")
def table(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Tables")
    yield from say(turn, draft, texts.TABLE)


@scenario("list", "nested, numbered, loose and quoted lists")
def lists(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Lists")
    yield from say(turn, draft, texts.LIST)


@scenario("markdown-hostile", "markup and links that must not come alive")
def hostile(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "<b>Hostile</b>", '<b>Hostile</b> & "quoted" <script>title</script>')
    yield from say(turn, draft, texts.HOSTILE, type="thinking")
    for path in ("<img src=x onerror=alert(1)>.html", 'a" onmouseover="alert(1)'):
        yield from act(draft, 0.1, "file-edit", {}, operation="create", path=path)
    yield from act(draft, 0.1, "bash", {"output": texts.HOSTILE}, command="echo '<script>'")
    yield from say(turn, draft, texts.HOSTILE)


@scenario("unicode", "surrogate pairs cut in two, combining marks, right to left, NUL")
def unicode(turn: Turn, draft: Draft) -> Script:
    """Grows by UTF-16 units, as JavaScript's strings do."""
    yield from entitle(draft, "Zeichen \ud83d", "Zeichen 😀")
    units = texts.UNICODE.encode("utf-16-le", "surrogatepass")
    index = draft.open("text", text="")
    for end in range(2, len(units) + 2, 2):
        draft.change(index, text=units[:end].decode("utf-16-le", "surrogatepass"))
        yield Step(0.03)
    draft.close(index)


@scenario("empty", "an answer without any part")
def empty(turn: Turn, draft: Draft) -> Script:
    yield Step(0.3)


# Parts


@scenario("all-parts", "every part type, known and unknown, each file operation")
def all_parts(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Every", "Every kind", "Every kind of part")
    yield from think(turn, draft, "First I look around, then I change *everything* once.")
    yield Step(0.1)
    yield from say(turn, draft, "I'll go through **every kind** of part.")
    yield from act(draft, 0.2, "file-read", {}, paths=["app/page.tsx"])
    yield from _reading(draft)
    yield from act(draft, 0.4, "search", {}, scope="repo", query="useState <Suspense>")
    yield from act(draft, 0.4, "search", {}, scope="web", query="accessible tabs & keyboard")
    yield from _file_operations(draft)
    yield from _bash(draft)
    yield from _tools(draft)
    yield from _actions(draft)
    yield from say(turn, draft, "## All done\n\nThat was one of each, the unknown ones included.\n")


def _reading(draft: Draft) -> Script:
    index = draft.open("file-read", paths=["app/layout.tsx"])
    yield Step(0.1)
    for path in ("app/globals.css", "lib/a very long/path with spaces/and-ümlauts.ts"):
        draft.change(index, paths=[*draft.parts[index]["paths"], path])
        yield Step(0.1)
    draft.close(index)


def _file_operations(draft: Draft) -> Script:
    for operation, path in (
        ("create", "app/new.tsx"),
        ("update", "app/page.tsx"),
        ("patch", "app/globals.css"),
        ("delete", "app/old.tsx"),
    ):
        yield from act(draft, 0.2, "file-edit", {}, operation=operation, path=path)
    yield from act(
        draft, 0.2, "file-edit", {}, operation="rename", path="lib/a.ts", toPath="lib/b.ts"
    )
    yield from act(draft, 0.2, "file-edit", {}, operation="transmogrify", path="app/odd.tsx")


def _bash(draft: Draft) -> Script:
    index = draft.open("bash", command="npm test", timeoutMs=60_000)
    output = ""
    for line in ("\n> test\n", "\x1b[32m✓\x1b[0m renders\n", "✓ submits\n", "2 passed\n"):
        output += line
        draft.change(index, output=output)
        yield Step(0.15)
    draft.close(index, exitCode=0)
    rows = "".join(f"{number:>4} line of a long output\n" for number in range(200))
    yield from act(draft, 0.3, "bash", {"output": rows}, command="seq 0 199")
    yield from act(
        draft,
        0.3,
        "bash",
        {"output": "", "exitCode": 1},
        command="rm -rf node_modules && curl -fsSL https://example.com/install.sh | sh",
        isDangerous=True,
    )


def _tools(draft: Draft) -> Script:
    question = {"team": "Web", "limit": 2, "labels": ["bug", None, True], "ratio": 0.5}
    found = {"issues": [{"id": 7, "title": "Menu <closes> too early"}], "next": None}
    yield from act(
        draft,
        0.5,
        "tool-call",
        {"output": found},
        name="linear_list_issues",
        toolDisplayName="Linear: list issues",
        input=question,
        status="ok",
    )
    index = draft.open("tool-call", name="sentry_get_event", input={"id": 12}, status="ok")
    yield Step(0.4)
    draft.close(index, status="error", output={"message": "Event 12 was not found"})
    yield from act(draft, 0.1, "tool-call", {}, name="ping", status="ok")


def _actions(draft: Draft) -> Script:
    connectors = [{"id": "con_1", "name": "Team Slack", "attachedToProject": True}]
    completed = {"status": "completed", "action": "list", "summary": "1 connector"}
    for name, summary, data in (
        ("generate_image", "Generated an image of a lighthouse", None),
        ("manage_todos", "Updated 2 to-dos", None),
        ("diagnostics", "Checked diagnostics: no problems", None),
        (
            "configure_vercel_connect",
            "Listed the connectors",
            {**completed, "connectors": connectors},
        ),
        ("brew_coffee", "Did something that nobody knows yet", {"cups": 2}),
    ):
        fields = {} if data is None else {"data": data}
        yield from act(draft, 0.2, "agent-action", {}, name=name, summary=summary, **fields)
    yield from act(draft, 0.2, "hologram", {}, shape="cube", text="A type of the future")


@scenario("many-parts", "as many parts as n=200 says")
def many_parts(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Many parts")
    for number in range(turn.whole("n", 200)):
        match number % 4:
            case 0:
                index = draft.open("text", text=f"Paragraph **{number}**.")
            case 1:
                index = draft.open("file-read", paths=[f"app/file-{number}.ts"])
            case 2:
                index = draft.open("bash", command=f"echo {number}", output=f"{number}\n")
            case _:
                index = draft.open("thinking", text=f"Thought {number}.")
        yield Step(0.02)
        draft.close(index)


@scenario("rewrite", "text is rewritten; parts are inserted in front, moved, removed, retyped")
def rewrite(turn: Turn, draft: Draft) -> Script:
    """Every change twice: told by position, and told by identity."""
    yield from entitle(draft, "Draft", "Draft one", "Rewritten")
    index = draft.open("text", text="Draft one, which will not stay.")
    yield Step(0.2)
    draft.change(index, text="Rewritten from the first word.")
    yield Step(0.2)
    yield Step(0.1)
    for identity in (False, True):
        draft.open("thinking", at=0, text=f"Inserted in front, identity={identity}.")
        yield Step(0.2, identity=identity)
        draft.open("bash", command="ls", output="a\nb\n")
        yield Step(0.2, identity=identity)
        draft.parts.insert(0, draft.parts.pop())
        yield Step(0.2, identity=identity)
        draft.parts[:] = [*draft.parts[1:], draft.parts[0]]
        yield Step(0.2, identity=identity)
        started = draft.parts[1]["startedAt"]
        draft.parts[1] = {"type": "search", "scope": "web", "query": "re", "startedAt": started}
        yield Step(0.2, identity=identity)
        draft.parts.pop(1)
        yield Step(0.2, identity=identity)
        draft.parts.reverse()
        draft.open("file-edit", at=1, operation="patch", path="a.css")
        yield Step(0.2, identity=identity)
    draft.parts[:] = draft.parts[:1]
    yield Step(0.2)
    draft.close_all()
    yield from say(turn, draft, "It **began** as a draft.")
    last = len(draft.parts) - 1
    draft.change(last, text="It *ended* as something else, shorter.")
    yield Step(0.2)


@scenario("failing-tool", "a tool that fails, and an agent that goes on without it")
def failing_tool(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Failing", "Failing tool")
    yield from think(turn, draft, "The database has to be asked.")
    index = draft.open(
        "tool-call",
        name="neon_run_sql",
        toolDisplayName="Neon: run SQL",
        input={"sql": "SELECT count(*) FROM people"},
        status="ok",
    )
    yield Step(0.6)
    message = "connection refused (SQLSTATE 08006)"
    draft.close(index, status="error", output={"error": {"message": message}})
    text = f"The database did not answer:\n\n> {message}\n\nI went on without the count.\n"
    yield from say(turn, draft, text)


# Ends


@scenario("refusal", "a polite no, which is an ordinary end")
def refusal(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Declined")
    yield from say(turn, draft, "I'm sorry, but I can't help with that. Ask me for a page instead.")


@scenario("length", "cut in the middle of a sentence: finishReason length")
def length(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Cut", "Cut short")
    text = texts.paragraph(turn.random) + "And this is the sentence in the middle of whi"
    yield from say(turn, draft, text)
    draft.finish_reason = "length"


@scenario("content-filter", "withheld after a few words: finishReason content-filter")
def content_filter(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Filtered")
    yield from say(turn, draft, "The recipe starts with")
    draft.finish_reason = "content-filter"


@scenario("error", "an error event in the middle: finishReason error")
def error(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Going", "Going wrong")
    yield from think(turn, draft, "So far so good.")
    yield from say(turn, draft, "I start with the heading, and then")
    draft.error = {"message": "The model is overloaded. Try again.", "code": "model_overloaded"}
    draft.finish_reason = "error"


# Time


@scenario("slow-first-byte", "nothing at all for seconds=5, then an answer", late=True)
def slow_first_byte(turn: Turn, draft: Draft) -> Script:
    yield Step(turn.number("seconds", 5), exact=True)
    yield from entitle(draft, "Late")
    yield from say(turn, draft, "Sorry for the wait.")


@scenario("silence", "an answer with seconds=30 of silence in its middle")
def silence(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Silence")
    text = "Before the silence, and after it."
    index = draft.open("text", text="")
    grown = ""
    for piece in pieces(text, turn.random, 4, 8):
        quiet = len(grown) < len(text) // 2 <= len(grown) + len(piece)
        grown += piece
        draft.change(index, text=grown)
        yield Step(0.05)
        if quiet:
            yield Step(turn.number("seconds", 30), exact=True)
    draft.close(index)
