"""Every answer that v0 has or may have is in the ledger once, whatever became of it, with v0's own cost as soon
as v0 names it, and with no cost that cannot be."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from chats.models import (
    Billed,
    Chat,
    Entry,
    Message,
    Person,
    Reconciliation,
    Team,
    ending,
    memberships,
)
from chats.models.messages import Delivery, MessageState
from chats.relay import billing, intents, stopping
from chats.relay.relay import Relay
from chats.usage import money
from chats.usage.ledger import KINDS
from chats.views.usage_names import names_of
from tests.relay.inside import Inside
from tests.relay.test_billing import compare

QUICK = "scenario: list\npace: 0"
LONG = "scenario: long size=60000 pace=1"
FIGURES = tuple(f"{of}_{kind}" for of in ("tokens", "credits") for kind in KINDS)
FOR_GOOD: dict[str, Any] = {"times": None}


def entry(answer: Message) -> Entry | None:
    return Entry.objects.filter(message_id=answer.pk).first()


def at_v0(inside: Inside, answer: Message) -> dict[str, Any]:
    """What v0 says that it used, as the ledger's figures."""
    chat = Chat.objects.get(pk=answer.chat_id)
    usage = inside.at_v0(f"/chats/{chat.v0_id}/messages/{answer.v0_id}")["usage"]
    wire = ("input", "output", "cacheRead", "cacheWrite", "total")
    tokens = [int(usage["tokens"][kind]) for kind in wire]
    credits = [money.units(Decimal(str(usage["creditsCost"][kind]))) for kind in wire]
    return dict(zip(FIGURES, (*tokens, *credits), strict=True))


def figures(found: Entry | None) -> dict[str, Any]:
    assert found is not None
    return {name: getattr(found, name) for name in FIGURES}


def spent() -> Decimal:
    return money.credits(Entry.objects.aggregate(sum=Sum("credits_total"))["sum"] or 0)


def of(answer: Message) -> str:
    """v0's path of the chat."""
    return f"/chats/{Chat.objects.get(pk=answer.chat_id).v0_id}"


def lose(inside: Inside, chat: str) -> None:
    """v0 takes the message, breaks the stream off and will not show the answer any more."""
    inside.fault(f"{chat}/messages/stream", "reset", bytes=300)
    inside.fault(f"{chat}/resume", "status", status=404, **FOR_GOOD)
    inside.fault(f"{chat}/messages/*", "status", status=404, method="GET", **FOR_GOOD)


def test_each_answer_that_v0_has_or_may_have_has_one_entry(inside: Inside) -> None:
    names = (
        *("finished", "no usage", "error", "stopped", "lost", "unknown", "refused", "too many"),
        *("unsent", "never sent", *Delivery.values),
    )
    firsts = {name: inside.create("scenario: empty\npace: 0") for name in names}
    inside.run(*firsts.values())
    Entry.objects.all().delete()
    paths = {name: of(first) for name, first in firsts.items()}
    inside.fault(f"{paths['no usage']}/messages*", "late-usage", **FOR_GOOD)
    lose(inside, paths["lost"])
    post = "{}/messages/stream".format
    inside.fault(post(paths["unknown"]), "status", status=500)
    inside.fault(post(paths["refused"]), "status", status=402)
    inside.fault(post(paths["too many"]), "status", status=429)
    said = {"error": "scenario: error\npace: 0", "stopped": LONG}
    answers = {
        name: inside.send(
            firsts[name].chat,
            said.get(name, QUICK),
            **({"delivery": name} if name in Delivery.values else {}),
        )
        for name in names
        if name != "unsent"
    }
    Message.objects.filter(pk=answers["never sent"].pk).update(stop_asked_at=timezone.now())

    async def play(held: Relay) -> None:
        stopped = answers["stopped"]
        over = [asyncio.ensure_future(held.until_over(each.pk)) for each in answers.values()]
        there = Message.objects.filter(pk=stopped.pk, state=MessageState.STREAMING)
        while not await held.threads.read(there.exists):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await held.threads.write(stopping.ask, stopped, inside.person)
        held.wake()
        await asyncio.gather(*over)

    inside.during(play)
    base_url, inside.settings.V0_BASE_URL = inside.settings.V0_BASE_URL, "http://127.0.0.1:9/v2"
    answers["unsent"] = inside.send(firsts["unsent"].chat, QUICK)
    inside.run(answers["unsent"])
    inside.settings.V0_BASE_URL = base_url
    entries = {name: entry(answer) for name, answer in answers.items()}
    assert {name for name, found in entries.items() if found is None} == {
        *("refused", "too many", "unsent", "never sent"),
    }
    found = {name: each for name, each in entries.items() if each is not None}
    assert {name: each.outcome for name, each in found.items()} == {
        **dict.fromkeys(("finished", "no usage", *Delivery.values), "finished"),
        **dict.fromkeys(("error", "lost", "unknown"), "failed"),
        "stopped": "stopped",
    }
    untold = {"no usage", "lost", "unknown"}
    assert {name for name, each in found.items() if not each.is_told} == untold
    for name, each in found.items():
        answer = Message.objects.get(pk=answers[name].pk)
        assert (each.person, each.chat_id, each.team) == (inside.person, answer.chat_id, None)
        assert each.delivery == (name if name in Delivery.values else "stream")
        assert each.v0_message == answer.v0_id
        assert (each.v0_message == "") == (name == "unknown")
        assert (each.started_at, each.ended_at) == (answer.created_at, answer.ended_at)
        if name not in untold:
            assert figures(each) == at_v0(inside, answer)
            assert each.credits_total > 0
    inside.sandbox.clear_faults()
    assert compare().endswith("0 differences\n")
    assert spent() == Decimal(inside.ledger["credits"])


