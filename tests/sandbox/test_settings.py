"""MCP servers and preview hosts: what is kept of them, and that no secret comes back whole."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.asking import Client

Json = Any

SERVER = {
    "name": "Linear",
    "url": "https://mcp.linear.app/sse",
    "enabled": True,
    "auth": {"type": "none"},
    "scope": "user",
}


def server(client: Client, **fields: Json) -> Json:
    answer = client.post("/mcp-servers", {**SERVER, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_server_is_kept_changed_and_deleted(client: Client) -> None:
    made = server(client, description="Issues")
    path = f"/mcp-servers/{made['id']}"
    assert {name: made[name] for name in SERVER} == SERVER
    assert client.get(path).json() == made
    assert client.get("/mcp-servers").json() == [made]
    changed = client.http.patch(path, json={"enabled": False}).json()
    assert changed == {**made, "enabled": False, "updatedAt": changed["updatedAt"]}
    with Client(client.sandbox) as other:
        assert other.get(path).status_code == 404
        assert other.get("/mcp-servers").json() == []
    assert client.http.delete(path).json() == {"success": True}
    assert client.http.delete(path).status_code == 404


OAUTH = {
    "authorizationUrl": "https://a.example/authorize",
    "tokenUrl": "https://a.example/token",
    "clientId": "v0",
    "scopes": ["read"],
    "usePKCE": True,
}


@pytest.mark.parametrize(
    ("auth", "shown"),
    [
        (
            {"type": "bearer", "token": "a-long-secret-1234"},
            {"type": "bearer", "token": "…1234"},
        ),
        ({"type": "bearer", "token": "short"}, {"type": "bearer", "token": "…"}),
        (
            {"type": "custom-headers", "headers": {"x-key": "a-long-secret-1234"}},
            {"type": "custom-headers", "headers": {"x-key": "…1234"}},
        ),
        (
            {
                "type": "oauth",
                "connected": False,
                "config": {**OAUTH, "clientSecret": "secret-abcd"},
            },
            {"type": "oauth", "connected": False, "config": {**OAUTH, "clientSecret": "…abcd"}},
        ),
        ({"type": "oauth", "connected": True}, {"type": "oauth", "connected": True}),
    ],
    ids=["bearer", "short", "headers", "oauth", "connected"],
)
def test_a_secret_comes_back_cut(client: Client, auth: Json, shown: Json) -> None:
    made = server(client, auth=auth)
    path = f"/mcp-servers/{made['id']}"
    assert made["auth"] == client.get(path).json()["auth"] == shown
    again = client.http.patch(path, json={"auth": made["auth"]})
    assert again.json()["auth"] == shown


def test_a_user_has_ten_servers_at_most(client: Client) -> None:
    for _ in range(10):
        server(client)
    assert client.post("/mcp-servers", SERVER).status_code == 403
    assert client.post("/mcp-servers", {**SERVER, "url": "ftp://a.example"}).status_code == 422


def tools(client: Client, **fields: Json) -> list[str]:
    message = client.newest(client.new_chat("scenario: mcp", **fields))
    return [part["name"] for part in message["parts"] if part["type"] == "tool-call"]


def test_a_message_uses_its_servers_or_those_that_are_enabled(client: Client) -> None:
    assert tools(client) == ["linear_list_issues"]
    server(client, name="Sentry")
    disabled = server(client, name="My Notion!", enabled=False)
    assert tools(client) == ["sentry_list_issues"]
    assert tools(client, mcpServerIds=[disabled["id"]]) == ["my_notion_list_issues"]
    refused = client.post("/chats", {"message": "x", "mcpServerIds": [disabled["id"], "mcp_0"]})
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("mcpServerIds[1]: ")


def set_hosts(client: Client, *hosts: str) -> Any:
    return client.http.put("/settings/preview-hosts", json={"hosts": list(hosts)})


def test_hosts_are_kept_in_one_spelling(client: Client) -> None:
    assert client.get("/settings/preview-hosts").json() == {"hosts": []}
    wanted = ("App.Example.com", "*.example.com", "**.example.com", "app.example.com", "localhost")
    kept = {"hosts": ["app.example.com", "*.example.com", "**.example.com", "localhost"]}
    assert set_hosts(client, *wanted).json() == kept
    assert client.get("/settings/preview-hosts").json() == kept
    assert set_hosts(client).json() == {"hosts": []}


@pytest.mark.parametrize(
    "host",
    [
        "https://a.example",
        "a.example:80",
        "a.example/x",
        "a@b.example",
        "*",
        "a.*.b",
        "-a.b",
        "",
        "ä",
    ],
)
def test_what_is_no_host_is_refused_by_its_place(client: Client, host: str) -> None:
    answer = set_hosts(client, "fine.example", host)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("hosts[1]: ")
