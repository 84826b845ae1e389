"""`/settings/mcp/`: the servers at v0 as administrators change them; secrets go in and never come out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from chats.models import Person
from tests.views.conftest import ClientOf
from tests.world import World

PLACE = "/settings/mcp/"
SECRET = "tell-nobody-4711"
FORM = {
    "name": "Linear",
    "url": "https://mcp.example.com/linear",
    "description": "Issues <b>of</b> the team",
    "scope": "team",
    "auth": "bearer",
    "token": SECRET,
}


@pytest.fixture
def admin_at_v0(world: World) -> Iterator[httpx.Client]:
    """The admin, in a world at v0 without a server."""
    with world.app.client_of("admin@example.com") as client:
        yield client
        world.sandbox.clear_faults()
        for server in servers(world):
            client.post(f"{PLACE}{server['id']}/remove/")


def servers(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.at_v0("/mcp-servers")
    return found


def test_a_server_is_added_and_its_secret_is_seen_nowhere(
    world: World, admin_at_v0: httpx.Client
) -> None:
    assert "There are none yet." in admin_at_v0.get(PLACE).text
    answer = admin_at_v0.post(f"{PLACE}new/", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PLACE}?done=added")
    [server] = servers(world)
    wanted = {name: FORM[name] for name in ("name", "url", "description", "scope")}
    assert wanted.items() <= server.items()
    assert server["auth"] == {"type": "bearer", "token": "…4711"}
    pages = [
        admin_at_v0.get(place).text
        for place in (PLACE, f"{PLACE}{server['id']}/", f"{PLACE}{server['id']}/remove/")
    ]
    assert "Issues &lt;b&gt;of&lt;/b&gt; the team" in pages[0]
    assert "Bearer token" in pages[0]
    for text in (*pages, world.app.log, world.client.get("/options/mcp-servers/").text):
        assert "4711" not in text


def test_only_what_was_changed_is_sent(world: World, admin_at_v0: httpx.Client) -> None:
    admin_at_v0.post(f"{PLACE}new/", data=FORM)
    [before] = servers(world)
    place = f"{PLACE}{before['id']}/"
    same = {**FORM, "token": ""}
    assert admin_at_v0.post(place, data=same).headers["location"] == PLACE
    assert servers(world) == [before]
    assert admin_at_v0.post(place, data={**same, "name": "Issues"}).status_code == 303
    [after] = servers(world)
    assert (after["name"], after["auth"]) == ("Issues", before["auth"])
    headers = {**same, "auth": "headers", "headers": "X-Team: one-two-three\nX-Key: four-five-six"}
    assert admin_at_v0.post(place, data=headers).status_code == 303
    assert set(servers(world)[0]["auth"]["headers"]) == {"X-Team", "X-Key"}
    page = admin_at_v0.get(place).text
    assert "X-Team, X-Key" in page
    assert "three" not in page
    moved = admin_at_v0.post(
        place, data={**same, "auth": "headers", "url": "https://elsewhere.example/"}
    )
    assert moved.status_code == 422
    assert "at another address now" in moved.text
    assert servers(world)[0]["url"] == FORM["url"]


def test_a_server_is_switched_off_and_on_and_removed(
    world: World, admin_at_v0: httpx.Client
) -> None:
    admin_at_v0.post(f"{PLACE}new/", data=FORM)
    [server] = servers(world)
    place = f"{PLACE}{server['id']}/"
    assert admin_at_v0.post(f"{place}enabled/", data={"enabled": "no"}).status_code == 303
    assert servers(world)[0]["enabled"] is False
    assert "Not enabled" in admin_at_v0.get(PLACE).text
    assert "not enabled" in world.client.get("/options/mcp-servers/").text
    admin_at_v0.post(f"{place}enabled/", data={"enabled": "yes"})
    assert servers(world)[0]["enabled"] is True
    assert admin_at_v0.post(f"{place}enabled/").status_code == 422
    # Somebody's next message would name it.
    chosen = {"options": "1", "mcp": "chosen", "server": server["id"], "skills": ""}
    token = "8a2ba090-b62a-4f12-9652-6d9b435bf3cf"
    message = {"message": "scenario: refusal\npace: 0", "token": token}
    assert world.client.post("/chats/", data={**chosen, **message}).status_code == 303
    assert "Remove Linear?" in admin_at_v0.get(f"{place}remove/").text
    assert len(servers(world)) == 1
    assert admin_at_v0.post(f"{place}remove/").status_code == 303
    assert servers(world) == []
    [row] = world.rows("SELECT options FROM chats_composer")
    assert json.loads(row["options"])["mcp"] == []
    assert admin_at_v0.get(place).status_code == 404
    assert admin_at_v0.post(f"{place}remove/").status_code == 409
    done = [(each["done"], each["name"]) for each in world.noted("settings.changed")[-4:]]
    assert done == [(each, "Linear") for each in ("added", "disabled", "enabled", "removed")]


def test_what_is_over_a_limit_is_kept_and_not_sent(world: World, admin_at_v0: httpx.Client) -> None:
    answer = admin_at_v0.post(f"{PLACE}new/", data={**FORM, "url": "x" * 501})
    assert answer.status_code == 422
    assert "Issues &lt;b&gt;of&lt;/b&gt; the team</textarea>" in answer.text
    assert 'value="Linear"' in answer.text
    assert "write them again" in answer.text
    assert SECRET not in answer.text
    assert servers(world) == []
    for number in range(10):
        form = {**FORM, "name": f"Server {number}"}
        assert admin_at_v0.post(f"{PLACE}new/", data=form).status_code == 303
    answer = admin_at_v0.post(f"{PLACE}new/", data=FORM)
    assert answer.status_code == 409
    assert "which is the most that v0 takes" in answer.text
    assert len(servers(world)) == 10
    assert f"{PLACE}new/" not in admin_at_v0.get(PLACE).text


def test_a_v0_that_does_not_agree_is_told_of_without_the_secret(
    world: World, admin_at_v0: httpx.Client
) -> None:
    def fault(operation: str, **more: Any) -> None:
        world.sandbox.clear_faults()
        world.sandbox.fault(path=operation, times=None, key=world.app.key, **more)

    words = f"the token {SECRET} is none"
    fault("mcpServers.create", kind="status", status=422, message=words)
    answer = admin_at_v0.post(f"{PLACE}new/", data=FORM)
    assert answer.status_code == 422
    assert "the token [redacted] is none" in answer.text
    assert SECRET not in answer.text + world.app.log
    fault("mcpServers.create", kind="status", status=500)
    answer = admin_at_v0.post(f"{PLACE}new/", data=FORM)
    assert answer.status_code == 503
    assert "v0 did not say whether it has done this." in answer.text
    assert 'value="Linear"' in answer.text
    fault("mcpServers.list", kind="status", status=500)
    assert "v0 did not give its list" in admin_at_v0.get(PLACE).text
    assert "v0 did not give its list" in admin_at_v0.get(f"{PLACE}mcp_1/").text


def test_it_is_for_administrators(client_of: ClientOf, owner: Person, admin: Person) -> None:
    # This process has no relay, so that no page can ask v0.
    for place in (PLACE, f"{PLACE}new/", f"{PLACE}mcp_1/", f"{PLACE}mcp_1/remove/"):
        assert client_of(owner).get(place).status_code == 404
        assert client_of(owner).post(place, FORM).status_code in (404, 405)
        assert client_of(admin).get(place).status_code == 200
    assert client_of(owner).post(f"{PLACE}mcp_1/enabled/").status_code == 404
    assert client_of(admin).get(f"{PLACE}a.b/").status_code == 404
    assert PLACE in client_of(admin).get("/").content.decode()
    assert PLACE not in client_of(owner).get("/").content.decode()
