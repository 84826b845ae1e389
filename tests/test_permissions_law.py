"""The law as a whole: who walks where, how many cells that are, and what no single table says.

    who x privacy x what one may do     tests/test_permissions.py, test_permissions_pending.py
    who x privacy x route x method      tests/test_permissions_routes.py
    who x every other route x method    tests/test_permissions_elsewhere.py
    who x privacy x socket, frames      tests/test_permissions_sockets.py
    who x privacy x file                tests/test_permissions_second_doors.py
    who x privacy x word of a chat      tests/test_canary.py (pages, exports, notes, costs, logs, mails)

Each of these fails for a route, a consumer or an action that has no row. Here the cells are counted, and
walked for chats between two levels and for links that have ended.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Attachment, Chat
from chats.permissions import Action
from tests import canary
from tests import test_permissions_elsewhere as elsewhere
from tests.people import OWNERS
from tests.rights import LEVELS, PEOPLE, READING_ON, TABLES, expected
from tests.scene import Scene
from tests.test_permissions_routes import ELSEWHERE, OF_A_FILE, ROWS, body, cells
from tests.test_permissions_sockets import SOCKETS

# Those whom the law names: the table may have more.
NAMED = {
    *("anonymous", "stranger", "team viewer", "mate", "team admin", "team owner", "owner"),
    *("invited reader", "invited editor", "stranger with link", "reader with link"),
    *("mate who left", "deactivated owner", "admin", "superuser"),
}
CELLS = {
    "routes of a chat": sum(sum(map(len, cells(*row[:2]).values())) for row in ROWS),
    "files": len(OF_A_FILE) * len(PEOPLE) * len(LEVELS),
    "other routes": sum(2 * len(elsewhere.asked(name)) + 1 for name in ELSEWHERE),
    "sockets": len(PEOPLE) * (len(LEVELS) + len(SOCKETS)),
    "actions": len(PEOPLE) * len(LEVELS) * len(Action),
    "words": len(PEOPLE) * len(LEVELS) * len(canary.KINDS),
}
# A route for each row of the table, by the method that is cheapest to ask.
FIRST = {
    action: min((row for row in ROWS if row[2] == action), key=lambda row: row[1])[:2]
    for action in TABLES
    if action in {row[2] for row in ROWS}
}
BETWEEN = [("private", "public"), ("team", "unlisted"), ("team", "team-edit")]
ASKED = (
    *("owner", "mate", "team admin", "team viewer", "invited reader"),
    *("stranger", "stranger with link", "reader", "reader with link"),
)


def test_the_table_has_as_many_cells_as_the_law_wants() -> None:
    at_the_wire = CELLS["routes of a chat"] + CELLS["files"] + CELLS["sockets"]
    assert at_the_wire >= 1500, CELLS
    assert set(PEOPLE) >= NAMED
    assert {"owner", "deactivated owner"} <= set(OWNERS)
    for name, method, _ in ROWS:
        walked = cells(name, method)
        assert walked.keys() >= NAMED, (name, method)
        tried = {(who, level) for who, levels in walked.items() for level in levels}
        seen = {(who, level) for who, level in tried if expected("READ")[who][level] == "+"}
        assert {level for _, level in seen} == set(LEVELS)
        assert {level for _, level in tried - seen} >= set(LEVELS) - {"public"}, (name, method)
    assert FIRST.keys() >= set(TABLES) - {"SEE_COST"}, "an action that no route asks for"


@pytest.mark.parametrize(("old", "new"), BETWEEN)
def test_between_two_levels_a_route_opens_where_both_do(
    scene: Scene, settings: Settings, old: str, new: str
) -> None:
    """As tests/test_permissions_pending.py has it for all changes, at a route for each row."""
    Chat.objects.filter(privacy=old).update(privacy_wanted=new)
    for who in ASKED:
        settings.V0_ANONYMOUS_READING = who in READING_ON
        client, chat = scene.client(who, hx_request="true"), scene.people.chat(who, old)
        reads = {expected("READ")[who][level] for level in (old, new)} == {"+"}
        for action, (name, method) in FIRST.items():
            due = {expected(action)[who][level] for level in (old, new)}
            status = scene.call(client, name, method, chat).status_code
            got = {404: "4", 403: "3"}.get(status, "+")
            assert got == ("+" if due == {"+"} else "3" if reads else "4"), (who, name)


@pytest.mark.parametrize("who", ["stranger with link", "reader with link"])
def test_a_link_that_has_ended_is_no_link_at_any_route(
    scene: Scene, settings: Settings, who: str
) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    client, chat = scene.client(who, hx_request="true"), scene.people.chats["unlisted of owner"]
    routes = [row[:2] for row in ROWS if row[2] == "READ"]
    for ends_in, status in ((60, 200), (-1, 404)):
        chat.link_expires_at = timezone.now() + timedelta(seconds=ends_in)
        chat.save()
        found = {row: scene.call(client, *row, chat).status_code for row in routes}
        assert all((code == 404) == (status == 404) for code in found.values()), found
        assert client.get(f"/shared/{chat.link_slug}/").status_code in (302, 404)
        assert (client.get(f"/shared/{chat.link_slug}/").status_code == 404) == (status == 404)


def test_no_other_method_reaches_a_chat(scene: Scene) -> None:
    """Whoever asks, and whether or not the chat is there for them."""
    chat = scene.people.chats["private of owner"]
    before = Chat.objects.filter(pk=chat.pk).values().get()
    for who in ("owner", "stranger"):
        client = scene.client(who)
        for name in {row[0] for row in ROWS}:
            for method in ("PUT", "PATCH", "DELETE", "TRACE"):
                assert scene.call(client, name, method, chat).status_code == 405, (name, method)
    assert Chat.objects.filter(pk=chat.pk).values().get() == before


def test_a_hidden_file_looks_like_one_that_does_not_exist(scene: Scene) -> None:
    """Whether it was sent, waits in a queue, or is somebody's who has not sent it yet."""
    chat = scene.people.chats["private of owner"]
    of_a_message = {"message": chat.messages.get(role="user")}
    of_a_queue = {"queued": chat.queue.get()}
    files = [
        Attachment.objects.create(name="a.txt", file="kept", person=chat.owner, **of)
        for of in (of_a_message, of_a_queue, {})
    ]
    for who in ("stranger", "mate", "anonymous"):
        client = scene.client(who)
        for method, more in (("GET", ""), ("POST", "remove/")):
            found = []
            for id in (*(file.pk for file in files), uuid4()):
                with CaptureQueriesContext(connection) as queries:
                    response = client.generic(method, f"/attachments/{id}/{more}")
                shown = (response.status_code, dict(response.headers), body(response, id))
                found.append((*shown, len(queries)))
            assert found[0][0] == 404
            assert all(each == found[0] for each in found), (who, method)
