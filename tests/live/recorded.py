"""The States that a hub would hold while a recorded stream runs, from the bytes on the wire.

Owns the short way from `tests/transcripts` to States: decoder, fold and renderer are the app's own,
rows and hub are left out. States share structure, as those of one run do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from chats.live.state import State
from chats.relay.showing import typed
from chats.rendering.fixed import fixed
from chats.rendering.message import MessageRenderer, message_node
from chats.rendering.shown import Shown
from chats.v0api.sse import Decoder
from chats.v0api.stream import Fold, fold, parse
from chats.v0api.types import Message, Part

DIRECTORY = Path(__file__).resolve().parent.parent / "transcripts"
NAMES = tuple(sorted(path.stem for path in DIRECTORY.glob("*.sse")))

ASKED = message_node(
    Shown("00000000-0000-4000-8000-000000000001", "user", "finished", text="<Make> it\nso & so")
)
ANSWER = "00000000-0000-4000-8000-000000000002"


@cache
def recorded(name: str) -> tuple[State, ...]:
    """Each State of the stream that differs from the one before, then that of the stored message."""
    renderer = MessageRenderer(ANSWER)
    states = [_state("", 0, renderer, Shown(ANSWER, "assistant", "sending"))]
    parts: tuple[Part, ...] = ()
    last = Fold()
    for last in _folds(name):
        parts = typed(parts, last.parts)
        shown = Shown(ANSWER, "assistant", "streaming", parts=parts)
        state = _state(last.title, 1, renderer, shown)
        if state != states[-1]:
            states.append(state)
    stored = Message.from_wire(json.loads((DIRECTORY / f"{name}.json").read_text()))
    ended = Shown(
        ANSWER,
        "assistant",
        "failed" if stored.finish_reason == "error" else "finished",
        parts=typed(parts, stored.parts),
        finish_reason=stored.finish_reason,
        problem="upstream" if stored.finish_reason == "error" else "",
    )
    states.append(_state(last.title, 2, renderer, ended))
    return tuple(states)


def _folds(name: str) -> Iterator[Fold]:
    state = Fold()
    for event in Decoder().feed((DIRECTORY / f"{name}.sse").read_bytes()):
        state = fold(state, parse(event.data))
        yield state


def _state(title: str, version: int, renderer: MessageRenderer, shown: Shown) -> State:
    for _ in renderer.update(shown):
        pass
    marks = {"composer": version, "own": version}
    return State(fixed(title=title, version=version, marks=marks), (ASKED, renderer.node))
