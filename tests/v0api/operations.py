"""How each operation of the spec is called: the least that it takes, and everything that it takes.

Owns the list of operations that this client has, which of them cost credits, and which are repeated.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from chats.v0api.client import Client
from chats.v0api.event_stream import EventStream
from chats.v0api.mcp_servers import (
    BearerAuth,
    HeaderAuth,
    NoAuth,
    OAuth,
    OAuthConfig,
)
from chats.v0api.pending import Permission
from chats.v0api.requests import (
    CreateChat,
    CreateFromFiles,
    CreateFromRepo,
    CreateFromZip,
    ResolveTask,
    Revision,
    SendMessage,
    Skill,
    zip_url,
)
from chats.v0api.stream import Event
from chats.v0api.tasks import (
    MCP_PRESETS,
    PLAN_STATUSES,
    Answer,
    AnsweredQuestions,
    ConfirmedPermissions,
    ConfirmedSteps,
    PlanResponse,
    Task,
    VercelConnectAuthorization,
    VercelConnectSetup,
)
from chats.v0api.types import MODELS, PRIVACIES
from chats.v0api.webhooks import WEBHOOK_EVENTS

Call = Callable[[Client], Awaitable[Any]]

ZIP = b"PK\x03\x04 and what follows"
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, 1, 2, 3, 4000, tzinfo=UTC)

SEND = SendMessage(message="More")
PLAN = ResolveTask(task=PlanResponse("approved"))
AROUND: dict[str, Any] = {"privacy": "private", "metadata": {}}
CREATE = CreateChat(message="Make a page", **AROUND)

CHARGED = {
    "chats.create", "chats.createStream", "chats.createAsync",
    "chats.createFromFiles", "chats.createFromZip", "chats.createFromRepo",
    "chats.duplicate", "chats.restoreMessage", "chats.deploy",
    "messages.send", "messages.sendStream", "messages.sendAsync",
    "messages.resolve", "messages.resolveStream", "messages.resolveAsync",
}  # fmt: skip

REPEATED = {
    "chats.list", "chats.get", "chats.getPreview", "chats.getFiles", "chats.downloadFiles",
    "chats.getConnectStatus", "chats.resume", "messages.list", "messages.get", "messages.stop",
    "mcpServers.list", "mcpServers.get", "settings.getPreviewHosts",
    "usage.getSummary", "usage.listEvents", "usage.getActivity", "webhooks.list", "webhooks.get",
}  # fmt: skip


async def events(stream: AbstractAsyncContextManager[EventStream]) -> list[Event]:
    async with stream as opened:
        return [event async for batch in opened for event in batch]


async def downloaded(v0: Client) -> bytes:
    file = io.BytesIO()
    assert await v0.download_files("chat/1", file) == len(file.getvalue())
    return file.getvalue()


LEAST: dict[str, Call] = {
    "chats.create": lambda v0: v0.create(CREATE),
    "chats.createStream": lambda v0: events(v0.create_stream(CREATE)),
    "chats.createAsync": lambda v0: v0.create_async(CREATE),
    "chats.createFromFiles": lambda v0: v0.create_from_files(
        CreateFromFiles(files={"a": ""}, **AROUND)
    ),
    "chats.createFromZip": lambda v0: v0.create_from_zip(CreateFromZip(url=zip_url(ZIP), **AROUND)),
    "chats.createFromRepo": lambda v0: v0.create_from_repo(CreateFromRepo(url="a", **AROUND)),
    "chats.list": lambda v0: v0.list_chats(),
    "chats.get": lambda v0: v0.get_chat("chat/1"),
    "chats.update": lambda v0: v0.update_chat("chat/1"),
    "chats.delete": lambda v0: v0.delete_chat("chat/1"),
    "chats.duplicate": lambda v0: v0.duplicate_chat("chat/1"),
    "chats.getPreview": lambda v0: v0.get_preview("chat/1"),
    "chats.getFiles": lambda v0: v0.get_files("chat/1"),
    "chats.updateFiles": lambda v0: v0.update_files("chat/1", {"a": None}),
    "chats.downloadFiles": downloaded,
    "chats.getConnectStatus": lambda v0: v0.get_connect_status("chat/1", "r"),
    "chats.restoreMessage": lambda v0: v0.restore_message("chat/1", "message/1"),
    "chats.deploy": lambda v0: v0.deploy("chat/1"),
    "chats.createVercelProject": lambda v0: v0.create_vercel_project("chat/1"),
    "chats.resume": lambda v0: events(v0.resume("chat/1")),
    "messages.list": lambda v0: v0.list_messages("chat/1"),
    "messages.get": lambda v0: v0.get_message("chat/1", "message/1"),
    "messages.send": lambda v0: v0.send("chat/1", SEND),
    "messages.sendStream": lambda v0: events(v0.send_stream("chat/1", SEND)),
    "messages.sendAsync": lambda v0: v0.send_async("chat/1", SEND),
    "messages.resolve": lambda v0: v0.resolve("chat/1", PLAN),
    "messages.resolveStream": lambda v0: events(v0.resolve_stream("chat/1", PLAN)),
    "messages.resolveAsync": lambda v0: v0.resolve_async("chat/1", PLAN),
    "messages.stop": lambda v0: v0.stop("chat/1", "message/1"),
    "mcpServers.list": lambda v0: v0.list_mcp_servers(),
    "mcpServers.get": lambda v0: v0.get_mcp_server("server/1"),
    "mcpServers.create": lambda v0: v0.create_mcp_server(name="a", url="https://a.b"),
    "mcpServers.update": lambda v0: v0.update_mcp_server("server/1"),
    "mcpServers.delete": lambda v0: v0.delete_mcp_server("server/1"),
    "settings.getPreviewHosts": lambda v0: v0.get_preview_hosts(),
    "settings.setPreviewHosts": lambda v0: v0.set_preview_hosts([]),
    "usage.getSummary": lambda v0: v0.get_usage_summary(),
    "usage.listEvents": lambda v0: v0.list_usage_events(),
    "usage.getActivity": lambda v0: v0.get_usage_activity(),
    "webhooks.list": lambda v0: v0.list_webhooks(),
    "webhooks.get": lambda v0: v0.get_webhook("hook/1"),
    "webhooks.create": lambda v0: v0.create_webhook(name="a", url="https://a.b", events=()),
    "webhooks.update": lambda v0: v0.update_webhook("hook/1"),
    "webhooks.delete": lambda v0: v0.delete_webhook("hook/1"),
}

SKILLS = (Skill(id="a"), Skill("project", name="b"))
FULL: dict[str, Any] = {
    "message": "Make a page",
    "system_prompt": "Be brief",
    "image_generations": True,
    "attachments": ("https://example.com/a.png",),
    "mcp_server_ids": ("m",),
}
PLACES: list[dict[str, Any]] = [
    {"privacy": privacy, "metadata": {"a": "b"}, "title": "T"} for privacy in PRIVACIES
]


def creates(*messages: dict[str, Any]) -> list[CreateChat]:
    return [CreateChat(**{**PLACES[0], **one}) for one in messages]


def sends(*messages: dict[str, Any]) -> list[SendMessage]:
    return [SendMessage(**one) for one in messages]


BOTH: list[dict[str, Any]] = [{**FULL, "model": model} for model in MODELS]
OF: dict[Revision, list[dict[str, Any]]] = {
    "ga": [
        {**FULL, "skills": (*SKILLS, Skill("memory", scope="user", name="c"))},
        {"message": "x", "skills": (Skill("memory", scope="team", name="c"),)},
    ],
    "reference": [{**FULL, "model": "v0-auto", "skills": SKILLS[:1], "fix_with_v0": True}],
}
CREATES = creates(*BOTH) + [CreateChat(message="x", **place) for place in PLACES]
SENDS = sends(*BOTH)

PERMISSION = {
    "type": "ALLOW_DYNAMIC_TOOL_STRICT",
    "toolName": "SystemAction",
    "toolDisplayName": "Run a script",
    "input": {"systemAction": "executeScript", "amount": 0.1},
    "taskNameActive": "Running",
    "taskNameComplete": "Ran",
    "userMessage": "May I?",
}
UNNAMED = {**PERMISSION, "toolDisplayName": None, "taskNameActive": None, "taskNameComplete": None}
TASKS: list[Task] = [
    AnsweredQuestions((Answer("q", "What?", ("A",), "b"),)),
    *(PlanResponse(status, "Do") for status in PLAN_STATUSES),  # type: ignore[arg-type]
    ConfirmedSteps(("Neon",), MCP_PRESETS, ("s.sql",), ("KEY",)),
    ConfirmedPermissions((Permission.from_wire(PERMISSION).wire, UNNAMED), "Go on"),
    VercelConnectSetup(),
    VercelConnectAuthorization(),
]
RESOLVES = [ResolveTask(task=task) for task in TASKS] + [
    ResolveTask(task=VercelConnectSetup(), model=model, image_generations=True) for model in MODELS
]

CONFIG = OAuthConfig(
    authorization_url="https://a.b/authorize",
    token_url="https://a.b/token",
    client_id="c",
    scopes=("s",),
    use_pkce=True,
    registration_url="https://a.b/register",
    client_secret="secret",
    issuer="i",
    resource="r",
    client_id_metadata_document_supported=True,
)
AUTHS = (
    NoAuth(),
    BearerAuth("token"),
    HeaderAuth({"X-Key": "k"}),
    OAuth(CONFIG, connected=True, expires_at="2026-01-01T00:00:00Z"),
)


def each(operation: Callable[[Client, Any], Awaitable[Any]], values: list[Any]) -> list[Call]:
    return [lambda v0, value=value: operation(v0, value) for value in values]  # type: ignore[misc]


def server(name: str, v0: Client, **values: Any) -> Awaitable[Any]:
    given = {"name": "a", "url": "https://a.b", "description": "d", "enabled": True, **values}
    if name == "create":
        return v0.create_mcp_server(**given)
    return v0.update_mcp_server("s", **given)


def servers(name: str) -> list[Call]:
    return [
        *each(lambda v0, auth: server(name, v0, auth=auth, scope="user"), list(AUTHS)),
        lambda v0: server(name, v0, scope="team"),
    ]


def around(chat: type[Any], **values: Any) -> list[Any]:
    return [chat(**values, **place) for place in PLACES]


HOOK: dict[str, Any] = {"name": "a", "url": "https://a.b", "events": WEBHOOK_EVENTS}

MOST: dict[str, list[Call]] = {
    "chats.createFromFiles": each(
        lambda v0, one: v0.create_from_files(one), around(CreateFromFiles, files={"a": "b"})
    ),
    "chats.createFromZip": each(
        lambda v0, one: v0.create_from_zip(one), around(CreateFromZip, url="https://a.b/c.zip")
    ),
    "chats.createFromRepo": each(
        lambda v0, one: v0.create_from_repo(one), around(CreateFromRepo, url="a", branch="b")
    ),
    "chats.list": [
        lambda v0: v0.list_chats(
            limit=1, cursor="c", metadata={"a": "b"}, author_id="u", vercel_project_id="p"
        )
    ],
    "chats.update": [
        *each(
            lambda v0, privacy: v0.update_chat(
                "c", title="T", privacy=privacy, metadata={"a": "b", "c": None}
            ),
            list(PRIVACIES),
        ),
        lambda v0: v0.update_chat("c", clear_metadata=True),
    ],
    "chats.duplicate": each(
        lambda v0, privacy: v0.duplicate_chat("c", privacy=privacy, title="T"), list(PRIVACIES)
    ),
    "chats.updateFiles": [lambda v0: v0.update_files("c", {"a": "b", "c": None})],
    "chats.createVercelProject": [lambda v0: v0.create_vercel_project("c", name="n")],
    "messages.list": [lambda v0: v0.list_messages("c", limit=100, cursor="c")],
    "mcpServers.create": servers("create"),
    "mcpServers.update": servers("update"),
    "settings.setPreviewHosts": [lambda v0: v0.set_preview_hosts(["a.b", "*.a.b"])],
    "usage.getSummary": [lambda v0: v0.get_usage_summary(start=START, end=END, user_id="u")],
    "usage.listEvents": [
        lambda v0: v0.list_usage_events(
            start=START, end=END, user_id="u", chat_id="c", message_id="m", limit=1, cursor="x"
        )
    ],
    "usage.getActivity": [lambda v0: v0.get_usage_activity(start=START, end=END, user_id="u")],
    "webhooks.create": [
        lambda v0: v0.create_webhook(**HOOK),
        lambda v0: v0.create_webhook(**HOOK, chat_id="c"),
    ],
    "webhooks.update": [lambda v0: v0.update_webhook("h", **HOOK)],
}


ASKS: dict[str, Callable[[Client, Any], Awaitable[Any]]] = {
    "chats.create": lambda v0, one: v0.create(one),
    "chats.createStream": lambda v0, one: events(v0.create_stream(one)),
    "chats.createAsync": lambda v0, one: v0.create_async(one),
    "messages.send": lambda v0, one: v0.send("c", one),
    "messages.sendStream": lambda v0, one: events(v0.send_stream("c", one)),
    "messages.sendAsync": lambda v0, one: v0.send_async("c", one),
    "messages.resolve": lambda v0, one: v0.resolve("c", one),
    "messages.resolveStream": lambda v0, one: events(v0.resolve_stream("c", one)),
    "messages.resolveAsync": lambda v0, one: v0.resolve_async("c", one),
}


def asked(operation_id: str, revision: Revision) -> list[Any]:
    """Requests in words, one for each thing that can be said in this revision."""
    if operation_id.startswith("chats."):
        return CREATES + creates(*OF[revision])
    if operation_id.startswith("messages.send"):
        return SENDS + sends(*OF[revision])
    auto = [ResolveTask(task=VercelConnectSetup(), model="v0-auto")]
    return RESOLVES + (auto if revision == "reference" else [])


def calls(operation_id: str, revision: Revision) -> list[Call]:
    """Calls that together say everything that the operation takes."""
    if operation_id in ASKS:
        return each(ASKS[operation_id], asked(operation_id, revision))
    return [LEAST[operation_id], *MOST.get(operation_id, [])]
