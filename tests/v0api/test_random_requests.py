"""Whatever one tries to ask: either v0's spec allows what is sent, or nothing is sent at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chats.v0api.errors import InvalidRequest
from chats.v0api.mcp_servers import BearerAuth, HeaderAuth, NoAuth, OAuth, OAuthConfig
from chats.v0api.requests import (
    CreateChat,
    CreateFromFiles,
    CreateFromRepo,
    CreateFromZip,
    ResolveTask,
    Revision,
    SendMessage,
    Skill,
)
from chats.v0api.tasks import (
    MCP_PRESETS,
    PLAN_STATUSES,
    Answer,
    AnsweredQuestions,
    ConfirmedPermissions,
    ConfirmedSteps,
    PlanResponse,
    VercelConnectAuthorization,
    VercelConnectSetup,
)
from chats.v0api.types import MODELS, PRIVACIES
from chats.v0api.webhooks import WEBHOOK_EVENTS
from tests.v0api.exchange import Exchange, accepted, exchanging
from tests.v0api.operations import ASKS, PERMISSION, UNNAMED, Call, downloaded, events
from tests.v0api.spec import Operation, operations
from tests.v0api.test_spec_requests import assert_allowed

EDGES = (0, 1, 20, 40, 41, 50, 51, 64, 65, 100, 101, 128, 129, 250, 251, 256, 257, 500, 501)
TEXTS = (
    st.text(max_size=6)
    | st.sampled_from([" ", "\n", "."])
    | st.sampled_from(EDGES).map("x".__mul__)
    | st.sampled_from(EDGES).map("😀".__mul__)
)
WRONG_URLS = (
    "a.b",
    "https://",
    "ftp://a",
    "https://a.b:x",
    "https://[",
    "https://a b",
    "https://é",
)
URLS = TEXTS | st.sampled_from(
    ("https://a.b", "http://a.b/c?d#e", "data:application/zip;base64,", *WRONG_URLS)
)
URLS |= st.sampled_from((488, 489)).map(lambda size: f"https://a.b/{'x' * size}")
NAMES = st.lists(TEXTS, max_size=4).map(tuple)
MAYBE = st.none() | TEXTS
METADATA = st.dictionaries(TEXTS, TEXTS, max_size=3) | st.sampled_from((50, 51)).map(
    lambda size: {str(number): "" for number in range(size)}
)
BOOLEANS = st.booleans()


def one_of(known: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(known) | TEXTS


def some_of(known: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(one_of(known), max_size=3).map(tuple)


MODEL = one_of((*MODELS, "v0-auto"))
KINDS = ("remote", "memory", "project")
SKILLS = st.builds(
    Skill, st.sampled_from(KINDS), id=TEXTS, scope=one_of(("user", "team")), name=TEXTS
)
WORDS: dict[str, st.SearchStrategy[Any]] = {
    "message": TEXTS,
    "system_prompt": TEXTS,
    "model": MODEL,
    "image_generations": BOOLEANS,
    "attachments": NAMES,
    "mcp_server_ids": st.none() | NAMES,
    "skills": st.lists(SKILLS, max_size=4).map(tuple),
    "fix_with_v0": BOOLEANS,
}
AROUND: dict[str, st.SearchStrategy[Any]] = {
    "privacy": one_of(PRIVACIES),
    "metadata": METADATA,
    "title": MAYBE,
}
ANSWERS = st.builds(Answer, TEXTS, TEXTS, NAMES, TEXTS)
TASKS = (
    st.builds(AnsweredQuestions, st.lists(ANSWERS, max_size=3).map(tuple))
    | st.builds(PlanResponse, one_of(PLAN_STATUSES), TEXTS)
    | st.builds(ConfirmedSteps, NAMES, some_of(MCP_PRESETS), NAMES, NAMES)
    | st.builds(ConfirmedSteps, st.sampled_from((100, 101)).map(lambda size: ("x",) * size))
    | st.builds(
        ConfirmedPermissions, st.lists(st.sampled_from((PERMISSION, UNNAMED))).map(tuple), TEXTS
    )
    | st.builds(VercelConnectSetup)
    | st.builds(VercelConnectAuthorization)
)
FILES = st.dictionaries(TEXTS, TEXTS, max_size=3) | st.sampled_from((20, 21)).map(
    lambda size: {str(number): "" for number in range(1, size + 1)}
)
MOMENTS = st.datetimes(
    timezones=st.none() | st.integers(-1439, 1439).map(lambda at: timezone(timedelta(minutes=at)))
)
CONFIGS = st.builds(
    OAuthConfig,
    authorization_url=URLS,
    token_url=URLS,
    client_id=TEXTS,
    scopes=NAMES,
    use_pkce=BOOLEANS,
    registration_url=URLS,
    client_secret=TEXTS,
    issuer=TEXTS,
    resource=TEXTS,
    client_id_metadata_document_supported=BOOLEANS,
)
AUTHS = (
    st.builds(NoAuth)
    | st.builds(BearerAuth, TEXTS)
    | st.builds(HeaderAuth, st.dictionaries(TEXTS, TEXTS, max_size=2))
    | st.builds(OAuth, st.none() | CONFIGS, BOOLEANS, TEXTS)
)
SERVER = {
    "name": TEXTS,
    "url": URLS,
    "description": TEXTS,
    "enabled": BOOLEANS,
    "auth": AUTHS,
    "scope": one_of(("user", "team")),
}
HOOK = {"name": TEXTS, "url": URLS, "events": some_of(WEBHOOK_EVENTS)}
RANGE = {"start": st.none() | MOMENTS, "end": st.none() | MOMENTS, "user_id": MAYBE}
PAGE = {"limit": st.integers(-1, 101), "cursor": MAYBE}


def method(
    method: str, /, *given: st.SearchStrategy[Any], **named: st.SearchStrategy[Any]
) -> st.SearchStrategy[Call]:
    """Calls of a method of the client; what is named may be left out."""
    return called(method, given, st.fixed_dictionaries({}, optional=named))


def whole(method: str, /, **named: st.SearchStrategy[Any]) -> st.SearchStrategy[Call]:
    """Calls of a method of the client with all that is named."""
    return called(method, (), st.fixed_dictionaries(named))


def called(
    method: str, given: tuple[st.SearchStrategy[Any], ...], named: st.SearchStrategy[Any]
) -> st.SearchStrategy[Call]:
    return st.builds(
        lambda values, more: lambda v0: getattr(v0, method)(*values, **more),
        st.tuples(*given),
        named,
    )


def asks(operation_id: str, requests: st.SearchStrategy[Any]) -> st.SearchStrategy[Call]:
    return requests.map(lambda one: lambda v0: ASKS[operation_id](v0, one))


def wanted(operation_id: str) -> st.SearchStrategy[Any]:
    if operation_id.startswith("chats."):
        return st.builds(CreateChat, **{**WORDS, **AROUND})
    if operation_id.startswith("messages.send"):
        return st.builds(SendMessage, **WORDS)
    return st.builds(ResolveTask, task=TASKS, model=MODEL, image_generations=BOOLEANS)


CALLS: dict[str, st.SearchStrategy[Call]] = {
    **{operation_id: asks(operation_id, wanted(operation_id)) for operation_id in ASKS},
    "chats.createFromFiles": method(
        "create_from_files", st.builds(CreateFromFiles, files=FILES, **AROUND)
    ),
    "chats.createFromZip": method("create_from_zip", st.builds(CreateFromZip, url=URLS, **AROUND)),
    "chats.createFromRepo": method(
        "create_from_repo", st.builds(CreateFromRepo, url=TEXTS, branch=TEXTS, **AROUND)
    ),
    "chats.list": method(
        "list_chats", **PAGE, metadata=METADATA, author_id=MAYBE, vercel_project_id=MAYBE
    ),
    "chats.get": method("get_chat", TEXTS),
    "chats.update": method(
        "update_chat",
        TEXTS,
        title=MAYBE,
        privacy=st.none() | one_of(PRIVACIES),
        metadata=st.none() | METADATA | st.dictionaries(TEXTS, MAYBE, max_size=3),
        clear_metadata=BOOLEANS,
    ),
    "chats.delete": method("delete_chat", TEXTS),
    "chats.duplicate": method("duplicate_chat", TEXTS, privacy=one_of(PRIVACIES), title=MAYBE),
    "chats.getPreview": method("get_preview", TEXTS),
    "chats.getFiles": method("get_files", TEXTS),
    "chats.updateFiles": method("update_files", TEXTS, st.dictionaries(TEXTS, MAYBE, max_size=3)),
    "chats.downloadFiles": st.just(downloaded),
    "chats.getConnectStatus": method("get_connect_status", TEXTS, TEXTS),
    "chats.restoreMessage": method("restore_message", TEXTS, TEXTS),
    "chats.deploy": method("deploy", TEXTS),
    "chats.createVercelProject": method("create_vercel_project", TEXTS, name=TEXTS),
    "chats.resume": TEXTS.map(lambda chat: lambda v0: events(v0.resume(chat))),
    "messages.list": method("list_messages", TEXTS, **PAGE),
    "messages.get": method("get_message", TEXTS, TEXTS),
    "messages.stop": method("stop", TEXTS, TEXTS),
    "mcpServers.list": method("list_mcp_servers"),
    "mcpServers.get": method("get_mcp_server", TEXTS),
    "mcpServers.create": whole("create_mcp_server", **SERVER),
    "mcpServers.update": method("update_mcp_server", TEXTS, **SERVER),
    "mcpServers.delete": method("delete_mcp_server", TEXTS),
    "settings.getPreviewHosts": method("get_preview_hosts"),
    "settings.setPreviewHosts": method("set_preview_hosts", st.lists(TEXTS, max_size=6)),
    "usage.getSummary": method("get_usage_summary", **RANGE),
    "usage.listEvents": method(
        "list_usage_events", **RANGE, **PAGE, chat_id=MAYBE, message_id=MAYBE
    ),
    "usage.getActivity": method("get_usage_activity", **RANGE),
    "webhooks.list": method("list_webhooks"),
    "webhooks.get": method("get_webhook", TEXTS),
    "webhooks.create": whole("create_webhook", **HOOK, chat_id=MAYBE),
    "webhooks.update": method("update_webhook", TEXTS, **HOOK),
    "webhooks.delete": method("delete_webhook", TEXTS),
}
CASES = [
    pytest.param(operation_id, revision, id=f"{operation_id}-{revision}")
    for operation_id in CALLS
    for revision in (get_args(Revision) if operation_id in ASKS else ("ga",))
]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def test_every_operation_is_tried() -> None:
    assert set(CALLS) == set(operations())


@pytest.mark.parametrize(("operation_id", "revision"), CASES)
def test_what_is_sent_is_allowed_and_what_is_not_allowed_is_not_sent(
    operation_id: str, revision: Revision, runner: asyncio.Runner
) -> None:
    operation = operations(revision)[operation_id]
    reply = accepted(operation)
    stack = AsyncExitStack()
    exchange = runner.run(stack.enter_async_context(exchanging(revision=revision)))

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(CALLS[operation_id])
    def try_one(call: Call) -> None:
        runner.run(asked_or_refused(exchange, operation, call, reply))

    try:
        try_one()
    finally:
        runner.run(stack.aclose())


async def asked_or_refused(
    exchange: Exchange, operation: Operation, call: Call, reply: bytes
) -> None:
    refused: InvalidRequest | None = None
    try:
        await exchange.call(call, reply)
    except InvalidRequest as error:
        refused = error
    if refused is None:
        [request] = exchange.requests
        assert_allowed(operation, request)
    else:
        assert exchange.requests == []
        assert refused.field.partition(".")[0] in fields(operation)


def fields(operation: Operation) -> set[str]:
    """What a refusal may name: a field of the body, a parameter, or an id in the path."""
    body = operation.body or {}
    return {*body.get("properties", {}), *operation.query, "id"}
