"""Budgets hold when many spend at once: each in a thread with a connection of its own. The same tests run on
PostgreSQL in `tests/scale`. RACES=100 plays as many rounds of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from chats.models import (
    Chat,
    Entry,
    Intent,
    Levers,
    Limit,
    Membership,
    Message,
    Person,
    Reservation,
    Team,
    ending,
)
from chats.models.budgets import Period, Scope, counter_name
from chats.models.messages import IntentState
from chats.relay import draining, errands, intents, queue, stopping, store
from chats.usage import budgets, levers
from chats.usage.refusals import OverLimit, Refused, TooFast
from chats.usage.typical import ceiling
from tests import spending
from tests.spending import MODEL, at_once, check_books, used

RACES = int(os.environ.get("RACES", "1"))
PEOPLE, TEAMS = 50, 5
# What somebody may be told instead; the last one in a chat that is gone meanwhile.
REFUSALS = (Refused, intents.Busy, store.Lost, queue.Full, queue.Gone, intents.TokenReused)
ASIDE = ceiling(MODEL)


@dataclass
class Crowd:
    """Everybody is in one team, and has a chat there."""

    people: list[Person]
    teams: list[Team]
    chats: list[Chat]
    refused: list[OverLimit] = field(default_factory=list)

    def send(self, person: Person, chat: Chat | None) -> None:
        try:
            spending.send(person, chat)
        except OverLimit as refusal:
            self.refused.append(refusal)


@pytest.fixture
def crowd(transactional_db: None) -> Crowd:
    # A password that is never set is never hashed.
    people = [Person(email=f"person{at}@example.com", password="!") for at in range(PEOPLE)]
    Person.objects.bulk_create(people)
    teams = Team.objects.bulk_create([Team(name=f"Team {at}") for at in range(TEAMS)])
    Membership.objects.bulk_create(
        Membership(team=teams[at % TEAMS], person=person, role="member")
        for at, person in enumerate(people)
    )
    chats = Chat.objects.bulk_create(
        Chat(owner=person, team=teams[at % TEAMS], privacy="team-edit")
        for at, person in enumerate(people)
    )
    return Crowd(people, teams, chats)


def limit(scope: str, key: object, credits: int) -> Limit:
    held, _ = Limit.objects.update_or_create(
        scope=scope, key=str(key), period=Period.DAY, defaults={"credits": credits}
    )
    return held


def finish_all(chance: Random) -> None:
    """Everything that runs ends, in four processes at once, and costs about what was put aside."""

    def ends(holder: str, costs: Random) -> Callable[[], None]:
        def work() -> None:
            while jobs := spending.claim(holder, 3):
                for job in jobs:
                    spending.accept(job)
                    spending.end(job, costs.randint(1, 2 * ASIDE))

        return work

    at_once([ends(f"process {at}", Random(chance.random())) for at in range(4)])


def test_fifty_who_send_at_once_pass_no_limit_by_more_than_one_reservation(crowd: Crowd) -> None:
    for turn in range(RACES):
        chance = Random(turn)
        crowd.refused.clear()
        limits = [limit(Scope.INSTALLATION, "", _most("installation", "", chance, 20, 45))]
        for team in crowd.teams:
            limits.append(limit(Scope.TEAM, team.pk, _most("team", team.pk, chance, 2, 8)))
        for person in crowd.people[::3]:
            limits.append(limit(Scope.PERSON, person.pk, _most("person", person.pk, chance, 0, 2)))
        before = Intent.objects.count(), Message.objects.count(), Chat.objects.count()
        at_once(
            [
                # Every fourth of them begins a new chat of their own.
                partial(crowd.send, person, None if at % 4 == 3 else chat)
                for at, (person, chat) in enumerate(zip(crowd.people, crowd.chats, strict=True))
            ]
        )
        sent = Reservation.objects.count()
        began = Intent.objects.filter(kind="create", chat__in=Chat.objects.filter(team=None))
        new = began.filter(pk__in=Reservation.objects.values("intent")).count()
        assert sent + len(crowd.refused) == PEOPLE
        assert 0 < sent < PEOPLE
        after = Intent.objects.count(), Message.objects.count(), Chat.objects.count()
        assert after == (before[0] + sent, before[1] + 2 * sent, before[2] + new)
        check_books()
        dearest = max(Reservation.objects.values_list("credits", flat=True))
        for held in limits:
            assert used(held.scope, held.key) < held.credits + dearest, held
        for refusal in crowd.refused:
            # Nobody is refused where there was room.
            held = refusal.standing.limit
            assert used(held.scope, held.key) >= held.credits, held
        finish_all(chance)
        check_books()
        assert not Reservation.objects.exists()
    told(f"{Intent.objects.count()} sent of {RACES * PEOPLE}")


def told(what: str) -> None:
    """For whoever plays many rounds and looks (`-s`)."""
    print(f"\n{connection.vendor}, {RACES} rounds: {what}; {Entry.objects.count()} entries balance")


def _most(scope: str, key: object, chance: Random, least: int, most: int) -> int:
    """A limit that lets that many runs more begin, to be reached somewhere within the last of them."""
    room = chance.randint(least, most) * ASIDE - chance.randrange(ASIDE // 2)
    return used(scope, key) + max(0, room)


def test_of_ten_who_send_at_once_a_budget_of_three_runs_lets_three_go(crowd: Crowd) -> None:
    person = crowd.people[0]
    for turn in range(RACES):
        Reservation.objects.all().delete()
        name = counter_name(Scope.PERSON, person.pk)
        budgets._move(name, budgets._day(timezone.now()), reserved=-used("person", person.pk))
        limit(Scope.PERSON, person.pk, 3 * ASIDE)
        crowd.refused.clear()
        at_once([partial(crowd.send, person, None)] * 10)
        assert Intent.objects.count() == 3 * (turn + 1)
        assert len(crowd.refused) == 7
    told(f"{Intent.objects.count()} sent of {RACES * 10}")


def test_a_person_sends_no_more_a_minute_than_they_may_however_many_at_once(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long this takes here.
    monkeypatch.setattr(levers, "MINUTE", timedelta(hours=1))
    Levers.objects.create(pk=1, sends_per_minute=20)
    person, times = crowd.people[0], 20 if RACES > 1 else 2
    refused: list[TooFast] = []

    def sends() -> None:
        for _ in range(times):
            try:
                spending.send(person)
            except TooFast as refusal:
                refused.append(refusal)

    at_once([sends] * 50)
    assert (Intent.objects.count(), Chat.objects.exclude(team=None).count()) == (20, PEOPLE)
    assert Chat.objects.filter(team=None).count() == 20
    assert len(refused) == 50 * times - 20
    check_books()
    told(f"20 sent of {50 * times}")


class Bustle:
    """What people and processes do with the same few chats, each kind of it in threads of its own."""

    def __init__(self, crowd: Crowd, seed: int) -> None:
        self.crowd, self.seed = crowd, seed
        self.chats = crowd.chats[:8]
        # Of no team, and about to go.
        self.guest = Person.objects.create(email=f"guest{seed}@example.com", password="!")
        self.over = timezone.now() + timedelta(hours=3)

    def of(self, kind: Callable[[Random], None], number: int, times: int) -> Callable[[], None]:
        chance = Random(f"{self.seed} {kind.__name__} {number}")

        def work() -> None:
            for _ in range(times):
                try:
                    kind(chance)
                except REFUSALS:
                    continue

        return work

    def send(self, chance: Random) -> None:
        found = Chat.objects.filter(pk=chance.choice(self.chats).pk).first()
        if found is None:
            return
        person = chance.choice([self.guest, *self.crowd.people])
        ended = found.messages.filter(role="assistant", state="finished").first()
        if ended is not None and chance.randrange(4) == 0:
            intents.restore(person, uuid4(), found, ended)
        else:
            queue.send(person, uuid4(), {"message": "Hello", "model": MODEL}, found)

    def go_on(self, chance: Random) -> None:
        """A process that runs what it finds: it is taken, refused, lost, or ends."""
        for job in spending.claim(f"process {chance.random()}", 2):
            match chance.randrange(8):
                case 0:
                    states = (IntentState.REFUSED, IntentState.UNSENT, IntentState.UNKNOWN)
                    spending.refuse(job, chance.choice(states))
                case 1:
                    store.never_sent(job)
                case 2:
                    spending.accept(job)
                    spending.lose(job)
                case 3:
                    spending.accept(job)
                    spending.end(job, 0)
                case _:
                    spending.accept(job)
                    spending.end(job, chance.randint(1, 2 * ASIDE))

    def bill(self, chance: Random) -> None:
        told = list(Entry.objects.values_list("message_id", flat=True))
        some = chance.sample(told, min(len(told), 5))
        spending.bill({answer: chance.randint(0, 2 * ASIDE) for answer in some})
        for answer in some:
            spending.tell(answer, chance.randint(1, 2 * ASIDE))

    def sweep(self, chance: Random) -> None:
        draining.drain()
        # As if hours had passed, at times.
        budgets.sweep(self.over if chance.randrange(3) == 0 else None)

    def meddle(self, chance: Random) -> None:
        """Somebody stops, hurries, moves, deletes or leaves, and limits change meanwhile."""
        chats = Chat.objects.filter(pk=chance.choice(self.chats).pk)
        found = chats.first()
        running = Message.objects.filter(chat__in=chats, role="assistant", state="streaming")
        match chance.randrange(6):
            case 0:
                ending.end(self.guest, giving=(), asked=(), address=None)
            case 4:
                for answer in running:
                    stopping.ask(answer, self.crowd.people[0])
            case 1 if found and (row := found.queue.first()):
                queue.send_now(row, row.person)
            case 2:
                chats.update(team=chance.choice(self.crowd.teams))
            case 3 if found and found.pk in {chat.pk for chat in self.chats[:2]}:
                chats.update(deleted_at=self.over - timedelta(hours=5))
                for errand in errands.due_errands():
                    if isinstance(errand, errands.Errand) and not errand.title:
                        errands.forget(errand)
            case _:
                limit(Scope.INSTALLATION, "", used("installation") + chance.randint(0, 9) * ASIDE)


def test_the_books_balance_whatever_happens_at_once(crowd: Crowd) -> None:
    for turn in range(RACES):
        bustle = Bustle(crowd, turn)
        limit(Scope.INSTALLATION, "", used("installation") + 9 * ASIDE)
        limit(Scope.TEAM, crowd.teams[0].pk, used("team", crowd.teams[0].pk) + 5 * ASIDE)
        kinds = [bustle.send] * 5 + [bustle.go_on] * 3 + [bustle.sweep, bustle.meddle] * 2
        at_once([bustle.of(kind, at, 6) for at, kind in enumerate([*kinds, bustle.bill])])
        check_books()
        # Everything ends, and is told or taken for lost.
        Limit.objects.all().delete()
        for _ in range(3):
            finish_all(Random(turn))
            draining.drain()
        finish_all(Random(turn))
        while budgets.sweep(timezone.now() + timedelta(hours=3)):
            pass
        check_books()
        assert not Reservation.objects.exists()
        crowd.chats = [*Chat.objects.filter(pk__in=[chat.pk for chat in crowd.chats])]
    told(f"{Message.objects.filter(role='assistant').count()} answers left")
