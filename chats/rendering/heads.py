"""The line that says what a part did, and whether it unfolds.

Owns the context of templates/parts/<type>.html and the state of a part. Relies on `words`; holds
nothing of a part's text, so that a head is made again only when it says something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chats.rendering import agent_actions, asks, words
from chats.rendering.timeline import SECOND, span
from chats.v0api.types import (
    AgentActionPart,
    BashPart,
    FileEditPart,
    FileReadPart,
    Part,
    SearchPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shell:
    """What surrounds a part. `unfolds` makes it a `<details>`, `is_open` one that stands open."""

    template: str
    state: str
    unfolds: bool = False
    is_open: bool = False
    is_hidden: bool = False


def state_of(part: Part, *, is_live: bool) -> str:
    match part:
        case ToolCallPart(status="error"):
            return "failed"
        case BashPart(exit_code=code) if code:
            return "failed"
        case _:
            return "running" if is_live and not part.finished_at else "done"


def shell(part: Part, state: str, *, has_body: bool, is_newest: bool = True) -> Shell:
    """`is_newest`: no later part of the answer says the same anew, as a to-do list does."""
    is_running, has_failed = state == "running", state == "failed"
    match part:
        case TextPart():
            return Shell("text", state)
        case ThinkingPart():
            is_empty = not (has_body or is_running)
            return Shell("thinking", state, True, is_running, is_empty)
        case FileReadPart():
            return Shell("file-read", state, has_body)
        case FileEditPart():
            return Shell("file-edit", state)
        case SearchPart():
            return Shell("search", state)
        case BashPart():
            return Shell("bash", state, has_body, has_body and (is_running or has_failed))
        case ToolCallPart(suggested_permissions=permissions):
            is_open = has_body and (has_failed or bool(permissions))
            return Shell("tool-call", state, has_body, is_open)
        case AgentActionPart():
            is_open = has_body and (is_asking(part) or (is_telling(part) and is_newest))
            return Shell("agent-action", state, has_body, is_open)
        case _:
            return Shell("unknown", state, has_body)


def is_asking(part: AgentActionPart) -> bool:
    """Whether the action shows a person something to decide."""
    readers = (asks.plan, asks.questions, asks.integrations, asks.connection)
    return any(read(part) is not None for read in readers)


def is_telling(part: AgentActionPart) -> bool:
    """Whether the action shows what every reader wants to see at once."""
    found = agent_actions.problems(part)
    has_errors = found is not None and found[0].severity == "error"
    return has_errors or agent_actions.todos(part) is not None


def head(part: Part, shell: Shell) -> Context:
    is_running = shell.state == "running"
    context: Context = {
        "state": shell.state,
        "is_running": is_running,
        "since": part.started_at if is_running else "",
        "lasted": "" if is_running else words.lasted(seconds(part)),
    }
    match part:
        case FileReadPart(paths=paths):
            return context | {"count": len(paths), "path": paths[0] if len(paths) == 1 else ""}
        case FileEditPart(operation=name, path=path, to_path=to_path):
            verb = words.verb(words.EDITS, name, is_running=is_running)
            icon = {"create": "file-plus", "delete": "trash"}.get(name, "pencil")
            return context | {"verb": verb, "icon": icon, "path": path, "to_path": to_path}
        case SearchPart(scope=scope, query=query):
            verb = words.verb(words.SEARCHES, scope, is_running=is_running)
            icon = "globe" if scope == "web" else "search"
            return context | {"verb": verb, "icon": icon, "query": query}
        case BashPart(command=command, exit_code=code, is_dangerous=is_dangerous):
            return context | {"command": command, "exit_code": code, "is_dangerous": is_dangerous}
        case ToolCallPart(display_name=name, suggested_permissions=permissions):
            return context | {"name": name, "is_waiting": bool(permissions)}
        case AgentActionPart(name=name, summary=summary):
            verb = words.verb(words.ACTIONS, name, is_running=is_running)
            icon, mark = ICONS.get(name, "spark"), _mark(part)
            return context | {"verb": verb, "icon": icon, "summary": summary, "mark": mark}
        case _:
            return context | {"type": part.type}


def _mark(part: AgentActionPart) -> str:
    """ "2 errors", or how far a to-do list is."""
    if (found := agent_actions.problems(part)) is not None and found[0].severity == "error":
        return words.severity("error", len(found[0].problems))
    if (todos := agent_actions.todos(part)) is not None:
        return f"{sum(todo.status == 'done' for todo in todos)} of {len(todos)}"
    return ""


ICONS = {
    "ask_user_questions": "question",
    "configure_vercel_connect": "plug",
    "diagnostics": "pulse",
    "exit_plan_mode": "list",
    "generate_image": "image",
    "get_or_request_integration": "plug",
    "manage_todos": "check",
}


def seconds(part: Part) -> float:
    """How long a part took by v0's clock; 0 when it does not say, or says nonsense."""
    began, ended = span([part])
    return (ended - began) / SECOND
