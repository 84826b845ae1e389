"""v0's wire shapes as values, with the field's names translated once.

Owns the translation from JSON (`from_wire`) and keeps what it does not know: every value has the
object that it was read from in `wire`, an unknown part becomes `UnknownPart`, and nothing here
raises over a field that is missing, new or of an odd type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

Json = Any
Wire = Mapping[str, Json]

PRIVACIES = ("private", "team", "team-edit", "unlisted", "public")
MODELS = ("v0-mini", "v0-pro", "v0-max", "v0-max-fast")
DEFAULT_MODEL = "v0-pro"
AUTO_MODEL = "v0-auto"
"""v0 chooses; only the `reference` revision has a word for it."""

DIGITS = 40
FINISH_REASONS = ("stop", "length", "content-filter", "tool-calls", "error", "other")
ROLES = ("user", "assistant")
FILE_OPERATIONS = ("create", "update", "delete", "rename", "patch")
SEARCH_SCOPES = ("repo", "web")
TOOL_STATUSES = ("ok", "error")


def model_among(models: tuple[str, ...], *wanted: object) -> str:
    """The first of those wanted that is among `models`; else "", v0's own, or what stands in for that."""
    found = next((str(model) for model in wanted if model in models), "")
    return found or ("" if DEFAULT_MODEL in models else models[0])


