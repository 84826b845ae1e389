"""What v0 is told later: a title that a person gave, and that a chat was deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app_server import AppServer, prepared_database, running_app, wait_until
from tests.relay.conftest import QUICK as FAST
from tests.sandbox_server import Sandbox
from tests.world import World

QUICK = "scenario: refusal\npace: 0"


@pytest.fixture(scope="module")
def app(
    sandbox: Sandbox, shared_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppServer]:
    """A server in which an undo is over soon."""
    template, folder = prepared_database(shared_folder), tmp_path_factory.mktemp("app")
    settings = {**FAST, "V0_UNDO": "0.5"}
    with running_app(folder, sandbox, template=template, database=None, **settings) as app:
        yield app


def title(world: World, chat: str) -> str:
    return str(world.at_v0(f"/chats/{world.chat(chat)['v0_id']}").get("title"))


def is_there(world: World, v0_chat: str) -> bool:
    return v0_chat in [chat["id"] for chat in world.at_v0("/chats")["chats"]]


def is_kept(world: World, chat: str) -> bool:
    return bool(world.rows("SELECT id FROM chats_chat WHERE id = ?", chat.replace("-", "")))


def costs(world: World, answer: str) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM chats_entry WHERE message_id = ?", answer)


def delete(world: World, chat: str) -> None:
    assert world.post(f"/chats/{chat}/delete/", confirmed="yes").status_code == 303


def test_a_title_reaches_v0_and_its_own_never_replaces_it(world: World) -> None:
    chat = world.ask(QUICK)
    assert world.post(f"/chats/{chat}/rename/", title="Tea shop").status_code == 303
    world.finished(chat)
    wait_until(lambda: not world.chat(chat)["title_unsaid"], what="v0 to hear of the title")
    assert (title(world, chat), world.chat(chat)["title"]) == ("Tea shop", "Tea shop")


def test_a_title_waits_for_a_v0_that_is_ill_and_the_newest_one_wins(
    world: World, sandbox: Sandbox
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    sandbox.fault(path="chats.update", kind="status", status=503, times=2, key=world.app.key)
    world.post(f"/chats/{chat}/rename/", title="First")
    world.post(f"/chats/{chat}/rename/", title="Second")
    wait_until(lambda: not world.chat(chat)["title_unsaid"], what="v0 to hear of the title")
    assert title(world, chat) == "Second"
    assert world.ledger["posts"] == 1


def test_a_newer_title_is_not_lost_while_an_older_one_is_being_told(
    world: World, sandbox: Sandbox
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    sandbox.fault(
        path="chats.update", kind="hang", seconds=1, when="after", times=1, key=world.app.key
    )
    world.post(f"/chats/{chat}/rename/", title="First")
    wait_until(lambda: title(world, chat) == "First", what="v0 to take the first title")
    world.post(f"/chats/{chat}/rename/", title="Second")
    wait_until(lambda: not world.chat(chat)["title_unsaid"], what="v0 to hear of the title")
    assert title(world, chat) == "Second"


def test_v0_hears_of_a_deletion_only_when_it_cannot_be_undone(here: Callable[..., World]) -> None:
    world = here(V0_UNDO="600")
    chat = world.ask("scenario: long size=20000 pace=1")
    world.until(chat, "streaming")
    v0_chat = world.chat(chat)["v0_id"]
    delete(world, chat)
    world.post(f"/chats/{chat}/rename/", title="Not any more")
    other = world.ask(QUICK)
    world.post(f"/chats/{other}/rename/", title="Later errand")
    world.finished(other)
    wait_until(lambda: not world.chat(other)["title_unsaid"], what="a later errand to be over")
    assert is_there(world, v0_chat)
    assert world.client.get(f"/chats/{chat}/").status_code == 404
    assert world.post(f"/chats/{chat}/undelete/").status_code == 303
    assert "Not any more" not in world.growing(chat)
    assert (world.ledger["stops"], world.answer(chat)["stop_asked_at"]) == (0, None)
    world.stop(chat)
    assert world.finished(chat)["parts"] == world.v0_answer(chat)["parts"]


def test_after_its_time_the_chat_goes_at_v0_and_here_and_its_cost_stays(world: World) -> None:
    chat = world.ask("A page about tea")
    world.finished(chat)
    v0_chat, answer = world.chat(chat)["v0_id"], world.answer(chat)["id"]
    [entry] = costs(world, answer)
    delete(world, chat)
    wait_until(lambda: not is_kept(world, chat), what="the rows to go")
    assert not is_there(world, v0_chat)
    assert costs(world, answer) == [{**entry, "chat_id": None}]
    assert world.messages(chat) == []


@pytest.mark.parametrize("status", [500, 404])
def test_a_deletion_that_v0_does_not_answer_well_is_repeated(
    world: World, sandbox: Sandbox, status: int
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    v0_chat = world.chat(chat)["v0_id"]
    sandbox.fault(
        path="chats.delete", kind="status", status=status, when="after", key=world.app.key
    )
    delete(world, chat)
    wait_until(lambda: not is_kept(world, chat), what="the rows to go")
    assert not is_there(world, v0_chat)


def test_a_v0_that_refuses_a_deletion_is_not_asked_for_ever(world: World, sandbox: Sandbox) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    v0_chat = world.chat(chat)["v0_id"]
    sandbox.edit(v0_chat, writePermission=False)
    delete(world, chat)
    wait_until(lambda: not is_kept(world, chat), what="the rows to go")
    assert is_there(world, v0_chat)
    assert f"stays at v0 as {v0_chat}" in world.app.log
    assert world.app.log.count(f"errand for chat {uuid.UUID(chat)}") == 2


def test_the_run_of_a_deleted_chat_is_stopped_and_its_cost_kept(world: World) -> None:
    chat = world.ask("scenario: long size=20000 pace=1")
    world.until(chat, "streaming")
    answer = world.answer(chat)["id"]
    delete(world, chat)
    wait_until(lambda: not is_kept(world, chat), what="the rows to go")
    assert world.ledger["stops"] == 1
    assert [row["outcome"] for row in costs(world, answer)] == ["stopped"]


# --- Who may see a chat, at v0 ---


def level(world: World, chat: str) -> str:
    return str(world.at_v0(f"/chats/{world.chat(chat)['v0_id']}")["privacy"])


def test_a_chat_opened_wider_at_v0_is_said_and_closed_again_until_v0_agrees(
    world: World, sandbox: Sandbox
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    v0_chat = world.chat(chat)["v0_id"]
    sandbox.edit(v0_chat, privacy="public")
    wait_until(
        lambda: "At v0 this chat is public; here it is private." in page(world, chat),
        what="the page to say so",
    )
    # Nobody here sees more or less for it, and nobody at v0 is overruled unasked.
    assert (world.chat(chat)["privacy"], level(world, chat)) == ("private", "public")
    sandbox.fault(path="chats.update", kind="status", status=503, times=2, key=world.app.key)
    assert world.post(f"/chats/{chat}/repeat-privacy/").status_code == 303
    assert "told so until it agrees" in page(world, chat)
    wait_until(lambda: not world.chat(chat)["privacy_unsaid"], what="v0 to agree")
    assert level(world, chat) == "private"
    assert "At v0 this chat is" not in page(world, chat)


def page(world: World, chat: str) -> str:
    html = world.client.get(f"/chats/{chat}/").text
    return " ".join(html.split())
