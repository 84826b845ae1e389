"""Owns every run of an answer: starts it, stops it, adopts it, saves it, shows it.

Relies on v0's client, models, permissions, rendering, `live` and the ledger. Never imports views,
forms, consumers or requests: those call the functions below, which work in a process without a
relay too (a command, a test), where they do nothing: every process looks for work once a second.

    intent (row) ─► relay ─► run ─► store (rows)
                              └───► showing ─► hub ─► consumers
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from chats.live.state import State
from chats.relay.health import Health, KeyTrouble

if TYPE_CHECKING:
    from chats.relay.adoption import Offers
    from chats.relay.relay import Relay
    from chats.v0api.client import Client

Result = TypeVar("Result")

_relay: Relay | None = None


async def start() -> Relay:
    """Start this process's relay on the running loop; the one there is when it runs already."""
    from chats.relay.relay import Relay

    global _relay
    if _relay is None:
        _relay = Relay()
        _relay.start()
    return _relay


async def stop() -> None:
    """Let go of every run, so that another process takes over at once."""
    global _relay
    relay, _relay = _relay, None
    if relay is not None:
        await relay.stop()


def running() -> Relay | None:
    return _relay


def wake() -> None:
    """Say that an intent was written or a stop asked for. From any thread; never blocks."""
    if _relay is not None:
        _relay.wake()


def changed(chat: UUID) -> None:
    """Say, after the commit, that a chat's rows changed. From any thread; never blocks."""
    if _relay is not None:
        _relay.changed_soon(chat)


def rights_changed(people: Iterable[int] = ()) -> None:
    """Say, after the commit, that somebody lost a session, an account or a role: the sockets open in
    this process that may not stay open are closed at once, those of others by their next check. The
    lists of `people` are old by it. From any thread; never blocks."""
    if _relay is not None:
        _relay.rights_changed_soon(set(people))


def session_renewed(before: str, now: str) -> None:
    """Say that a session has another key from now on: its sockets stay open. From any thread."""
    if _relay is not None:
        _relay.session_renewed_soon(before, now)


def opened(chat: UUID, compared_at: datetime | None) -> None:
    """Say that somebody reads a chat: what changed at v0 is then looked for. From any thread."""
    age = settings.V0_COMPARE_OPENED
    if compared_at is not None and timezone.now() - compared_at < timedelta(seconds=age):
        return
    if _relay is not None:
        _relay.compare_soon(chat, age)


def adoptable(cursor: str | None) -> Offers | None:
    """v0's chats that are not here. Waits for v0, in the caller's thread and never on the loop.

    None in a process without a relay; V0Error or TimeoutError when v0 does not say.
    """
    return _relay.adoptable(cursor) if _relay is not None else None


def ask_v0(work: Callable[[Client], Coroutine[Any, Any, Result]]) -> Result:
    """What `work` gives with the relay's client. Waits, in the caller's thread and never on the loop.

    V0Error, or TimeoutError when it takes too long; NotSent in a process without a relay.
    """
    if _relay is None:
        from chats.v0api.errors import NotSent

        raise NotSent
    return _relay.answer_of(work(_relay.client))


def health() -> Health:
    """How v0 has answered this process lately; nothing is known in one without a relay."""
    return _relay.watch.health if _relay is not None else Health()


def key_trouble() -> KeyTrouble:
    """How the key itself fails by what all processes have seen, as this one heard last."""
    return _relay.outcomes.key if _relay is not None else KeyTrouble()


def revision_found() -> str:
    """The revision that this process writes requests in; "" when it has not asked v0 for it yet."""
    return (_relay.client.revision_found or "") if _relay is not None else ""


def health_told() -> int:
    """The version of the mark `health` that pages made now have to carry."""
    return _relay.people.health if _relay is not None else 0


def standing(chat: UUID) -> tuple[State | None, str]:
    """The newest State that this process holds of a chat and its position, for a page made now.

    (None, "") when nothing of the chat is held here: the page is then made from rows alone.
    """
    if _relay is None:
        return None, ""
    return _relay.hub.page(chat)
