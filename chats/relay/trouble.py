"""What went wrong in an answer, in words that v0 can be asked to fix.

Owns which parts count as a failure (a command, a tool, diagnostics that found errors, an answer that
v0 itself ended with an error) and what is said of them. Relies on the stored parts alone: nothing that
a browser says is ever taken for what v0 said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chats.models import Message
from chats.models.messages import MessageState
from chats.v0api.types import (
    AgentActionPart,
    BashPart,
    Json,
    Part,
    ToolCallPart,
    parts_from_wire,
)

# Characters of an output that are worth being told, from its end: errors stand there.
MOST = 4000
FENCE = "````"


def trouble(answer: Message) -> str:
    """The message that asks v0 to fix what went wrong last in an ended answer; "" when nothing did."""
    if answer.state not in (MessageState.FINISHED, MessageState.FAILED, MessageState.STOPPED):
        return ""
    for part in reversed(parts_from_wire(answer.parts)):
        if told := _told(part):
            return told
    if answer.state == MessageState.FAILED and answer.problem == "upstream" and answer.v0_id:
        return _fix("Your last answer ended with an error", answer.detail)
    return ""


def _told(part: Part) -> str:
    match part:
        case BashPart(command=command, output=output, exit_code=code) if code:
            return _fix(f"This command failed with exit code {code}", f"$ {command}\n{output}")
        case ToolCallPart(status="error", name=name, input=given, output=output):
            text = f"Input:\n{_written(given)}\n\nError:\n{_written(output)}"
            return _fix(f"The tool {name} failed", text)
        case AgentActionPart(name="diagnostics", summary=summary, data=data) if _has_errors(data):
            return _fix("Diagnostics found errors", f"{summary}\n{_written(data)}")
        case _:
            return ""


def _fix(what: str, text: str) -> str:
    text = text.strip()
    if len(text) > MOST:
        text = f"…{text[-MOST:]}"
    return f"{what}. Fix it.\n\n{FENCE}\n{text}\n{FENCE}" if text else f"{what}. Fix it."


def _written(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _has_errors(data: Any) -> bool:
    """Whether anything in it is a list or a count of errors, or an entry that says it is one."""
    if isinstance(data, list):
        return any(_has_errors(item) for item in data)
    if not isinstance(data, Mapping):
        return False
    return (
        bool(data.get("errors"))
        or data.get("severity") == "error"
        or any(_has_errors(value) for value in data.values())
    )
