"""What a message waits for, read out of its parts.

Owns this reading. Relies on `types`, and on `tasks` for what may be answered. Never raises, and knows
no finish reason, since v0 documents none for a message that waits.

    PendingQuestions        AnsweredQuestions
    PendingPlan             PlanResponse
    PendingIntegration      ConfirmedSteps; all empty means skip
    PendingPermissions      ConfirmedPermissions
    PendingConnect          VercelConnectSetup or VercelConnectAuthorization, by its status
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chats.v0api.tasks import (
    MCP_PRESETS,
    Answer,
    ConfirmedPermissions,
    ConfirmedSteps,
    VercelConnectAuthorization,
    VercelConnectSetup,
)
from chats.v0api.types import AgentActionPart, Json, Part, ToolCallPart, Wire, text, texts

PERMISSION_TYPES = ("ALLOW_DYNAMIC_TOOL_STRICT",)
CONNECT_WAITS = ("setup-required", "authorization-required")
CONNECT_ACTIONS = ("list", "create", "attach")
ENVIRONMENTS = ("production", "preview", "development")


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    label: str
    description: str


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    question: str
    header: str
    multi_select: bool
    options: tuple[Option, ...]

    def answer(self, *labels: str, custom_text: str = "") -> Answer:
        return Answer(self.id, self.question, labels, custom_text)


@dataclass(frozen=True, slots=True)
class Permission:
    """`input` is JSON of any shape; `wire` is what ConfirmedPermissions takes."""

    type: str
    tool_name: str
    tool_display_name: str
    input: Json
    task_name_active: str
    task_name_complete: str
    user_message: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> Permission:
        return cls(
            text(wire.get("type")),
            text(wire.get("toolName")),
            text(wire.get("toolDisplayName")) or text(wire.get("toolName")),
            wire.get("input"),
            text(wire.get("taskNameActive")),
            text(wire.get("taskNameComplete")),
            text(wire.get("userMessage")),
            wire,
        )


@dataclass(frozen=True, slots=True)
class CreatedProject:
    """A project at Vercel that was made on the way."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Connected:
    """A connector that is in place, or could be."""

    id: str
    name: str
    service: str
    attached_to_project: bool


@dataclass(frozen=True, slots=True)
class ConnectOutcome:
    """What the agent did about connectors; nobody has to answer. `action` is one of
    CONNECT_ACTIONS."""

    action: str
    summary: str
    connectors: tuple[Connected, ...]
    created_project: CreatedProject | None


@dataclass(frozen=True, slots=True)
class Pending:
    """`index` is the part's place in the message, `wire` its JSON."""

    index: int
    wire: Wire = field(repr=False)


@dataclass(frozen=True, slots=True)
class PendingQuestions(Pending):
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class PendingPlan(Pending):
    """`plan` is Markdown, `path` where the agent keeps it."""

    plan: str
    summary: str
    path: str


@dataclass(frozen=True, slots=True)
class PendingIntegration(Pending):
    integrations: tuple[str, ...]
    mcp_presets: tuple[str, ...]

    @property
    def skipped(self) -> ConfirmedSteps:
        return ConfirmedSteps()

    @property
    def confirmed(self) -> ConfirmedSteps:
        """All of it was connected; presets that v0 would not take back are left out."""
        presets = tuple(name for name in self.mcp_presets if name in MCP_PRESETS)
        return ConfirmedSteps(self.integrations, presets)


@dataclass(frozen=True, slots=True)
class PendingPermissions(Pending):
    permissions: tuple[Permission, ...]

    def confirmed(self, user_message: str = "") -> ConfirmedPermissions:
        return ConfirmedPermissions(tuple(one.wire for one in self.permissions), user_message)


