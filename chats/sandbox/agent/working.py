"""Scenarios of an agent at work: long runs of steps, images, MCP servers, ends that are no `stop`.

Owns these scenarios. Relies on `playbook`, `draft` and `images`.
"""

from __future__ import annotations

import re

from chats.sandbox.agent.images import picture
from chats.sandbox.agent.playbook import entitle, scenario
from chats.sandbox.draft import Draft, Script, Step, Turn, act, say, think

MOST_IMAGES = 5
SUBJECTS = ("lighthouse", "harbour", "orchard", "mountain hut", "night train")


TODOS = ("Read what is there", "Move the menu to the side", "Run the tests")
PROBLEMS = (
    {"severity": "error", "file": "app/menu.tsx", "line": 7, "message": "'open' is not defined"},
    {"severity": "warning", "file": "app/page.tsx", "line": 1, "message": "'Menu' is not used"},
)


@scenario(
    "steps", "long runs of steps, a to-do list, a failure, problems; seconds=0 of a last command"
)
def steps(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Steps")
    yield from think(turn, draft, "First I read what is there.")
    listed = draft.open("agent-action", name="manage_todos", summary="Planned", data=_todos(0))
    yield Step(0.2)
    draft.close(listed)
    for name in ("page", "layout", "menu"):
        yield from act(draft, 0.3, "file-read", {}, paths=[f"app/{name}.tsx"])
    yield from act(draft, 0.5, "search", {}, scope="repo", query="<Menu")
    yield from act(draft, 0.6, "bash", {"output": "2 passed\n", "exitCode": 0}, command="npm test")
    yield from act(draft, 0.3, "file-edit", {}, operation="update", path="app/menu.tsx")
    failed = {"output": "1 failed\n", "exitCode": 1}
    yield from act(draft, 0.6, "bash", failed, command="npm test -- menu")
    found = {"diagnostics": list(PROBLEMS)}
    summary = "Found 2 problems"
    yield from act(draft, 0.3, "agent-action", {"data": found}, name="diagnostics", summary=summary)
    yield from think(turn, draft, "The name has to be defined.")
    for name in ("menu", "page"):
        yield from act(draft, 0.3, "file-edit", {}, operation="patch", path=f"app/{name}.tsx")
    yield from act(draft, 0.6, "bash", {"output": "3 passed\n", "exitCode": 0}, command="npm test")
    listed = draft.open("agent-action", name="manage_todos", summary="Going on", data=_todos(1))
    for done in (2, 3):
        yield Step(0.2)
        draft.change(listed, data=_todos(done))
    draft.close(listed)
    last = draft.open("bash", command="npm run build", output="")
    yield Step(0.1)
    yield Step(turn.number("seconds", 0), exact=True)
    draft.close(last, output="built\n", exitCode=0)
    yield from say(turn, draft, "The menu stands at the **side** now, and its tests pass.")


def _todos(done: int) -> dict[str, list[dict[str, str]]]:
    states = ["completed"] * done + ["in_progress"] + ["pending"] * len(TODOS)
    return {
        "todos": [
            {"content": todo, "status": state} for todo, state in zip(TODOS, states, strict=False)
        ]
    }


@scenario("image", "n=1 to 5 generated images, when `imageGenerations` is on")
def image(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Images")
    yield from think(turn, draft, "Pictures are wanted. First I see whether I may draw.")
    if not turn.images:
        text = (
            "Image generation is off for this message, so I drew nothing. Turn it on and ask again."
        )
        yield from say(turn, draft, text)
        return
    count = min(MOST_IMAGES, max(1, turn.whole("n", 1)))
    for subject in turn.random.sample(SUBJECTS, count):
        top, bottom = (tuple(turn.random.randbytes(3)) for _ in range(2))
        summary = f"Generated an image of a {subject}"
        yield from act(draft, 1.5, "agent-action", {}, name="generate_image", summary=summary)
        path = f"public/{subject.replace(' ', '-')}.png"
        yield from act(draft, 0.1, "file-edit", {}, operation="create", path=path)
        draft.write(path, picture((top[0], top[1], top[2]), (bottom[0], bottom[1], bottom[2])))
        draft.images += 1
    names = "".join(f"- `{path}`\n" for path in sorted(draft.files) if path.endswith(".png"))
    yield from say(turn, draft, f"The pictures are in the project:\n\n{names}")


@scenario("mcp", "a tool of each MCP server of the message; of Linear where there is none")
def mcp(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Tools")
    servers = turn.tools or ("Linear",)
    yield from think(turn, draft, f"I have tools of {len(servers)} servers. I ask each of them.")
    for server in servers:
        identifier = re.sub(r"\W+", "_", server.lower()).strip("_") or "server"
        yield from act(
            draft,
            0.8,
            "tool-call",
            {"output": {"issues": [{"id": 7, "title": "Menu closes too early"}]}},
            name=f"{identifier}_list_issues",
            toolDisplayName=f"{server}: list issues"[:100],
            input={"limit": 5},
            status="ok",
        )
    yield from say(
        turn, draft, f"One issue is open at {' and '.join(servers)}: *menu closes too early*."
    )


@scenario("tool-calls", "ends after a tool without a word: finishReason tool-calls")
def tool_calls(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Tool")
    yield from think(turn, draft, "A tool has to run, and nothing waits for anybody.")
    yield from act(
        draft, 0.5, "tool-call", {"output": {"rows": 3}}, name="count_rows", input={}, status="ok"
    )
    draft.finish_reason = "tool-calls"


@scenario("other", "ends for a reason that nobody names: finishReason other")
def other(turn: Turn, draft: Draft) -> Script:
    yield from entitle(draft, "Other")
    yield from say(turn, draft, "I came as far as this line.")
    yield Step(0.1)
    draft.finish_reason = "other"
