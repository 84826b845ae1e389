"""The forecast: whole numbers, weekday by weekday, within its range."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chats.usage.forecast import METHOD, Forecast, forecast

CREDIT = 10**12
COSTS = st.lists(st.integers(0, 2**63 - 1), max_size=40)
LEFT = st.integers(0, 31)


def test_the_same_each_day_is_that_times_the_days_left() -> None:
    assert forecast([CREDIT] * 28, 9) == Forecast(9 * CREDIT, 9 * CREDIT, 9 * CREDIT)


def test_a_weekend_that_cost_nothing_is_expected_to_cost_nothing() -> None:
    # Today is a Saturday, and so were the first day of all and each seventh after it.
    weeks = ([0, 0, *[CREDIT] * 5]) * 4
    assert forecast(weeks, 2) == Forecast(0, 0, 0)
    assert forecast(weeks, 3).middle == CREDIT
    assert forecast(weeks, 9).middle == 5 * CREDIT


def test_the_range_goes_from_the_cheapest_week_to_the_dearest() -> None:
    weeks = [cost for each in (10, 20, 40, 30) for cost in [each] * 7]
    assert forecast(weeks, 7) == Forecast(70, 175, 280)
    assert "cheapest" in METHOD
    assert "dearest" in METHOD


def test_less_than_a_week_and_odd_days_are_enough() -> None:
    assert forecast([], 9) == forecast([5], 0) == Forecast(0, 0, 0)
    assert forecast([2, 4], 10) == Forecast(20, 30, 40)
    assert forecast([999, *[1] * 7], 3) == Forecast(3, 3, 3)


@given(COSTS, LEFT)
def test_the_middle_is_within_the_range(days: list[int], left: int) -> None:
    found = forecast(days, left)
    assert 0 <= found.low <= found.middle <= found.high
    assert all(type(amount) is int for amount in (found.low, found.middle, found.high))


@given(st.integers(0, 40), LEFT)
def test_days_that_cost_nothing_give_nothing(days: int, left: int) -> None:
    assert forecast([0] * days, left) == Forecast(0, 0, 0)


@given(COSTS, LEFT, st.integers(1, 1000))
def test_what_costs_a_times_as_much_is_forecast_a_times_as_much(
    days: list[int], left: int, times: int
) -> None:
    once, scaled = forecast(days, left), forecast([cost * times for cost in days], left)
    assert (scaled.low, scaled.high) == (once.low * times, once.high * times)
    assert once.middle * times <= scaled.middle < (once.middle + 1) * times


@given(COSTS, st.integers(0, 30))
def test_another_day_never_makes_it_cheaper(days: list[int], left: int) -> None:
    fewer, more = forecast(days, left), forecast(days, left + 1)
    assert fewer.low <= more.low
    assert fewer.middle <= more.middle
    assert fewer.high <= more.high
