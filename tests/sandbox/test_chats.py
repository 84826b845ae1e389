"""Chats over HTTP: who sees one, what can be changed, how lists go on, and which bodies and
parameters are refused in which words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.asking import Client
from tests.sandbox_server import Sandbox

Json = Any


def refusal(answer: Any) -> tuple[int, str]:
    """The status and the words of a flat error."""
    body = answer.json()
    assert list(body) == ["message"]
    return answer.status_code, body["message"]


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc", "Bearer a b"])
def test_without_a_bearer_key_nothing_is_said(sandbox: Sandbox, header: str) -> None:
    with Client(sandbox, key="") as client:
        client.http.headers["authorization"] = header
        assert refusal(client.get("/chats")) == (401, "Unauthorized")
        assert refusal(client.post("/chats/stream", {"message": "x"})) == (401, "Unauthorized")


def test_a_chat_has_the_fields_that_were_asked_for(client: Client) -> None:
    chat_id = client.new_chat("Hello", title="Mine", privacy="team", metadata={"a": "1"})
    chat = client.get(f"/chats/{chat_id}").json()
    assert chat["title"] == "Mine"
    assert chat["privacy"] == "team"
    assert chat["metadata"] == {"a": "1"}
    assert chat["writePermission"] is True
    assert chat["createdAt"] <= chat["updatedAt"]
    assert len(chat_id) == 11


def test_the_agent_gives_a_title_only_where_there_is_none(client: Client) -> None:
    named = client.new_chat("Build a page for a bakery", title="Mine")
    unnamed = client.new_chat("Build a page for a bakery")
    assert client.get(f"/chats/{named}").json()["title"] == "Mine"
    assert client.get(f"/chats/{unnamed}").json()["title"] == "Bakery"


def test_creating_may_wait_for_the_answer(client: Client) -> None:
    created = client.post("/chats", {"message": "Build a page for a bakery"}).json()
    chat_id = created["chat"]["id"]
    assert created["chat"] == client.get(f"/chats/{chat_id}").json()
    assert created["chat"]["title"] == "Bakery"
    assert created["usage"] == client.newest(chat_id)["usage"]


def test_creating_may_go_on_behind_ones_back(client: Client) -> None:
    answer = client.post("/chats/async", {"message": "scenario: long size=3000 pace=0.2"})
    chat_id, message_id = answer.json()["chatId"], answer.json()["messageId"]
    assert answer.status_code == 202
    newest = client.newest(chat_id)
    assert (newest["id"], newest["finishReason"]) == (message_id, None)
    client.events(f"/chats/{chat_id}/resume")
    assert client.newest(chat_id)["finishReason"] == "stop"
    assert client.ledger()["chats"][chat_id]["posts"] == 1


@pytest.mark.parametrize("path", ["", "/async", "/stream"])
def test_a_new_chat_holds_at_most_fifty_entries_of_metadata(client: Client, path: str) -> None:
    metadata = {f"k{number}": "v" for number in range(51)}
    answer = client.post(f"/chats{path}", {"message": "x", "metadata": metadata})
    assert refusal(answer) == (422, "metadata: must hold at most 50 entries")
    assert client.get("/chats").json()["chats"] == []


def test_a_chat_of_another_key_is_not_there(client: Client, sandbox: Sandbox) -> None:
    chat_id = client.new_chat()
    message_id = client.newest(chat_id)["id"]
    with Client(sandbox) as other:
        for method, path in (
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("GET", "/messages"),
            ("GET", "/files"),
            ("POST", "/resume"),
            ("GET", f"/messages/{message_id}"),
            ("POST", f"/messages/{message_id}/stop"),
        ):
            body: Json = {} if method == "PATCH" else None
            answer = other.http.request(method, f"/chats/{chat_id}{path}", json=body)
            assert refusal(answer) == (404, "Chat not found"), (method, path)
        sent = other.post(f"/chats/{chat_id}/messages/stream", {"message": "x"})
        assert refusal(sent) == (404, "Chat not found")
        assert other.get("/chats").json() == {"chats": [], "cursor": None}
    assert client.get(f"/chats/{chat_id}").status_code == 200


def test_a_change_merges_metadata_and_null_takes_away(client: Client) -> None:
    chat_id = client.new_chat(metadata={"a": "1", "b": "2"})
    path = f"/chats/{chat_id}"
    changed = client.http.patch(path, json={"metadata": {"a": None, "c": "3"}, "title": "New"})
    assert changed.json()["metadata"] == {"b": "2", "c": "3"}
    assert changed.json() == client.get(path).json()
    assert client.http.patch(path, json={"privacy": "public"}).json()["privacy"] == "public"
    assert client.http.patch(path, json={"metadata": None}).json()["metadata"] == {}
    assert client.get(path).json()["title"] == "New"


def test_metadata_holds_at_most_fifty_entries(client: Client) -> None:
    chat_id = client.new_chat(metadata={f"k{number}": "v" for number in range(50)})
    answer = client.http.patch(f"/chats/{chat_id}", json={"metadata": {"more": "v"}})
    assert refusal(answer) == (422, "metadata: must hold at most 50 entries")


def test_a_deleted_chat_is_gone_with_its_messages(client: Client) -> None:
    chat_id = client.new_chat()
    assert client.http.delete(f"/chats/{chat_id}").json() == {"chatId": chat_id}
    assert refusal(client.get(f"/chats/{chat_id}"))[0] == 404
    assert refusal(client.get(f"/chats/{chat_id}/messages"))[0] == 404
    assert client.ledger()["chats"][chat_id]["posts"] == 1


def test_a_chat_can_be_deleted_while_its_answer_runs(client: Client) -> None:
    body = {"message": "scenario: long\npace: 1"}
    with client.streaming("/chats/stream", body) as events:
        chat_id = next(events)["id"]
        assert client.http.delete(f"/chats/{chat_id}").status_code == 200
        assert [event["object"] for event in events][-1] == "chat"
    assert refusal(client.get(f"/chats/{chat_id}"))[0] == 404


def test_lists_come_newest_first_and_page_by_page(client: Client) -> None:
    ids = [client.new_chat(f"Hello {number}") for number in range(5)]
    client.http.patch(f"/chats/{ids[0]}", json={"title": "touched"})
    expected = [ids[0], ids[4], ids[3], ids[2], ids[1]]
    listed: list[str] = []
    cursor: str | None = None
    for size in (2, 2, 1):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/chats", **params).json()
        assert len(page["chats"]) == size
        listed += [chat["id"] for chat in page["chats"]]
        cursor = page["cursor"]
    assert cursor is None
    assert listed == expected


def test_a_list_whose_last_page_is_full_has_no_cursor(client: Client) -> None:
    for number in range(2):
        client.new_chat(f"Hello {number}")
    assert client.get("/chats", limit=2).json()["cursor"] is None


def test_a_list_can_be_narrowed_by_metadata_author_and_project(client: Client) -> None:
    both = client.new_chat(metadata={"team": "a", "kind": "x y&z"})
    client.new_chat(metadata={"team": "a"})
    author = client.get(f"/chats/{both}").json()["authorId"]
    narrowed = client.http.get("/chats", params={"metadata[team]": "a", "metadata[kind]": "x y&z"})
    assert [chat["id"] for chat in narrowed.json()["chats"]] == [both]
    assert len(client.get("/chats", authorId=author).json()["chats"]) == 2
    assert client.get("/chats", vercelProjectId="prj_1").json()["chats"] == []
    assert refusal(client.get("/chats", authorId="user_other"))[0] == 422


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "1.5"}, "limit"),
        ({"cursor": "!"}, "cursor"),
        ({"cursor": "bm90IG9uZQ"}, "cursor"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata[k]": "v" * 501}, "metadata.k"),
        ({"sort": "asc"}, "sort"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(
    client: Client, params: dict[str, str], field: str
) -> None:
    status, words = refusal(client.http.get("/chats", params=params))
    assert (status, words.partition(":")[0]) == (422, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": ""}, "message"),
        ({"message": 7}, "message"),
        ({"message": "x", "titel": "y"}, "titel"),
        ({"message": "x", "title": None}, "title"),
        ({"message": "x", "privacy": "secret"}, "privacy"),
        (
            {"message": "x", "modelConfiguration": {"modelId": "v0-max"}},
            "modelConfiguration.imageGenerations",
        ),
        (
            {
                "message": "x",
                "modelConfiguration": {"modelId": "v0-auto", "imageGenerations": False},
            },
            "modelConfiguration.modelId",
        ),
        (
            {"message": "x", "attachments": [{"url": "https://a", "name": "b"}]},
            "attachments[0].name",
        ),
        ({"message": "x", "attachments": [{}]}, "attachments[0].url"),
        ({"message": "x", "mcpServerIds": "all"}, "mcpServerIds"),
        ({"message": "x", "skills": [{"type": "remote", "id": "a"}] * 4}, "skills"),
        ({"message": "x", "skills": [{"type": "remote"}]}, "skills[0].id"),
        ({"message": "x", "skills": [{"type": "memory", "skillName": "a"}]}, "skills[0].scope"),
        ({"message": "x", "skillIds": ["a"]}, "skillIds"),
        ({"message": "x", "type": "prompt"}, "type"),
        ({"message": "x", "metadata": {"k" * 41: "v"}}, f"metadata.{'k' * 41}"),
        ({"message": "x", "metadata": {"k": "v" * 501}}, "metadata.k"),
        ({"message": "x", "metadata": {"k": 1}}, "metadata.k"),
        ([], "body"),
        ("x", "body"),
        (None, "body"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_the_field_is_named(
    client: Client, body: Json, field: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = client.http.post("/chats/stream", content=json.dumps(body), headers=headers)
    status, words = refusal(answer)
    assert (status, words.partition(": ")[0]) == (422, field)
    assert client.get("/chats").json()["chats"] == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"message": "x"', b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(client: Client, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = client.http.post("/chats/stream", content=content, headers=headers)
    assert refusal(answer) == (422, "body: is not JSON")


def test_only_json_is_read(client: Client) -> None:
    answer = client.http.post("/chats/stream", data={"message": "x"})
    assert refusal(answer) == (422, "body: must be application/json")


@pytest.mark.parametrize("body", [{"favorite": True}, {"metadata": {"k": 1}}, {"privacy": None}])
def test_a_change_that_does_not_fit_is_refused(client: Client, body: Json) -> None:
    chat_id = client.new_chat()
    assert refusal(client.http.patch(f"/chats/{chat_id}", json=body))[0] == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/chats/x/y", 404), ("PUT", "/chats", 405)],
)
def test_what_is_not_served_is_refused_flatly(
    client: Client, method: str, path: str, status: int
) -> None:
    assert refusal(client.http.request(method, path))[0] == status