@pytest.fixture
def lost(inside: Inside) -> Message:
    """An answer that v0 took, generated and would not show."""
    first = inside.create("scenario: empty\npace: 0")
    inside.run(first)
    lose(inside, of(first))
    answer = inside.send(first.chat, QUICK)
    inside.run(answer)
    inside.sandbox.clear_faults()
    found = entry(answer)
    assert (answer.state, answer.problem) == ("failed", "gone")
    assert found is not None
    assert (found.is_told, found.credits_total) == (False, 0)
    return answer


def until_told(inside: Inside, answer: Message, *, look: bool = False) -> None:
    """A server runs until the cost is known; with `look` it compares the chat with v0."""

    async def play(held: Relay) -> None:
        if look:
            held.mirror.look_at(answer.chat_id)
        told = Entry.objects.filter(message_id=answer.pk, is_told=True)
        while not await held.threads.read(told.exists):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    inside.during(play)


def test_a_server_that_starts_anew_asks_for_the_cost_of_what_was_lost(
    inside: Inside, lost: Message
) -> None:
    inside.settings.V0_COST_EVERY = 0.1
    inside.fault(f"{of(lost)}/messages/*", "late-usage", method="GET", times=2)
    until_told(inside, lost)
    assert figures(entry(lost)) == at_v0(inside, lost)
    assert spent() == Decimal(inside.ledger["credits"])


