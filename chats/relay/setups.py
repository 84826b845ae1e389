"""What somebody sets up at Vercel so that an agent can go on: a connector, a chat's project.

Owns when v0 is asked how far a connector is: once in an interval for each chat, however many pages and
processes want to know, through the cache, which also keeps what was last heard. Relies on the relay for
v0's client, waits for it in the caller's thread, and never on the loop. Everything here is free.

    state   ""      nobody has asked yet      pending  `words` are its progress
            ready   it can go on              error    `words` are the reason
            gone    v0 has forgotten it       away     v0 did not answer
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from chats import relay
from chats.models import Chat
from chats.relay import store
from chats.relay.decisions import Waiting
from chats.v0api import errors
from chats.v0api.pending import PendingConnect

KEPT = 3600
# Seconds: whoever presses a button need not wait for the interval of those who only look on.
LEAST = 1.0


@dataclass(frozen=True, slots=True)
class Setup:
    state: str = ""
    words: str = ""

    @property
    def is_over(self) -> bool:
        """Whether asking again would tell nothing new by itself."""
        return self.state in ("ready", "error", "gone")


class NotMade(Exception):
    """There is no project: a sentence that says why."""


def last(asked: UUID) -> Setup:
    """What was heard last of the set-up that this answer asked for."""
    return Setup(*cache.get(_key(asked), ("", "")))


def look(chat: Chat, waiting: Waiting, *, pressed: bool = False) -> Setup:
    """How far the set-up is: asked now if it is time to, and what was heard last otherwise."""
    task, asked = waiting.task, waiting.asked.id
    running = relay.running()
    if not isinstance(task, PendingConnect) or not task.request_id or running is None:
        return last(asked)
    every = min(LEAST, settings.V0_CONNECT_EVERY) if pressed else settings.V0_CONNECT_EVERY
    # Each has a gate of its own: a press must not be held up by those who look on.
    if not cache.add(f"{_key(asked)}:{pressed}", 1, timeout=every):
        return last(asked)
    try:
        status = running.answer_of(
            running.client.get_connect_status(chat.v0_id or "", task.request_id)
        )
        heard = (status.status, status.progress or status.message)
    except errors.NotFound:
        heard = ("gone", "")
    except (errors.V0Error, TimeoutError):
        heard = ("away", "")
    cache.set(_key(asked), heard, timeout=KEPT)
    return Setup(*heard)


def make_project(chat: Chat) -> None:
    """Make the chat's project at Vercel, or learn of the one that it has. NotMade says why not."""
    running = relay.running()
    if running is None or not chat.v0_id:
        raise NotMade("v0 cannot be reached just now. Try again in a moment.")
    try:
        project = running.answer_of(_project(chat.v0_id))
    except errors.StatusError as error:
        raise NotMade(f"v0 did not make the project. It says: {error.message}") from error
    except (errors.V0Error, TimeoutError) as error:
        raise NotMade("v0 did not answer. Try again in a moment.") from error
    store.save_project(chat.id, project)
    relay.changed(chat.id)


async def _project(v0_chat: str) -> str:
    running = relay.running()
    assert running is not None
    try:
        return await running.client.create_vercel_project(v0_chat)
    except errors.Conflict:
        project = (await running.client.get_chat(v0_chat)).vercel_project_id
        if not project:
            raise
        return project


def _key(asked: UUID) -> str:
    return f"setup:{asked}"
