"""Whatever happens in whatever order, budgets are what was sent, what it cost and what is on, and let begin just
what they may.

A machine of hypothesis goes through sends, queues, ends of every kind, costs that come late or change, limits
that change in the middle, new days and months, and chats and accounts that go. It keeps books of its own and
holds those of the app against them after every step: so no limit is passed by more than the one reservation that
reached it and by what runs cost beyond theirs. What has happened is counted, and has to be much of everything.
RACES=100 plays as many times more examples.
"""

from __future__ import annotations

import os
from collections import Counter as Tally
from datetime import datetime, timedelta
from typing import ClassVar
from unittest.mock import patch
from uuid import UUID, uuid4

from django.db import transaction
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as play

from chats.models import (
    Chat,
    Counter,
    Intent,
    Limit,
    Membership,
    Override,
    Person,
    Queued,
    Reservation,
    Team,
    ending,
)
from chats.models.budgets import Period, Scope
from chats.models.messages import IntentState
from chats.models.queue import Hindrance
from chats.relay import draining, errands, intents, queue, stopping, store
from chats.usage import budgets
from chats.usage.refusals import OverLimit
from chats.usage.typical import ceiling
from tests import spending
from tests.budget_books import BEGIN, Books, Clock, Run, names
from tests.spending import MODEL, check_books

ASIDE = ceiling(MODEL)
TIMES = int(os.environ.get("RACES", "1"))
EXAMPLES, STEPS = 20, 40
PAYLOAD = {"message": "Go on", "model": MODEL}
STEP, HOUR = timedelta(minutes=7), timedelta(hours=1)

