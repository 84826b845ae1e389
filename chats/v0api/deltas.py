"""jsondiffpatch deltas, applied.

Owns the meaning of the format without text diffs, plus v0's own `[[i, j, …, "text"], 9, 9]` append.
Relies on `wire` for limits. Never changes a value in place: what a delta leaves alone is the same
object in the result, and when nothing changes the result is the value itself.

    null, {}                 nothing
    [new]                    set
    [old, new]               set; old is not compared
    [old, 0, 0]              removed
    {key: delta, …}          changes inside of an object, or of a list by index
    {"_t": "a", …}           changes of a list: "_3": [old, 0, 0] takes the old element 3 out,
                             "_3": ["", 1, 3] moves it to index 1, "2": [new] puts one in,
                             "2": delta changes the new element 2
    [[…, "text"], 9, 9]      text appended to the text at a path of indexes and keys

A list loses what is removed or moved, then gains what is put in or moved in, lowest index first,
then its elements change. What the format says of a place that is not there does not fit: nothing is
guessed, and nothing is passed over in silence as the official SDK does.
"""

from __future__ import annotations

import re
from typing import Final

from chats.v0api.errors import DeltaError
from chats.v0api.types import Json
from chats.v0api.wire import DEPTH, deeper_than

ITEMS = 100_000
TEXT = 16 * 1024 * 1024

REMOVED, TEXT_DIFF, MOVED, APPENDED = 0, 2, 3, 9

# JavaScript takes no other text for an index; Python's int() would.
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


class _Gone:
    """Stands for a value that is not there."""


GONE: Final = _Gone()


def apply(value: Json, delta: Json) -> Json:
    """`value` with `delta` applied, sharing with it what did not change.

    DeltaError for anything that does not fit; `value` is as it was in any case.
    """
    try:
        result = _apply(value, delta, DEPTH)
    except RecursionError:
        raise DeltaError("nested too deeply") from None
    if result is GONE:
        raise DeltaError("the delta removes everything")
    return result


def _apply(value: Json, delta: Json, depth: int) -> Json:
    if delta is None:
        return value
    if isinstance(delta, list):
        return _replace(value, delta, depth)
    if not isinstance(delta, dict):
        raise DeltaError("a delta is a list, an object or null")
    if depth <= 0:
        raise DeltaError("nested too deeply")
    if "_t" in delta:
        if delta["_t"] != "a" or not isinstance(value, list):
            raise DeltaError("a list delta for something else")
        return _list(value, delta, depth - 1)
    if isinstance(value, dict):
        return _object(value, delta, depth - 1)
    if isinstance(value, list):
        return _by_index(value, delta, depth - 1)
    if not delta and value is not GONE:
        return value
    raise DeltaError("changes inside of what has no inside")


def _replace(value: Json, delta: list[Json], depth: int) -> Json:
    match delta:
        case [new] | [_, new]:
            if deeper_than(new, depth):
                raise DeltaError("nested too deeply")
            return new
        case [path, int(zero), int(kind)] if not (isinstance(zero, bool) or isinstance(kind, bool)):
            if (zero, kind) == (0, REMOVED):
                if value is GONE:
                    raise DeltaError("removes what is not there")
                return GONE
            if (zero, kind) == (APPENDED, APPENDED) and isinstance(path, list) and path:
                return _append(value, path[:-1], path[-1])
            if kind == TEXT_DIFF:
                raise DeltaError("a text diff, which v0 cannot send")
    raise DeltaError("a delta of unknown form")


def _object(value: dict[str, Json], delta: dict[str, Json], depth: int) -> Json:
    result = value
    for key, change in delta.items():
        old = value.get(key, GONE)
        new = _apply(old, change, depth)
        if new is old:
            continue
        if result is value:
            result = value.copy()
        if new is GONE:
            del result[key]
        else:
            result[key] = new
    return result