class Number(float):
    """A JSON number with the text it was written as, so that money never passes through a float."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def decimal(value: Json) -> Decimal:
    """A number of the wire as the Decimal that was written; 0 for what is no reasonable number."""
    return _decimal(value) or Decimal(0)


def is_number(value: Json) -> bool:
    """Whether `decimal` would give what the wire says."""
    return _decimal(value) is not None


def _decimal(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    text = value.text if isinstance(value, Number) else str(value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    # A number of a billion digits is finite too, and int() of it would never come back.
    return number if number.is_finite() and abs(number.adjusted()) <= DIGITS else None


def text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def texts(value: Json) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def whole(value: Json) -> int:
    return int(decimal(value))


@dataclass(frozen=True, slots=True)
class Part:
    """What every part has. `finished_at` is "" while it runs, or when v0 does not say."""

    type: str
    started_at: str
    finished_at: str
    wire: Wire = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextPart(Part):
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPart(Part):
    text: str


@dataclass(frozen=True, slots=True)
class FileReadPart(Part):
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileEditPart(Part):
    operation: str
    path: str
    to_path: str


@dataclass(frozen=True, slots=True)
class SearchPart(Part):
    scope: str
    query: str


@dataclass(frozen=True, slots=True)
class BashPart(Part):
    command: str
    output: str
    exit_code: int | None
    is_dangerous: bool
    timeout_ms: int | None


@dataclass(frozen=True, slots=True)
class ToolCallPart(Part):
    """`input` and `output` are JSON of any shape; None where absent."""

    name: str
    display_name: str
    input: Json
    output: Json
    status: str
    suggested_permissions: tuple[Wire, ...]


@dataclass(frozen=True, slots=True)
class AgentActionPart(Part):
    name: str
    summary: str
    data: Json


@dataclass(frozen=True, slots=True)
class UnknownPart(Part):
    """A type this client does not know, or something that is no object at all."""


def part_from_wire(wire: Json) -> Part:
    """The part that `wire` describes; never raises."""
    if not isinstance(wire, Mapping):
        return UnknownPart("", "", "", {"value": wire})
    kind = text(wire.get("type"))
    common = (kind, text(wire.get("startedAt")), text(wire.get("finishedAt")), wire)
    match kind:
        case "text":
            return TextPart(*common, text(wire.get("text")))
        case "thinking":
            return ThinkingPart(*common, text(wire.get("text")))
        case "file-read":
            return FileReadPart(*common, texts(wire.get("paths")))
        case "file-edit":
            return FileEditPart(
                *common,
                text(wire.get("operation")),
                text(wire.get("path")),
                text(wire.get("toPath")),
            )
        case "search":
            return SearchPart(*common, text(wire.get("scope")), text(wire.get("query")))
        case "bash":
            return BashPart(
                *common,
                text(wire.get("command")),
                text(wire.get("output")),
                whole(wire["exitCode"]) if wire.get("exitCode") is not None else None,
                wire.get("isDangerous") is True,
                whole(wire["timeoutMs"]) if wire.get("timeoutMs") is not None else None,
            )
        case "tool-call":
            permissions = wire.get("suggestedPermissions")
            return ToolCallPart(
                *common,
                text(wire.get("name")),
                text(wire.get("toolDisplayName")) or text(wire.get("name")),
                wire.get("input"),
                wire.get("output"),
                text(wire.get("status")),
                tuple(item for item in permissions if isinstance(item, Mapping))
                if isinstance(permissions, list)
                else (),
            )
        case "agent-action":
            return AgentActionPart(
                *common, text(wire.get("name")), text(wire.get("summary")), wire.get("data")
            )
        case _:
            return UnknownPart(*common)


def parts_from_wire(wire: Json) -> tuple[Part, ...]:
    return tuple(part_from_wire(item) for item in wire) if isinstance(wire, list | tuple) else ()


@dataclass(frozen=True, slots=True)
class Amounts:
    """The four kinds and their total, of tokens (whole numbers) or of credits."""

    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    cache_read: Decimal = Decimal(0)
    cache_write: Decimal = Decimal(0)
    total: Decimal = Decimal(0)

    @classmethod
    def from_wire(cls, wire: Json) -> Amounts:
        if not isinstance(wire, Mapping):
            return cls()
        keys = ("input", "output", "cacheRead", "cacheWrite", "total")
        return cls(*(decimal(wire.get(key)) for key in keys))


@dataclass(frozen=True, slots=True)
class Usage:
    """`is_priced`: what it cost in all was said, and as a number."""

    tokens: Amounts = Amounts()
    credits: Amounts = Amounts()
    model: str = ""
    is_priced: bool = True

    @classmethod
    def from_wire(cls, wire: Json) -> Usage:
        if not isinstance(wire, Mapping):
            return cls()
        cost = wire.get("creditsCost")
        return cls(
            Amounts.from_wire(wire.get("tokens")),
            Amounts.from_wire(cost),
            text(wire.get("model")),
            isinstance(cost, Mapping) and is_number(cost.get("total")),
        )


@dataclass(frozen=True, slots=True)
class Attachment:
    url: str
    name: str = ""
    content_type: str = ""
    size: int | None = None

    @classmethod
    def from_wire(cls, wire: Json) -> Attachment:
        if not isinstance(wire, Mapping):
            return cls("")
        size = wire.get("size")
        return cls(
            text(wire.get("url")),
            text(wire.get("name")),
            text(wire.get("contentType")),
            whole(size) if size is not None else None,
        )


@dataclass(frozen=True, slots=True)
class Chat:
    id: str
    title: str
    privacy: str
    created_at: str
    updated_at: str
    author_id: str
    vercel_project_id: str
    metadata: Mapping[str, str]
    write_permission: bool
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> Chat:
        metadata = wire.get("metadata")
        return cls(
            text(wire.get("id")),
            text(wire.get("title")),
            text(wire.get("privacy")),
            text(wire.get("createdAt")),
            text(wire.get("updatedAt")),
            text(wire.get("authorId")),
            text(wire.get("vercelProjectId")),
            {key: text(value) for key, value in metadata.items()}
            if isinstance(metadata, Mapping)
            else {},
            wire.get("writePermission") is not False,
            wire,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """`finish_reason` is None while v0 still generates. `parts` are raw, as v0 sent them."""

    id: str
    chat_id: str
    role: str
    created_at: str
    updated_at: str
    content: str
    parts: tuple[Json, ...]
    finish_reason: str | None
    restorable: bool
    attachments: tuple[Attachment, ...]
    author_id: str
    usage: Usage
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> Message:
        parts, attachments = wire.get("parts"), wire.get("attachments")
        reason = wire.get("finishReason")
        return cls(
            text(wire.get("id")),
            text(wire.get("chatId")),
            text(wire.get("role")),
            text(wire.get("createdAt")),
            text(wire.get("updatedAt")),
            text(wire.get("content")),
            tuple(parts) if isinstance(parts, list) else (),
            None if reason is None else str(reason),
            wire.get("restorable") is True,
            tuple(Attachment.from_wire(item) for item in attachments)
            if isinstance(attachments, list)
            else (),
            text(wire.get("authorId")),
            Usage.from_wire(wire.get("usage")),
            wire,
        )


@dataclass(frozen=True, slots=True)
class ChatPage:
    """One page of a list; `cursor` is None on the last."""

    chats: tuple[Chat, ...]
    cursor: str | None

    @classmethod
    def from_wire(cls, wire: Json) -> ChatPage:
        items, cursor = _page(wire, "chats")
        return cls(tuple(Chat.from_wire(item) for item in items), cursor)


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of a chat's messages, newest first; `cursor` is None on the last."""

    messages: tuple[Message, ...]
    cursor: str | None

    @classmethod
    def from_wire(cls, wire: Json) -> MessagePage:
        items, cursor = _page(wire, "messages")
        return cls(tuple(Message.from_wire(item) for item in items), cursor)


def _page(wire: Json, name: str) -> tuple[list[Wire], str | None]:
    if not isinstance(wire, Mapping):
        return [], None
    items = wire.get(name)
    found = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return found, text(wire.get("cursor")) or None
