"""What an agent asks a person, read from the data of its action.

Owns the reading of data that v0 may send in any shape: what does not fit is None, and its JSON is
shown instead. Shows only; answering is not in these values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chats.v0api.types import AgentActionPart, text, texts


@dataclass(frozen=True, slots=True)
class Option:
    label: str
    description: str


@dataclass(frozen=True, slots=True)
class Question:
    header: str
    question: str
    is_multiple: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str


def plan(part: AgentActionPart) -> str | None:
    """The Markdown of a proposed plan."""
    found = _get(part, "exit_plan_mode", "plan")
    return found if isinstance(found, str) else None


def questions(part: AgentActionPart) -> tuple[Question, ...] | None:
    found = _get(part, "ask_user_questions", "questions")
    return tuple(map(_question, _objects(found))) if isinstance(found, list) else None


def integrations(part: AgentActionPart) -> tuple[str, ...] | None:
    """Names of services that the agent wants to be connected."""
    found = _get(part, "get_or_request_integration", "requestedIntegrations")
    if not isinstance(found, list):
        return None
    names = (text(item) or text(_name(item)) for item in (*found, *_presets(part)))
    return tuple(filter(None, names))


def connection(part: AgentActionPart) -> tuple[Fact, ...] | None:
    """What is known of a Vercel Connect set-up."""
    status = _get(part, "configure_vercel_connect", "status")
    if not isinstance(status, str) or not isinstance(part.data, Mapping):
        return None
    connectors = part.data.get("connectors")
    facts = (
        Fact("Status", status.replace("-", " ")),
        Fact("Service", text(part.data.get("service"))),
        Fact("Connector", text(part.data.get("connectorName"))),
        Fact("Environments", ", ".join(texts(part.data.get("environments")))),
        Fact("Connectors", ", ".join(text(item.get("name")) for item in _objects(connectors))),
        Fact("Summary", text(part.data.get("summary"))),
    )
    return tuple(fact for fact in facts if fact.value)


def _get(part: AgentActionPart, name: str, key: str) -> Any:
    return part.data.get(key) if part.name == name and isinstance(part.data, Mapping) else None


def _presets(part: AgentActionPart) -> tuple[str, ...]:
    return texts(part.data.get("requestedMcpPresets")) if isinstance(part.data, Mapping) else ()


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, Mapping) else None


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (
        (item for item in value if isinstance(item, Mapping))
        if isinstance(value, list)
        else iter(())
    )


def _question(item: Mapping[str, Any]) -> Question:
    options = tuple(
        Option(text(option.get("label")), text(option.get("description")))
        for option in _objects(item.get("options"))
    )
    return Question(
        text(item.get("header")),
        text(item.get("question")),
        item.get("multiSelect") is True,
        options,
    )