# How often each step is among those that hypothesis chooses from.
KINDS = {
    "send": 12, "go_out": 6, "end": 6, "wait_in_line": 3, "stop": 3, "tell_late": 3, "bill": 4,
    "sweep": 3, "limit": 4, "lift": 2, "override": 4, "turn": 3, "delete": 3, "move": 2, "leave": 1,
}  # fmt: skip
ENDS = ("accepted", "accepted", "lost", *(state.value for state in budgets.OVER))
# Nothing said, the least there is, less and more than is put aside.
COSTS = (0, ASIDE, 1, ASIDE // 3, ASIDE, 3 * ASIDE, 2 * ASIDE, ASIDE)
# What limits leave of themselves when they are set: nothing, and just enough for one more run.
ROOMS = (0, 1, ASIDE, 2 * ASIDE, 2 * ASIDE, 3 * ASIDE, 3 * ASIDE, 5 * ASIDE)
# How often, in the examples of one round, each of these has to have happened at least.
LEAST = {
    "sent": 50, "refused": 80, "settled": 25, "released": 8, "released of a team": 5, "lost": 1,
    "refused for what is put aside of a day": 30, "refused for what is put aside of a month": 30,
    "stopped": 6, "swept": 6, "spared": 8, "unknown": 1, "ended untold": 6, "late": 1, "billed": 8,
    "corrected": 1, "refunded": 1, "waits in line": 1, "drained": 1, "limits": 12, "lifted": 5,
    "exceptions": 8, "ended exceptions": 2, "sent by an exception": 1, "days turned": 8,
    "months turned": 1, "deleted": 8, "moved": 5, "left": 1,
}  # fmt: skip


class Spending(RuleBasedStateMachine, Books):
    """Three people in two teams, who spend in the teams' chats and in their own."""

    happened: ClassVar[Tally[str]] = Tally()

    def __init__(self) -> None:
        super().__init__()
        Clock.at = BEGIN
        self.clock = patch("django.utils.timezone.datetime", Clock)
        self.clock.start()
        self.rolled_back = transaction.atomic()
        self.rolled_back.__enter__()
        self.open_books()
        self.newest = 0
        self.billed: dict[UUID, tuple[datetime, int]] = {}
        self.gone: set[UUID] = set()

    @initialize(rooms=st.lists(st.sampled_from(ROOMS[2:]), min_size=4, max_size=4))
    def begin(self, rooms: list[int]) -> None:
        self.teams = [Team.objects.create(name=name) for name in ("One", "Two")]
        # Who gets what somebody leaves behind, and never spends.
        self._join("heir", "owner")
        self.people = [
            self._join(name, role)
            for name, role in zip("abc", 2 * ["member"] + ["admin"], strict=True)
        ]
        for at, team in enumerate([*self.teams, self.teams[0]]):
            Chat.objects.create(owner=self.people[at], team=team, privacy="team-edit")
        keys = {
            Scope.INSTALLATION: "",
            Scope.TEAM: self.teams[0].pk,
            Scope.PERSON: self.people[0].pk,
            Scope.ROLE: "member",
        }
        for (scope, key), room in zip(keys.items(), rooms, strict=True):
            most = room + (4 * ASIDE if scope == Scope.INSTALLATION else 0)
            period = (Period.DAY, Period.MONTH)[scope in (Scope.TEAM, Scope.INSTALLATION)]
            Limit.objects.create(scope=scope, key=str(key), period=period, credits=most)

    def _join(self, name: str, role: str) -> Person:
        person = Person.objects.create(email=f"{name}@example.com", password="!")
        Membership.objects.bulk_create(
            Membership(person=person, team=team, role=role) for team in self.teams
        )
        self.roles[person.pk] = role
        return person

    def teardown(self) -> None:
        try:
            if hasattr(self, "people"):
                self.come_to_rest()
        finally:
            transaction.set_rollback(True)
            self.rolled_back.__exit__(None, None, None)
            self.clock.stop()

    def come_to_rest(self) -> None:
        """Everything ends, and is told or taken for lost: then nothing is put aside."""
        Limit.objects.all().delete()
        at = 0
        while live := self._live():
            self._end(live[0], COSTS[at % len(COSTS)], "stop")
            at += 1
        Clock.at += 2 * HOUR
        self.sweep(0, 0)
        self.the_books_balance()
        check_books()
        assert not Reservation.objects.exists()
        assert not Counter.objects.exclude(reserved=0).exists()

    # One rule: of several, hypothesis leaves some out of each example, and sending often was among them.
    @rule(
        what=st.sampled_from([kind for kind, times in KINDS.items() for _ in range(times)]),
        at=st.integers(0, 7),
        other=st.integers(0, 7),
    )
    def step(self, what: str, at: int, other: int) -> None:
        before = self.happened.total()
        getattr(self, what)(at, other)
        self.happened["steps"] += 1
        self.happened["steps without anything"] += before == self.happened.total() - 1
        Clock.at += STEP

    @invariant()
    def the_books_balance(self) -> None:
        held = dict(Reservation.objects.values_list("intent", "credits"))
        assert held == {run.intent: run.aside for run in self.runs if run.is_put_aside}
        today = Clock.at.date()
        rows = {each.name: each for each in Counter.objects.all()}
        assert {name for run in self.runs for name in run.names()} <= set(rows)
        for name, row in rows.items():
            day = row.day_spent if row.day == today else 0
            month = row.month_spent if row.month == today.replace(day=1) else 0
            said = day, month, row.reserved
            known = *(self._spent(name, period) for period in Period), self._reserved(name)
            assert (name, said) == (name, known)

    # What people do

    def send(self, at: int, other: int) -> None:
        person = self.people[other % 3]
        free = self._chats(is_live=False)
        place = free[at % len(free)] if at >= 3 and free else None
        team = place.team if place else [*self.teams, None][at % 3]
        full = self._full(person.pk, team.pk if team else None, place.pk if place else None)
        try:
            if place is None:
                privacy = "team-edit" if team else "private"
                intents.create(person, uuid4(), PAYLOAD, team=team, privacy=privacy)
            elif place.v0_id and other > 5:
                intents.decide(
                    *(person, uuid4(), PAYLOAD, place), kind="resolve", record=lambda said: None
                )
            else:
                intents.send(person, uuid4(), PAYLOAD, place)
        except OverLimit as refusal:
            self._refused(refusal, person.pk, full)
        else:
            assert len(self._note_new()) == 1

    def wait_in_line(self, at: int, other: int) -> None:
        busy = self._chats(is_live=True)
        if not busy:
            return self.send(at, other)
        chat = busy[at % len(busy)]
        person = self.people[other % 3] if chat.team else chat.owner
        full = self._full(person.pk, chat.team_id, chat.pk)
        try:
            queue.send(person, uuid4(), PAYLOAD, chat)
        except OverLimit as refusal:
            self._refused(refusal, person.pk, full)
        else:
            assert not full
            self.happened["waits in line"] += 1
        return None

    # What becomes of it

    def go_out(self, at: int, other: int) -> None:
        run = self._some("waits", at)
        if run is None:
            return self.send(at, other)
        outcome = ENDS[other % len(ENDS)]
        if outcome in ("accepted", "lost"):
            self._accept(run)
        if outcome == "lost":
            spending.lose(run.job)
            run.state, run.ended_at, run.is_entered = "ended", Clock.at, True
        elif outcome != "accepted":
            spending.refuse(run.job, IntentState(outcome))
            run.is_entered = outcome == IntentState.UNKNOWN
            self._came_to_nothing(run)
        self.happened[outcome] += 1
        return None

    def end(self, at: int, other: int) -> None:
        run = self._some("runs", at) or self._some("waits", at)
        if run is None:
            return self.send(at, other)
        self._end(run, COSTS[other], "error" if at == 7 else "stop")
        return None

    def stop(self, at: int, other: int) -> None:
        """Before it has gone out, and after."""
        run = self._some("waits" if at % 2 else "runs", at) or self._some("runs", at)
        run = run or self._some("waits", at)
        if run is None:
            return self.send(at, other)
        answer = Intent.objects.select_related("answer").get(pk=run.intent).answer
        assert answer is not None
        stopping.ask(answer, self.people[other % 3])
        self.happened["stopped"] += 1
        if run.state == "waits":
            store.never_sent(run.job)
            self._came_to_nothing(run)
        else:
            self._end(run, COSTS[other], "stop")
        return None

    def tell_late(self, at: int, other: int) -> None:
        """What was told before is not told otherwise like this."""
        found = [run for run in self.runs if run.is_entered and run.chat not in self.gone]
        found.sort(key=lambda run: run.is_told)
        if not found:
            return self.end(at, other)
        run = found[at % min(2, len(found))]
        cost = COSTS[other] or 2
        spending.tell(run.answer, cost)
        self.happened["late" if not run.is_told else "said again"] += 1
        if not run.is_told:
            self._cost(run, cost)
        return None

    def bill(self, at: int, other: int) -> None:
        """Also of what runs, what is gone, and once more: less is a refund."""
        found = [run for run in reversed(self.runs) if run.is_named]
        if not found:
            return self.end(at, other)
        answer = found[at % len(found)].answer
        self.billed[answer] = Clock.at, COSTS[other]
        spending.bill({answer: COSTS[other]})
        for run in found:
            on, cost = self.billed.get(run.answer, (BEGIN, 0))
            if run.answer in self.billed and on > Clock.at - 23 * HOUR:
                if run.is_told and run.cost != cost:
                    self.happened["corrected" if cost > run.cost else "refunded"] += 1
                self._cost(run, cost)
        self.happened["billed"] += 1
        return None

    def sweep(self, at: int, other: int) -> None:
        now = Clock.at + (at % 2) * 3 * HOUR
        over = [
            run
            for run in self.runs
            if run.is_put_aside
            and (run.chat in self.gone or not (run.is_live or run.ended_at >= now - HOUR))
            and run.sent_at < now - timedelta(minutes=1)
        ]
        assert budgets.sweep(now) == len(over)
        for run in over:
            run.is_put_aside = False
        self.happened["swept"] += len(over)
        self.happened["spared"] += sum(run.is_live for run in self.runs)

    # What changes in the middle

    def limit(self, at: int, other: int) -> None:
        scope = Scope.values[at % 5]
        chats = self._chats(is_live=False) or self._chats(is_live=True)
        keys: dict[str, object] = {
            Scope.INSTALLATION: "",
            Scope.TEAM: self.teams[other % 2].pk,
            Scope.PERSON: self.people[other % 3].pk,
            Scope.ROLE: ("member", Limit.PERSONAL, "admin")[other % 3],
            Scope.CHAT: chats[other % len(chats)].pk if chats else uuid4(),
        }
        period = Period.values[(at + other) % 2]
        held, _ = Limit.objects.get_or_create(
            scope=scope, key=str(keys[scope]), period=period, defaults={"credits": 0}
        )
        used = self._used(held, self.people[other % 3].pk)
        Limit.objects.filter(pk=held.pk).update(credits=used + ROOMS[(at + other) % len(ROOMS)])
        self.happened["limits"] += 1

    def lift(self, at: int, other: int) -> None:
        held = list(Limit.objects.order_by("pk"))
        if len(held) < 3:
            return self.limit(at, other)
        held[at % len(held)].delete()
        self.happened["lifted"] += 1
        return None

    def override(self, at: int, other: int) -> None:
        """An exception, of what is used up if anything is; one that there is ends."""
        active = Override.objects.filter(until__gt=Clock.at)
        if at % 2 and active.update(until=Clock.at):
            self.happened["ended exceptions"] += 1
            return None
        person = self.people[other % 3].pk
        held = sorted(Limit.objects.order_by("pk"), key=lambda each: self._left(each, person) > 0)
        if not held:
            return self.limit(at, other)
        limit = held[at % min(len(held), 3)]
        used, until = self._used(limit, person), Clock.at + (HOUR if other % 2 else 30 * HOUR)
        Override.objects.create(limit=limit, credits=used + 2 * ASIDE, until=until, note="More")
        self.happened["exceptions"] += 1
        return None

    def turn(self, at: int, other: int) -> None:
        before = Clock.at
        Clock.at += timedelta(days=32 if at == 0 else 1)
        if any(run.is_put_aside for run in self.runs):
            self.happened["days turned"] += 1
            self.happened["months turned"] += before.month != Clock.at.month

    def move(self, at: int, other: int) -> None:
        found = self._chats(is_live=True) or self._chats(is_live=False)
        if not found:
            return self.send(at, other)
        chat, team = found[at % len(found)], [*self.teams, None][other % 3]
        privacy = "team-edit" if team else "private"
        Chat.objects.filter(pk=chat.pk).update(team=team, privacy=privacy)
        self.happened["moved"] += team != chat.team
        return None

    def delete(self, at: int, other: int) -> None:
        """First a chat that has something put aside for what has ended."""
        held = {run.chat for run in self.runs if run.is_put_aside and not run.is_live}
        found = sorted(Chat.objects.order_by("created_at"), key=lambda chat: chat.pk not in held)
        if not found:
            return self.send(at, other)
        chat = found[0 if found[0].pk in held else at % len(found)]
        Chat.objects.filter(pk=chat.pk).update(deleted_at=Clock.at - HOUR)
        errands.stop_deleted()
        for run in [run for run in self._live() if run.chat == chat.pk]:
            self._end(run, COSTS[other], "stop")
        for errand in errands.due_errands():
            if isinstance(errand, errands.Errand) and not errand.title:
                errands.forget(errand)
                self.gone.add(errand.chat)
        assert chat.pk in self.gone
        self.happened["deleted"] += 1
        left = any(run.is_put_aside and run.chat == chat.pk for run in self.runs)
        self.happened["deleted with something put aside"] += left
        return None

    def leave(self, at: int, other: int) -> None:
        """Their own counters go on counting what they had begun."""
        person, teams = self.people[at % 3], [team.pk for team in self.teams]
        ending.end(person, giving=teams, asked=teams, address=None)
        role = self.roles.pop(person.pk)
        self.people[at % 3] = self._join(f"after{person.pk}", role)
        self.happened["left"] += 1

    # Steps of a run

    def _accept(self, run: Run) -> None:
        spending.accept(run.job)
        run.state, run.is_named = "runs", True

    def _end(self, run: Run, cost: int, reason: str) -> None:
        if run.state == "waits":
            self._accept(run)
        spending.end(run.job, cost, reason)
        run.state, run.ended_at, run.is_entered = "ended", Clock.at, True
        if cost:
            self.happened["settled"] += run.is_put_aside
            self._cost(run, cost)
        else:
            self.happened["ended untold"] += 1
        self._drain()

    def _came_to_nothing(self, run: Run) -> None:
        run.state, run.ended_at, run.is_put_aside = "came to nothing", Clock.at, False
        self.happened["released"] += 1
        self.happened["released of a team"] += run.team is not None

    def _cost(self, run: Run, cost: int) -> None:
        """v0 has named it; of a chat that is gone, the chat's own counter stands still."""
        chat = None if run.chat in self.gone else run.chat
        for name in names(run.person, run.team, chat):
            self.spent[name, run.sent_at.date()] += cost - run.cost
        run.cost, run.is_told, run.is_entered = cost, True, True
        run.is_put_aside = run.is_put_aside and chat is None

    def _drain(self) -> None:
        """What waits in line goes out, where it may."""
        if not Queued.objects.exists():
            return
        before = set(Queued.objects.filter(problem=Hindrance.BUDGET).values_list("pk", flat=True))
        draining.resume()
        draining.drain()
        self.happened["drained"] += len(self._note_new())
        for row in Queued.objects.filter(problem=Hindrance.BUDGET).select_related("chat"):
            assert self._full(row.person_id, row.chat.team_id, row.chat_id)
            self.happened["held back in line"] += row.pk not in before

    def _note_new(self) -> list[Run]:
        """What has begun: one after the other, and each while all that counts for it had room."""
        jobs = {job.intent: job for job in spending.claim()}
        new = []
        for row in Reservation.objects.filter(pk__gt=self.newest).order_by("pk"):
            job, intent = jobs.pop(row.intent), Intent.objects.get(pk=row.intent)
            chat = Chat.objects.get(pk=intent.chat_id)
            assert (row.person, row.team, row.chat) == (intent.person_id, chat.team_id, chat.pk)
            assert not self._full(intent.person_id, chat.team_id, chat.pk)
            assert row.credits > 0
            self._let_by_exception(intent.person_id, chat)
            assert row.person is not None
            run = Run(
                *(row.intent, job.answer, row.person, row.team, chat.pk, row.credits, job, Clock.at)
            )
            new.append(run)
            self.runs.append(run)
            self.newest = row.pk
        assert not jobs
        self.happened["sent"] += len(new)
        return new

    def _let_by_exception(self, person: int, chat: Chat) -> None:
        applying = self._applying(person, chat.team_id, chat.pk)
        tight = [each for each in applying if self._used(each, person) >= each.credits]
        self.happened["sent by an exception"] += bool(tight)

    def _refused(self, refusal: OverLimit, person: int, full: list[Limit]) -> None:
        """By what is used up indeed, and nothing has begun."""
        standing = refusal.standing
        assert standing.limit in full
        name, period = self._counter(standing.limit, person), Period(standing.limit.period)
        known = self._most(standing.limit), self._spent(name, period), self._reserved(name)
        assert (standing.most, standing.spent, standing.reserved) == known
        assert not self._note_new()
        self.happened["refused"] += 1
        self.happened["refused to the last digit"] += sum(known[1:]) == known[0]
        aside = standing.spent < standing.most
        self.happened[f"refused for what is put aside of a {period}"] += aside
        later = standing.limit.scope in (Scope.TEAM, Scope.INSTALLATION)
        self.happened["refused by a later counter"] += later
        passed = standing.limit.overrides.filter(until__lte=Clock.at, credits__gt=sum(known[1:]))
        self.happened["refused after an exception"] += passed.exists()


def test_no_order_of_events_passes_a_budget_or_leaves_anything_put_aside(db: None) -> None:
    Spending.happened.clear()
    play(
        Spending,
        settings=settings(
            max_examples=TIMES * EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            # The steps of one example are few enough to be read; to find fewer of them takes minutes.
            phases=(Phase.generate,),
            report_multiple_bugs=False,
        ),
    )
    happened = Spending.happened
    too_few = {
        what: happened[what] for what, least in LEAST.items() if happened[what] < TIMES * least
    }
    assert not too_few
    assert happened["steps without anything"] * 20 < happened["steps"]
