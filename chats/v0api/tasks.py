"""What a person answers to an agent that waits, as the `task` of a resolve.

Owns how each kind of answer is written. Relies on `limits`; building raises InvalidRequest. What is
waited for is read by `pending`. An ordinary message may be sent instead of any answer, and is the
only way to refuse a permission.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chats.v0api import limits
from chats.v0api.types import Json, Wire

MCP_PRESETS = (
    "Linear", "Notion", "Context7", "Sentry", "Zapier", "Glean",
    "Hex", "Sanity", "Granola", "PostHog", "Contentful", "Slack",
)  # fmt: skip
PLAN_STATUSES = ("approved", "rejected", "request-changes")

INTEGRATIONS = 100
INTEGRATION_NAME = 64

# What the official page says for a person who only presses the button.
PLAN_WORDS = {"approved": "Proceed with this plan.", "rejected": "Do not proceed with this plan."}


@dataclass(frozen=True, slots=True)
class Answer:
    """`question_text` is the question as it was asked; `selected_labels` are labels, not ids."""

    question_id: str
    question_text: str
    selected_labels: tuple[str, ...] = ()
    custom_text: str = ""

    def wire(self) -> Wire:
        field = "task.answers"
        if not self.selected_labels:
            limits.filled(f"{field}.customText", self.custom_text)
        found: dict[str, Json] = {
            "questionId": limits.text(f"{field}.questionId", self.question_id, least=1),
            "questionText": limits.text(f"{field}.questionText", self.question_text, least=1),
            "selectedLabels": _filled(f"{field}.selectedLabels", self.selected_labels),
        }
        return {**found, "customText": self.custom_text} if self.custom_text else found


@dataclass(frozen=True, slots=True)
class AnsweredQuestions:
    """One answer for each question that was answered."""

    answers: tuple[Answer, ...]

    def wire(self) -> Wire:
        answers = limits.count("task.answers", self.answers, least=1)
        return {"type": "answered-questions", "answers": [answer.wire() for answer in answers]}


@dataclass(frozen=True, slots=True)
class PlanResponse:
    """`content` "" is the usual sentence; asking for changes needs one of its own."""

    status: Literal["approved", "rejected", "request-changes"]
    content: str = ""

    def wire(self) -> Wire:
        status = limits.word("task.status", self.status, PLAN_STATUSES)
        content = limits.filled("task.content", self.content or PLAN_WORDS.get(status, ""))
        return {"type": "plan-exit-response", "status": status, "content": content}


@dataclass(frozen=True, slots=True)
class ConfirmedSteps:
    """Names of what was connected, as they were requested. Only MCP_PRESETS are taken as presets."""

    integrations: tuple[str, ...] = ()
    mcp_presets: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    env_vars: tuple[str, ...] = ()

    def wire(self) -> Wire:
        names = limits.count("task.connectedIntegrationNames", self.integrations, most=INTEGRATIONS)
        return {
            "type": "confirmed-steps",
            "connectedIntegrationNames": [
                limits.text("task.connectedIntegrationNames", name, most=INTEGRATION_NAME)
                for name in names
            ],
            "connectedMcpPresetNames": [
                limits.word("task.connectedMcpPresetNames", name, MCP_PRESETS)
                for name in self.mcp_presets
            ],
            "appliedScripts": _filled("task.appliedScripts", self.scripts),
            "addedEnvVars": _filled("task.addedEnvVars", self.env_vars),
        }


@dataclass(frozen=True, slots=True)
class ConfirmedPermissions:
    """`permissions` go back as they came, unread: v0 compares them with what it asked for."""

    permissions: tuple[Wire, ...]
    user_message: str = ""

    def wire(self) -> Wire:
        permissions = limits.count("task.permissions", self.permissions, least=1)
        found: dict[str, Json] = {
            "type": "confirmed-permissions",
            "permissions": [dict(permission) for permission in permissions],
        }
        return {**found, "userMessage": self.user_message} if self.user_message else found


@dataclass(frozen=True, slots=True)
class VercelConnectSetup:
    """The connector is ready, as `get_connect_status` says."""

    def wire(self) -> Wire:
        return {"type": "vercel-connect-setup"}


@dataclass(frozen=True, slots=True)
class VercelConnectAuthorization:
    """The connector was authorized. Newer than v0's published spec: documented in prose alone."""

    def wire(self) -> Wire:
        return {"type": "vercel-connect-authorization"}


@dataclass(frozen=True, slots=True)
class Written:
    """A task that was built, checked and stored before."""

    body: Wire

    def wire(self) -> Wire:
        return dict(self.body)


Task = (
    AnsweredQuestions
    | PlanResponse
    | ConfirmedSteps
    | ConfirmedPermissions
    | VercelConnectSetup
    | VercelConnectAuthorization
    | Written
)


def _filled(field: str, values: tuple[str, ...]) -> list[str]:
    return [limits.text(field, value, least=1) for value in values]
