"""Whatever goes wrong in how many runs, the ledger's sum is v0's own to the last digit, and its bill has nothing
that the ledger has not, but what was made elsewhere.

Everything is drawn from one seed: `RUNS=1000 pytest -s tests/relay/test_thousand_runs.py` plays as many and
prints what came of it.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter as Count
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F, Sum

from chats.models import Chat, Entry, Message, Reconciliation, Reservation
from chats.models.messages import LIVE, IntentState, MessageState
from chats.relay import decisions, stopping
from chats.relay.relay import Relay
from chats.usage import money
from chats.usage.reconciliation import differences, totals
from tests.relay.inside import Inside
from tests.relay.test_billing import compare, elsewhere

RUNS = int(os.environ.get("RUNS", "60"))
AT_ONCE = min(40, max(15, RUNS // 25))
ELSEWHERE = 20

PLAIN = "pace: 0"
SLOWLY = "scenario: long size=1500 chunk=60 pace=0.3"
LONG = "scenario: long size=60000 pace=1"
# What no answer can cost, as JSON.
ODD = ("-1", "NaN", "1e999", '"a lot"', "null", "")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong in one run: rules for its chat's paths at v0, and what is asked for there."""

    rules: tuple[dict[str, Any], ...] = ()
    says: str = PLAIN
    payload: dict[str, Any] = field(default_factory=dict)
    stops: bool = False


def of_post(kind: str, **rule: Any) -> Trouble:
    return Trouble(({"path": "/messages/stream", "kind": kind, **rule},))


def of_reading(kind: str, **rule: Any) -> dict[str, Any]:
    return {"path": "/messages*", "method": "GET", "kind": kind, "times": None, **rule}


def lost(chance: random.Random) -> Trouble:
    """v0 takes it, breaks off, and does not show it for as long as anybody asks."""
    broken = {"path": "/messages/stream", "kind": "reset", "bytes": chance.randint(0, 600)}
    resume = {"path": "/resume", "kind": "status", "status": 404, "times": None}
    return Trouble((broken, resume, of_reading("status", status=404)))


def unknown(chance: random.Random) -> Trouble:
    """v0 takes it and says that it failed; its lists fail until nobody looks any more."""
    post = {"path": "/messages/stream", "kind": "status", "status": 500, "when": "after"}
    return Trouble((post, of_reading("status", status=503)))


TROUBLES: dict[str, Callable[[random.Random], Trouble]] = {
    "nothing": lambda chance: Trouble(),
    "missing usage": lambda chance: of_post("no-usage"),
    "late usage": lambda chance: Trouble(
        ({"path": "/messages*", "kind": "late-usage", "times": chance.randint(1, 5)},)
    ),
    "duplicate usage": lambda chance: of_post("duplicate-usage"),
    "odd usage": lambda chance: Trouble(
        (
            {
                "path": "/messages*",
                "kind": "odd-usage",
                "amount": chance.choice(ODD),
                "times": chance.randint(1, 4),
            },
        )
    ),
    "reset": lambda chance: of_post("reset", bytes=chance.randint(1, 3000)),
    "closed": lambda chance: of_post("close", bytes=chance.randint(1, 3000), complete=True),
    "reset, but it arrived": lambda chance: of_post("reset", when="after"),
    "failed, but it arrived": lambda chance: of_post("status", status=502, when="after"),
    "no closing snapshot": lambda chance: of_post("no-closing"),
    "refused": lambda chance: of_post("status", status=chance.choice((402, 409, 413, 429))),
    "failed": lambda chance: of_post("status", status=500),
    "lost": lost,
    "unknown": unknown,
    "error at v0": lambda chance: Trouble(says="scenario: error\npace: 0"),
    "images": lambda chance: Trouble(
        says="scenario: image n=2\npace: 0", payload={"images": True, "model": "v0-max"}
    ),
    "a plan": lambda chance: Trouble(says="scenario: plan\npace: 0"),
    "async": lambda chance: Trouble(payload={"delivery": "async"}),
    "sync": lambda chance: Trouble(payload={"delivery": "sync"}),
    "stopped": lambda chance: Trouble(says=LONG, stops=True),
    "slow": lambda chance: Trouble(says=SLOWLY),
}


