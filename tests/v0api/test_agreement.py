"""The client against the sandbox, in both revisions: what one says, the other understands."""

from __future__ import annotations

import asyncio
import functools
import io
import uuid
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, get_args

import pytest

from chats.v0api.client import Client
from chats.v0api.errors import Conflict, NotFound
from chats.v0api.pending import (
    PendingConnect,
    PendingIntegration,
    PendingPermissions,
    PendingPlan,
    PendingQuestions,
    PendingTask,
    pending_task,
)
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
from chats.v0api.stream import Fold, fold
from chats.v0api.tasks import AnsweredQuestions, PlanResponse, Task
from chats.v0api.types import Message, parts_from_wire
from chats.v0api.webhooks import WEBHOOK_EVENTS
from tests.sandbox_server import Sandbox, running_sandbox
from tests.v0api.operations import AUTHS, FULL

pytestmark = pytest.mark.anyio

Found = TypeVar("Found")

AROUND: dict[str, Any] = {"privacy": "private", "metadata": {"ours": "1"}}
BAKERY = CreateChat(message="Build a page for a bakery", **AROUND)


@pytest.fixture(scope="module", params=get_args(Revision))
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Sandbox]:
    db: Path = tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3"
    with running_sandbox(db, revision=request.param) as running:
        yield running


@pytest.fixture
def key() -> str:
    """Each key is a world of its own."""
    return f"key-{uuid.uuid4()}"


@pytest.fixture
async def v0(sandbox: Sandbox, key: str) -> AsyncIterator[Client]:
    """Finds out the revision by itself."""
    async with Client(sandbox.base_url, key) as client:
        yield client


async def once(ask: Callable[[], Awaitable[Found]], holds: Callable[[Found], object]) -> Found:
    """The first answer for which `holds`; TimeoutError when that takes too long."""
    async with asyncio.timeout(20):
        while True:
            found = await ask()
            if holds(found):
                return found
            await asyncio.sleep(0.02)


async def final(v0: Client, chat_id: str, message_id: str) -> Message:
    return await once(lambda: v0.get_message(chat_id, message_id), lambda one: one.finish_reason)


async def test_files_are_read_changed_archived_and_restored(v0: Client) -> None:
    created = await v0.create(BAKERY)
    chat = created.chat.id
    first = (await v0.list_messages(chat)).messages[0]
    before = await v0.get_files(chat)
    file = io.BytesIO()
    assert await v0.download_files(chat, file) == len(file.getvalue())
    archive = zipfile.ZipFile(file)
    assert {one.path: one.data for one in before} == {
        name: archive.read(name) for name in archive.namelist()
    }

    assert await once(lambda: v0.get_preview(chat), lambda preview: preview is not None)
    pair = await v0.update_files(chat, {"notes.txt": "é", before[0].path: None})
    after = {one.path: one.data for one in await v0.get_files(chat)}
    assert [message.role for message in pair] == ["user", "assistant"]
    assert after["notes.txt"] == "é".encode()
    assert before[0].path not in after

    assert len(await v0.restore_message(chat, first.id)) == 2
    assert await v0.get_files(chat) == before
    with pytest.raises(Conflict):
        await v0.restore_message(chat, (await v0.list_messages(chat)).messages[0].id)


async def test_a_chat_is_made_in_every_way(v0: Client) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("index.html", "<h1>Hi</h1>")
    made = [
        await v0.create_from_files(CreateFromFiles(files={"a.txt": "A"}, title="Mine", **AROUND)),
        await v0.create_from_zip(CreateFromZip(url=zip_url(data.getvalue()), **AROUND)),
        await v0.create_from_repo(CreateFromRepo(url="https://github.com/a/b", **AROUND)),
        await v0.create(BAKERY),
    ]
    accepted = await v0.create_async(BAKERY)
    copy = await v0.duplicate_chat(made[0].chat.id, privacy="team", title="Copy")

    ids = {one.chat.id for one in made} | {accepted.chat_id, copy.id}
    assert {chat.id async for chat in v0.iter_chats(page=2)} == ids
    ours = {chat.id async for chat in v0.iter_chats(metadata={"ours": "1"})}
    assert ids - {copy.id} <= ours
    assert (made[0].chat.title, copy.title, copy.privacy) == ("Mine", "Copy", "team")
    assert [one.content for one in await v0.get_files(copy.id)] == ["A"]
    assert (await final(v0, accepted.chat_id, accepted.message_id)).finish_reason == "stop"


async def test_everything_that_can_be_said_is_accepted(v0: Client) -> None:
    server = await v0.create_mcp_server(name="a", url="https://example.com/mcp")
    said = {**FULL, "mcp_server_ids": (server.id,), "skills": (Skill(id="a"),)}
    chat = (await v0.create(CreateChat(**{**said, "model": "v0-auto"}, **AROUND))).chat
    answer = await v0.send(chat.id, SendMessage(**said, model="v0-max", fix_with_v0=True))

    assert (answer.role, answer.finish_reason) == ("assistant", "stop")
    later = await v0.send_async(chat.id, SendMessage(**said))
    assert (await final(v0, chat.id, later)).finish_reason == "stop"


TASKS: dict[str, type[PendingTask]] = {
    "ask-questions n=3": PendingQuestions,
    "plan": PendingPlan,
    "integration": PendingIntegration,
    "permission": PendingPermissions,
    "connect polls=1": PendingConnect,
    "connect-authorization polls=1": PendingConnect,
}


