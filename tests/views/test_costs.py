"""Costs in words: exact, and never a float."""

from __future__ import annotations

import pytest

from chats.models import Entry
from chats.views.costs import Row, cost, exact

CREDIT = 10**12


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (0, "0"),
        (1, "0.000000000001"),
        (42_100_000_000, "0.0421"),
        (CREDIT, "1"),
        (1_234_567 * CREDIT + 1, "1,234,567.000000000001"),
        (-CREDIT * 3 // 2, "-1.5"),
        (2**63 - 1, "9,223,372.036854775807"),
    ],
)
def test_credits_are_written_to_their_last_digit(units: int, text: str) -> None:
    assert exact(units) == text


def test_the_rows_are_those_that_say_something() -> None:
    entry = Entry(
        tokens_input=9_210,
        tokens_cache_read=5,
        tokens_total=12_345,
        credits_input=12_100_000_000,
        credits_total=42_100_000_000,
        model="v0-pro",
    )
    told = cost(entry)
    assert told.summary == "0.0421 credits · 12,345 tokens"
    assert told.rows == (
        Row("Input", "9,210", "0.0121"),
        Row("Cache read", "5", "0"),
        Row("Total", "12,345", "0.0421"),
    )
