"""Everybody who can be to one chat of a running app what design §5 names, each with a session.

Owns rows written into the app's own database, as the tests of rights arrange them in theirs; who is who goes
by the names of `tests.rights`. Relies on the demo people and their team.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing

from tests.world import World

# Their roles in the team; the chat is the owner's, who is a member.
MEMBERS = {
    "mate": "member",
    "team owner": "owner",
    "team admin": "admin",
    "team viewer": "viewer",
}
GUESTS = {"invited reader": "reader", "invited editor": "editor"}
OTHERS = ("stranger", "stranger with link", "stranger with old link", "mate who left")
NAMELESS = ("reader", "reader with link")
SLUG, OLD_SLUG = "a-link-of-the-crowd", "an-old-link-of-the-crowd"


def write(world: World, statement: str, *values: object) -> int:
    """The id of a row that was inserted."""
    with closing(sqlite3.connect(world.app.database, timeout=20)) as connection, connection:
        return connection.execute(statement, values).lastrowid or 0


def into_team(world: World, chat: str, team: int, privacy: str) -> None:
    statement = "UPDATE chats_chat SET team_id = ?, privacy = ? WHERE id = ?"
    write(world, statement, team, privacy, uuid.UUID(chat).hex)


def new_person(world: World) -> tuple[str, int]:
    """A copy of the mate, in no team."""
    email = f"{uuid.uuid4().hex}@team.example"
    row = world.rows("SELECT * FROM chats_person WHERE email = 'mate@example.com'")[0]
    row |= {"email": email, "name": "", "shows_team_id": None}
    del row["id"]
    names = ", ".join(row)
    blanks = ", ".join("?" * len(row))
    return email, write(
        world, f"INSERT INTO chats_person ({names}) VALUES ({blanks})", *row.values()
    )


def crowd(world: World, chat: str) -> dict[str, dict[str, str]]:
    """What the handshake of each of them carries; the chat lies in the team and has a link."""
    team = world.rows("SELECT min(id) AS id FROM chats_team")[0]["id"]
    into_team(world, chat, team, "private")
    id = uuid.UUID(chat).hex
    # A link is of one chat alone.
    slug = f"{SLUG}-{id}"
    write(world, "UPDATE chats_chat SET link_slug = ? WHERE id = ?", slug, id)
    headers = {"owner": world.app.headers_of("owner@example.com")}
    for who in (*MEMBERS, *GUESTS, *OTHERS, "admin"):
        email, person = new_person(world)
        if who in MEMBERS:
            statement = "INSERT INTO chats_membership (team_id, person_id, role, mapped, last_privacy) VALUES (?, ?, ?, 0, '')"
            write(world, statement, team, person, MEMBERS[who])
        if who in GUESTS:
            statement = "INSERT INTO chats_guest (chat_id, email, person_id, role, invited_at) VALUES (?, ?, ?, ?, '2026-01-01')"
            write(world, statement, id, email, person, GUESTS[who])
        if who == "admin":
            write(world, "UPDATE chats_person SET is_staff = 1 WHERE id = ?", person)
        headers[who] = world.app.headers_of(email, **_holds(who, chat, slug))
    for who in NAMELESS:
        headers[who] = world.app.headers_of(None, **_holds(who, chat, slug))
    return headers


def _holds(who: str, chat: str, slug: str) -> dict[str, dict[str, str]]:
    held = OLD_SLUG if "old link" in who else slug if "link" in who else ""
    return {"links": {chat: held}} if held else {}
