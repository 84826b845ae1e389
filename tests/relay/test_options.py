"""What a message is sent with, as v0 gets it: every model, every option, in both revisions."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chats.models.messages import OURS
from tests.app_server import prepared_database, running_app, wait_until
from tests.relay.conftest import QUICK
from tests.sandbox_server import Sandbox, running_sandbox
from tests.world import World, world

MODELS = ("v0-auto", "v0-mini", "v0-pro", "v0-max", "v0-max-fast")
TEXT = "scenario: refusal\npace: 0"
Body = dict[str, Any]


@pytest.fixture(scope="module", params=["reference", "ga"])
def sandbox(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    file = tmp_path_factory.mktemp("sandbox") / "v0.sqlite3"
    with running_sandbox(file, pace=0, revision=request.param) as sandbox:
        yield sandbox


def body(world: World) -> Body:
    """The newest charged request."""
    found: Body = world.sandbox.requests(world.app.key)[-1]["body"]
    return found


def form(**fields: Any) -> dict[str, Any]:
    return {"options": "1", "message": TEXT, "token": str(uuid.uuid4()), "skills": "", **fields}


def new(world: World, **fields: Any) -> str:
    answer = world.client.post("/chats/", data=form(**fields))
    assert answer.status_code == 303, answer.text
    chat = str(answer.headers["location"]).strip("/").rpartition("/")[2]
    world.finished(chat)
    return chat


def send(world: World, chat: str, **fields: Any) -> None:
    answer = world.client.post(f"/chats/{chat}/messages/", data=form(**fields))
    assert answer.status_code == 303, answer.text
    world.finished(chat)


def mcp_server(world: World, name: str) -> str:
    """A server of the world at v0; its id."""
    answer = httpx.post(
        f"{world.sandbox.base_url}/mcp-servers",
        json={
            "name": name,
            "url": "https://mcp.example.com",
            "enabled": True,
            "auth": {"type": "none"},
            "scope": "user",
        },
        headers={"Authorization": f"Bearer {world.app.key}"},
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["id"])


def model_of(sandbox: Sandbox, model: str, *, images: bool) -> Body:
    if model == "v0-auto" and sandbox.revision == "ga":
        return {}
    return {"modelConfiguration": {"modelId": model, "imageGenerations": images}}


def skills_of(sandbox: Sandbox, *ids: str) -> Body:
    if sandbox.revision == "ga":
        return {"skills": [{"type": "remote", "id": id} for id in ids]}
    return {"skillIds": list(ids)}


def test_every_model_reaches_v0_in_the_words_of_its_revision(
    world: World, sandbox: Sandbox
) -> None:
    chat = new(world, model="v0-mini")
    for model in MODELS:
        for images in ("", "on"):
            send(world, chat, model=model, **({"images": "on"} if images else {}))
            assert body(world) == {"message": TEXT} | model_of(sandbox, model, images=bool(images))
            assert world.chat(chat)["model"] == model


def test_every_option_reaches_v0_with_the_message_it_belongs_to(
    world: World, sandbox: Sandbox
) -> None:
    servers = [mcp_server(world, "One"), mcp_server(world, "Two")]
    chat = new(
        world,
        model="v0-max",
        images="on",
        mcp="chosen",
        server=servers,
        skill=["a/b/c"],
        skills="https://skills.sh/d/e, f",
        system="Be brief.",
        title="Tea",
        metadata="project=website\nteam = blue = sky",
    )
    options = {
        "message": TEXT,
        **model_of(sandbox, "v0-max", images=True),
        "mcpServerIds": servers,
        **skills_of(sandbox, "a/b/c", "d/e", "f"),
        "systemPrompt": "Be brief.",
    }
    found = body(world)
    [intent] = world.rows("SELECT id FROM chats_intent WHERE chat_id = ?", uuid.UUID(chat).hex)
    assert found == {
        **options,
        **({"type": "prompt"} if sandbox.revision == "reference" else {}),
        "privacy": "private",
        "title": "Tea",
        "metadata": {
            "project": "website",
            "team": "blue = sky",
            OURS: str(uuid.UUID(intent["id"])),
        },
    }
    assert world.chat(chat)["title"] == "Tea"
    # A form without options, as of the button Continue, is sent with what was chosen last.
    assert world.send(chat, TEXT).status_code == 303
    world.finished(chat)
    assert body(world) == options
    send(world, chat, model="v0-pro", mcp="chosen")
    assert body(world) == {
        "message": TEXT,
        **model_of(sandbox, "v0-pro", images=False),
        "mcpServerIds": [],
    }
    send(world, chat, model="v0-pro", system="Be kind.")
    assert body(world) == {
        "message": TEXT,
        **model_of(sandbox, "v0-pro", images=False),
        "systemPrompt": "Be kind.",
    }
    # The next chat begins with the person's last choice, and without this one's instructions.
    world.ask(TEXT)
    page = world.client.get("/").text
    assert '<option value="v0-pro" selected>' in page
    assert 'value="a/b/c" >' in page
    assert "Be kind." not in page
    assert "Be kind.</textarea>" in world.client.get(f"/chats/{chat}/").text


def test_what_is_over_a_limit_never_leaves(world: World) -> None:
    chat = new(world)
    before = world.ledger["posts"]
    refused: list[dict[str, Any]] = [
        {"skills": "a b c d"},
        {"mcp": "chosen", "server": [f"mcp_{n}" for n in range(11)]},
        {"model": "v0-huge"},
    ]
    for fields in refused:
        answer = world.client.post(f"/chats/{chat}/messages/", data=form(**fields))
        assert answer.status_code == 422
    new_only: list[dict[str, Any]] = [
        {"metadata": "\n".join(f"k{n}=v" for n in range(50))},
        {"metadata": f"{'k' * 41}=v"},
        {"title": "x" * 201},
    ]
    for fields in [*refused, *new_only]:
        kept = {"system": "Be brief.", "images": "on", **fields}
        answer = world.client.post("/chats/", data=form(**kept))
        assert answer.status_code == 422
        assert "scenario: refusal" in answer.text
        assert "Be brief.</textarea>" in answer.text
        assert 'name="images" checked' in answer.text
        for name in ("metadata", "title", "skills"):
            assert str(fields.get(name, "")) in answer.text
        for id in fields.get("server", ()):
            assert f'value="{id}" checked' in answer.text
    assert world.ledger["posts"] == before


def test_what_an_admin_has_not_allowed_is_neither_there_nor_sent(
    sandbox: Sandbox, tmp_path: Path, shared_folder: Path
) -> None:
    settings = {**QUICK, "V0_MODELS": "v0-mini,v0-auto"}
    template = prepared_database(shared_folder)
    with (
        running_app(tmp_path, sandbox, template=template, database=None, **settings) as app,
        world(app, sandbox) as few,
    ):
        page = few.client.get("/").text
        assert '<option value="v0-mini" selected>' in page
        assert '<option value="v0-auto"' in page
        assert "v0-max" not in page
        assert "v0-pro" not in page
        few.finished(few.ask(TEXT))
        configuration = {"modelId": "v0-mini", "imageGenerations": False}
        assert body(few)["modelConfiguration"] == configuration
        answer = few.client.post("/chats/", data=form(model="v0-max"))
        assert answer.status_code == 422
        assert few.ledger["posts"] == 1


def test_what_failed_is_sent_again_as_it_was(world: World, sandbox: Sandbox) -> None:
    sandbox.fault(path="chats.createStream", kind="status", status=402, times=1)
    chat = new(
        world,
        model="v0-max",
        images="on",
        system="Be brief.",
        metadata="a=b",
        title="Tea",
        skills="s",
    )
    failed = world.answer(chat)
    assert (failed["state"], failed["problem"]) == ("failed", "credits")
    form = {"run": str(uuid.UUID(failed["id"])), "token": str(uuid.uuid4())}
    assert world.post(f"/chats/{chat}/again/", **form).status_code == 303
    assert world.finished(chat)["state"] == "finished"
    found = body(world)
    assert found.pop("metadata").items() >= {"a": "b"}.items()
    assert found == {
        "message": TEXT,
        **model_of(sandbox, "v0-max", images=True),
        **skills_of(sandbox, "s"),
        "systemPrompt": "Be brief.",
        **({"type": "prompt"} if sandbox.revision == "reference" else {}),
        "privacy": "private",
        "title": "Tea",
    }


def test_a_team_speaks_first_and_opens_the_chat_when_v0_has_agreed(
    world: World, sandbox: Sandbox
) -> None:
    """In place of what a chat's own instructions were alone: both, in every message, the team's first."""
    team = world.rows("SELECT id FROM chats_team")[0]["id"]
    settings = f"/teams/{team}/settings/"
    seen = re.search(r'name="seen" value="(\w+)"', world.client.get(settings).text)
    assert seen is not None
    fields = {
        "seen": seen[1],
        "name": "Example",
        "default_privacy": "team-edit",
        "default_model": "v0-mini",
        "who_may_invite": "admins",
        "system_prompt": "Use our own widgets.",
        **{f"models-{role}": MODELS for role in ("owner", "admin", "member")},
    }
    assert world.client.post(settings, data=fields).status_code == 303
    chat = new(world, place=f"{team}:team-edit", system="Be brief.")
    found = body(world)
    assert found["systemPrompt"] == "Use our own widgets.\n\nBe brief."
    assert found["privacy"] == "private"
    wait_until(
        lambda: (
            (world.chat(chat)["privacy"], world.chat(chat)["privacy_at_v0"])
            == ("team-edit", "team-edit")
        ),
        what="v0's agreement",
    )
    # The chat goes on with what it was made with, whatever the team says by now.
    seen = re.search(r'name="seen" value="(\w+)"', world.client.get(settings).text)
    assert seen is not None
    later = {**fields, "seen": seen[1], "system_prompt": "Later."}
    assert world.client.post(settings, data=later).status_code == 303
    send(world, chat)
    assert body(world)["systemPrompt"] == "Use our own widgets."
    assert world.noted("team.changed")[-1] == {"changed": {"system_prompt": "changed"}}


def test_a_chat_that_v0_never_took_keeps_its_metadata(world: World, sandbox: Sandbox) -> None:
    sandbox.fault(path="chats.createStream", kind="status", status=429, times=1)
    chat = new(world, metadata="project=website", title="Tea", model="v0-mini")
    assert world.answer(chat)["state"] == "failed"
    send(world, chat, model="v0-mini")
    assert body(world)["metadata"]["project"] == "website"
    assert body(world)["title"] == "Tea"


def test_a_failure_goes_back_to_v0_once_in_the_words_of_what_is_stored(
    world: World, sandbox: Sandbox
) -> None:
    chat = world.ask("scenario: failing-tool\npace: 0")
    answer = world.finished(chat)
    assert "Fix with v0" in world.client.get(f"/chats/{chat}/").text
    token = str(uuid.uuid4())
    for _ in range(2):
        fields = {"run": answer["id"], "token": token, "message": "Something else"}
        assert world.post(f"/chats/{chat}/fix/", **fields).status_code == 303
    world.finished(chat)
    found = body(world)
    assert found["message"].startswith("The tool neon_run_sql failed. Fix it.\n\n````\nInput:")
    assert "connection refused (SQLSTATE 08006)" in found["message"]
    action = {"type": "fix-with-v0"} if sandbox.revision == "reference" else None
    assert found.get("action") == action
    assert world.ledger["posts"] == 2
    # What has been answered since is not what went wrong last.
    again = {"run": answer["id"], "token": str(uuid.uuid4())}
    assert world.post(f"/chats/{chat}/fix/", **again).status_code == 303
    assert world.ledger["posts"] == 2