@dataclass(frozen=True, slots=True)
class PendingConnect(Pending):
    """Somebody must open `url`; then `get_connect_status(request_id)` is asked until it is ready.

    `status` is one of CONNECT_WAITS; `environments` are some of ENVIRONMENTS.
    """

    status: str
    request_id: str
    url: str
    service: str
    service_icon_url: str
    connector_name: str
    environments: tuple[str, ...]
    trigger_path: str
    created_project: CreatedProject | None

    @property
    def ready(self) -> VercelConnectSetup | VercelConnectAuthorization:
        """The task to send once v0 says that the connector is ready."""
        if self.status == "authorization-required":
            return VercelConnectAuthorization()
        return VercelConnectSetup()


PendingTask = (
    PendingQuestions | PendingPlan | PendingIntegration | PendingPermissions | PendingConnect
)


def pending_task(parts: Sequence[Part]) -> PendingTask | None:
    """What the message with these parts waits for; the last such part counts.

    Only a chat's newest message can wait, and only once it is final: parts keep their data.
    """
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        match part:
            case ToolCallPart(suggested_permissions=permissions) if permissions:
                found = tuple(map(Permission.from_wire, permissions))
                return PendingPermissions(index, part.wire, found)
            case AgentActionPart(data=data) if isinstance(data, Mapping):
                task = _pending_action(index, part, data)
                if task is not None:
                    return task
    return None


def connect_outcome(part: Part) -> ConnectOutcome | None:
    """What a finished step of Vercel Connect says; None for any other part."""
    match part:
        case AgentActionPart(name="configure_vercel_connect", data={"status": "completed"} as data):
            connectors = (
                Connected(
                    text(item.get("id")),
                    text(item.get("name")),
                    text(item.get("service")),
                    item.get("attachedToProject") is True,
                )
                for item in _objects(data.get("connectors"))
            )
            return ConnectOutcome(
                text(data.get("action")),
                text(data.get("summary")),
                tuple(connectors),
                _created_project(data),
            )
        case _:
            return None


def _pending_action(index: int, part: AgentActionPart, data: Wire) -> PendingTask | None:
    match part.name:
        case "ask_user_questions" if isinstance(data.get("questions"), list):
            questions = tuple(map(_question, _objects(data["questions"])))
            return PendingQuestions(index, part.wire, questions)
        case "exit_plan_mode" if isinstance(data.get("plan"), str):
            summary, path = text(data.get("summary")), text(data.get("path"))
            return PendingPlan(index, part.wire, data["plan"], summary, path)
        case "get_or_request_integration" if isinstance(data.get("requestedIntegrations"), list):
            integrations = texts(data["requestedIntegrations"])
            presets = texts(data.get("requestedMcpPresets"))
            return PendingIntegration(index, part.wire, integrations, presets)
        case "configure_vercel_connect" if data.get("status") in CONNECT_WAITS:
            return _connect(index, part, data)
        case _:
            return None


def _connect(index: int, part: AgentActionPart, data: Wire) -> PendingConnect:
    return PendingConnect(
        index,
        part.wire,
        text(data.get("status")),
        text(data.get("requestId")),
        text(data.get("setupUrl")) or text(data.get("authorizationUrl")),
        text(data.get("service")),
        text(data.get("serviceIconUrl")),
        text(data.get("connectorName")),
        texts(data.get("environments")),
        text(data.get("triggerPath")),
        _created_project(data),
    )


def _created_project(data: Wire) -> CreatedProject | None:
    project = data.get("createdProject")
    if not isinstance(project, Mapping):
        return None
    return CreatedProject(text(project.get("id")), text(project.get("name")))


def _question(wire: Wire) -> Question:
    options = tuple(
        Option(text(item.get("id")), text(item.get("label")), text(item.get("description")))
        for item in _objects(wire.get("options"))
    )
    return Question(
        text(wire.get("id")),
        text(wire.get("question")),
        text(wire.get("header")),
        wire.get("multiSelect") is True,
        options,
    )


def _objects(value: Json) -> Iterator[Wire]:
    items = value if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, Mapping))
