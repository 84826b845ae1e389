"""What is put aside for a run is given back or settled, once, however the run ends: nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from chats.models import Chat, Counter, Intent, Message, Person, Reservation, ending
from chats.models.messages import IntentState
from chats.relay import errands, intents, stopping
from chats.relay.relay import Relay
from chats.usage import budgets
from chats.usage.money import units
from chats.usage.typical import ceiling
from tests.relay.inside import Inside

QUICK = "scenario: empty\npace: 0"
SLOW = "scenario: long size=20000\npace: 1"
CREATE = "chats.createStream"
SOON, LATER = timedelta(minutes=2), timedelta(hours=2)


def sweep(after: timedelta) -> int:
    return budgets.sweep(timezone.now() + after)


def settled(inside: Inside) -> None:
    """Nothing is put aside, and what is spent is what v0 has charged."""
    spent = units(Decimal(inside.ledger["credits"]))
    assert not Reservation.objects.exists()
    rows = {each.name: each for each in Counter.objects.all()}
    assert {each.reserved for each in rows.values()} == {0}
    assert rows["installation"].month_spent == spent
    assert rows[f"person {inside.person.pk}"].month_spent == spent


async def until(relay: Relay, holds: Callable[[], bool]) -> None:
    while not await relay.threads.read(holds):  # noqa: ASYNC110 (rows tell nobody)
        await asyncio.sleep(0.05)


def is_in(answer: Message, state: str) -> Callable[[], bool]:
    return lambda: Intent.objects.filter(answer=answer, state=state).exists()


@pytest.mark.parametrize(
    ("when", "state"), [("after", IntentState.ACCEPTED), ("before", IntentState.UNKNOWN)]
)
def test_a_process_that_ends_between_post_and_answer_leaves_it_to_the_next(
    inside: Inside, when: str, state: str
) -> None:
    inside.fault(CREATE, "hang", when=when, seconds=20)
    answer = inside.create(QUICK)

    async def play(relay: Relay) -> None:
        await until(relay, is_in(answer, IntentState.POSTING))
        if when == "after":
            await until(relay, lambda: inside.ledger["posts"] == 1)

    inside.during(play)
    assert sweep(LATER) == 0, "as long as it is in doubt it is put aside"
    assert Reservation.objects.get().credits == ceiling("")
    inside.run(answer)
    assert Intent.objects.get().state == state
    assert (inside.ledger["user_messages"], answer.state) == (
        (1, "finished") if when == "after" else (0, "failed")
    )
    settled(inside)
    assert sweep(LATER) == 0


def test_a_stop_before_the_post_gives_it_back(inside: Inside) -> None:
    answer = inside.create(QUICK)
    assert stopping.ask(answer, inside.person)
    inside.run(answer)
    assert (answer.state, inside.ledger["posts"]) == ("stopped", 0)
    settled(inside)


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_a_chat_that_is_deleted_meanwhile_is_settled_by_what_it_has_cost(
    inside: Inside, told: bool
) -> None:
    inside.settings.V0_UNDO = 0
    if not told:
        inside.fault("/chats*", "late-usage", times=None)
    answer = inside.create(SLOW)

    def delete() -> None:
        gone = timezone.now() - errands.CLOCKS - timedelta(seconds=1)
        Chat.objects.filter(pk=answer.chat_id).update(deleted_at=gone)

    async def play(relay: Relay) -> None:
        await until(relay, lambda: bool(Message.objects.get(pk=answer.pk).parts))
        await relay.threads.write(delete)
        await until(relay, lambda: not Chat.objects.filter(pk=answer.chat_id).exists())

    inside.during(play)
    assert inside.ledger["stops"] == 1
    if told:
        settled(inside)
        return
    # Nobody can be asked any more: v0's bill will tell.
    assert Reservation.objects.exists()
    assert sweep(SOON) == 1
    assert not Counter.objects.exclude(reserved=0).exists()


def test_an_account_that_is_deleted_meanwhile_keeps_its_counter(inside: Inside) -> None:
    inside.settings.V0_UNDO = 0
    answer = inside.create(SLOW)

    def leave() -> None:
        assert ending.end(inside.person, giving=(), asked=(), address=None)

    async def play(relay: Relay) -> None:
        await until(relay, lambda: bool(Message.objects.get(pk=answer.pk).parts))
        await relay.threads.write(leave)
        await until(relay, lambda: not Reservation.objects.exists())

    inside.during(play)
    assert inside.ledger["stops"] == 1
    settled(inside)


# By the rows


@pytest.fixture
def somebody(db: None) -> Person:
    return Person.objects.create_user("somebody@example.com")


RUNS = [
    ("waiting", "sending", None, False),
    ("posting", "sending", None, False),
    ("checking", "checking", None, False),
    ("accepted", "streaming", None, False),
    ("accepted", "finished", timedelta(minutes=50), False),
    ("accepted", "finished", timedelta(minutes=70), True),
    ("accepted", "stopped", timedelta(minutes=70), True),
    ("accepted", "failed", timedelta(minutes=50), False),
    ("accepted", "failed", timedelta(minutes=70), True),
    ("refused", "failed", timedelta(0), True),
    ("unsent", "failed", timedelta(0), True),
    ("unsent", "stopped", timedelta(0), True),
    ("unknown", "failed", timedelta(0), True),
]


@pytest.mark.parametrize(("state", "answers", "ended", "over"), RUNS)
def test_a_run_holds_what_it_has_put_aside_while_its_cost_may_come(
    somebody: Person, state: str, answers: str, ended: timedelta | None, over: bool
) -> None:
    answer = intents.create(somebody, uuid4(), {"message": "Hello"})
    Intent.objects.update(state=state)
    now = timezone.now() + SOON
    Message.objects.filter(pk=answer.pk).update(
        state=answers, ended_at=None if ended is None else now - ended
    )
    assert budgets.sweep(now) == over
    assert Reservation.objects.exists() is not over
    assert budgets.sweep(now) == 0


WISHES = [
    ("waiting", False, False),
    ("posting", True, False),
    ("checking", True, False),
    ("accepted", True, False),
    ("accepted", False, True),
    ("refused", False, True),
    ("unknown", False, True),
]


@pytest.mark.parametrize(("state", "is_held", "over"), WISHES)
def test_a_wish_for_a_whole_chat_holds_it_until_it_is_made_or_came_to_nothing(
    somebody: Person, state: str, is_held: bool, over: bool
) -> None:
    intents.bring(somebody, uuid4(), "zip", {"url": "https://example.com/a.zip"})
    lease = timezone.now() if is_held else None
    Intent.objects.update(state=state, lease_until=lease)
    assert sweep(SOON) == over


def test_what_is_still_held_hides_nothing_that_is_over(
    somebody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "AT_ONCE", 2)
    answers = [intents.create(somebody, uuid4(), {"message": "Hello"}) for _ in range(6)]
    over: list[UUID] = [answer.pk for answer in answers[3:]]
    Intent.objects.filter(answer__in=over).update(state="refused")
    assert [sweep(SOON) for _ in range(3)] == [2, 1, 0]
    assert Reservation.objects.count() == 3
    assert sweep(-SOON) == 0, "what was sent a moment ago is left alone"
