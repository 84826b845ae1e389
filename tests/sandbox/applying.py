"""A second reading of the delta format, so that the sandbox's diff is not judged by its own maker.

Owns `applied`, the plainest patch there is, after the library's description. Relies on nothing and
checks nothing: a delta that does not fit raises whatever Python raises.
"""

from __future__ import annotations

from typing import Any

Json = Any


def applied(value: Json, delta: Json) -> Json:
    if delta is None or delta == {}:
        return value
    if isinstance(delta, list):
        return delta[-1]
    return _list(value, delta) if delta.get("_t") == "a" else _object(value, delta)


def _object(value: dict[str, Json], delta: dict[str, Json]) -> dict[str, Json]:
    changed = dict(value)
    for key, change in delta.items():
        if isinstance(change, list) and change[1:] == [0, 0]:
            del changed[key]
        else:
            changed[key] = applied(changed.get(key), change)
    return changed


def _list(value: list[Json], delta: dict[str, Json]) -> list[Json]:
    changed = list(value)
    taken = {int(key[1:]): change for key, change in delta.items() if key[0] == "_" and key != "_t"}
    placed = {int(key): change for key, change in delta.items() if key[0] != "_"}
    insertions = {}
    for index in sorted(taken, reverse=True):
        element = changed.pop(index)
        if taken[index][2] == 3:
            insertions[taken[index][1]] = element
    for index, change in placed.items():
        if isinstance(change, list) and len(change) == 1:
            insertions[index] = change[0]
    for index in sorted(insertions):
        changed.insert(index, insertions[index])
    for index, change in placed.items():
        if not (isinstance(change, list) and len(change) == 1):
            changed[index] = applied(changed[index], change)
    return changed
