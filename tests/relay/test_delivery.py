"""Streamed, polled or waited for: what is stored is the same, it was paid for once, and it can be stopped."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chats.models import Chat, Entry, Intent, Message
from chats.relay.relay import Relay
from tests.relay.inside import Inside, shown, until

DELIVERIES = ["stream", "async", "sync"]
SUFFIX = {"stream": "Stream", "async": "Async", "sync": ""}
OPERATIONS = ("chats.create", "messages.send", "messages.resolve")
PLAN = "A page about tea\nscenario: plan\npace: 0"
LONG = "Tell me everything.\nscenario: long size=60000 pace=1"
# Slow enough to be cut in the middle, and over soon.
SOON = "Go on.\nscenario: long size=5000 pace=0.1"
MASKED = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|http://[\w.:]+")


def same_as_v0(inside: Inside, answer: Message) -> Message:
    """The answer, once it was compared with v0's own GET, as was what is in the ledger."""
    chat = Chat.objects.get(pk=answer.chat_id)
    truth = inside.at_v0(f"/chats/{chat.v0_id}/messages/{answer.v0_id}")
    assert answer.state == "finished", (answer.state, answer.problem, answer.detail)
    assert json.loads(json.dumps(answer.parts)) == truth["parts"] != []
    assert (answer.content, answer.finish_reason) == (truth["content"], truth["finishReason"])
    entry = Entry.objects.get(message_id=answer.pk)
    assert entry.tokens_total == truth["usage"]["tokens"]["total"]
    asked = chat.messages.get(position=answer.position - 1)
    assert asked.state == "finished"
    assert inside.at_v0(f"/chats/{chat.v0_id}/messages/{asked.v0_id}")["role"] == "user"
    assert chat.title == inside.at_v0(f"/chats/{chat.v0_id}")["title"]
    return answer


def masked(chat: Chat) -> list[Any]:
    """The chat as it is stored, without ids and times."""
    names = ("role", "state", "text", "content", "parts", "finish_reason", "asks", "restorable")
    rows = [[getattr(row, name) for name in names] for row in chat.messages.all()]
    ids = [row.v0_id for row in chat.messages.all()]
    said = MASKED.sub("…", json.dumps([chat.title, rows]))
    for id in (chat.v0_id, *ids):
        said = said.replace(id or "-", "…")
    found: list[Any] = json.loads(said)
    return found


def test_each_delivery_of_create_send_and_resolve_stores_the_same(
    inside: Inside, settings: Settings
) -> None:
    stored = []
    for number, delivery in enumerate(DELIVERIES):
        settings.V0_DELIVERY = delivery
        answer = inside.create(PLAN)
        chat = answer.chat
        for ask in (None, inside.approve, lambda chat: inside.send(chat, "Dark, please\npace: 0")):
            answer = ask(chat) if ask else answer
            inside.run(answer)
            chat.refresh_from_db()
            same_as_v0(inside, answer)
            assert Intent.objects.get(answer=answer).delivery == delivery
            assert Entry.objects.get(message_id=answer.pk).delivery == delivery
        ledger = inside.ledger
        counts = [ledger[name] for name in ("posts", "user_messages", "resolves")]
        assert counts == [3 * (number + 1), 2 * (number + 1), number + 1]
        stored.append(masked(chat))
    assert stored[0] == stored[1] == stored[2]
    used = [each["operation"] for each in inside.sandbox.requests(inside.key)]
    names = [f"{name}{SUFFIX[delivery]}" for delivery in DELIVERIES for name in ORDER]
    assert used == names


ORDER = ("chats.create", "messages.resolve", "messages.send")


@pytest.fixture
def three(inside: Inside) -> list[Callable[[str], Message]]:
    """A create, a send and a resolve, which can be asked for in one moment."""
    first, second = inside.create("Hello\npace: 0"), inside.create(PLAN.replace("pace: 0", SLOW))
    inside.run(first, second)
    first.chat.refresh_from_db()
    second.chat.refresh_from_db()
    return [
        lambda message: inside.create(message),
        lambda message: inside.send(first.chat, message),
        lambda message: inside.approve(second.chat),
    ]


SLOW = "pace: 0.02"


