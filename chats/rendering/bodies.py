"""What a part unfolds to, beside prose and output: paths, JSON, questions, lists.

Owns which template of templates/parts shows which value, and how JSON is written for people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chats.rendering import agent_actions, asks, words
from chats.rendering.code import visible
from chats.v0api.types import (
    AgentActionPart,
    FileEditPart,
    FileReadPart,
    Part,
    SearchPart,
    ToolCallPart,
)

# Characters of a value that a page shows.
VALUE = 64 * 1024


def values(part: Part) -> Iterator[tuple[str, dict[str, Any]]]:
    """The template of each block and its context."""
    match part:
        case FileReadPart(paths=paths):
            if len(paths) > 1:
                yield "_paths", {"paths": paths}
        case FileEditPart() | SearchPart():
            return
        case ToolCallPart(input=input, output=output, status=status):
            if input is not None:
                yield "_value", {"label": "Input", **_written(input)}
            if output is not None:
                yield (
                    "_value",
                    {"label": "Error" if status == "error" else "Output", **_written(output)},
                )
            if part.suggested_permissions:
                yield "_permissions", {"permissions": list(_permissions(part))}
        case AgentActionPart():
            yield from _action(part)
        case _:
            yield "_value", {"label": "As v0 sent it", **_written(part.wire)}


def _action(part: AgentActionPart) -> Iterator[tuple[str, dict[str, Any]]]:
    if (questions := asks.questions(part)) is not None:
        yield "_questions", {"questions": questions}
    elif (names := asks.integrations(part)) is not None:
        yield "_integrations", {"names": names}
    elif (facts := asks.connection(part)) is not None:
        yield "_facts", {"facts": facts}
    elif (todos := agent_actions.todos(part)) is not None:
        yield "_todos", {"todos": todos}
    elif (problems := agent_actions.problems(part)) is not None:
        yield "_problems", {"listed": list(map(_listed, problems))}
    elif (images := agent_actions.images(part)) is not None:
        yield "_images", {"images": images}
    elif part.data is not None:
        yield "_value", {"label": "Data", **_written(part.data)}


def _listed(found: agent_actions.Problems) -> dict[str, Any]:
    name = words.severity(found.severity, len(found.problems))
    return {"severity": found.severity, "name": name, "problems": found.problems}


def _permissions(part: ToolCallPart) -> Iterator[dict[str, Any]]:
    for permission in part.suggested_permissions:
        name = permission.get("toolDisplayName") or permission.get("toolName") or part.display_name
        reason = permission.get("userMessage")
        yield {
            "name": str(name),
            "reason": reason if isinstance(reason, str) else "",
            **_written(permission.get("input", "")),
        }


def _written(value: Any) -> dict[str, Any]:
    """`value` as people read it, and how many of its characters are not shown."""
    text = visible(written(value))
    return {"text": text[:VALUE], "rest": max(0, len(text) - VALUE)}


def written(value: Any) -> str:
    """A string as it is, anything else as indented JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        return "Nested too deep to be shown."
