"""Chats made at v0 are brought in by staff: once, for an owner, who alone reads them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from uuid import UUID

import httpx
import pytest

from tests.app_server import wait_until
from tests.world import World


@pytest.fixture
def admin(world: World) -> Iterator[httpx.Client]:
    with world.app.client_of("admin@example.com") as client:
        yield client


def make_at_v0(world: World, *messages: str) -> None:
    for message in messages:
        with httpx.stream(
            "POST",
            f"{world.sandbox.base_url}/chats/stream",
            json={"message": message},
            headers={"Authorization": f"Bearer {world.app.key}"},
            trust_env=False,
        ) as stream:
            stream.read()


def offered(page: str) -> list[str]:
    return [html.unescape(token) for token in re.findall(r'name="chat" value="([^"]+)"', page)]


@pytest.fixture
def alone(here: Callable[..., World]) -> Iterator[tuple[World, httpx.Client]]:
    """A world in which nothing else happens, and its administrator."""
    world = here()
    with world.app.client_of("admin@example.com") as client:
        yield world, client


def test_chats_of_v0_are_offered_without_text_and_come_in_once(
    alone: tuple[World, httpx.Client],
) -> None:
    world, admin = alone
    here = world.ask("A chat that is here")
    world.finished(here)
    make_at_v0(world, "A page about secret gardens", "A page about open fields")
    page = admin.get("/adopt/").text
    tokens = offered(page)
    assert len(tokens) == 2
    answers = world.at_v0("/chats?limit=100")["chats"]
    for chat in answers:
        listed = world.at_v0(f"/chats/{chat['id']}/messages")["messages"]
        assert all(item["content"] not in page for item in listed if item["content"])
    form = {"owner": "owner@example.com", "chat": tokens}
    for _ in range(2):
        assert admin.post("/adopt/", data=form).status_code == 303
    wait_until(lambda: "Done:" in admin.get("/adopt/?of=2").text, what="the end")
    assert offered(admin.get("/adopt/").text) == []
    assert len(world.noted("chat.adopted")) == 2
    rows = world.rows("SELECT id, v0_id FROM chats_chat ORDER BY created_at")
    assert len(rows) == 3
    texts = {row["text"] for row in world.rows("SELECT text FROM chats_message WHERE text > ''")}
    assert {"A page about secret gardens", "A page about open fields"} < texts
    for row in rows:
        stored = world.messages(row["id"])
        listed = world.at_v0(f"/chats/{row['v0_id']}/messages")["messages"][::-1]
        assert [item["v0_id"] for item in stored] == [item["id"] for item in listed]
        assert stored[-1]["parts"] == listed[-1]["parts"]
    assert world.ledger["posts"] == 3
    pages = [f"/chats/{UUID(row['id'])}/" for row in rows]
    with world.app.client_of("mate@example.com") as mate:
        for client, status in ((world.client, 200), (admin, 404), (mate, 404)):
            assert {client.get(page).status_code for page in pages} == {status}


def test_only_staff_finds_the_page(world: World) -> None:
    assert world.client.get("/adopt/").status_code == 404
    assert world.client.post("/adopt/", data={"owner": "owner@example.com"}).status_code == 404


def test_what_is_not_signed_or_has_no_owner_is_refused(world: World, admin: httpx.Client) -> None:
    make_at_v0(world, "A page about locks")
    token = offered(admin.get("/adopt/").text)[0]
    before = len(world.rows("SELECT id FROM chats_chat"))
    for form in (
        {"owner": "owner@example.com", "chat": token[:-2]},
        {"owner": "nobody@example.com", "chat": token},
        {"owner": "owner@example.com"},
        {"chat": token},
    ):
        assert admin.post("/adopt/", data=form).status_code == 422
    assert len(world.rows("SELECT id FROM chats_chat")) == before


def test_a_v0_that_is_down_is_said(world: World, admin: httpx.Client) -> None:
    world.sandbox.fault(path="chats.list", kind="status", status=503, key=world.app.key)
    assert "v0 did not give its list" in admin.get("/adopt/").text