@pytest.mark.parametrize("goes_on", ["by resume", "by poll"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_stream_cut_at_a_random_byte_is_paid_for_once(
    inside: Inside, three: list[Callable[[str], Message]], seed: int, goes_on: str
) -> None:
    before = inside.ledger["posts"]
    chance = random.Random(seed)
    for name in OPERATIONS:
        inside.fault(f"{name}Stream", "reset", bytes=chance.randrange(9000))
    if goes_on == "by poll":
        inside.fault("chats.resume", "status", status=500, times=None)
    answers = [ask(SOON) for ask in three]
    inside.run(*answers)
    for answer in answers:
        same_as_v0(inside, answer)
    assert inside.ledger["posts"] == before + 3


def test_a_stream_that_never_opens_is_read_by_poll(
    inside: Inside, three: list[Callable[[str], Message]]
) -> None:
    before = inside.ledger["posts"]
    for name in OPERATIONS:
        inside.fault(f"{name}Stream", "wrong-content-type")
    inside.fault("chats.resume", "wrong-content-type", times=None)
    answers = [ask(SOON) for ask in three]
    inside.run(*answers)
    for answer in answers:
        same_as_v0(inside, answer)
    assert inside.ledger["posts"] == before + 3


# While it runs


async def growing(inside: Inside, held: Relay, answers: list[Message], *, characters: int) -> None:
    """Until readers of each have so much before them, whose answers still run."""

    def grows() -> bool:
        pages = [shown(held, answer.chat) for answer in answers]
        return all('data-state="streaming"' in page and len(page) > characters for page in pages)

    await until(grows)


@pytest.fixture
def polled(inside: Inside) -> list[Message]:
    """An answer of each delivery that is not streamed."""
    return [inside.create(LONG, delivery=delivery) for delivery in ("async", "sync")]


def test_readers_see_text_before_its_end_and_stop_keeps_it(
    inside: Inside, polled: list[Message]
) -> None:
    async def play(held: Relay) -> None:
        await growing(inside, held, polled, characters=1500)
        first = [len(shown(held, answer.chat)) for answer in polled]
        await growing(inside, held, polled, characters=max(first))
        for answer in polled:
            await held.threads.write(ask_to_stop, answer)
        held.wake()
        for answer in polled:
            await held.until_over(answer.pk)

    inside.during(play)
    for answer in polled:
        answer.refresh_from_db()
        chat = Chat.objects.get(pk=answer.chat_id)
        truth = inside.at_v0(f"/chats/{chat.v0_id}/messages/{answer.v0_id}")
        assert answer.state == "stopped"
        assert answer.parts == truth["parts"] != []
    ledger = inside.ledger
    assert (ledger["posts"], ledger["stops"]) == (2, 2)


def ask_to_stop(answer: Message) -> None:
    Message.objects.filter(pk=answer.pk).update(stop_asked_at=answer.created_at)


def test_a_blocking_decision_can_be_stopped(inside: Inside) -> None:
    first = inside.create(PLAN.replace("pace: 0", "pace: 0.2"))
    inside.run(first)
    first.chat.refresh_from_db()
    inside.settings.V0_DELIVERY = "sync"
    answer = inside.approve(first.chat)

    async def play(held: Relay) -> None:
        await until(lambda: bool(inside.ledger["resolves"]))
        await held.threads.write(ask_to_stop, answer)
        held.wake()
        await held.until_over(answer.pk)

    inside.during(play)
    answer.refresh_from_db()
    assert answer.state == "stopped"
    ledger = inside.ledger
    assert (ledger["posts"], ledger["stops"]) == (2, 1)


def test_a_process_that_takes_over_reads_by_poll_what_was_to_be_polled(inside: Inside) -> None:
    answers = [inside.create(SOON, delivery=delivery) for delivery in ("async", "sync")]
    inside.fault("chats.resume", "status", status=500, times=None)

    async def play(held: Relay) -> None:
        await growing(inside, held, answers, characters=600)

    inside.during(play)
    inside.settings.V0_DELIVERY = "stream"
    inside.run(*answers)
    for answer in answers:
        same_as_v0(inside, answer)
    assert inside.ledger["posts"] == 2
    assert inside.sandbox.faults()[0]["seen"] == 0


def test_a_blocking_request_that_is_cut_leaves_the_run_going(inside: Inside) -> None:
    inside.settings.V0_HEADERS_TIMEOUT, inside.settings.V0_MODEL_TIMEOUT = 1, 0
    inside.settings.V0_DELIVERY = "sync"
    answer = inside.create(SOON)
    inside.run(answer)
    same_as_v0(inside, answer)
    assert inside.ledger["posts"] == 1


# Doubt and refusals


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "reset"}])
@pytest.mark.parametrize("when", ["after", "before"])
def test_what_is_in_doubt_is_looked_up_and_never_sent_again(
    inside: Inside, fault: dict[str, Any], when: str
) -> None:
    answers = []
    for delivery in ("async", "sync"):
        inside.fault(f"chats.create{SUFFIX[delivery]}", when=when, **fault)
        answers.append(inside.create(f"{delivery}\npace: 0", delivery=delivery))
    inside.run(*answers)
    for answer in answers:
        if when == "after":
            same_as_v0(inside, answer)
        else:
            assert (answer.state, answer.problem) == ("failed", "unknown")
    assert inside.ledger["posts"] == 2


def test_what_cannot_leave_is_said_to_be_unsent(inside: Inside) -> None:
    inside.settings.V0_BASE_URL = "http://127.0.0.1:9/v2"
    answers = [inside.create("Hello", delivery=delivery) for delivery in ("async", "sync")]
    inside.run(*answers)
    assert [answer.problem for answer in answers] == ["unsent", "unsent"]


def test_a_refusal_is_said(inside: Inside) -> None:
    answers = []
    for delivery in ("async", "sync"):
        inside.fault(f"chats.create{SUFFIX[delivery]}", "status", status=402)
        answers.append(inside.create("Hello", delivery=delivery))
    inside.run(*answers)
    assert [answer.problem for answer in answers] == ["credits", "credits"]
    assert inside.ledger["posts"] == 2


def test_a_plan_that_somebody_else_approved_at_v0_is_not_taken_for_ours(inside: Inside) -> None:
    first = inside.create(PLAN)
    inside.run(first)
    first.chat.refresh_from_db()
    inside.settings.V0_DELIVERY = "sync"
    # v0 says no late: the other answer is there before.
    inside.fault("messages.resolve", "hang", seconds=0.5)
    answer = inside.approve(first.chat)
    inside.sandbox.write(first.chat.v0_id or "", "Never mind\npace: 0")
    inside.run(answer)
    assert (answer.state, answer.problem, answer.v0_id) == ("failed", "conflict", "")
    assert not Entry.objects.filter(message_id=answer.pk).exists()
    assert Intent.objects.get(answer=answer).state == "refused"


def test_an_answer_that_v0_never_shows_has_failed(inside: Inside) -> None:
    inside.fault("messages.get", "status", status=404, times=None)
    answer = inside.create("Hello\npace: 0", delivery="async")
    inside.run(answer)
    assert (answer.state, answer.problem) == ("failed", "gone")
    assert inside.ledger["posts"] == 1