@dataclass
class Play:
    """Rounds of runs in many chats at once, with a trouble each; what is counted is what was played."""

    inside: Inside
    chance: random.Random
    count: Count[str] = field(default_factory=Count)
    asked: int = 0

    def __post_init__(self) -> None:
        self.deck = self._deal()

    def _deal(self) -> Iterator[str]:
        """Every trouble as often as every other, in no order."""
        while True:
            names = [*TROUBLES]
            self.chance.shuffle(names)
            yield from names

    def create(self) -> None:
        """The first message of each chat: of some the stream breaks, or v0 tells its usage late."""
        for kind, rule in (("reset", {"bytes": 300}), ("late-usage", {}), ("no-usage", {})):
            self.inside.fault("chats.createStream", kind, **rule)
            self.count[f"{kind} of a new chat"] += 1
        answers = [self.inside.create(self._words(PLAIN)) for _ in range(AT_ONCE)]
        self.inside.run(*answers)
        self.inside.sandbox.clear_faults()

    def round(self, number: int) -> None:
        """One message in each chat; meanwhile the relay is restarted, and now and then v0 too."""
        wanted = RUNS - self.asked
        chats = list(Chat.objects.filter(v0_id__isnull=False).order_by("pk")[:wanted])
        answers, to_stop = [], []
        for chat in chats:
            answer, stops = self._ask(chat)
            answers.append(answer)
            to_stop += [answer] if stops else []
        self.inside.during(lambda held: self._half(held, answers, to_stop))
        self.count["relay restarted"] += 1
        if number % 3 == 0:
            self.inside.during(lambda held: self._restarted(held))
            self.count["v0 restarted"] += 1
        self.inside.during(lambda held: self._over(held, answers, to_stop))
        self.inside.sandbox.clear_faults()

    def _ask(self, chat: Chat) -> tuple[Message, bool]:
        if decisions.waiting(chat) is not None:
            self.asked += 1
            self.count["plan approved"] += 1
            return self.inside.approve(chat), False
        name = next(self.deck)
        trouble = TROUBLES[name](self.chance)
        for rule in trouble.rules:
            rule = {**rule, "path": f"/chats/{chat.v0_id}{rule['path']}"}
            self.inside.fault(rule.pop("path"), rule.pop("kind"), **rule)
        self.count[name] += 1
        return self.inside.send(chat, self._words(trouble.says), **trouble.payload), trouble.stops

    def _words(self, says: str) -> str:
        self.asked += 1
        return f"Message {self.asked}: add a list\n{says}"

    async def _half(self, held: Relay, answers: list[Message], to_stop: list[Message]) -> None:
        """Until every other answer is over; the rest is let go of."""
        await self._until_live(held, answers, len(answers) // 2, to_stop)

    async def _over(self, held: Relay, answers: list[Message], to_stop: list[Message]) -> None:
        await self._until_live(held, answers, 0, to_stop)

    async def _restarted(self, held: Relay) -> None:
        """v0 dies in the middle of what it writes, and is back a moment later."""
        sandbox = self.inside.sandbox
        await asyncio.sleep(0.2)
        await asyncio.to_thread(sandbox.kill)
        await asyncio.to_thread(sandbox.start)

    async def _until_live(
        self, held: Relay, answers: list[Message], most: int, to_stop: list[Message]
    ) -> None:
        live = Message.objects.filter(pk__in=[each.pk for each in answers], state__in=LIVE)
        running = live.filter(
            pk__in=[each.pk for each in to_stop],
            state=MessageState.STREAMING,
            stop_asked_at=None,
        )
        while await held.threads.read(live.count) > most:
            for answer in await held.threads.read(lambda: list(running.all())):
                await held.threads.write(stopping.ask, answer, self.inside.person)
                held.wake()
            await asyncio.sleep(0.05)

    def catch_up(self) -> None:
        """A server runs, with nothing wrong any more, until it has found out what it can."""

        async def until_known(held: Relay) -> None:
            doubtful = Chat.objects.filter(intents__state=IntentState.UNKNOWN, v0_id__isnull=False)
            for chat in await held.threads.read(lambda: set(doubtful.values_list("pk", flat=True))):
                held.mirror.look_at(chat)
            while await held.threads.read(self.spent) != self.at_v0:  # noqa: ASYNC110
                await asyncio.sleep(0.2)

        self.inside.during(until_known)

    @property
    def at_v0(self) -> Decimal:
        return Decimal(self.inside.ledger["credits"])

    def spent(self) -> Decimal:
        return money.credits(Entry.objects.aggregate(sum=Sum("credits_total"))["sum"] or 0)


@pytest.fixture
def play(inside: Inside) -> Play:
    inside.settings.V0_COST_EVERY = 0.2
    inside.settings.V0_RECONCILE_EVERY = 3600
    return Play(inside, random.Random(20261122))


def test_after_so_many_runs_with_every_trouble_both_sides_are_equal(play: Play) -> None:
    began = time.monotonic()
    inside = play.inside
    play.create()
    number = 0
    while play.asked < RUNS:
        number += 1
        play.round(number)
    play.catch_up()
    at_v0 = play.at_v0
    print(f"\n{play.asked} runs in {time.monotonic() - began:.1f} s: {dict(play.count)}")
    print(f"the ledger has {play.spent()}, v0 has {at_v0}")
    # By what v0 said of its answers, before anybody has looked at its bill.
    assert play.spent() == at_v0 > 0
    said = compare()
    run = Reconciliation.objects.latest("began_at")
    both = totals(run.start, run.end)
    assert (said.splitlines()[-1], run.added, run.corrected) == ("0 differences", 0, 0), said
    assert both.ledger == both.billed_here == money.units(at_v0)
    assert (both.billed_elsewhere, both.charged_here) == (0, run.summary_total)
    # One entry for each answer that v0 has or may have; nothing is put aside any more.
    asked = Message.objects.filter(intent__isnull=False).exclude(v0_id="")
    named = Entry.objects.exclude(v0_message="").values_list("message_id", "v0_message")
    assert set(named) == set(asked.values_list("pk", "v0_id"))
    assert not Entry.objects.exclude(counted=F("credits_total")).exists()
    assert not Reservation.objects.exists()
    chat = Chat.objects.filter(v0_id__isnull=False)[0].v0_id or ""
    for each in range(ELSEWHERE):
        elsewhere(inside, chat=chat if each % 4 == 0 else "")
    assert compare().endswith(f"{ELSEWHERE} differences\n")
    run = Reconciliation.objects.latest("began_at")
    found = list(differences(run.start, run.end))
    assert sum(each.credits for each in found) == money.units(play.at_v0 - at_v0)
    assert play.spent() == at_v0
