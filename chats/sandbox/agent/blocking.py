"""Scenarios that wait for a person: questions, a plan, an integration, a permission, a connector.

Owns what is asked and what follows each answer; `playbook` plays the same function again with the
answer as `turn.task`. Relies on `draft` and `narration`. It never judges an answer: what arrives
here has been accepted. A turn that waits ends with `finishReason` `tool-calls`, or as `finish=` says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chats.sandbox.agent.narration import work
from chats.sandbox.agent.playbook import entitle, scenario
from chats.sandbox.draft import Draft, Part, Script, Step, Turn, act, say, think
from chats.sandbox.files import of_text

Json = Any

ENDS = ("stop", "length", "content-filter", "tool-calls", "error", "other")
SCRIPT = "scripts/setup-db.sql"
SQL = """\
CREATE TABLE IF NOT EXISTS visitors (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  came_at timestamptz NOT NULL DEFAULT now()
);
"""
QUESTIONS: tuple[tuple[str, str, bool, tuple[tuple[str, str], ...]], ...] = (
    (
        "Which look should the page have?",
        "Look",
        False,
        (("Quiet", "Much white, one accent"), ("Bold", "Large type and colour"), ("Dark", "")),
    ),
    (
        "Which sections do you want?",
        "Sections",
        True,
        (("Contact form", ""), ("Pricing", "A table of three plans"), ("FAQ", "")),
    ),
    (
        "Who is it for?",
        "Audience",
        False,
        (("Customers", ""), ("Colleagues", "")),
    ),
)
"""Question, header, whether several may be chosen, (label, description) of each option."""


def _wait(turn: Turn, draft: Draft) -> None:
    wanted = turn.options.get("finish", "")
    draft.finish_reason = wanted if wanted in ENDS else "tool-calls"


def _ask(turn: Turn, draft: Draft, name: str, summary: str, data: Json) -> Script:
    yield from act(draft, 0.3, "agent-action", {}, name=name, summary=summary, data=data)
    _wait(turn, draft)


@scenario("ask-questions", "asks n=2 questions (1 to 3), then builds what was answered")
def ask_questions(turn: Turn, draft: Draft) -> Script:
    if turn.task is not None:
        answers = turn.task["answers"]
        told = "".join(f"- {answer['questionText']} **{_words(answer)}**\n" for answer in answers)
        yield from say(turn, draft, f"Thank you. I take it from here with:\n\n{told}")
        wanted = f"{turn.prompt}\nWith {', '.join(map(_words, answers))}"
        yield from work(replace(turn, prompt=wanted), draft)
        return
    yield from entitle(draft, "Some", "Some questions")
    yield from think(turn, draft, "Before I start there are things that only a person can tell me.")
    asked = QUESTIONS[: min(len(QUESTIONS), max(1, turn.whole("n", 2)))]
    data = {"questions": [_question(number, *each) for number, each in enumerate(asked, 1)]}
    summary = f"Asked {len(asked)} question{'s' if len(asked) > 1 else ''}"
    yield from _ask(turn, draft, "ask_user_questions", summary, data)


def _question(
    number: int, question: str, header: str, several: bool, options: tuple[tuple[str, str], ...]
) -> Json:
    return {
        "id": f"q{number}",
        "question": question,
        "header": header,
        "multiSelect": several,
        "options": [
            {"id": f"q{number}o{at}", "label": label}
            | ({"description": description} if description else {})
            for at, (label, description) in enumerate(options, 1)
        ],
    }


def _words(answer: Json) -> str:
    return ", ".join([*answer["selectedLabels"], *filter(None, [answer.get("customText")])])


@scenario("plan", "proposes a plan; approved builds it, request-changes proposes another")
def plan(turn: Turn, draft: Draft) -> Script:
    match turn.task:
        case None:
            yield from entitle(draft, "A plan")
            yield from think(turn, draft, "This is large enough to agree on the way first.")
            yield from act(draft, 0.4, "search", {}, scope="repo", query="existing pages")
            yield from _propose(turn, draft, "")
        case {"status": "approved", "content": words}:
            yield from say(turn, draft, f"The plan stands ({words}). I start.")
            yield from work(turn, draft)
        case {"status": "request-changes", "content": words}:
            yield from think(turn, draft, f"The plan has to change: {words}")
            yield from _propose(turn, draft, words)
        case _:
            yield from say(turn, draft, "I leave everything as it is. Tell me when you need me.")


def _propose(turn: Turn, draft: Draft, wish: str) -> Script:
    changed = f"4. As you asked: {wish}\n" if wish else ""
    data = {
        "plan": "## The plan\n\n1. One HTML file, one stylesheet, one script\n2. Check that "
        f"they work\n3. Tell what changed\n{changed}\n```\nindex.html\nstyles.css\nscript.js\n```\n",
        "summary": "A page of three files" + (", as you asked" if wish else ""),
        "path": "plans/page.md",
    }
    yield from _ask(turn, draft, "exit_plan_mode", "Proposed a plan", data)


@scenario("integration", "asks for Supabase and the MCP presets Linear and Notion")
def integration(turn: Turn, draft: Draft) -> Script:
    if turn.task is not None:
        yield from say(turn, draft, _connected(turn))
        return
    yield from entitle(draft, "An integration")
    yield from think(turn, draft, "This needs a database, and what the team has written down.")
    data = {"requestedIntegrations": ["Supabase"], "requestedMcpPresets": ["Linear", "Notion"]}
    summary = "Asked for Supabase, Linear and Notion"
    yield from _ask(turn, draft, "get_or_request_integration", summary, data)


def _connected(turn: Turn) -> str:
    names = ("connectedIntegrationNames", "connectedMcpPresetNames")
    connected = [name for field in names for name in turn.task.get(field, ())]
    if not connected:
        return "Nothing was connected, so I go on without. Say so when that changes."
    where = f"project `{turn.project}`" if turn.project else "this chat, which has no project yet"
    return f"Connected to {where}: {', '.join(connected)}. I can use that from now on."


@scenario("neon", "asks for Neon; once that is connected, for permission to run its script")
def neon(turn: Turn, draft: Draft) -> Script:
    match turn.task:
        case None:
            yield from entitle(draft, "A database")
            yield from think(turn, draft, "The visitors have to be kept somewhere: a database.")
            data = {"requestedIntegrations": ["Neon"], "requestedMcpPresets": []}
            name, summary = "get_or_request_integration", "Asked for Neon"
            yield from _ask(turn, draft, name, summary, data)
        case {"type": "confirmed-steps"}:
            yield from say(turn, draft, _connected(turn))
            if turn.task.get("connectedIntegrationNames"):
                yield from _suggest(turn, draft, 1)
        case _:
            yield from _run_permitted(turn, draft)


@scenario("permission", "asks to run n=1 scripts (tool-call with suggestedPermissions)")
def permission(turn: Turn, draft: Draft) -> Script:
    if turn.task is not None:
        yield from _run_permitted(turn, draft)
        return
    yield from entitle(draft, "A script")
    yield from think(turn, draft, "The table has to be made. That changes data, so I ask first.")
    yield from _suggest(turn, draft, min(5, max(1, turn.whole("n", 1))))


def _suggest(turn: Turn, draft: Draft, count: int) -> Script:
    """The script is written; running it needs a person's word."""
    paths = [SCRIPT, *(f"scripts/seed-{number}.sql" for number in range(1, count))]
    for path in paths:
        yield from act(draft, 0.3, "file-edit", {}, operation="create", path=path)
        draft.write(path, of_text(SQL))
    index = draft.open(
        "tool-call",
        name="SystemAction",
        toolDisplayName="Run a script",
        input=_tool_input(paths[0]),
        status="ok",
        suggestedPermissions=[_permission(path) for path in paths],
    )
    yield Step(0.3)
    draft.close(index)
    _wait(turn, draft)


