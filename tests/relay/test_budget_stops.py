"""A budget that is used up stops what runs, where the installation wants it: once, and as a person would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.models import (
    Chat,
    Counter,
    Entry,
    Intent,
    Levers,
    Limit,
    Membership,
    Message,
    Override,
    Person,
    Reservation,
    Team,
)
from chats.models.budgets import Period, Scope
from chats.relay import intents, queue, stopping, store
from chats.relay.relay import Relay
from tests.relay.inside import Inside, shown, until

CREDIT = 10**12
SLOW = "scenario: long size=20000\npace: 1"
QUICK = "scenario: empty\npace: 0"
SAID = "Stopped, because a budget was used up."


def limit(scope: str, key: object, credits: int) -> Limit:
    return Limit.objects.create(scope=scope, key=str(key), period=Period.DAY, credits=credits)


def spend(name: str, credits: int) -> None:
    today = timezone.now().date()
    Counter.objects.update_or_create(
        name=name,
        defaults={"day": today, "month": today.replace(day=1), "day_spent": credits},
    )


def state(answer: Message) -> str:
    return Message.objects.values_list("state", flat=True).get(pk=answer.pk)


def test_a_dear_run_stops_a_slow_one_of_the_same_person_and_what_waits_stays(
    inside: Inside, mate: Person
) -> None:
    inside.settings.V0_CEILINGS = {"v0-mini": "0.000001"}
    Levers.objects.create(pk=1, stops_runs=True)
    held = limit(Scope.PERSON, inside.person.pk, 10**9)
    slow = inside.create(SLOW)
    others = intents.create(mate, uuid4(), {"message": SLOW})

    async def play(relay: Relay) -> tuple[str, str]:
        async def there(holds: Callable[[], bool]) -> None:
            while not await relay.threads.read(holds):  # noqa: ASYNC110 (rows tell nobody)
                await asyncio.sleep(0.05)

        def waits_and_runs() -> Message:
            queue.send(inside.person, uuid4(), {"message": "And then"}, slow.chat)
            return inside.create(QUICK)

        await there(lambda: state(slow) == state(others) == "streaming")
        await there(lambda: bool(Message.objects.get(pk=slow.pk).parts))
        await relay.threads.write(waits_and_runs)
        await there(lambda: state(slow) == "stopped")
        await until(lambda: SAID in shown(relay, slow.chat))
        stopped = await relay.threads.read(state, others)
        await relay.threads.write(held.delete)
        again = await relay.threads.write(inside.create, QUICK)
        await there(lambda: state(again) == "finished")
        return stopped, shown(relay, slow.chat)

    others_then, said = inside.during(play)
    assert others_then == "streaming", "the limit is not theirs"
    slow.refresh_from_db()
    assert (slow.stop_asked_by, slow.stop_reason) == (None, "budget")
    assert slow.parts
    assert inside.ledger["stops"] == 1
    assert "Olivia" not in said.partition(SAID)[2]
    # It is settled by what it has cost, and the queue waits for a person.
    assert Entry.objects.get(message_id=slow.pk).outcome == "stopped"
    intent = Intent.objects.get(answer=slow)
    assert not Reservation.objects.filter(intent=intent.pk).exists()
    assert queue.held(slow.chat, slow.chat.queue.first()) == "stopped"


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Web")


@pytest.fixture
def running(team: Team) -> Message:
    """An answer that this process holds, sent by a member of the team into a chat of it."""
    person = Person.objects.create_user("somebody@example.com")
    Membership.objects.create(team=team, person=person, role="member")
    Levers.objects.create(pk=1, stops_runs=True)
    chat = Chat.objects.create(owner=person, team=team, v0_id="c")
    answer = intents.send(person, uuid4(), {"message": "Hello"}, chat)
    Message.objects.filter(pk=answer.pk).update(state="streaming", holder="here")
    return answer


def over() -> list[object]:
    return [answer for answer, _ in stopping.over_budget("here")]


def key_of(answer: Message, scope: str) -> object:
    person = Intent.objects.get(answer=answer).person_id
    keys: dict[str, object] = {
        Scope.INSTALLATION: "",
        Scope.TEAM: answer.chat.team_id,
        Scope.PERSON: person,
        Scope.ROLE: "member",
        Scope.CHAT: answer.chat_id,
    }
    return keys[scope]


@pytest.mark.parametrize("scope", list(Scope))
def test_each_limit_that_counts_for_a_run_stops_it_once_it_is_spent(
    running: Message, scope: str
) -> None:
    key = key_of(running, scope)
    limit(scope, key, CREDIT)
    name = f"person {key_of(running, Scope.PERSON)}" if scope == "role" else f"{scope} {key}"
    # Put aside is not spent.
    Counter.objects.update(reserved=9 * CREDIT)
    spend(name.strip(), CREDIT - 1)
    assert over() == []
    spend(name.strip(), CREDIT)
    assert over() == [running.pk]
    assert stopping.over_budget("another process") == []


def test_where_it_was_sent_counts_also_when_the_chat_has_moved(running: Message) -> None:
    limit(Scope.TEAM, running.chat.team_id, 0)
    Chat.objects.update(team=None)
    assert over() == [running.pk]


def untouched(answer: Message) -> None:
    limit(Scope.TEAM, uuid4(), 0)
    limit(Scope.PERSON, 0, 0)
    limit(Scope.ROLE, "viewer", 0)
    limit(Scope.ROLE, Limit.PERSONAL, 0)
    limit(Scope.CHAT, uuid4(), 0)


def raised_for_a_while(answer: Message) -> None:
    held = limit(Scope.INSTALLATION, "", 0)
    until = timezone.now() + timedelta(hours=1)
    Override.objects.create(limit=held, credits=CREDIT, until=until, note="A demo")


def own_in_place_of_the_roles(answer: Message) -> None:
    limit(Scope.ROLE, "member", 0)
    limit(Scope.PERSON, key_of(answer, Scope.PERSON), CREDIT)


def of_yesterday(answer: Message) -> None:
    limit(Scope.INSTALLATION, "", CREDIT)
    spend("installation", CREDIT)
    Counter.objects.update(day=timezone.now().date() - timedelta(days=1))


def not_wanted(answer: Message) -> None:
    limit(Scope.INSTALLATION, "", 0)
    Levers.objects.update(stops_runs=False)


def a_person_was_faster(answer: Message) -> None:
    limit(Scope.INSTALLATION, "", 0)
    assert stopping.ask(answer, answer.chat.owner)


def free_of_charge(answer: Message) -> None:
    limit(Scope.INSTALLATION, "", 0)
    Intent.objects.update(kind="restore")


def made_at_v0_itself(answer: Message) -> None:
    limit(Scope.INSTALLATION, "", 0)
    Intent.objects.all().delete()


@pytest.mark.parametrize(
    "change",
    [
        untouched,
        raised_for_a_while,
        own_in_place_of_the_roles,
        of_yesterday,
        not_wanted,
        a_person_was_faster,
        free_of_charge,
        made_at_v0_itself,
    ],
)
def test_nothing_else_stops_it(running: Message, change: Callable[[Message], None]) -> None:
    change(running)
    assert over() == []


def test_it_is_asked_once_also_where_v0_has_nothing_to_stop(running: Message) -> None:
    limit(Scope.INSTALLATION, "", 0)
    found = stopping.over_budget("here")
    assert stopping.ask_for_budget(found) == [running.chat_id]
    assert stopping.ask_for_budget(found) == [], "another process was faster"
    assert store.stops("here") == {running.pk}
    store.stop_refused(running.pk, running.fence)
    assert (over(), store.stops("here")) == ([], set())
    # A person may still want it, and then it is theirs.
    assert stopping.ask(running, running.chat.owner)
    running.refresh_from_db()
    assert (running.stop_asked_by, running.stop_reason) == (running.chat.owner, "")


def test_it_costs_one_query_where_runs_are_not_stopped(running: Message) -> None:
    limit(Scope.INSTALLATION, "", 0)
    for wanted, queries in ((False, 1), (True, 6)):
        Levers.objects.update(stops_runs=wanted)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            stopping.over_budget("here")
        assert len(seen) == queries
