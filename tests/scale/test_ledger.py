"""The ledger on PostgreSQL: the same runs with every trouble, and both sides equal to the last digit."""

from __future__ import annotations

from tests.relay.conftest import inside, sandbox
from tests.relay.test_thousand_runs import (
    play,
    test_after_so_many_runs_with_every_trouble_both_sides_are_equal,
)

__all__ = [
    "inside",
    "play",
    "sandbox",
    "test_after_so_many_runs_with_every_trouble_both_sides_are_equal",
]
