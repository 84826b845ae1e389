"""What a message costs: the one table of rates, and the tokens that are counted.

Owns the arithmetic of usage, in `Decimal` from end to end. Relies on nothing. The rates are those
a third party read off the pricing page; they make the sandbox's figures believable and are no
claim about anybody's bill.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from chats.sandbox.wire import dumps

Json = Any

RATES = {
    "v0-mini": (Decimal("0.20"), Decimal("1.20")),
    "v0-pro": (Decimal(2), Decimal(10)),
    "v0-max": (Decimal(5), Decimal(25)),
    "v0-max-fast": (Decimal(10), Decimal(50)),
}
"""Model → credits for a million tokens of input and of output."""

CACHE_READ, CACHE_WRITE = Decimal("0.1"), Decimal("1.25")
"""Of the input rate."""

DEFAULT_MODEL = "v0-pro"
MILLIONTH = -6
"""Of ten, to the power of it."""
PREAMBLE_TOKENS = 3_400
"""What v0 itself says to the model before any chat: written to the cache once, then read."""
IMAGE_TOKENS = 1_300
"""Output that one generated image counts as."""
PLAN_CREDITS = Decimal(5)
"""What a world's plan includes each month; what is used beyond it is on demand."""


@dataclass(frozen=True, slots=True)
class Tokens:
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write


def text_tokens(text: str) -> int:
    """About four characters each, as for English prose and code."""
    return -(-len(text) // 4)


def counted(prompt: str, earlier: list[str], parts: list[Json]) -> Tokens:
    """The tokens of one answer; `earlier` is every text of the chat before it, oldest first.

    What the model has read before comes from the cache; the newest exchange is written to it.
    """
    output = sum(text_tokens(dumps(part)) for part in parts)
    if not earlier:
        return Tokens(text_tokens(prompt), output, 0, PREAMBLE_TOKENS)
    known = PREAMBLE_TOKENS + sum(map(text_tokens, earlier[:-2]))
    return Tokens(text_tokens(prompt), output, known, sum(map(text_tokens, earlier[-2:])))


def usage(model: str, tokens: Tokens) -> dict[str, Json]:
    """The `usage` of the wire, credits exact."""
    into, out = RATES.get(model, RATES[DEFAULT_MODEL])
    costs = {
        "input": tokens.input * into,
        "output": tokens.output * out,
        "cacheRead": tokens.cache_read * into * CACHE_READ,
        "cacheWrite": tokens.cache_write * into * CACHE_WRITE,
    }
    costs = {name: cost.scaleb(MILLIONTH) for name, cost in costs.items()}
    counts = {
        "input": tokens.input,
        "output": tokens.output,
        "cacheRead": tokens.cache_read,
        "cacheWrite": tokens.cache_write,
        "total": tokens.total,
    }
    total = sum(costs.values(), Decimal(0))
    return {
        "tokens": counts,
        "creditsCost": {name: plain(cost) for name, cost in {**costs, "total": total}.items()},
    }


def lines(model: str, tokens: Tokens, images: int) -> list[tuple[str, dict[str, Json]]]:
    """The billing events of one answer: (type, `usage`); together they are its own usage."""
    drawn = Tokens(output=images * IMAGE_TOKENS)
    kinds = (("message", tokens), ("image_generation", drawn))
    return [(type, usage(model, counts)) for type, counts in kinds if counts.total]


def with_images(tokens: Tokens, images: int) -> Tokens:
    return replace(tokens, output=tokens.output + images * IMAGE_TOKENS)


def plain(amount: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent, so that 0.25 is written `0.25`."""
    trimmed = amount.normalize()
    return trimmed.quantize(Decimal(1)) if trimmed == trimmed.to_integral_value() else trimmed


NO_USAGE = usage(DEFAULT_MODEL, Tokens())
