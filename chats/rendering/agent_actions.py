"""What an agent tells of its own work, read from the data of its action: to-dos, problems, images.

Owns the reading of data whose shape v0 has documented nowhere: what does not fit is None, and its
JSON is shown instead. What is asked of a person is read by `asks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chats.v0api.types import AgentActionPart, Part, text, whole

MOST = 500
DONE = ("completed", "complete", "done", "finished")
DOING = ("in_progress", "in-progress", "doing", "active", "current", "started")
DROPPED = ("cancelled", "canceled", "dropped", "skipped")
# As editors number them.
SEVERITIES = {1: "error", 2: "warning", 3: "info", 4: "hint"}
ALIASES = {"information": "info", "warn": "warning", "suggestion": "hint", "fatal": "error"}
ORDER = ("error", "warning", "info", "hint")


@dataclass(frozen=True, slots=True)
class Todo:
    """`status` is open, doing, done or dropped."""

    text: str
    status: str


@dataclass(frozen=True, slots=True)
class Problem:
    message: str
    place: str


@dataclass(frozen=True, slots=True)
class Problems:
    """`severity` is one of ORDER."""

    severity: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """`url` is an address of https, or ""; `path` a file of the project, or ""."""

    url: str
    path: str
    about: str


def is_todo_list(part: Part) -> bool:
    """Whether the part is a state of the list: the newest one is the list, earlier ones its past."""
    return isinstance(part, AgentActionPart) and part.name == "manage_todos"


def todos(part: AgentActionPart) -> tuple[Todo, ...] | None:
    found = _list(part, "manage_todos", ("todos", "items", "tasks"))
    read = [_todo(item) for item in found[:MOST]] if found else []
    return tuple(item for item in read if item.text) if _fits(read, "text") else None


def problems(part: AgentActionPart) -> tuple[Problems, ...] | None:
    """What diagnostics found, the worst first."""
    if part.name != "diagnostics":
        return None
    found = list(_problems(part))[:MOST]
    if not found or not all(problem.message for _, problem in found):
        return None
    listed = (
        Problems(severity, tuple(problem for each, problem in found if each == severity))
        for severity in ORDER
    )
    return tuple(each for each in listed if each.problems)


def images(part: AgentActionPart) -> tuple[Image, ...] | None:
    found = _list(part, "generate_image", ("images", "results"))
    if found is None and part.name == "generate_image" and isinstance(part.data, Mapping):
        found = [part.data]
    read = [_image(item) for item in found[:MOST]] if found else []
    return tuple(read) if read and all(image.url or image.path for image in read) else None


def _fits(read: Sequence[Any], name: str) -> bool:
    """Nothing is left out silently: one entry that cannot be read makes all of it JSON."""
    return bool(read) and all(getattr(each, name) for each in read)


def _list(part: AgentActionPart, name: str, keys: Sequence[str]) -> list[Any] | None:
    if part.name != name:
        return None
    if isinstance(part.data, list):
        return part.data
    if not isinstance(part.data, Mapping):
        return None
    return next((part.data[key] for key in keys if isinstance(part.data.get(key), list)), None)


def _first(item: Mapping[str, Any], *keys: str) -> str:
    return next((found for key in keys if (found := text(item.get(key)))), "")


def _todo(item: Any) -> Todo:
    if not isinstance(item, Mapping):
        return Todo(text(item), "open")
    said = _first(item, "status", "state").lower()
    is_done = said in DONE or item.get("completed") is True or item.get("done") is True
    status = "done" if is_done else "doing" if said in DOING else "open"
    if said in DROPPED:
        status = "dropped"
    return Todo(_first(item, "content", "text", "title", "label", "description", "name"), status)


def _problems(part: AgentActionPart) -> Iterator[tuple[str, Problem]]:
    found = _list(part, "diagnostics", ("diagnostics", "problems", "issues"))
    if found is not None:
        yield from (_problem(item, "") for item in found)
    elif isinstance(part.data, Mapping):
        for severity in ORDER:
            listed = part.data.get(f"{severity}s")
            if isinstance(listed, list):
                yield from (_problem(item, severity) for item in listed)


def _problem(item: Any, severity: str) -> tuple[str, Problem]:
    if not isinstance(item, Mapping):
        return severity or "info", Problem(text(item), "")
    return severity or _severity(item), Problem(_first(item, "message", "text"), _place(item))


def _severity(item: Mapping[str, Any]) -> str:
    said = item.get("severity", item.get("level"))
    if isinstance(said, int | float):
        return SEVERITIES.get(whole(said), "info")
    named = text(said).lower()
    named = ALIASES.get(named, named)
    return named if named in ORDER else "info"


def _place(item: Mapping[str, Any]) -> str:
    """ "app/page.tsx:12", as far as it is told."""
    path, line = _first(item, "file", "path", "filePath", "filename"), whole(item.get("line"))
    return f"{path}:{line}" if path and line > 0 else path


def _image(item: Any) -> Image:
    if not isinstance(item, Mapping):
        return _located(text(item), "")
    where = _first(item, "url", "imageUrl", "src", "path", "filePath", "file")
    return _located(where, _first(item, "alt", "prompt", "title", "description", "name"))


def _located(where: str, about: str) -> Image:
    if where.startswith("https://"):
        return Image(where, "", about)
    # Any other scheme is no address to lead anybody to.
    return Image("", "" if ":" in where else where, about)
