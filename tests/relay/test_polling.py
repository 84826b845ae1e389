"""How often an answer is read: soon at first, then seldom, and not before v0 wants to be asked again."""

from __future__ import annotations

import asyncio
import time

import pytest
from pytest_django.fixtures import Settings

from chats.relay.polling import JITTER, Pauses, until_final
from chats.v0api.errors import NotFound, RateLimited, ServerError, V0Error
from chats.v0api.types import Message
from tests.relay.inside import Inside

FINAL = Message.from_wire({"id": "m", "role": "assistant", "finishReason": "stop"})
RUNNING = Message.from_wire({"id": "m", "role": "assistant"})


def test_pauses_grow_up_to_the_longest_and_are_never_in_step(settings: Settings) -> None:
    settings.V0_POLL_FIRST, settings.V0_POLL_GROWTH, settings.V0_POLL_LONGEST = 1, 2, 5
    one, other = ([pauses.next() for _ in range(6)] for pauses in (Pauses(), Pauses()))
    for seconds, planned in zip(one, (1, 2, 4, 5, 5, 5), strict=True):
        assert planned * (1 - JITTER) <= seconds <= planned * (1 + JITTER)
    assert one != other


def test_a_pause_can_be_cut_short(settings: Settings) -> None:
    settings.V0_POLL_FIRST = settings.V0_POLL_LONGEST = 60

    async def play() -> None:
        pauses = Pauses()
        waiting = asyncio.ensure_future(pauses.pause())
        await asyncio.sleep(0)
        pauses.hurry()
        async with asyncio.timeout(10):
            await waiting

    asyncio.run(play())


def reading(*said: Message | V0Error, patience: int | None = 1) -> tuple[int, float]:
    """How many reads there were until the final one, and how long they took; each answers as said."""
    left = list(said)

    async def look() -> Message:
        answer = left.pop(0)
        if isinstance(answer, V0Error):
            raise answer
        return answer

    started = time.monotonic()
    assert asyncio.run(until_final(look, Pauses(), patience=patience)) is FINAL
    return len(said) - len(left), time.monotonic() - started


@pytest.fixture
def quick(settings: Settings) -> None:
    settings.V0_POLL_FIRST = settings.V0_POLL_LONGEST = 0.01


@pytest.mark.usefixtures("quick")
def test_failures_pass_and_what_v0_asks_for_is_kept() -> None:
    slow = RateLimited("", status=429, retry_after=0.3)
    busy = ServerError("", status=503, retry_after=0.2)
    reads, seconds = reading(slow, RUNNING, busy, NotFound(), RUNNING, NotFound(), FINAL, FINAL)
    assert reads == 7
    assert seconds >= 0.5


@pytest.mark.usefixtures("quick")
def test_a_message_that_v0_goes_on_not_to_show_is_given_up() -> None:
    with pytest.raises(NotFound):
        reading(RUNNING, NotFound(), NotFound(), FINAL)
    assert reading(*(NotFound() for _ in range(9)), FINAL, patience=None)[0] == 10


def test_v0_is_left_alone_for_as_long_as_it_says(inside: Inside) -> None:
    inside.fault("messages.get", "status", status=429, retry_after=1, times=1)
    answer = inside.create("Hello\npace: 0", delivery="async")
    started = time.monotonic()
    inside.run(answer)
    assert answer.state == "finished"
    assert time.monotonic() - started >= 1
    (rule,) = inside.sandbox.faults()
    assert rule["seen"] == 2