def answer_to(pending: Any) -> Task:
    match pending:
        case PendingQuestions(questions=questions):
            answers = [one.answer(one.options[0].label, custom_text="Nice") for one in questions]
            return AnsweredQuestions(tuple(answers))
        case PendingPlan():
            return PlanResponse("approved")
        case PendingPermissions():
            return pending.confirmed("Go on")
        case PendingIntegration():
            return pending.confirmed
        case PendingConnect():
            return pending.ready
        case _:
            raise AssertionError(pending)


@pytest.mark.parametrize(("scenario", "kind"), TASKS.items())
async def test_each_task_is_found_and_resolved(
    v0: Client, scenario: str, kind: type[PendingTask]
) -> None:
    prompt = f"Build a page\nscenario: {scenario}"
    chat = (await v0.create(CreateChat(message=prompt, **AROUND))).chat.id
    message = (await v0.list_messages(chat)).messages[0]
    pending = pending_task(parts_from_wire(list(message.parts)))
    assert isinstance(pending, kind)
    task = ResolveTask(task=answer_to(pending), model="v0-mini")
    if isinstance(pending, PendingConnect):
        with pytest.raises(NotFound, match="not been started"):
            await v0.resolve(chat, task)
        asked = functools.partial(v0.get_connect_status, chat, pending.request_id)
        assert (await once(asked, lambda found: found.status != "pending")).connector is not None

    state = Fold()
    async with v0.resolve_stream(chat, task) as stream:
        async for batch in stream:
            for event in batch:
                state = fold(state, event)
    assert state.message is not None
    assert state.message.id not in ("", message.id)
    assert state.parts == (await v0.get_message(chat, state.message.id)).parts
    with pytest.raises(Conflict):
        await v0.resolve_async(chat, task)


async def test_usage_adds_up_to_the_last_digit(v0: Client) -> None:
    chat = (await v0.create(BAKERY)).chat.id
    for text in ("Make it dark", "Add a contact form"):
        await v0.send(chat, SendMessage(message=text, model="v0-max"))

    messages = [message async for message in v0.iter_messages(chat, page=1)]
    events = [event async for event in v0.iter_usage_events(page=1)]
    summary, activity = await v0.get_usage_summary(), await v0.get_usage_activity()
    total = sum((message.usage.credits.total for message in messages), Decimal(0))
    assert total > 0
    assert sum((event.charged for event in events), Decimal(0)) == summary.credits.total == total
    assert sum((day.credits.total for day in summary.daily), Decimal(0)) == total
    assert {event.message_id for event in events} <= {message.id for message in messages}
    assert [one.chat_id for one in activity.chats] == [chat]
    only = v0.iter_usage_events(chat_id=chat, message_id=messages[0].id)
    assert [event.charged async for event in only] == [messages[0].usage.credits.total]


async def test_what_is_kept_for_a_scope_is_kept(v0: Client) -> None:
    for auth in AUTHS:
        server = await v0.create_mcp_server(name="a", url="https://a.b", auth=auth, scope="team")
        # What authenticates comes back masked.
        assert type(server.auth) is type(auth)
    assert len(await v0.list_mcp_servers()) == len(AUTHS)
    changed = await v0.update_mcp_server(server.id, name="b", enabled=False)
    assert (changed.name, changed.enabled) == ("b", False)
    assert await v0.get_mcp_server(server.id) == changed
    await v0.delete_mcp_server(server.id)
    with pytest.raises(NotFound):
        await v0.get_mcp_server(server.id)

    assert await v0.set_preview_hosts(["a.b", "**.a.b"]) == ("a.b", "**.a.b")
    assert await v0.get_preview_hosts() == ("a.b", "**.a.b")

    hook = await v0.create_webhook(name="a", url="https://a.b/c", events=WEBHOOK_EVENTS)
    assert (hook.events, hook.chat_id) == (WEBHOOK_EVENTS, "")
    await v0.update_webhook(hook.id, events=["message.finished"])
    assert (await v0.get_webhook(hook.id)).events == ("message.finished",)
    assert [one.id for one in await v0.list_webhooks()] == [hook.id]
    await v0.delete_webhook(hook.id)
    assert await v0.list_webhooks() == ()


async def test_a_chat_is_published_changed_and_deleted(v0: Client) -> None:
    chat = (await v0.create(BAKERY)).chat.id
    project = await v0.create_vercel_project(chat, name="bakery")
    deployment = await v0.deploy(chat)
    assert deployment.vercel_project_id == project
    with pytest.raises(Conflict):
        await v0.create_vercel_project(chat)
    assert [one.id async for one in v0.iter_chats(vercel_project_id=project)] == [chat]

    changed = await v0.update_chat(chat, title="New", privacy="team", metadata={"b": "2"})
    assert (changed.title, changed.metadata) == ("New", {"ours": "1", "b": "2"})
    assert (await v0.update_chat(chat, metadata={"ours": None})).metadata == {"b": "2"}
    assert (await v0.update_chat(chat, clear_metadata=True)).metadata == {}
    await v0.delete_chat(chat)
    with pytest.raises(NotFound):
        await v0.get_chat(chat)


async def test_each_message_is_counted_once(v0: Client, sandbox: Sandbox, key: str) -> None:
    chat = (await v0.create(BAKERY)).chat.id
    await v0.send(chat, SendMessage(message="More"))
    await v0.duplicate_chat(chat)

    ledger = sandbox.ledger(key)
    assert ledger["chats"][chat]["user_messages"] == ledger["user_messages"] == 2
