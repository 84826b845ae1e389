"""Taking access away reaches open sockets: no text later than the next check of rights."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.world import World

Here = Callable[..., World]

CHECK = {"V0_RIGHTS_CHECK": "0.3"}


def opened(world: World, path: str, email: str = "owner@example.com") -> ClientConnection:
    url = f"ws://localhost:{world.app.port}{path}"
    return connect(url, additional_headers=world.app.headers_of(email), proxy=None)


def write(world: World, *statements: str) -> None:
    with closing(sqlite3.connect(world.app.database, timeout=20)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def code(socket: ClientConnection) -> int:
    """What the server closes the socket with; frames before that are of no interest."""
    try:
        while True:
            socket.recv(timeout=10)
    except ConnectionClosed:
        return socket.close_code or 0


LOSSES = [
    pytest.param("DELETE FROM django_session", 4401, id="signed out"),
    pytest.param("UPDATE chats_person SET is_active = 0", 4401, id="deactivated"),
    pytest.param("UPDATE chats_person SET password = 'md5$a$b'", 4401, id="password changed"),
    pytest.param(
        "UPDATE chats_chat SET owner_id = (SELECT id FROM chats_person WHERE email = 'stranger@example.com')",
        4403,
        id="access taken away",
    ),
    pytest.param(
        "DELETE FROM chats_entry; DELETE FROM chats_intent; DELETE FROM chats_message; DELETE FROM chats_chat",
        4404,
        id="chat deleted",
    ),
]


@pytest.mark.parametrize(("loss", "expected"), LOSSES)
def test_an_open_chat_is_closed_with_the_reason(here: Here, loss: str, expected: int) -> None:
    world = here(**CHECK)
    chat = world.ask("A page about doors")
    world.finished(chat)
    with opened(world, f"/ws/chats/{chat}/") as socket:
        assert 'id="at"' in str(socket.recv(timeout=10))
        write(world, *loss.split(";"))
        assert code(socket) == expected


def test_the_sockets_of_a_person_close_with_their_session(here: Here) -> None:
    world = here(**CHECK)
    with opened(world, "/ws/me/") as socket:
        write(world, "DELETE FROM django_session")
        assert code(socket) == 4401


def test_who_keeps_their_right_keeps_their_socket(here: Here) -> None:
    world = here(**CHECK)
    chat = world.ask("A page about doors")
    world.finished(chat)
    kept = opened(world, f"/ws/chats/{chat}/")
    kept_session = world.rows("SELECT session_key FROM django_session ORDER BY rowid DESC")[0]
    with kept, opened(world, "/ws/me/") as lost:
        kept.recv(timeout=10)
        write(
            world,
            f"DELETE FROM django_session WHERE session_key != '{kept_session['session_key']}'",
        )
        assert code(lost) == 4401
        with world.app.client_of("owner@example.com") as client:
            World(world.app, world.sandbox, client).send(chat, "Go on")
        assert "Go on" in "".join(str(kept.recv(timeout=10)) for _ in range(2))


def test_a_mates_sidebar_hears_of_a_chat_of_the_team_and_a_strangers_does_not(here: Here) -> None:
    world = here(V0_BEAT="600")
    chat = world.ask("A page about doors")
    world.finished(chat)
    write(
        world,
        "UPDATE chats_chat SET privacy = 'team', team_id = (SELECT min(id) FROM chats_team)",
    )
    with (
        opened(world, "/ws/me/", "mate@example.com") as mate,
        opened(world, "/ws/me/", "stranger@example.com") as stranger,
    ):
        first = [str(socket.recv(timeout=10)) for socket in (mate, stranger)]
        world.send(chat, "And windows")
        assert mate.recv(timeout=10) not in first
        world.finished(chat)
        with pytest.raises(TimeoutError):
            stranger.recv(timeout=1)
