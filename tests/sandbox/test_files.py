"""One set of files, whichever way it is looked at: list, ZIP, preview, copy, restored, deployed."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import httpx
import pytest

from tests.sandbox.asking import Client
from tests.sandbox_server import running_sandbox

Json = Any

PAGE = "Build a page for a bakery in green"
IMAGES = {"modelId": "v0-pro", "imageGenerations": True}


def archived(client: Client, chat_id: str) -> dict[str, bytes]:
    answer = client.get(f"/chats/{chat_id}/files/download")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def listed(client: Client, chat_id: str) -> dict[str, bytes]:
    return {
        item["path"]: base64.b64decode(item["content"])
        if item["encoding"] == "base64"
        else item["content"].encode()
        for item in client.get(f"/chats/{chat_id}/files").json()["files"]
    }


def previewed(client: Client, chat_id: str) -> dict[str, Json]:
    """The preview, once it has started."""
    path = f"/chats/{chat_id}/preview"
    return dict(client.get(path).json() or client.get(path).json())


def shown(preview: dict[str, Json], path: str = "") -> httpx.Response:
    headers = {"x-v0-preview-token": preview["token"].encode("latin-1")}
    return httpx.get(preview["url"] + path, headers=headers)


def edit(client: Client, chat_id: str, **files: str | None) -> httpx.Response:
    wanted = [{"path": path, "content": content} for path, content in files.items()]
    return client.http.patch(f"/chats/{chat_id}/files", json={"files": wanted})


@pytest.fixture
def chat_id(client: Client) -> str:
    return client.new_chat(PAGE)


def test_list_archive_preview_copy_and_deployment_have_the_same_bytes(
    client: Client, chat_id: str
) -> None:
    client.send(chat_id, "scenario: image n=2", modelConfiguration=IMAGES)
    files = listed(client, chat_id)
    pictures = [path for path in files if path.endswith(".png")]
    assert len(pictures) == 2
    assert files[pictures[0]].startswith(b"\x89PNG\r\n\x1a\n")
    copy = client.post(f"/chats/{chat_id}/duplicate").json()["id"]
    deployment = client.post(f"/chats/{chat_id}/deploy").json()
    url = vercel(client, deployment["deploymentId"])["url"]
    preview = previewed(client, chat_id)
    assert archived(client, chat_id) == files
    assert listed(client, copy) == files
    assert {path: shown(preview, path).content for path in files} == files
    assert {path: httpx.get(url + path).content for path in files} == files


def test_the_archive_is_the_same_bytes_each_time(client: Client, chat_id: str) -> None:
    path = f"/chats/{chat_id}/files/download"
    assert client.get(path).content == client.get(path).content


def test_a_preview_starts_and_shows_the_files_as_they_are(client: Client, chat_id: str) -> None:
    path = f"/chats/{chat_id}/preview"
    assert client.get(path).json() is None
    preview = client.get(path).json()
    assert client.get(path).json() == preview
    page = shown(preview)
    assert "<h1>Bakery</h1>" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert shown(preview, "styles.css").headers["content-type"].startswith("text/css")
    assert shown(preview, "nothing.html").status_code == 404
    client.send(chat_id, "rename the heading to Crumbs")
    assert "<h1>Crumbs</h1>" in shown(preview).text


def test_a_preview_takes_its_time_at_pace_one(tmp_path: Any) -> None:
    with running_sandbox(tmp_path / "s.sqlite3", pace=1) as sandbox, Client(sandbox) as client:
        chat_id = client.new_chat(f"{PAGE}\npace: 0")
        assert client.get(f"/chats/{chat_id}/preview").json() is None
        assert client.get(f"/chats/{chat_id}/preview").json() is None
        assert edit(client, chat_id, a="b").status_code == 409


def test_a_preview_wants_its_own_token_while_it_holds(client: Client, chat_id: str) -> None:
    preview, other = previewed(client, chat_id), previewed(client, client.new_chat(PAGE))
    for token in ("", "n\xf6nsense", other["token"]):
        refused = shown({**preview, "token": token})
        assert refused.status_code == 401
        assert "<h1>" not in refused.text
    client.sandbox.edit(chat_id, preview="expired")
    assert shown(preview).headers["x-v0-preview-refresh"] == "1"
    fresh = previewed(client, chat_id)
    assert fresh["token"] != preview["token"]
    assert shown(fresh).status_code == 200
    client.sandbox.edit(chat_id, preview="stopped")
    assert shown(fresh).status_code == 401
    assert client.get(f"/chats/{chat_id}/preview").json() is None


def test_a_preview_without_a_page_lists_the_files(client: Client) -> None:
    body = {"files": [{"name": "<b>.txt", "content": "a"}]}
    chat_id = client.post("/chats/from-files", body).json()["chat"]["id"]
    page = shown(previewed(client, chat_id))
    assert "&lt;b&gt;.txt: 1 bytes" in page.text


def test_an_edit_by_hand_is_recorded_and_the_agent_respects_it(
    client: Client, chat_id: str
) -> None:
    previewed(client, chat_id)
    answer = edit(
        client, chat_id, **{"index.html": "<h1>Mine</h1>", "a.txt": "1", "script.js": None}
    )
    user, assistant = answer.json()["messages"]
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    assert [(part.get("operation"), part.get("path")) for part in assistant["parts"]][:3] == [
        ("update", "index.html"),
        ("create", "a.txt"),
        ("delete", "script.js"),
    ]
    assert [message["id"] for message in client.messages(chat_id)][:2] == [
        assistant["id"],
        user["id"],
    ]
    assert assistant["usage"]["tokens"]["total"] == 0
    told = client.send(chat_id, "make it dark and rename the heading to Yours")[-1]["content"]
    files = client.files(chat_id)
    assert files["index.html"] == "<h1>Mine</h1>"
    assert "script.js" not in files
    assert "color-scheme: dark" in files["styles.css"]
    assert "I left `index.html` alone" in told


def test_editing_needs_a_running_preview(client: Client, chat_id: str) -> None:
    assert edit(client, chat_id, a="b").json() == {
        "message": "The preview of this chat is not running"
    }
    previewed(client, chat_id)
    assert edit(client, chat_id, a="b").status_code == 200


def test_files_that_cannot_be_written_are_all_named(client: Client, chat_id: str) -> None:
    previewed(client, chat_id)
    before = client.files(chat_id)
    wanted: list[Json] = [
        {"path": "good.txt", "content": "a"},
        {"path": "../bad.txt", "content": "a"},
        {"path": "/bad.txt", "content": "a"},
        {"path": "a//b", "content": "a"},
        {"path": "a\x00b", "content": "a"},
        {"path": "missing.txt", "content": None},
        {"path": "good.txt", "content": "b"},
    ]
    answer = client.http.patch(f"/chats/{chat_id}/files", json={"files": wanted})
    assert answer.status_code == 422
    assert answer.json()["message"] == "Invalid file contents"
    assert [issue["path"] for issue in answer.json()["issues"]] == [
        item["path"] for item in wanted[1:]
    ]
    assert client.files(chat_id) == before


def test_restoring_brings_back_the_files_and_what_the_agent_knew(
    client: Client, chat_id: str
) -> None:
    first = client.newest(chat_id)
    before = listed(client, chat_id)
    client.send(chat_id, "rename the heading to Crumbs")
    client.send(chat_id, "What is on the page?")
    restorable = {message["id"] for message in client.messages(chat_id) if message["restorable"]}
    assert restorable == {first["id"]}
    answer = client.post(f"/chats/{chat_id}/restore-message", {"messageId": first["id"]})
    user, assistant = answer.json()["messages"]
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    assert [part["path"] for part in assistant["parts"] if "path" in part] == ["index.html"]
    assert listed(client, chat_id) == before
    client.send(chat_id, "make it dark")
    files = client.files(chat_id)
    assert "<h1>Bakery</h1>" in files["index.html"]
    assert "color-scheme: dark" in files["styles.css"]
    assert client.ledger()["posts"] == 5


def test_only_code_that_is_not_the_latest_can_be_restored(client: Client, chat_id: str) -> None:
    path = f"/chats/{chat_id}/restore-message"
    newest, question = client.messages(chat_id)
    assert client.post(path, {"messageId": newest["id"]}).status_code == 409
    assert client.post(path, {"messageId": question["id"]}).status_code == 422
    assert client.post(path, {"messageId": "nobody"}).status_code == 404
    client.send(chat_id, "What is on the page?")
    assert client.post(path, {"messageId": client.newest(chat_id)["id"]}).status_code == 422


def test_a_copy_has_the_messages_and_goes_its_own_way(client: Client, chat_id: str) -> None:
    client.http.patch(f"/chats/{chat_id}", json={"metadata": {"a": "1"}})
    client.send(chat_id, "make it dark")
    copy = client.post(f"/chats/{chat_id}/duplicate").json()
    original = client.get(f"/chats/{chat_id}").json()
    assert copy["title"] == f"{original['title']} (2)"
    assert (copy["privacy"], copy["metadata"]) == ("private", {"a": "1"})
    told = [told_by(message) for message in client.messages(copy["id"])]
    assert told == [told_by(message) for message in client.messages(chat_id)]
    assert {message["usage"]["tokens"]["total"] for message in client.messages(copy["id"])} == {0}
    assert client.messages(copy["id"])[2]["restorable"] is True
    client.send(copy["id"], "rename the heading to Elsewhere")
    assert "Elsewhere" not in client.files(chat_id)["index.html"]
    again = client.post(f"/chats/{copy['id']}/duplicate", {"privacy": "team"}).json()
    assert (again["title"], again["privacy"]) == (f"{original['title']} (3)", "team")
    named = client.post(f"/chats/{chat_id}/duplicate", {"privacy": "private", "title": "Mine"})
    assert (named.status_code, named.json()["title"]) == (201, "Mine")


def told_by(message: Json) -> Json:
    own = ("id", "chatId", "usage")
    return {key: value for key, value in message.items() if key not in own}


def test_a_turn_that_runs_is_not_copied(client: Client, chat_id: str) -> None:
    body = {"message": "scenario: silence seconds=600"}
    with client.streaming(f"/chats/{chat_id}/messages/stream", body) as events:
        next(events)
        copy = client.post(f"/chats/{chat_id}/duplicate").json()["id"]
        assert [message["finishReason"] for message in client.messages(copy)] == ["stop", "stop"]
        client.post(f"/chats/{chat_id}/messages/{client.newest(chat_id)['id']}/stop")


def vercel(client: Client, deployment: str) -> Json:
    headers = {"authorization": f"Bearer {client.key}"}
    return httpx.get(
        f"{client.sandbox.origin}/v13/deployments/{deployment}", headers=headers
    ).json()


def test_a_deployment_shows_the_files_as_they_were(client: Client, chat_id: str) -> None:
    deployed = client.post(f"/chats/{chat_id}/deploy").json()
    chat = client.get(f"/chats/{chat_id}").json()
    assert chat["vercelProjectId"] == deployed["vercelProjectId"]
    client.send(chat_id, "rename the heading to Later")
    told = vercel(client, deployed["deploymentId"])
    assert (told["readyState"], told["projectId"]) == ("READY", deployed["vercelProjectId"])
    assert "<h1>Bakery</h1>" in httpx.get(told["url"]).text
    again = client.post(f"/chats/{chat_id}/deploy").json()
    assert again["vercelProjectId"] == deployed["vercelProjectId"]
    assert "<h1>Later</h1>" in httpx.get(vercel(client, again["deploymentId"])["url"]).text


def test_a_chat_without_files_cannot_be_deployed(client: Client) -> None:
    answer = client.post(f"/chats/{client.new_chat('Hello')}/deploy")
    assert answer.status_code == 409


def test_a_chat_has_one_project(client: Client, chat_id: str) -> None:
    path = f"/chats/{chat_id}/vercel-project"
    made = client.post(path, {"name": "bakery"})
    assert made.status_code == 201
    project = made.json()["vercelProjectId"]
    assert client.post(path, {}).status_code == 409
    narrowed = client.get("/chats", vercelProjectId=project).json()["chats"]
    assert [chat["id"] for chat in narrowed] == [chat_id]
