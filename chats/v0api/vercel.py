"""What a chat has at Vercel: a project, deployments, and connectors to other services.

Owns these operations and their answers. Relies on `calls` for the way. A deployment costs credits
and goes out once; its build is followed at Vercel, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chats.v0api import limits
from chats.v0api.answers import json_value, with_text
from chats.v0api.calls import Calls, segment
from chats.v0api.types import Json, Wire, text, texts

REQUEST_ID = 128

STATES = ("pending", "ready", "error")
SUBJECT_TYPES = ("app", "user", "jwt-bearer")


@dataclass(frozen=True, slots=True)
class Deployment:
    deployment_id: str
    vercel_project_id: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Json) -> Deployment:
        found = with_text(wire, "deploymentId")
        return cls(found["deploymentId"], text(found.get("vercelProjectId")), found)


@dataclass(frozen=True, slots=True)
class Connector:
    """`supported_subject_types` are some of SUBJECT_TYPES."""

    id: str
    uid: str
    name: str
    service: str
    type: str
    supported_subject_types: tuple[str, ...]
    supports_installation: bool
    attached_to_project: bool
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> Connector:
        return cls(
            text(wire.get("id")),
            text(wire.get("uid")),
            text(wire.get("name")),
            text(wire.get("service")),
            text(wire.get("type")),
            texts(wire.get("supportedSubjectTypes")),
            wire.get("supportsInstallation") is True,
            wire.get("attachedToProject") is True,
            wire,
        )


@dataclass(frozen=True, slots=True)
class ConnectStatus:
    """`status` is one of STATES: pending may have a `progress`, ready a `connector`, error a
    `message`."""

    status: str
    progress: str
    connector: Connector | None
    message: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Json) -> ConnectStatus:
        found = with_text(wire, "status")
        connector = found.get("connector")
        return cls(
            found["status"],
            text(found.get("progress")),
            Connector.from_wire(connector) if isinstance(connector, Mapping) else None,
            text(found.get("message")),
            found,
        )


class Vercel(Calls):
    async def deploy(self, chat_id: str) -> Deployment:
        """Starts a deployment, in a new project where the chat has none.

        Costs credits: sent once.
        """
        return Deployment.from_wire(await self._charge(f"/chats/{segment(chat_id)}/deploy"))

    async def create_vercel_project(self, chat_id: str, *, name: str = "") -> str:
        """Makes a project for the chat, named after it without a `name`, and gives its id.

        Conflict when the chat has one.
        """
        path = f"/chats/{segment(chat_id)}/vercel-project"
        found = await self._change("POST", path, {"name": name} if name else {}, read=json_value)
        return str(with_text(found, "vercelProjectId")["vercelProjectId"])

    async def get_connect_status(self, chat_id: str, request_id: str) -> ConnectStatus:
        """How far the connection with this request id is; pending is asked again in some seconds."""
        limits.text("requestId", request_id, least=1, most=REQUEST_ID)
        path = f"/chats/{segment(chat_id)}/connect/status"
        return ConnectStatus.from_wire(await self._get(path, {"requestId": request_id}))
