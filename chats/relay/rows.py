"""Rows as the values that are rendered.

Owns the step from a stored message to `Shown`, so that a page and a hub that read the same row show
the same. Relies on models and `v0api.types`; reads nothing that the caller has not fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from chats.models import Message
from chats.models.messages import Task
from chats.rendering.shown import Face, File, Shown
from chats.v0api.pending import (
    PendingConnect,
    PendingIntegration,
    PendingPermissions,
    PendingPlan,
    PendingQuestions,
    PendingTask,
    pending_task,
)
from chats.v0api.types import Attachment, TextPart, parts_from_wire
from chats.v0api.types import Message as Told


def shown(message: Message) -> Shown:
    """What every reader sees of a row; `author` and `v0_person` must be fetched with it."""
    writer = message.writer
    parts = parts_from_wire(message.parts)
    files, others = _files(message)
    return Shown(
        id=str(message.id),
        role=message.role,
        state=message.state,
        created=utc(message.created_at),
        author=writer.shown_name if writer else "",
        at_v0=message.role == "user" and bool(message.v0_author),
        face=Face(writer.initials, writer.colour) if writer else None,
        text=message.text,
        parts=parts,
        attachments=tuple(others),
        files=tuple(files),
        finish_reason=message.finish_reason,
        problem=message.problem,
        detail=message.detail,
        again=utc(message.again_at) if message.again_at else "",
        restores=str(message.restored.get("message", "")),
        restored_from=str(message.restored.get("created", "")),
        pending=message.state == "finished" and bool(message.asks),
        stopping=message.is_live and message.stop_asked_at is not None,
        stop_reason=message.stop_reason,
        chat=str(message.chat_id),
        waited=_waited(message),
    )


def _waited(message: Message) -> float:
    """Seconds from the end of the answer that asked to the decision, which began this one."""
    since = message.waited_since
    return max(0.0, (message.created_at - since).total_seconds()) if since else 0.0


def _files(message: Message) -> tuple[list[File], list[Attachment]]:
    """The files that we keep, and what lies elsewhere."""
    ours = [
        wire
        for wire in message.attachments
        if isinstance(wire, dict) and "file" in wire and "url" not in wire
    ]
    others = [wire for wire in message.attachments if wire not in ours]
    return [_file(wire) for wire in ours], [Attachment.from_wire(wire) for wire in others]


def _file(wire: dict[str, Any]) -> File:
    told = Attachment.from_wire(wire)
    width, height = wire.get("width"), wire.get("height")
    return File(told.name, wire["file"], told.content_type, told.size, width, height)


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def asks(wires: Sequence[Any]) -> str:
    """The task that a final answer with these raw parts waits for, told by its parts and never by its
    finish reason; "" for none."""
    task = pending_task(parts_from_wire(wires))
    return kind_of(task) if task is not None else ""


def said(message: Told) -> str:
    """What a person wrote; v0 has it as prose, and in parts."""
    texts = (part.text for part in parts_from_wire(message.parts) if isinstance(part, TextPart))
    return message.content or "\n\n".join(texts)


def kind_of(task: PendingTask) -> Task:
    match task:
        case PendingQuestions():
            return Task.QUESTIONS
        case PendingPlan():
            return Task.PLAN
        case PendingIntegration():
            return Task.INTEGRATION
        case PendingPermissions():
            return Task.PERMISSION
        case PendingConnect():
            return Task.CONNECT


def size(parts: Iterable[Any]) -> int:
    """Characters of text in raw parts: what readers see of them is at least as long."""
    return sum(
        len(value)
        for part in parts
        if isinstance(part, dict)
        for value in part.values()
        if isinstance(value, str)
    )
