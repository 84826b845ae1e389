"""Every socket for everybody: who hears of a chat, what refuses the others, and that all readers hear the same.

Owns the row of each consumer. Relies on a relay in the test's own process, which v0 never hears of.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from chats import relay
from chats.models import Person
from chats.routing import websocket_urlpatterns
from tests import canary
from tests.rights import LEVELS, PEOPLE, READING_ON, expected
from tests.scene import Scene, stage
from v0web.asgi import application

# What each address asks of those who come: a row of the table, an account, or that there is such a place.
SOCKETS = {"ws/chats/<uuid:chat>/": "READ", "ws/me/": "account", "": "none"}
OPEN = 0
NAMELESS = ("anonymous", "reader")
# Of one person alone, beside what all readers of a chat hear.
OWN = re.compile(r'<i id="mark-(sidebar|health|rights)"[^>]*></i>')
# Of the moment: how many are here, as a number alone, and the position that says so.
MOMENT = re.compile(
    r'<p id="here"[^>]*>(\d+ people here)?</p>|<i id="mark-here"[^>]*></i>|(?<=data-at=")[^"]*'
)


async def heard(scene: Scene, who: str, path: str) -> tuple[int, str]:
    """The code that a socket was closed with, OPEN for none, and what came first."""
    headers = [(b"origin", django_settings.V0_ORIGINS[0].encode())]
    if key := scene.sessions[who]:
        headers.append((b"cookie", f"{django_settings.SESSION_COOKIE_NAME}={key}".encode()))
    socket = WebsocketCommunicator(application, path, headers=headers)
    assert (await socket.connect(timeout=20))[0]
    said = await socket.receive_output(timeout=20)
    await socket.disconnect(timeout=20)
    return said.get("code", OPEN), said.get("text", "")


async def everything(scene: Scene, settings: Settings) -> dict[str, dict[str, tuple[int, str]]]:
    """What everybody hears at the sockets of each level, of a chat that is none, and of their own."""
    await relay.start()
    found: dict[str, dict[str, tuple[int, str]]] = {}
    try:
        for who in PEOPLE:
            settings.V0_ANONYMOUS_READING = who in READING_ON
            paths = {
                **{level: f"/ws/chats/{scene.people.chat(who, level).pk}/" for level in LEVELS},
                "unknown": f"/ws/chats/{uuid4()}/",
                "me": "/ws/me/",
                "elsewhere": "/ws/elsewhere/",
            }
            found[who] = {name: await heard(scene, who, path) for name, path in paths.items()}
    finally:
        await relay.stop()
    return found


def due(who: str, place: str) -> int:
    is_signed_in = not who.startswith((*NAMELESS, "deactivated"))
    if place == "elsewhere":
        return 4404
    if (place == "me" and is_signed_in) or (
        place in LEVELS and expected("READ")[who][place] == "+"
    ):
        return OPEN
    return 4404 if is_signed_in and place != "me" else 4401


def test_every_socket_has_a_row() -> None:
    assert {str(route.pattern) for route in websocket_urlpatterns} == SOCKETS.keys()


@pytest.mark.django_db(transaction=True)
def test_everybody_hears_what_the_table_says_and_all_readers_of_a_chat_the_same(
    settings: Settings, tmp_path: Path
) -> None:
    kept = {"BACKEND": canary.FILES, "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": kept}
    scene = stage()
    canary.hide(scene.people, shut=False)
    found = asyncio.run(everything(scene, settings))
    codes = {who: {place: code for place, (code, _) in of.items()} for who, of in found.items()}
    assert codes == {who: {place: due(who, place) for place in of} for who, of in found.items()}
    frames = defaultdict(set)
    for who, of in found.items():
        for level in LEVELS:
            code, text = of[level]
            assert (code == OPEN) == bool(text)
            if text:
                frames[scene.people.chat(who, level).pk].add(MOMENT.sub("", OWN.sub("", text)))
        assert not OWN.sub("", of["me"][1]), "a person's own socket tells marks alone"
    for chat in scene.people.chats.values():
        shown = {word for text in frames.get(chat.pk, ()) for word in canary.found_in(text)}
        assert shown <= canary.for_every_reader(chat.privacy)
    everywhere = "".join(text for told in frames.values() for text in told)
    assert all(len(told) == 1 for told in frames.values())
    assert "<article" in everywhere
    assert "csrf" not in everywhere
    assert "<form" not in everywhere
    assert all(canary.word("answer", level) in everywhere for level in LEVELS)
    # Of people there are the authors of messages.
    authors = {chat.owner_id for chat in scene.people.chats.values()}
    others = {person.shown_name for person in Person.objects.exclude(pk__in=authors)}
    assert not {name for name in others if f">{name}<" in everywhere}
