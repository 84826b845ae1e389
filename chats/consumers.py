"""The two sockets: one chat, and a person's own marks.

Owns admission (by the same function as the page), the pump that sends one frame after the other,
and the close codes. Relies on the hub for what to send; reads nothing from the browser, and never
runs anything that others wait for.

    4401 sign in again · 4403 access ended · 4404 no such chat · 1012 restart · 1013 too slow

The reason beside 4403 is a word for the page (`chats/_gone.html`). A page that shows something of a chat
and follows none of it, an earlier window say, opens its socket with `?only=rights`.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import Http404

from chats import permissions, relay
from chats.permissions import sessions
from chats.permissions.doors import Door, admit
from chats.permissions.proof import lacking_factor
from chats.relay.people import OpenDoor
from chats.relay.relay import Relay
from chats.rendering import frames

SIGN_IN, UNKNOWN, RESTART, SLOW, POLICY = 4401, 4404, 1012, 1013, 1008


class Refused(Exception):
    """The socket is closed with `code`, after it was accepted: a refused handshake is retried."""

    def __init__(self, code: int) -> None:
        self.code = code


class Socket(AsyncWebsocketConsumer):
    """A socket that only ever sends. What it sends is `pump`; who may hear it is `admit`."""

    pumping: asyncio.Task[None] | None = None
    door: OpenDoor | None = None
    told = 0
    told_health = 0
    told_rights = 0

    async def connect(self) -> None:
        await self.accept()
        try:
            held = relay.running()
            if held is None:
                raise Refused(RESTART)
            self.relay: Relay = held
            await self.pass_gate()
            await self.open()
        except Refused as refused:
            await self.close(refused.code)

    async def pass_gate(self) -> None:
        """Whoever must set up a second factor first gets as little here as from any page."""
        if settings.V0_REQUIRE_MFA == "nobody" or not self.person.is_authenticated:
            return
        if await self.relay.threads.read(lacking_factor, [self.person]):
            raise Refused(SIGN_IN)

    async def open(self) -> None:
        self.door = await self.admit()
        if (
            sum(door.person == self.door.person for door in self.relay.people.doors)
            >= (settings.V0_SOCKETS_PER_PERSON)
            and self.door.person is not None
        ):
            raise Refused(SLOW)
        self.relay.people.doors.add(self.door)
        # A context of its own: the consumer's would keep its thread and connection alive.
        self.pumping = asyncio.create_task(self._pump(), context=contextvars.Context())
        self.door.shut = self.pumping.cancel

    async def disconnect(self, code: int) -> None:
        if self.door is not None:
            self.relay.people.doors.discard(self.door)
        if self.pumping is not None:
            self.pumping.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is said over this socket: every command is a POST."""
        await self.close(POLICY)

    async def admit(self) -> OpenDoor:
        raise NotImplementedError

    async def pump(self, door: OpenDoor) -> None:
        raise NotImplementedError

    async def _pump(self) -> None:
        assert self.door is not None
        try:
            await self.pump(self.door)
        except Refused as refused:
            await self.close(refused.code)
        except asyncio.CancelledError:
            # Without an end it is the socket that has gone.
            if self.door.ended is None:
                raise
            await self.close(self.door.ended, self.door.why)
        finally:
            self.relay.people.doors.discard(self.door)

    async def give(self, text: str) -> None:
        """Send, and wait until TCP has taken it. The entry point gives up a peer that takes nothing:
        it knows the progress of one frame, where a limit here would cut a slow reader."""
        await self.send(text_data=text)

    async def give_marks(self, door: OpenDoor) -> None:
        """Nothing but the person's own marks, for as long as the door is open."""
        # A page counts as connected from its first frame on.
        await self.give(frames.mark("sidebar", self.told))
        while True:
            door.news.clear()
            if news := self.news_of_own(door):
                await self.give(news)
            try:
                async with asyncio.timeout(settings.V0_BEAT):
                    await door.news.wait()
            except TimeoutError:
                await self.give(frames.mark("sidebar", self.told))

    def news_of_own(self, door: OpenDoor) -> str:
        """The marks of the person behind the door that have changed; "" for none, and for a visitor."""
        if door.person is None:
            return ""
        news = ""
        if door.marks != self.told:
            self.told = door.marks
            news = frames.mark("sidebar", self.told)
        if self.relay.people.health != self.told_health:
            self.told_health = self.relay.people.health
            news += frames.mark("health", self.told_health)
        if door.may != self.told_rights:
            self.told_rights = door.may
            news += frames.mark("rights", self.told_rights)
        return news

    @property
    def person(self) -> Any:
        return self.scope["user"]

    @property
    def session_key(self) -> str:
        return str(self.scope["session"].session_key or "")


class ChatSocket(Socket):
    """What all readers of a chat see, from the position that the page names."""

    async def admit(self) -> OpenDoor:
        id: UUID = self.scope["url_route"]["kwargs"]["chat"]
        grants = sessions.grants(self.scope["session"])
        try:
            chat, held = await self.relay.threads.read(admit, self.person, grants, id)
        except Http404:
            raise Refused(UNKNOWN if self.person.is_authenticated else SIGN_IN) from None
        door = Door(self.session_key, self.person.pk, chat.id, grants.get(str(chat.id), ""))
        return OpenDoor(door, may=held.rights, way=held.way, teams=held.teams)

    async def pump(self, door: OpenDoor) -> None:
        chat = door.rights.chat
        assert chat is not None
        if self._asked("only") == "rights":
            await self.give_marks(door)
            return
        reader, text = await self.relay.hub.join(chat, *self._position(), door.news)
        visitor = self.relay.presences.come(chat, door.person, door.rights.session)
        try:
            # What the person may do comes with the first frame: a page that was made before a change, or
            # comes back after it, hears of it then.
            text += self.news_of_own(door)
            while True:
                await self.give(text)
                text = await self._next(door, reader)
        finally:
            self.relay.hub.leave(reader)
            self.relay.presences.go(chat, visitor)

    async def _next(self, door: OpenDoor, reader: Any) -> str:
        """The next thing to say; a beat after a while without any."""
        while True:
            door.news.clear()
            if reader.at != reader.chat.at:
                return str(reader.chat.frame(reader))
            if news := self.news_of_own(door):
                return news
            try:
                async with asyncio.timeout(settings.V0_BEAT):
                    await door.news.wait()
            except TimeoutError:
                return frames.frame((), reader.at)

    def _position(self) -> tuple[str, str, int]:
        version = self._asked("version")
        return (
            self._asked("at")[:60],
            self._asked("after")[:60],
            int(version) if version.isascii() and version.isdigit() and len(version) < 19 else 0,
        )

    def _asked(self, name: str) -> str:
        query = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        return str(query.get(name, [""])[0])


class MeSocket(Socket):
    """The marks of one person: the sidebar is old, or what is told of v0."""

    async def admit(self) -> OpenDoor:
        if not self.person.is_authenticated:
            raise Refused(SIGN_IN)
        id = self.person.pk
        roles = await self.relay.threads.read(permissions.team_roles_of, [id])
        door = Door(self.session_key, id, None)
        return OpenDoor(door, teams=frozenset(roles.get(id, {}).items()))

    async def pump(self, door: OpenDoor) -> None:
        await self.give_marks(door)


class NoSocket(Socket):
    """Every other address."""

    async def admit(self) -> OpenDoor:
        raise Refused(UNKNOWN)