def test_what_v0_never_names_holds_nothing_else_up(
    inside: Inside, lost: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(billing, "AT_ONCE", 1)
    newer = inside.create(QUICK)
    inside.fault("chats.createStream", "late-usage")
    inside.fault("messages.list", "late-usage")
    inside.run(newer)
    inside.fault(f"{of(newer)}/messages/*", "late-usage", **FOR_GOOD)
    assert [each.message for each in billing.untold()] == [newer.pk, lost.pk]
    inside.settings.V0_COST_EVERY = 0.05
    until_told(inside, lost)
    assert [each.message for each in billing.untold()] == [newer.pk]


def test_an_answer_that_v0_shows_after_all_brings_its_cost_and_its_end(
    inside: Inside, lost: Message
) -> None:
    until_told(inside, lost, look=True)
    found = entry(lost)
    assert found is not None
    assert (found.outcome, figures(found)) == ("finished", at_v0(inside, lost))


def test_an_answer_in_doubt_that_v0_shows_later_is_ours_and_paid(inside: Inside) -> None:
    first = inside.create("scenario: empty\npace: 0")
    inside.run(first)
    inside.fault(f"{of(first)}/messages/stream", "status", status=500, when="after")
    inside.fault(f"{of(first)}/messages", "status", status=503, method="GET", **FOR_GOOD)
    answer = inside.send(first.chat, QUICK)
    inside.run(answer)
    assert (answer.problem, answer.v0_id) == ("unknown", "")
    inside.sandbox.clear_faults()
    until_told(inside, answer, look=True)
    answer.refresh_from_db()
    found = entry(answer)
    assert found is not None
    assert (found.v0_message, found.outcome) == (answer.v0_id, "finished")
    assert figures(found) == at_v0(inside, answer)
    assert compare().endswith("0 differences\n")


def test_after_an_hour_the_bill_tells_what_was_lost(inside: Inside, lost: Message) -> None:
    assert [each.message for each in billing.untold()] == [lost.pk]
    Entry.objects.filter(message_id=lost.pk).update(
        ended_at=timezone.now() - billing.ASKED_FOR - timedelta(minutes=1)
    )
    assert billing.untold() == []
    assert "1 entries added" in compare()
    assert figures(entry(lost)) == at_v0(inside, lost)
    assert "0 entries added, 0 corrected" in compare()


def test_an_event_that_comes_late_twice_and_corrected_is_counted_once(
    inside: Inside, lost: Message
) -> None:
    inside.fault("usage.listEvents", "lag", newest=1)
    assert "0 entries added" in compare()
    inside.fault("usage.listEvents", "duplicate-usage", **FOR_GOOD)
    assert "1 entries added" in compare()
    whole = figures(entry(lost))
    assert whole == at_v0(inside, lost)
    Entry.objects.filter(message_id=lost.pk).update(credits_total=1)
    Billed.objects.filter(v0_message=lost.v0_id).update(credits_total=1)
    assert "1 corrected" in compare()
    assert figures(entry(lost)) == whole
    assert spent() == Decimal(inside.ledger["credits"])


def test_what_was_lost_in_a_chat_that_is_deleted_is_paid_without_it(
    inside: Inside, lost: Message
) -> None:
    Chat.objects.filter(pk=lost.chat_id).update(deleted_at=timezone.now() - timedelta(hours=1))

    async def until_gone(held: Relay) -> None:
        there = Chat.objects.filter(pk=lost.chat_id)
        while await held.threads.read(there.exists):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    inside.during(until_gone)
    assert billing.untold() == [], "v0 has nothing more to ask about"
    assert compare().endswith("0 differences\n")
    found = entry(lost)
    assert found is not None
    assert (found.chat, found.person, found.is_told) == (None, inside.person, True)
    assert spent() == Decimal(inside.ledger["credits"])


def test_entries_and_the_bill_outlive_chat_person_and_team(
    inside: Inside, mate: Person, team: Team
) -> None:
    asked = Inside(mate, inside.sandbox, inside.settings, inside.key)
    first = asked.create(QUICK)
    asked.run(first)
    Chat.objects.filter(pk=first.chat_id).update(team=team)
    answer = asked.send(Chat.objects.get(pk=first.chat_id), QUICK)
    asked.run(answer)
    compare()
    before = list(Entry.objects.values(*FIGURES, "charged"))
    billed = list(Billed.objects.values())
    team_id = team.pk
    ending.end(mate, giving=(), asked=(team_id,), address=None)
    Chat.objects.filter(pk=answer.chat_id).update(deleted_at=timezone.now() - timedelta(hours=1))

    async def until_gone(held: Relay) -> None:
        there = Chat.objects.filter(pk=answer.chat_id)
        while await held.threads.read(there.exists):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    inside.during(until_gone)
    memberships.delete_team(team, actor=inside.person, address=None)
    found = Entry.objects.get(message_id=answer.pk)
    named = names_of(inside.person, [found])
    assert (found.chat, found.team_id, found.person) == (None, team_id, mate)
    assert (named.chat(found.chat_id), named.team(found.team_id), named.person(mate.pk)) == (
        *("Deleted chat", "Deleted team", "Deleted account"),
    )
    assert list(Entry.objects.values(*FIGURES, "charged")) == before
    assert list(Billed.objects.values()) == billed
    assert compare().endswith("0 differences\n")


ODD = ("-1", "NaN", "-Infinity", "1e999", "1e30", "9" * 5000, '"a lot"', '"NaN"', "null", "[]", "")


def test_a_cost_that_cannot_be_ends_no_answer_and_poisons_no_sum(inside: Inside) -> None:
    """In the stream's frames, in the message and in the bill."""
    firsts = [inside.create("scenario: empty\npace: 0") for _ in ODD]
    inside.run(*firsts)
    known = spent()
    for odd, first in zip(ODD, firsts, strict=True):
        inside.fault(f"{of(first)}*", "odd-usage", amount=odd, **FOR_GOOD)
    answers = [inside.send(first.chat, QUICK) for first in firsts]
    inside.run(*answers)
    assert {answer.state for answer in answers} == {"finished"}
    for odd, answer in zip(ODD, answers, strict=True):
        found = entry(answer)
        assert found is not None
        assert (found.is_told, set(figures(found).values())) == (False, {0}), odd
    assert spent() == known
    events = "/usage/events"
    for odd in ODD:
        inside.fault(events, "odd-usage", amount=odd)
        inside.fault("/usage/summary", "odd-usage", amount=odd)
        assert "0 entries added, 0 corrected" in compare(), odd
        assert spent() == known
        assert not Billed.objects.exists()
    assert Reconciliation.objects.filter(is_open=True).count() == 0
    inside.sandbox.clear_faults()
    assert compare().endswith("0 differences\n")
    for answer in answers:
        assert figures(entry(answer)) == at_v0(inside, answer)
    inside.fault(events, "odd-usage", amount="-1")
    assert "0 corrected" in compare()
    assert spent() == Decimal(inside.ledger["credits"])


def test_an_entry_that_the_bill_alone_adds_is_one_that_was_left_behind(inside: Inside) -> None:
    first = inside.create("A landing page for a tea shop\npace: 0")
    inside.run(first)
    second = inside.send(first.chat, "make it dark\npace: 0")
    inside.run(second)
    inside.run(intents.restore(inside.person, uuid.uuid4(), first.chat, first))
    assert [getattr(entry(each), "outcome", "") for each in (first, second)] == [
        *("finished", "restored-away"),
    ]
    Entry.objects.filter(message_id=second.pk).delete()
    assert "1 entries added" in compare()
    assert getattr(entry(second), "outcome", "") == "restored-away"


def test_an_entry_says_how_long_the_chat_had_waited_for_somebody(inside: Inside) -> None:
    plan = inside.create("scenario: plan\npace: 0")
    inside.run(plan)
    Message.objects.filter(pk=plan.pk).update(ended_at=timezone.now() - timedelta(seconds=90))
    built = inside.approve(plan.chat)
    inside.run(built)
    found, before = entry(built), entry(plan)
    assert found is not None
    assert before is not None
    assert (90 <= found.waited < 150, before.waited) == (True, 0)
