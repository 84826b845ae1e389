"""A relay in the test's own process, between the test's database and a sandbox.

Owns asking as one person and running what was asked. Relies on `transactional_db` and on the
sandbox being a process of its own; each `Inside` has a world of its own there.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from pytest_django.fixtures import Settings

from chats import relay
from chats.live.html import render
from chats.models import Chat, Message, Person
from chats.relay import decisions, intents
from chats.relay.relay import Relay
from tests.sandbox_server import Sandbox

T = TypeVar("T")


@dataclass
class Inside:
    """`settings` are those of this process; what is asked for is run by `run`."""

    person: Person
    sandbox: Sandbox
    settings: Settings
    key: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex}")

    def __post_init__(self) -> None:
        self.settings.V0_BASE_URL = self.sandbox.base_url
        self.settings.V0_API_KEY = self.key
        for name, value in {
            "V0_LOOK_EVERY": 0.1,
            "V0_POLL_FIRST": 0.02,
            "V0_POLL_LONGEST": 0.2,
            "V0_CHECK_AFTER": (0.1, 0.3),
            "V0_CHECK_FOR": 1,
            "V0_RESUME_TRIES": 2,
            "V0_API_REVISION": "ga",
        }.items():
            setattr(self.settings, name, value)

    def fault(self, path: str, kind: str, **more: Any) -> None:
        self.sandbox.fault(path=path, kind=kind, key=self.key, **more)

    # What a person does

    def create(self, message: str, **payload: Any) -> Message:
        return intents.create(self.person, uuid.uuid4(), {"message": message, **payload})

    def send(self, chat: Chat, message: str, **payload: Any) -> Message:
        return intents.send(self.person, uuid.uuid4(), {"message": message, **payload}, chat)

    def approve(self, chat: Chat) -> Message:
        """The plan that the chat waits with is to be carried out."""
        task = decisions.waiting(chat)
        assert task is not None
        given = decisions.Given("approved")
        return decisions.decide(self.person, uuid.uuid4(), chat, task.digest, given)

    # What becomes of it

    def run(self, *answers: Message) -> None:
        """Until these have ended; the rows are read again."""

        async def all_of_them(held: Relay) -> None:
            await asyncio.gather(*(held.until_over(answer.pk) for answer in answers))

        self.during(all_of_them)
        for answer in answers:
            answer.refresh_from_db()

    def during(self, play: Callable[[Relay], Awaitable[T]]) -> T:
        """What `play` gives while a relay runs; it lets go of what still runs."""

        async def inside() -> T:
            held = await relay.start()
            try:
                async with asyncio.timeout(60):
                    return await play(held)
            finally:
                await relay.stop()

        return asyncio.run(inside())

    # What v0 has

    @property
    def ledger(self) -> dict[str, Any]:
        return self.sandbox.ledger(self.key)

    def at_v0(self, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}"}
        found = httpx.get(f"{self.sandbox.base_url}{path}", headers=headers, trust_env=False)
        assert found.status_code == 200, found.text
        answer: dict[str, Any] = found.json()
        return answer


def shown(held: Relay, chat: Chat) -> str:
    """What readers of the chat see now of its messages."""
    state, _ = held.hub.page(chat.pk)
    return "".join(render(node) for node in state.messages) if state else ""


async def until(holds: Callable[[], bool]) -> None:
    """Returns once `holds()` is true; `during` limits how long that may take."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
