"""Credits as whole numbers of 10^-12 credit, and back.

Owns the one place where an amount changes its form. Pure: Decimal and int in, Decimal, int and text
out; no binary fraction ever holds an amount, so that a sum over entries is the sum of what v0 said.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

PLACES = 12
# What the ledger's columns hold, in every database: 9.2 million credits in one answer.
LARGEST = 2**63 - 1

# 28 digits, Python's default, could round an amount before we do.
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)


class MoneyError(ValueError):
    """An amount that the ledger cannot hold: no finite number, or beyond 9.2 million credits."""


def units(amount: Decimal) -> int:
    """Whole numbers of 10^-12 credit. Exact to the twelfth place; beyond it, half to even.

    Raises MoneyError on what is no finite number or does not fit a column.
    """
    if amount.is_zero():
        return 0
    # An exponent of a few characters can ask for a number of a billion digits.
    if not amount.is_finite() or amount.adjusted() > PLACES:
        raise MoneyError(str(amount))
    scaled = int(amount.scaleb(PLACES, _EXACT).to_integral_value(ROUND_HALF_EVEN, _EXACT))
    if abs(scaled) > LARGEST:
        raise MoneyError(str(amount))
    return scaled


def credits(units: int) -> Decimal:
    """The credits that `units` are, exactly."""
    return Decimal(units).scaleb(-PLACES, _EXACT)


def plain(units: int) -> str:
    """Credits to their last digit, as somebody would type them: 42_100_000_000 is "0.0421"."""
    return f"{credits(units).normalize(_EXACT):f}"


def shown(units: int, *, places: int = 4) -> str:
    """Credits as text with `places` decimals: "0.0421"; less than the last of them is "<0.0001"."""
    if units < 0:
        return f"-{shown(-units, places=places)}"
    step = Decimal(1).scaleb(-places)
    amount = credits(units)
    if 0 < amount < step:
        return f"<{step:f}"
    return f"{amount.quantize(step, ROUND_HALF_EVEN, _EXACT):f}"
