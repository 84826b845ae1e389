"""The shapes in which v0 has answered besides the one in its spec, and secrets in what it answers."""

from __future__ import annotations

from typing import Any

import pytest

from chats.v0api.errors import InDoubt
from chats.v0api.mcp_servers import (
    BearerAuth,
    HeaderAuth,
    McpServer,
    NoAuth,
    OAuth,
    UnknownAuth,
    auth_from_wire,
)
from chats.v0api.vercel import ConnectStatus
from chats.v0api.webhooks import Webhook, WebhookName
from tests.v0api.exchange import exchanging
from tests.v0api.operations import AUTHS, CONFIG, LEAST, Call
from tests.v0api.wire_server import answer

pytestmark = pytest.mark.anyio

DONE = ("messages.stop", "chats.delete", "mcpServers.delete", "webhooks.delete")
each_done = pytest.mark.parametrize("operation_id", DONE)


@each_done
@pytest.mark.parametrize(
    "reply",
    [
        answer(200, {"messageId": "m"}),
        answer(200, {"chatId": "c"}),
        answer(200, {"success": True}),
        answer(200, {"id": "h", "deleted": True}),
        answer(200, {}),
        answer(200, None),
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
    ids=lambda reply: str(reply[-24:]),
)
async def test_every_way_of_saying_that_it_is_done_is_taken(
    operation_id: str, reply: bytes
) -> None:
    async with exchanging() as exchange:
        assert await exchange.call(LEAST[operation_id], reply) is None
        assert len(exchange.requests) == 1


@each_done
@pytest.mark.parametrize(
    "reply",
    [
        answer(200, {"success": False}),
        answer(200, {"id": "h", "deleted": False}),
        answer(200, b"<p>Sign in</p>", content_type="text/html"),
        answer(200, b"{"),
    ],
    ids=lambda reply: str(reply[-24:]),
)
async def test_what_does_not_say_that_it_is_done_is_in_doubt(
    operation_id: str, reply: bytes
) -> None:
    async with exchanging() as exchange:
        with pytest.raises(InDoubt):
            await exchange.call(LEAST[operation_id], reply)
        assert len(exchange.requests) == 1


LISTS = {"mcpServers.list": "mcpServers", "webhooks.list": "hooks"}
each_list = pytest.mark.parametrize(("operation_id", "name"), LISTS.items())


@each_list
async def test_a_list_comes_bare_or_wrapped(operation_id: str, name: str) -> None:
    items = [{"id": "1", "name": "A"}, "odd", {"id": "2"}]
    async with exchanging() as exchange:
        for body in (items, {name: items}, {"object": "list", "data": items}):
            found = await exchange.call(LEAST[operation_id], answer(200, body))
            assert [item.id for item in found] == ["1", "2"]
        assert await exchange.call(LEAST[operation_id], answer(200, [])) == ()


@each_list
@pytest.mark.parametrize("body", [None, {}, {"data": {}}, "x"], ids=str)
async def test_a_list_that_is_missing_is_not_taken_for_an_empty_one(
    operation_id: str, name: str, body: Any
) -> None:
    async with exchanging() as exchange:
        with pytest.raises(InDoubt):
            await exchange.call(LEAST[operation_id], answer(200, body))


NAMELESS = (
    "chats.create", "chats.createAsync", "chats.createFromFiles", "chats.createFromZip",
    "chats.createFromRepo", "chats.duplicate", "chats.get", "chats.update", "chats.deploy",
    "chats.createVercelProject", "chats.getConnectStatus", "chats.getFiles", "chats.updateFiles",
    "chats.restoreMessage", "messages.send", "messages.sendAsync", "messages.resolve",
    "messages.resolveAsync", "mcpServers.create", "mcpServers.get", "mcpServers.update",
    "webhooks.create", "webhooks.get", "webhooks.update", "settings.getPreviewHosts",
    "settings.setPreviewHosts",
)  # fmt: skip


@pytest.mark.parametrize("operation_id", NAMELESS)
async def test_an_answer_that_does_not_say_what_it_is_about_is_in_doubt(operation_id: str) -> None:
    bodies: tuple[Any, ...] = (None, [], {}, {"id": "", "chat": None, "status": 1}, "done")
    async with exchanging() as exchange:
        for body in bodies:
            with pytest.raises(InDoubt):
                await exchange.call(LEAST[operation_id], answer(200, body))
            assert len(exchange.requests) == 1


@pytest.mark.parametrize("auth", AUTHS, ids=lambda auth: type(auth).__name__)
def test_what_authenticates_is_written_as_it_was_read_and_in_no_repr(auth: Any) -> None:
    assert auth_from_wire(auth.wire()) == auth
    for secret in ("token", "k'", "secret'"):
        assert secret not in repr(auth).replace("token_url='https://a.b/token'", "")


@pytest.mark.parametrize(
    ("wire", "auth"),
    [
        ({"type": "none"}, NoAuth()),
        ({"type": "bearer"}, BearerAuth("")),
        ({"type": "custom-headers", "headers": []}, HeaderAuth({})),
        ({"type": "oauth", "config": 1, "connected": "yes"}, OAuth()),
        ({"type": "magic", "wand": 1}, UnknownAuth("magic")),
        ({}, UnknownAuth("")),
        (None, UnknownAuth("")),
    ],
    ids=str,
)
def test_odd_ways_to_authenticate_are_borne(wire: Any, auth: Any) -> None:
    assert auth_from_wire(wire) == auth


def test_a_server_and_a_webhook_keep_their_secrets_out_of_reprs() -> None:
    server = McpServer.from_wire({"id": "s", "auth": {"type": "bearer", "token": "canary"}})
    hook = Webhook.from_wire({"id": "h", "url": "https://a.b/canary"})

    assert server.auth == BearerAuth("canary")
    assert hook.url == "https://a.b/canary"
    assert "canary" not in repr(server) + repr(hook) + repr(CONFIG)
    assert WebhookName.from_wire({"id": "h"}).name == ""


@pytest.mark.parametrize(
    ("wire", "progress", "message"),
    [
        ({"status": "pending"}, "", ""),
        ({"status": "pending", "progress": "Waiting"}, "Waiting", ""),
        ({"status": "error", "message": "Denied"}, "", "Denied"),
        ({"status": "paused"}, "", ""),
        ({"status": "ready", "connector": None}, "", ""),
    ],
    ids=str,
)
def test_a_connection_is_followed(wire: Any, progress: str, message: str) -> None:
    status = ConnectStatus.from_wire(wire)

    assert (status.status, status.progress, status.message) == (wire["status"], progress, message)
    assert status.connector is None


CREATED = ("chats.create", "messages.send", "messages.resolveAsync", "chats.deploy")


@pytest.mark.parametrize("operation_id", CREATED)
async def test_any_success_with_the_right_answer_will_do(operation_id: str) -> None:
    body = {"id": "m", "chat": {"id": "c"}, "messageId": "m", "deploymentId": "d"}
    call: Call = LEAST[operation_id]
    async with exchanging() as exchange:
        for status in (200, 201, 202):
            assert await exchange.call(call, answer(status, body))
