"""The deltas that jsondiffpatch 0.7 makes, with its defaults: no objectHash, no text diffs.

Owns `diff(left, right)`. Relies on nothing. In JavaScript two objects are the same when they are
one object, so whether a server keeps or copies what it compares decides the style of its deltas:
`identity=True` compares objects by `is` (insertions and moves come out as such), `identity=False`
takes none for the same (elements are compared by position). It never applies a delta.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Json = Any
Delta = Any
Same = Callable[[Json, Json], bool]

MOVE = 3


def diff(left: Json, right: Json, *, identity: bool = False) -> Delta | None:
    """The delta from `left` to `right`; None when there is no difference."""
    return _diff(left, right, _same_object if identity else _same_value)


def _same_value(left: Json, right: Json) -> bool:
    """`===` for values that were never one object."""
    return _kind(left) == _kind(right) not in ("list", "object") and bool(left == right)


def _same_object(left: Json, right: Json) -> bool:
    return left is right or _same_value(left, right)


def _kind(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list() | tuple():
            return "list"
        case dict():
            return "object"
        case _:
            return "number"


def _diff(left: Json, right: Json, same: Same) -> Delta | None:
    if same(left, right):
        return None
    kinds = _kind(left), _kind(right)
    if kinds == ("object", "object"):
        return _object_diff(left, right, same)
    if kinds == ("list", "list"):
        return _ListDiff(left, right, same).delta()
    return [left, right]


def _object_diff(left: dict[str, Json], right: dict[str, Json], same: Same) -> Delta | None:
    changes: dict[str, Delta] = {}
    for key, value in left.items():
        change = _diff(value, right[key], same) if key in right else [value, 0, 0]
        if change is not None:
            changes[key] = change
    changes.update({key: [value] for key, value in right.items() if key not in left})
    return changes or None


def _shared_elsewhere(left: Sequence[Json], right: Sequence[Json], same: Same) -> bool:
    """Whether some element stands in both lists at different indexes."""
    places: dict[object, set[int]] = {}
    for at, value in enumerate(left):
        places.setdefault(_key(value), set()).add(at)
    return any(
        at != to and same(left[at], value)
        for to, value in enumerate(right)
        for at in places.get(_key(value), ())
    )


def _key(value: Json) -> object:
    """Equal for values that `_same_object` takes for the same."""
    return id(value) if isinstance(value, dict | list | tuple) else (_kind(value), value)


class _ListDiff:
    """One comparison of two lists: equal ends first, then the longest common subsequence."""

    def __init__(self, left: Sequence[Json], right: Sequence[Json], same: Same) -> None:
        self.left, self.right, self.same = left, right, same
        self.by_position = not _shared_elsewhere(left, right, same)
        self.changed: dict[int, Delta] = {}
        self.gone: dict[int, list[Json]] = {}

    def delta(self) -> Delta | None:
        head, tail = self._equal_ends()
        middle_left = range(head, len(self.left) - tail)
        middle_right = range(head, len(self.right) - tail)
        pairs = self._common(head, middle_left, middle_right)
        removed = [at for at in middle_left if at not in pairs.values()]
        for at in removed:
            self.gone[at] = [self.left[at], 0, 0]
        for to in middle_right:
            if to in pairs:
                self._compare(pairs[to], to)
            elif not self._moved(to, head, removed):
                self.changed[to] = [self.right[to]]
        return self._written()

    def _equal_ends(self) -> tuple[int, int]:
        shorter = min(len(self.left), len(self.right))
        head = tail = 0
        while head < shorter and self._match(head, head, 0):
            self._compare(head, head)
            head += 1
        while head + tail < shorter:
            at, to = len(self.left) - 1 - tail, len(self.right) - 1 - tail
            if not self._match(at, to, 0):
                break
            self._compare(at, to)
            tail += 1
        return head, tail

    def _match(self, at: int, to: int, head: int) -> bool:
        """Indexes count from `head`: that is how the library compares positions in the middle."""
        left, right = self.left[at + head], self.right[to + head]
        if self.same(left, right):
            return True
        containers = ("null", "list", "object")
        if _kind(left) not in containers or _kind(right) not in containers:
            return False
        return self.by_position and at == to

    def _compare(self, at: int, to: int) -> None:
        change = _diff(self.left[at], self.right[to], self.same)
        if change is not None:
            self.changed[to] = change

    def _common(self, head: int, left: range, right: range) -> dict[int, int]:
        """Index in `right` → index in `left` of the longest common subsequence."""
        rows, columns = len(left), len(right)
        lengths = [[0] * (columns + 1) for _ in range(rows + 1)]
        for x in range(1, rows + 1):
            for y in range(1, columns + 1):
                lengths[x][y] = (
                    lengths[x - 1][y - 1] + 1
                    if self._match(x - 1, y - 1, head)
                    else max(lengths[x - 1][y], lengths[x][y - 1])
                )
        pairs: dict[int, int] = {}
        x, y = rows, columns
        while x and y:
            if self._match(x - 1, y - 1, head):
                x, y = x - 1, y - 1
                pairs[y + head] = x + head
            elif lengths[x][y - 1] > lengths[x - 1][y]:
                y -= 1
            else:
                x -= 1
        return pairs

    def _moved(self, to: int, head: int, removed: list[int]) -> bool:
        for at in removed:
            if self._match(at - head, to - head, head):
                self.gone[at] = ["", to, MOVE]
                self._compare(at, to)
                removed.remove(at)
                return True
        return False

    def _written(self) -> Delta | None:
        if not self.changed and not self.gone:
            return None
        written: dict[str, Delta] = {str(to): self.changed[to] for to in sorted(self.changed)}
        written["_t"] = "a"
        written.update({f"_{at}": self.gone[at] for at in sorted(self.gone)})
        return written
