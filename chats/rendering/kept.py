"""Nodes of messages that have ended, as they were made last.

Owns how many of them one process keeps: pages, frames and comparisons make the same node again and again,
and it is a pure function of what is shown. Relies on nothing but that value, every field of which counts;
never keeps more than LIMIT bytes of such values, and lets go of what was used longest ago.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from chats.live.state import Node
from chats.rendering.shown import Shown

# Bytes of all values whose nodes are kept, and of one of them. Their HTML is a few times as much.
LIMIT = 8 << 20
MOST = 1 << 20


class Kept:
    def __init__(self, limit: int = LIMIT, most: int = MOST) -> None:
        self._limit, self._most = limit, most
        self._nodes: OrderedDict[str, tuple[bytes, Node]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def node(self, shown: Shown, make: Callable[[Shown], Node]) -> Node:
        """What `make` gives for `shown`, made anew only when it differs from the last one with its id."""
        try:
            # By bytes: as values, 1 and true would be the same.
            value = pickle.dumps(shown, protocol=5)
        except RecursionError:
            # JSON that is nested too deep: it is shown as such.
            return make(shown)
        with self._lock:
            known = self._nodes.get(shown.id)
            if known is not None and known[0] == value:
                self._nodes.move_to_end(shown.id)
                return known[1]
        node = make(shown)
        if len(value) <= self._most:
            with self._lock:
                self._keep(shown.id, value, node)
        return node

    def _keep(self, id: str, value: bytes, node: Node) -> None:
        replaced = self._nodes.pop(id, None)
        self._size += len(value) - (len(replaced[0]) if replaced else 0)
        self._nodes[id] = value, node
        while self._size > self._limit:
            _, (old, _) = self._nodes.popitem(last=False)
            self._size -= len(old)
