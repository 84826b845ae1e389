"""Usage as v0 tells it: money to the last digit, and whatever else may be missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from chats.v0api.errors import Conflict, Forbidden, InDoubt, InvalidRequest
from chats.v0api.types import Amounts
from chats.v0api.usage import UsageActivity, UsageEvent, UsageEventPage, UsageSummary
from tests.v0api.exchange import exchanging
from tests.v0api.operations import LEAST
from tests.v0api.wire_server import answer

pytestmark = pytest.mark.anyio

REPORTS = [LEAST[f"usage.{name}"] for name in ("getSummary", "listEvents", "getActivity")]

# As floats these would be 0.1 + a tail, 1e+22, and 0.30000000000000004 of another.
EXACT = ("0.1000000000000000000001", "12345678901234567890.123456789", "1e-12")


CREDITS = '{"plan": NUMBER, "onDemand": 0, "total": NUMBER}'
COST = '{"input": NUMBER, "output": 0.2, "total": NUMBER, "charged": NUMBER}'
SUMMARY = f'{{"credits": {CREDITS}, "daily": [{{"date": "2026-01-01", "credits": {CREDITS}}}]}}'
EVENTS = f'{{"data": [{{"id": "e", "waived": true, "creditsCost": {COST}}}]}}'


def written(body: str, number: str) -> bytes:
    return answer(200, body.replace("NUMBER", number).encode())


@pytest.mark.parametrize("number", EXACT)
async def test_money_of_a_summary_is_what_was_written(number: str) -> None:
    async with exchanging() as exchange:
        found = await exchange.call(lambda v0: v0.get_usage_summary(), written(SUMMARY, number))

    assert (found.credits.plan, found.credits.on_demand) == (Decimal(number), Decimal(0))
    assert found.daily[0].date == "2026-01-01"
    assert found.daily[0].credits.total == Decimal(number)


@pytest.mark.parametrize("number", EXACT)
async def test_money_of_an_event_is_what_was_written(number: str) -> None:
    async with exchanging() as exchange:
        found = await exchange.call(lambda v0: v0.list_usage_events(), written(EVENTS, number))

    [event] = found.events
    assert (event.credits.input, event.credits.output) == (Decimal(number), Decimal("0.2"))
    assert (event.credits.total, event.charged) == (Decimal(number), Decimal(number))
    assert event.waived


def test_events_sum_up_without_a_float() -> None:
    event = UsageEvent.from_wire({"creditsCost": {"charged": 0}})
    assert isinstance(event.charged, Decimal)
    assert isinstance(sum([event.charged] * 3), Decimal)


def test_tokens_that_v0_does_not_know_are_none_and_not_zero() -> None:
    assert UsageEvent.from_wire({"tokens": None}).tokens is None
    assert UsageEvent.from_wire({}).tokens is None
    assert UsageEvent.from_wire({"tokens": {"input": 3}}).tokens == Amounts(input=Decimal(3))


@pytest.mark.parametrize(
    "wire",
    [{}, {"range": [], "scope": 1, "credits": None, "pagination": "x", "summary": []}],
    ids=["missing", "odd"],
)
def test_what_is_missing_or_odd_is_borne(wire: dict[str, Any]) -> None:
    page = UsageEventPage.from_wire({**wire, "data": [1, {"id": "e", "sources": "x"}]})
    activity = UsageActivity.from_wire({**wire, "projects": [None, {}], "chats": [{"kind": 1}]})
    found = UsageSummary.from_wire({**wire, "daily": ["x", {"credits": 1}]})

    assert [event.id for event in page.events] == ["e"]
    assert (page.has_more, page.cursor, page.scope_type) == (False, None, "")
    assert (activity.active_users, len(activity.projects), len(activity.chats)) == (0, 1, 1)
    assert found.credits.total == found.daily[0].credits.plan == 0


@pytest.mark.parametrize("body", [[], {}, {"data": None}, None], ids=str)
async def test_a_report_without_its_list_is_not_taken_for_an_empty_one(body: Any) -> None:
    async with exchanging() as exchange:
        for call in REPORTS:
            with pytest.raises(InDoubt):
                await exchange.call(call, answer(200, body))


async def test_a_time_is_sent_in_utc() -> None:
    there = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    reply = answer(200, {"daily": []})
    async with exchanging() as exchange:
        await exchange.call(lambda v0: v0.get_usage_summary(start=there, end=None), reply)

        [request] = exchange.requests
        assert request.path == "/v2/usage/summary?start=2026-02-28T22%3A30%3A00.000Z"


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 1, 1), datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))],
    ids=["no zone", "before the calendar"],
)
async def test_a_time_that_is_none_is_not_sent(moment: datetime) -> None:
    async with exchanging() as exchange:
        v0, now = exchange.v0, datetime.now(UTC)
        for call in (v0.get_usage_summary, v0.list_usage_events, v0.get_usage_activity):
            with pytest.raises(InvalidRequest, match="end"):
                await call(start=now, end=moment)

        assert exchange.requests == []


async def test_somebody_elses_usage_and_an_old_cursor_are_told_apart() -> None:
    async with exchanging() as exchange:
        with pytest.raises(Forbidden):
            await exchange.call(lambda v0: v0.get_usage_summary(user_id="u"), answer(403, {}))
        with pytest.raises(Conflict):
            await exchange.call(lambda v0: v0.list_usage_events(cursor="c"), answer(409, {}))
