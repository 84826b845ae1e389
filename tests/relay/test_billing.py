"""The ledger beside v0's bill: what is late is fetched, what is different is named, and nothing counts twice."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from chats.models import Billed, Chat, Entry, Message, Person, Reconciliation
from chats.relay.relay import Relay
from chats.usage import money, note_restored, reconciliation
from chats.usage.reconciliation import Cause, differences, totals
from tests.relay.inside import Inside

QUICK = "scenario: all-parts\npace: 0"
NOTHING = {
    f"{of}_{kind}": 0
    for of in ("tokens", "credits")
    for kind in ("input", "output", "cache_read", "cache_write", "total")
}


def compare(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reconcile_usage", *arguments, stdout=out)
    return out.getvalue()


def left() -> list[reconciliation.Difference]:
    run = Reconciliation.objects.latest("began_at")
    return list(differences(run.start, run.end))


def elsewhere(inside: Inside, *, chat: str = "") -> None:
    """Somebody sends v0 a message with the same key, not through this app."""
    path = f"/chats/{chat}/messages" if chat else "/chats"
    headers = {"Authorization": f"Bearer {inside.key}"}
    url, body = f"{inside.sandbox.base_url}{path}", {"message": "scenario: empty\npace: 0"}
    httpx.post(url, json=body, headers=headers, trust_env=False).raise_for_status()


@pytest.fixture
def answers(inside: Inside) -> list[Message]:
    """Two answers of one chat and one of another, each with its cost."""
    first, other = inside.create(QUICK), inside.create(QUICK)
    inside.run(first, other)
    second = inside.send(first.chat, QUICK)
    inside.run(second)
    return [first, second, other]


def test_the_ledger_is_v0s_bill(inside: Inside, answers: list[Message]) -> None:
    said = compare()
    assert said.endswith("0 differences\n")
    assert left() == []
    spent = Entry.objects.aggregate(sum=Sum("credits_total"))["sum"]
    assert money.credits(spent) == Decimal(inside.ledger["credits"]) > 0
    run = Reconciliation.objects.get()
    both = totals(run.start, run.end)
    assert both.ledger == both.billed_here == both.charged_here == run.summary_total == spent
    assert (both.billed_elsewhere, run.added, run.corrected) == (0, 0, 0)
    assert f"{money.credits(spent):f}" in said
    for entry in Entry.objects.all():
        assert entry.v0_message == Message.objects.get(pk=entry.message_id).v0_id
        assert (entry.charged, entry.sources, entry.waived) == (entry.credits_total, "plan", False)
    before = list(Entry.objects.values()), Billed.objects.count()
    compare()
    assert (list(Entry.objects.values()), Billed.objects.count()) == before


def test_exactly_what_was_made_elsewhere_is_named(inside: Inside, answers: list[Message]) -> None:
    for _ in range(19):
        elsewhere(inside)
    elsewhere(inside, chat=answers[0].chat.v0_id or "")
    said = compare()
    found = left()
    assert said.endswith("20 differences\n")
    assert sorted(each.cause for each in found) == sorted([*[Cause.ELSEWHERE] * 19, Cause.AT_V0])
    run = Reconciliation.objects.get()
    both = totals(run.start, run.end)
    assert both.billed_elsewhere == sum(each.credits for each in found)
    assert both.billed_here + both.billed_elsewhere == run.summary_total
    assert both.billed_here == both.ledger


def test_what_is_missing_is_added_and_what_is_wrong_is_corrected(
    inside: Inside, answers: list[Message]
) -> None:
    whole = list(Entry.objects.order_by("message_id").values(*NOTHING, "message_id", "outcome"))
    missing, untold, wrong = (Entry.objects.filter(message_id=each.pk) for each in answers)
    missing.delete()
    untold.update(**NOTHING, is_told=False)
    wrong.update(credits_total=1, tokens_total=7)
    compare()
    run = Reconciliation.objects.get()
    assert (run.added, run.corrected) == (2, 1)
    assert list(Entry.objects.order_by("message_id").values(*NOTHING, "message_id", "outcome")) == (
        whole
    )
    assert left() == []


def test_an_entry_that_v0_has_not_billed_is_named_after_an_hour(
    inside: Inside, answers: list[Message]
) -> None:
    old = timezone.now() - timedelta(hours=2)
    made = {"credits_total": 5, "ended_at": old, "v0_message": "msg_unknown"}
    Entry.objects.create(message_id=uuid4(), **made)
    Entry.objects.create(message_id=uuid4(), **{**made, "ended_at": timezone.now()})
    compare()
    (found,) = left()
    assert (found.cause, found.credits, found.v0_message) == (Cause.NOT_BILLED, 5, "msg_unknown")


def test_it_goes_on_where_it_was_broken_off(
    inside: Inside, answers: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "PAGE", 1)
    inside.fault("/usage/events", "status", status=500, after=1, times=1)
    with pytest.raises(CommandError, match="What was read is kept"):
        compare()
    broken = Reconciliation.objects.get()
    assert (Billed.objects.count() > 0, broken.is_open, bool(broken.problem)) == (True, True, True)
    inside.fault("/usage/events", "status", status=409, times=1)
    assert compare().endswith("0 differences\n")
    run = Reconciliation.objects.get()
    assert (run.pk, run.is_open, run.problem) == (broken.pk, None, "")
    assert (run.start, run.end) == (broken.start, broken.end)


def test_two_at_once_are_one(inside: Inside, db: None) -> None:
    since = timezone.now() - timedelta(days=1)
    held = reconciliation.begin(since)
    assert held is not None
    assert reconciliation.begin(since) is None
    with pytest.raises(CommandError, match="Another process"):
        compare()
    Reconciliation.objects.update(claimed_until=timezone.now())
    taken = reconciliation.begin(since)
    assert taken is not None
    assert taken.pk == held.pk


def test_a_server_compares_by_itself_and_asks_for_what_is_late(
    inside: Inside, answers: list[Message]
) -> None:
    told = Entry.objects.get(message_id=answers[0].pk)
    Entry.objects.filter(pk=told.pk).update(**NOTHING, is_told=False)
    inside.settings.V0_COST_EVERY = inside.settings.V0_RECONCILE_EVERY = 0.1
    inside.fault("/chats/*/messages/*", "status", method="GET", status=500, times=1)

    async def until_told(held: Relay) -> None:
        def is_done() -> bool:
            late = Entry.objects.get(pk=told.pk)
            return late.is_told and Reconciliation.objects.filter(is_open=None).exists()

        while not await held.threads.read(is_done):  # noqa: ASYNC110 (rows tell nobody)
            await asyncio.sleep(0.05)

    inside.during(until_told)
    late = Entry.objects.get(pk=told.pk)
    assert {name: getattr(late, name) for name in NOTHING} == {
        name: getattr(told, name) for name in NOTHING
    }
    assert left() == []


def test_the_answers_that_a_restore_left_behind_are_told_from_those_that_came_back(
    db: None,
) -> None:
    owner = Person.objects.create_user("owner@example.com")
    chat = Chat.objects.create(owner=owner)

    def outcomes() -> list[str]:
        note_restored(chat.pk)
        rows = Entry.objects.filter(message_id__in=[row.pk for row in rows_of])
        held = dict(rows.values_list("message_id", "outcome"))
        return [held[row.pk] for row in rows_of]

    def answer(*, to: int | None = None, state: str = "finished") -> None:
        restored = {} if to is None else {"message": str(rows_of[to].pk)}
        position = len(rows_of) + 1
        values = {"role": "assistant", "state": state, "restored": restored}
        row = Message.objects.create(chat=chat, position=position, **values)
        Entry.objects.create(message_id=row.pk, outcome=state)
        rows_of.append(row)

    rows_of: list[Message] = []
    for _ in range(3):
        answer()
    answer(to=0)
    assert outcomes() == ["finished", "restored-away", "restored-away", "finished"]
    answer(state="stopped")
    answer(to=2)
    assert outcomes() == [*["finished"] * 3, "restored-away", "restored-away", "finished"]
    answer(to=1, state="failed")
    assert outcomes()[:4] == [*["finished"] * 3, "restored-away"]
    answer(to=4)
    assert outcomes()[:5] == [
        "finished",
        "restored-away",
        "restored-away",
        "finished",
        "stopped",
    ]