def _by_index(value: list[Json], delta: dict[str, Json], depth: int) -> Json:
    """An object delta for a list: its elements change in place, or one is added at the end."""
    result = value
    for key, change in delta.items():
        index = _index(key)
        if index > len(result):
            raise DeltaError("an index outside of the list")
        old = result[index] if index < len(result) else GONE
        new = _apply(old, change, depth)
        if new is old:
            continue
        if new is GONE:
            raise DeltaError("leaves a hole in a list")
        if result is value:
            result = value.copy()
        result[index : index + 1] = [new]
    return _bounded(result)


def _list(value: list[Json], delta: dict[str, Json], depth: int) -> Json:
    taken: set[int] = set()
    put: dict[int, Json] = {}
    changes: list[tuple[int, Json]] = []
    for key, change in delta.items():
        if key == "_t":
            continue
        if key.startswith("_"):
            index = _index(key[1:])
            if index >= len(value):
                raise DeltaError("an index outside of the list")
            taken.add(index)
            target = _target(change)
            if target is not None:
                _put(put, target, value[index])
        elif isinstance(change, list) and len(change) == 1:
            _put(put, _index(key), _replace(GONE, change, depth))
        else:
            changes.append((_index(key), change))
    result = _rearranged(value, taken, put) if taken or put else value
    return _bounded(_changed(value, result, changes, depth))


def _target(change: Json) -> int | None:
    """Where an old element moves to; None when it is removed."""
    match change:
        case [_, int(target), int(kind)] if not isinstance(target, bool):
            if kind == MOVED and target >= 0:
                return target
            if kind == REMOVED and target == 0 and not isinstance(kind, bool):
                return None
    raise DeltaError("an old element can only be removed or moved")


def _put(put: dict[int, Json], index: int, value: Json) -> None:
    if index in put:
        raise DeltaError("two elements for one index")
    put[index] = value


def _rearranged(value: list[Json], taken: set[int], put: dict[int, Json]) -> list[Json]:
    kept = [item for index, item in enumerate(value) if index not in taken] if taken else value
    result: list[Json] = []
    position = 0
    for index in sorted(put):
        # Merged in one pass, since thousands of insert() into a long list would take seconds.
        missing = index - len(result)
        result += kept[position : position + missing]
        position += missing
        if len(result) < index:
            raise DeltaError("an index outside of the list")
        result.append(put[index])
    return result + kept[position:]


def _changed(
    value: list[Json], result: list[Json], changes: list[tuple[int, Json]], depth: int
) -> list[Json]:
    for index, change in changes:
        if index >= len(result):
            raise DeltaError("an index outside of the list")
        new = _apply(result[index], change, depth)
        if new is result[index]:
            continue
        if new is GONE:
            raise DeltaError("leaves a hole in a list")
        if result is value:
            result = value.copy()
        result[index] = new
    return result


def _append(value: Json, path: list[Json], text: Json) -> Json:
    if not isinstance(text, str):
        raise DeltaError("only text can be appended")
    if len(path) > DEPTH:
        raise DeltaError("nested too deeply")
    if not path:
        if not isinstance(value, str):
            raise DeltaError("text appended to something else")
        if len(value) + len(text) > TEXT:
            raise DeltaError("a text that is too long")
        return value + text if text else value
    key, *rest = path
    if isinstance(value, list) and type(key) is int and 0 <= key < len(value):
        copy: Json = value.copy()
    elif isinstance(value, dict) and isinstance(key, str) and key in value:
        copy = value.copy()
    else:
        raise DeltaError("a path that leads nowhere")
    new = _append(value[key], rest, text)
    if new is value[key]:
        return value
    copy[key] = new
    return copy


def _index(text: str) -> int:
    if not _INDEX.fullmatch(text):
        raise DeltaError("no index")
    return int(text)


def _bounded(value: list[Json]) -> list[Json]:
    if len(value) > ITEMS:
        raise DeltaError("a list that is too long")
    return value
