"""What the sandbox answers is what its published spec describes: every route, every event, every
scenario, judged by jsonschema and not by our own validator."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chats.sandbox.agent.scenarios import SCENARIOS
from chats.sandbox.files import zipped
from chats.sandbox.routes import ANSWERS
from chats.sandbox.spec import Spec
from tests.sandbox.asking import Client

Json = Any

SPEC = Spec("ga")
INVENTED = {"hologram", "transmogrify", "brew_coffee"}
"""What `all-parts` invents, for clients that must bear what is new."""
GUESSED = {"manage_todos", "diagnostics"}
"""Actions that have no data by the spec; `steps` shows what it could be."""


def validator(schema: Json) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": SPEC.document["components"]})


def component(name: str) -> Draft202012Validator:
    return validator({"$ref": f"#/components/schemas/{name}"})


def declared(operation_id: str, status: int) -> Draft202012Validator:
    """The schema of an answer in JSON; statuses that v0 does not declare are flat errors."""
    operation = SPEC.operations[operation_id]
    method = SPEC.document["paths"][operation.path][operation.method.lower()]
    answers = method["responses"].get(str(status))
    if answers is None:
        return component("Error")
    return validator(answers["content"]["application/json"]["schema"])


Asked = tuple[str, str, Json]
"""Operation, path below `/v2` and body of a request."""

ZIP = "data:application/zip;base64," + base64.b64encode(zipped({"a.txt": b"a"})).decode()
SERVER: Json = {
    "name": "Linear",
    "url": "https://mcp.linear.app/sse",
    "enabled": True,
    "auth": {"type": "bearer", "token": "a-secret-token"},
    "scope": "user",
}
HOOK: Json = {
    "name": "Mine",
    "events": ["chat.deleted"],
    "url": "https://a.example/",
    "chatId": None,
}
MAKING: tuple[Asked, ...] = (
    ("chats.create", "/chats", {"message": "Hello"}),
    ("chats.createAsync", "/chats/async", {"message": "Hello"}),
    ("chats.createFromFiles", "/chats/from-files", {"files": [{"name": "a", "content": "b"}]}),
    ("chats.createFromZip", "/chats/from-zip", {"url": ZIP}),
    ("chats.createFromZip", "/chats/from-zip", {"url": "http://a.example/a.zip"}),
    ("chats.createFromRepo", "/chats/from-repo", {"repo": {"url": "https://github.com/a/b"}}),
    ("chats.createFromRepo", "/chats/from-repo", {"repo": {"url": "somewhere"}}),
    ("chats.list", "/chats", None),
    ("chats.list", "/chats?limit=0", None),
    ("mcpServers.list", "/mcp-servers", None),
    ("settings.setPreviewHosts", "/settings/preview-hosts", {"hosts": ["**.Example.com"]}),
    ("settings.setPreviewHosts", "/settings/preview-hosts", {"hosts": ["https://a.example"]}),
    ("settings.getPreviewHosts", "/settings/preview-hosts", None),
    ("webhooks.list", "/hooks", None),
    ("webhooks.create", "/hooks", {**HOOK, "chatId": "nobody"}),
    ("usage.getSummary", "/usage/summary", None),
    ("usage.getSummary", "/usage/summary?userId=nobody", None),
    ("usage.listEvents", "/usage/events", None),
    ("usage.listEvents", "/usage/events?limit=1", None),
    ("usage.listEvents", "/usage/events?cursor=nonsense", None),
    ("usage.getActivity", "/usage/activity", None),
    ("usage.getActivity", "/usage/activity?start=soon", None),
    ("mcpServers.get", "/mcp-servers/{server}", None),
    ("mcpServers.update", "/mcp-servers/{server}", {"auth": {"type": "none"}}),
    ("mcpServers.delete", "/mcp-servers/{server}", None),
    ("mcpServers.delete", "/mcp-servers/{server}", None),
    ("webhooks.get", "/hooks/{hook}", None),
    ("webhooks.update", "/hooks/{hook}", {"name": "Yours"}),
    ("webhooks.delete", "/hooks/{hook}", None),
    ("webhooks.get", "/hooks/{hook}", None),
)
OF_A_CHAT: tuple[Asked, ...] = (
    ("chats.get", "", None),
    ("chats.update", "", {"title": "New"}),
    ("messages.send", "/messages", {"message": "Use green"}),
    ("messages.sendAsync", "/messages/async", {"message": "What is it?"}),
    ("messages.list", "/messages?limit=1", None),
    ("messages.list", "/messages?limit=x", None),
    ("messages.get", "/messages/{message}", None),
    ("messages.stop", "/messages/{message}/stop", None),
    ("messages.sendStream", "/messages/stream", {"message": ""}),
    ("messages.resolve", "/messages/resolve", {"task": {"type": "vercel-connect-setup"}}),
    ("messages.resolveStream", "/messages/resolve/stream", {"task": {"type": "nonsense"}}),
    ("messages.resolveAsync", "/messages/resolve/async", {"task": {"type": "confirmed-steps"}}),
    ("chats.getFiles", "/files", None),
    ("chats.updateFiles", "/files", {"files": [{"path": "a.txt", "content": "a"}]}),
    ("chats.getPreview", "/preview", None),
    ("chats.getPreview", "/preview", None),
    ("chats.updateFiles", "/files", {"files": [{"path": "a.txt", "content": "a"}]}),
    ("chats.updateFiles", "/files", {"files": [{"path": "../a.txt", "content": "a"}]}),
    ("chats.restoreMessage", "/restore-message", {"messageId": "{message}"}),
    ("chats.restoreMessage", "/restore-message", {"messageId": "{message}"}),
    ("chats.createVercelProject", "/vercel-project", {}),
    ("chats.createVercelProject", "/vercel-project", {}),
    ("chats.deploy", "/deploy", None),
    ("chats.getConnectStatus", "/connect/status?requestId=req_1", None),
    ("chats.getConnectStatus", "/connect/status", None),
    ("chats.duplicate", "/duplicate", None),
    ("chats.duplicate", "/duplicate", {"privacy": "team", "title": "Mine"}),
    ("chats.delete", "", None),
    ("chats.get", "", None),
)
STREAMED = {"chats.createStream", "chats.resume", "chats.downloadFiles"}
"""Whose good answers are no JSON: other tests read those."""


def asked(client: Client, operation_id: str, path: str, body: Json) -> Json:
    """One request of `operation_id`; its answer is as declared."""
    method = SPEC.operations[operation_id].method
    answer = client.http.request(method, path, json=body)
    declared(operation_id, answer.status_code).validate(answer.json())
    return answer.json()


def test_every_answer_of_every_route_is_as_declared(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery", metadata={"a": "1"})
    client.send(chat_id, "Make it dark")
    server = asked(client, "mcpServers.create", "/mcp-servers", SERVER)
    hook = asked(client, "webhooks.create", "/hooks", {**HOOK, "chatId": chat_id})
    message = client.messages(chat_id)[2]
    names = {"{server}": server["id"], "{hook}": hook["id"], "{message}": message["id"]}
    inside = ((operation, f"/chats/{chat_id}{path}", body) for operation, path, body in OF_A_CHAT)
    for operation, path, body in (*MAKING, *inside):
        asked(client, operation, *json.loads(filled(json.dumps([path, body]), names)))
    tried = {operation for operation, _, _ in (*MAKING, *OF_A_CHAT)}
    assert tried | STREAMED | {"mcpServers.create"} == set(ANSWERS) == set(SPEC.operations)


def filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


@pytest.mark.parametrize("scenario", ["connect", "connect end=error"])
def test_every_answer_about_a_connector_is_as_declared(client: Client, scenario: str) -> None:
    chat_id = client.new_chat(f"scenario: {scenario} polls=1")
    request = client.newest(chat_id)["parts"][-1]["data"]["requestId"]
    path = f"/chats/{chat_id}/connect/status?requestId={request}"
    told = [asked(client, "chats.getConnectStatus", path, None)["status"] for _ in range(2)]
    assert told == ["pending", "error" if "error" in scenario else "ready"]


def test_what_is_refused_for_want_of_a_permission_is_as_declared(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    client.sandbox.edit(chat_id, writePermission=False)
    for operation, path, body in OF_A_CHAT:
        asked(client, operation, f"/chats/{chat_id}{path}".replace("{message}", "nobody"), body)
    assert asked(client, "chats.get", f"/chats/{chat_id}", None)["writePermission"] is False


def test_a_stop_that_is_accepted_is_as_declared(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": "scenario: long\npace: 1"}) as events:
        chat_id = next(events)["id"]
        message_id = client.newest(chat_id)["id"]
        asked(client, "messages.stop", f"/chats/{chat_id}/messages/{message_id}/stop", None)


PROMPTS = ("Build a shop in red", "What is it?", *(f"scenario: {name}" for name in SCENARIOS))


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_event_of_both_families_and_every_message_is_as_declared(
    client: Client, prompt: str
) -> None:
    text = f"{prompt} seconds=0 size=2000" if prompt.startswith("scenario") else prompt
    created = client.create(text)
    sent = client.send(created[0]["id"], text)
    resumed = client.events(f"/chats/{created[0]['id']}/resume")
    for event in created + resumed:
        component("ChatStreamEvent").validate(event)
    for event in sent:
        component("MessageStreamEvent").validate(known(event))
    for message in client.messages(created[0]["id"]):
        component("Message").validate(known(message))


def known(message: Json) -> Json:
    """`message` without what no spec knows: invented parts, and the data of some actions."""
    kept = [
        {key: value for key, value in part.items() if key != "data" or part["name"] not in GUESSED}
        for part in message.get("parts", [])
        if INVENTED.isdisjoint({part["type"], part.get("operation"), part.get("name")})
    ]
    return {**message, "parts": kept} if "parts" in message else message
