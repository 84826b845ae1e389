"""Budgets hold on PostgreSQL too, where transactions wait for each other row by row, and may in a circle."""

from __future__ import annotations

from tests.test_budget_races import (
    crowd,  # noqa: F401
    test_a_person_sends_no_more_a_minute_than_they_may_however_many_at_once,  # noqa: F401
    test_fifty_who_send_at_once_pass_no_limit_by_more_than_one_reservation,  # noqa: F401
    test_of_ten_who_send_at_once_a_budget_of_three_runs_lets_three_go,  # noqa: F401
    test_the_books_balance_whatever_happens_at_once,  # noqa: F401
)
