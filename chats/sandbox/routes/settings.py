"""What an account has besides chats: MCP servers, hosts that may show previews, webhooks.

Owns one function for each operation. Relies on the records. A secret is kept and shown cut to its
last characters: nothing here ever needs it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from chats.sandbox import wire
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.records import HOOK, HOSTS, MCP_SERVER
from chats.sandbox.world import Call

Json = Any
Wire = dict[str, Json]

MOST_SERVERS = 10
HIDDEN, SHOWN = "…", 4
HOST = re.compile(
    r"(?:\*\*?\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)


async def list_servers(call: Call) -> Response:
    return json_answer(call.store.records.all(call.world.id, MCP_SERVER))


async def create_server(call: Call) -> Response:
    _check_url(call.body["url"])
    if len(call.store.records.all(call.world.id, MCP_SERVER)) >= MOST_SERVERS:
        raise Refusal(403, f"At most {MOST_SERVERS} MCP servers are possible")
    now = wire.now()
    server = {
        "id": f"mcp_{wire.new_id(20)}",
        "description": "",
        "createdAt": now,
        "updatedAt": now,
        "userId": call.world.author_id,
        **call.body,
        "auth": _masked(call.body["auth"]),
    }
    call.store.records.put(call.world.id, MCP_SERVER, server["id"], server)
    return json_answer(server)


async def read_server(call: Call) -> Response:
    return json_answer(_server(call))


async def update_server(call: Call) -> Response:
    given = dict(call.body)
    if "url" in given:
        _check_url(given["url"])
    if "auth" in given:
        given["auth"] = _masked(given["auth"])
    server = {**_server(call), **given, "updatedAt": wire.now()}
    call.store.records.put(call.world.id, MCP_SERVER, server["id"], server)
    return json_answer(server)


async def delete_server(call: Call) -> Response:
    call.store.records.remove(call.world.id, MCP_SERVER, _server(call)["id"])
    return json_answer({"success": True})


def _server(call: Call) -> Wire:
    server = call.store.records.get(call.world.id, MCP_SERVER, call.names["mcpServerId"])
    if server is None:
        raise Refusal(404, "MCP server not found")
    return server


def _check_url(url: str) -> None:
    if urlsplit(url).scheme.lower() not in ("http", "https"):
        raise Refusal(422, "url: must be an http or https URL")


def _masked(auth: Wire) -> Wire:
    match auth:
        case {"type": "bearer", "token": token}:
            return {**auth, "token": _mask(token)}
        case {"type": "custom-headers", "headers": headers}:
            return {**auth, "headers": {name: _mask(value) for name, value in headers.items()}}
        case {"type": "oauth", "config": {"clientSecret": secret, **config}}:
            return {**auth, "config": {**config, "clientSecret": _mask(secret)}}
        case _:
            return auth


def _mask(secret: str) -> str:
    """What was masked before stays as it is."""
    if secret.startswith(HIDDEN):
        return secret
    return HIDDEN + (secret[-SHOWN:] if len(secret) > 2 * SHOWN else "")


async def read_hosts(call: Call) -> Response:
    return json_answer({"hosts": _hosts(call)})


async def set_hosts(call: Call) -> Response:
    hosts = [host.lower().rstrip(".") for host in call.body["hosts"]]
    for at, host in enumerate(hosts):
        if not HOST.fullmatch(host):
            raise Refusal(422, f"hosts[{at}]: must be a hostname, *.hostname or **.hostname")
    call.store.records.put(
        call.world.id, HOSTS, call.world.id, {"hosts": list(dict.fromkeys(hosts))}
    )
    return json_answer({"hosts": _hosts(call)})


def _hosts(call: Call) -> list[str]:
    kept = call.store.records.get(call.world.id, HOSTS, call.world.id)
    return list(kept["hosts"]) if kept else []


async def list_hooks(call: Call) -> Response:
    hooks = call.store.records.all(call.world.id, HOOK)
    return json_answer([{"id": hook["id"], "name": hook["name"]} for hook in hooks])


async def create_hook(call: Call) -> Response:
    _check_url(call.body["url"])
    chat_id = call.body["chatId"]
    if chat_id is not None and call.store.chat(call.world.id, chat_id) is None:
        raise Refusal(404, "Chat not found")
    hook = {"id": f"hook_{wire.new_id(20)}", "createdAt": wire.now(), **call.body}
    call.store.records.put(call.world.id, HOOK, hook["id"], hook)
    return json_answer(hook)


async def read_hook(call: Call) -> Response:
    return json_answer(_hook(call))


async def update_hook(call: Call) -> Response:
    if "url" in call.body:
        _check_url(call.body["url"])
    hook = {**_hook(call), **call.body}
    call.store.records.put(call.world.id, HOOK, hook["id"], hook)
    return json_answer(hook)


async def delete_hook(call: Call) -> Response:
    id = _hook(call)["id"]
    call.store.records.remove(call.world.id, HOOK, id)
    return json_answer({"id": id, "deleted": True})


def _hook(call: Call) -> Wire:
    hook = call.store.records.get(call.world.id, HOOK, call.names["hookId"])
    if hook is None:
        raise Refusal(404, "Webhook not found")
    return hook