def _tool_input(path: str) -> Json:
    return {"systemAction": "executeScript", "executeScript": f"/{path}"}


def _permission(path: str) -> Part:
    return {
        "type": "ALLOW_DYNAMIC_TOOL_STRICT",
        "toolName": "SystemAction",
        "toolDisplayName": "Run a script",
        "input": _tool_input(path),
        "taskNameActive": f"Running {path}",
        "taskNameComplete": f"Ran {path}",
    }


def _run_permitted(turn: Turn, draft: Draft) -> Script:
    yield from think(turn, draft, "I may. The scripts run in their order.")
    for granted in turn.task["permissions"]:
        index = draft.open(
            "tool-call",
            name=granted["toolName"],
            toolDisplayName=granted.get("toolDisplayName"),
            input=granted["input"],
            status="ok",
        )
        yield Step(0.9)
        draft.close(index, output={"statements": 1, "message": "CREATE TABLE"})
    said = turn.task.get("userMessage", "")
    yield from say(turn, draft, "The table is there." + (f" And I heard: {said}" if said else ""))


@scenario(
    "connect", "a Vercel Connect setup; polls=N is ready (or end=error) after N asks by itself"
)
def connect(turn: Turn, draft: Draft) -> Script:
    yield from _connector(turn, draft, "setup-required", "setupUrl", "Asked to set up Linear")


@scenario("connect-authorization", "the newer form of it: authorization-required")
def connect_authorization(turn: Turn, draft: Draft) -> Script:
    status, link = "authorization-required", "authorizationUrl"
    yield from _connector(turn, draft, status, link, "Asked to authorize Linear")


def _connector(turn: Turn, draft: Draft, status: str, link: str, summary: str) -> Script:
    if turn.task is not None:
        yield from think(turn, draft, "The connector is there.")
        yield from say(
            turn, draft, "Linear is connected to this project. I can read its issues now."
        )
        return
    yield from entitle(draft, "A connector")
    yield from think(turn, draft, "The issues are in Linear, and nobody has connected it yet.")
    request = f"req_{turn.random.getrandbits(64):016x}"
    url = f"{turn.site or 'http://localhost'}/_connect/{turn.chat_id or 'chat'}/{request}"
    data: dict[str, Json] = {
        "status": status,
        "requestId": request,
        "service": "linear",
        "connectorName": "Linear",
        link: url,
        "environments": ["production", "preview"],
    }
    if not turn.project:
        draft.link_project("linear-page", turn.chat_id)
        data["createdProject"] = draft.project
    draft.connect = {
        "requestId": request,
        "polls": turn.whole("polls", -1),
        "end": "error" if turn.options.get("end") == "error" else "ready",
    }
    yield from _ask(turn, draft, "configure_vercel_connect", summary, data)
