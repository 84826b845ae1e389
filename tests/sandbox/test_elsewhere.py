"""What somebody does in v0's own pages: everybody who uses the API sees it, and nobody paid a POST."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.asking import Client
from tests.sandbox_server import running_sandbox

Json = Any


def test_a_chat_is_changed_elsewhere(client: Client) -> None:
    chat_id, other = client.new_chat(), client.new_chat()
    before = client.get(f"/chats/{chat_id}").json()
    wanted = {"title": "Theirs", "privacy": "team", "metadata": {"a": "1"}}
    client.sandbox.edit(chat_id, **wanted)
    chat = client.get(f"/chats/{chat_id}").json()
    assert chat == {**before, **wanted, "updatedAt": chat["updatedAt"]}
    assert chat["updatedAt"] > before["updatedAt"]
    assert [item["id"] for item in client.get("/chats").json()["chats"]] == [chat_id, other]
    assert client.ledger()["posts"] == 2


def test_a_title_given_elsewhere_during_a_run_stays(client: Client) -> None:
    prompt = "Build a page for a coffee roaster\npace: 0.3"
    with client.streaming("/chats/stream", {"message": prompt}) as events:
        chat_id = next(events)["id"]
        client.sandbox.edit(chat_id, title="Theirs")
        assert list(events)[-1]["title"] == "Theirs"


def test_a_chat_is_deleted_elsewhere_and_its_run_ends(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": "scenario: silence"}) as events:
        chat_id = next(events)["id"]
        client.sandbox.delete(chat_id)
        assert [event["object"] for event in events][-1] == "chat"
    assert client.get(f"/chats/{chat_id}").status_code == 404


def test_a_colleagues_message_runs_and_can_be_followed(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    message_id = client.sandbox.write(chat_id, "Make it dark\npace: 0.2")
    answer, question = client.messages(chat_id)[:2]
    assert (answer["id"], answer["finishReason"]) == (message_id, None)
    assert question["authorId"] != client.get(f"/chats/{chat_id}").json()["authorId"]
    refused = client.post(f"/chats/{chat_id}/messages", {"message": "Mine"})
    assert refused.status_code == 409
    resumed = client.events(f"/chats/{chat_id}/resume")
    assert resumed[-2]["id"] == message_id
    assert "color-scheme: dark" in client.files(chat_id)["styles.css"]
    ledger = client.ledger()
    assert (ledger["posts"], ledger["user_messages"]) == (2, 1)


def test_a_colleagues_message_may_be_there_already(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    client.sandbox.write(chat_id, "Make it dark\nscenario: long pace=0", run=False)
    answer, question = client.messages(chat_id)[:2]
    assert (answer["finishReason"], question["role"]) == ("stop", "user")
    assert client.post(f"/chats/{chat_id}/messages", {"message": "Mine"}).status_code == 200


def test_a_colleague_who_does_not_want_to_wait_needs_no_pace(tmp_path: Any) -> None:
    with running_sandbox(tmp_path / "s.sqlite3", pace=60) as sandbox, Client(sandbox) as client:
        chat_id = client.new_chat("Hello\npace: 0")
        sandbox.write(chat_id, "Hello", run=False)
        assert client.newest(chat_id)["finishReason"] == "stop"
        sandbox.write(chat_id, "Hello")
        assert client.newest(chat_id)["finishReason"] is None


def test_messages_are_put_between_rewritten_and_removed_elsewhere(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    answer, question = client.messages(chat_id)
    client.sandbox.write(chat_id, "Now dark", run=False, before=answer["id"])
    newest, between, asked, oldest = client.messages(chat_id)
    assert (newest["id"], oldest["id"]) == (answer["id"], question["id"])
    assert (asked["content"], between["finishReason"]) == ("Now dark", "stop")
    client.sandbox.rewrite(chat_id, newest["id"], "Never mind")
    client.sandbox.remove(chat_id, asked["id"])
    assert [message["id"] for message in client.messages(chat_id)] == [
        message["id"] for message in (newest, between, oldest)
    ]
    rewritten = client.newest(chat_id)
    assert (rewritten["content"], rewritten["parts"]) == (
        "Never mind",
        [{"type": "text", "text": "Never mind"}],
    )
    assert client.get(f"/chats/{chat_id}/messages/{asked['id']}").status_code == 404
    assert client.get(f"/chats/{chat_id}").json()["updatedAt"] > newest["updatedAt"]
    client.sandbox.write(chat_id, "scenario: silence")
    for method in ("PATCH", "DELETE"):
        path = f"{client.sandbox.origin}/_sandbox/chats/{chat_id}/messages/{oldest['id']}"
        assert httpx.request(method, path, json={"content": "x"}).status_code == 409


def test_without_permission_to_write_a_chat_can_be_read_and_copied(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    message_id = client.newest(chat_id)["id"]
    client.sandbox.edit(chat_id, writePermission=False)
    base = f"/chats/{chat_id}"
    for method, path, body in (
        ("PATCH", "", {"title": "x"}),
        ("DELETE", "", None),
        ("POST", "/messages", {"message": "x"}),
        ("POST", "/messages/stream", {"message": "x"}),
        ("POST", "/messages/async", {"message": "x"}),
        ("POST", "/messages/resolve", {"task": {"type": "vercel-connect-setup"}}),
        ("POST", f"/messages/{message_id}/stop", None),
        ("PATCH", "/files", {"files": [{"path": "a", "content": "b"}]}),
        ("POST", "/restore-message", {"messageId": message_id}),
        ("POST", "/deploy", None),
        ("POST", "/vercel-project", {}),
    ):
        answer = client.http.request(method, base + path, json=body)
        assert (answer.status_code, list(answer.json())) == (403, ["message"]), path
    for path in ("", "/messages", "/files", "/preview", f"/messages/{message_id}"):
        assert client.get(base + path).status_code == 200
    copy = client.post(f"{base}/duplicate").json()
    assert copy["writePermission"] is True
    client.sandbox.edit(chat_id, writePermission=True)
    assert client.post(f"{base}/messages", {"message": "x"}).status_code == 200


def test_a_chat_of_an_older_api_is_listed_and_otherwise_refused(client: Client) -> None:
    chat_id = client.new_chat()
    client.sandbox.edit(chat_id, older=True)
    base = f"/chats/{chat_id}"
    words = {"message": "API v2 does not support this chat."}
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"title": "x"}),
        ("GET", "/messages", None),
        ("GET", "/files", None),
        ("POST", "/resume", None),
        ("POST", "/duplicate", None),
        ("POST", "/messages/stream", {"message": "x"}),
    ):
        answer = client.http.request(method, base + path, json=body)
        assert (answer.status_code, answer.json()) == (422, words), path
    assert [chat["id"] for chat in client.get("/chats").json()["chats"]] == [chat_id]
    client.sandbox.edit(chat_id, older=False)
    assert client.get(base).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PATCH", "chats/{id}", {"titel": "x"}, "titel"),
        ("PATCH", "chats/{id}", {"privacy": "secret"}, "privacy"),
        ("POST", "chats/{id}/messages", {"run": True}, "message"),
        ("POST", "chats/{id}/messages", {"message": "x", "before": "nobody"}, "before"),
        ("PUT", "plan", {"credits": "-1"}, "credits"),
        ("PUT", "plan", {"credits": 1}, "credits"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_by_name(
    client: Client, method: str, path: str, body: Json, field: str
) -> None:
    url = f"{client.sandbox.origin}/_sandbox/{path}".replace("{id}", client.new_chat())
    headers = {"authorization": f"Bearer {client.key}"}
    answer = httpx.request(method, url, json=body, headers=headers)
    assert (answer.status_code, answer.json()["message"].partition(":")[0]) == (422, field)


def test_an_edit_of_nothing_is_refused(client: Client) -> None:
    base = f"{client.sandbox.origin}/_sandbox"
    assert httpx.patch(f"{base}/chats/nobody", json={}).status_code == 404
    assert httpx.delete(f"{base}/chats/nobody").status_code == 404
    assert httpx.post(f"{base}/chats/nobody/messages", json={"message": "x"}).status_code == 404
    assert httpx.get(f"{base}/deliveries").status_code == 401
