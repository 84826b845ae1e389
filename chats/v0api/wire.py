"""JSON as it comes over the wire, read so that nothing in it can surprise what comes after.

Owns reading (exact numbers, null for what no number can be, bounded depth), repairing text that databases refuse, comparing
and measuring. Relies on the standard library, and knows nothing of what the values mean.
"""

from __future__ import annotations

import json
from operator import is_

from chats.v0api.types import Json, Number

# Far below the interpreter's own limit, so that whoever walks a value later may do so by recursion.
DEPTH = 100
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Whole numbers beyond any that JavaScript has; the interpreter refuses to read much longer ones.
DIGITS = 400


def _fraction(text: str) -> Number | None:
    number = Number(text)
    return number if number - number == 0 else None


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= DIGITS else None


def _constant(name: str) -> None:
    """NaN and the infinities: as JavaScript writes them. One odd cost must not hide all that came with it."""


_decoder = json.JSONDecoder(parse_float=_fraction, parse_int=_whole, parse_constant=_constant)


def loads(text: str) -> Json:
    """The value of JSON text. Fractions are `Number`, whole numbers are int, and a number that neither can
    be is None.

    ValueError for anything that is no JSON, or is nested deeper than DEPTH.
    """
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > DEPTH and deeper_than(value, DEPTH):
        raise ValueError("nested too deeply")
    return value


def deeper_than(value: Json, depth: int) -> bool:
    """Whether lists and objects are nested in `value` more than `depth` deep."""
    if not isinstance(value, list | dict):
        return False
    if depth <= 0:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(deeper_than(item, depth - 1) for item in items if isinstance(item, list | dict))


def is_clean(text: str) -> bool:
    """Whether JSON text has no escape that could stand for NUL or for half a surrogate pair."""
    return "\\u" not in text or not ("\\ud" in text or "\\uD" in text or "\\u0000" in text)


def repaired(value: Json) -> Json:
    """`value` with surrogate halves joined, lone ones and NUL replaced; itself if it has none."""
    match value:
        case str():
            return _repaired_text(value)
        case list():
            items = [repaired(item) for item in value]
            return value if all(map(is_, items, value)) else items
        case dict():
            pairs = {repaired(key): repaired(item) for key, item in value.items()}
            untouched = (
                len(pairs) == len(value)
                and all(map(is_, pairs, value))
                and all(map(is_, pairs.values(), value.values()))
            )
            return value if untouched else pairs
        case _:
            return value


def _repaired_text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", REPLACEMENT) if "\0" in text else text


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON; unlike `==`, true is not 1 and 1 is not 1.0."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            key in other and same(item, other[key]) for key, item in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def size(value: Json) -> int:
    """About how many characters `value` has as JSON; does not look inside texts."""
    if isinstance(value, str):
        return len(value) + 3
    if isinstance(value, dict):
        return 2 + sum(len(key) + 4 + size(item) for key, item in value.items())
    if isinstance(value, list):
        return 2 + sum(map(size, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return 1 + value.bit_length() // 3
    return 6
