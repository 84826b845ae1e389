"""The table of scenarios: what a `scenario: NAME` line in a prompt can ask for.

Owns the table and how a scenario gets into it. Relies on `draft`. Each scenario is one function
registered under its name; a further one needs nothing else. A scenario that waits for a person is
played again with the answer as `turn.task`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chats.sandbox.draft import Draft, Script, Scripted, Step, Turn, say


@dataclass(frozen=True, slots=True)
class Scenario:
    """`shows` is its line of help; a `late` one keeps the head of the answer back."""

    shows: str
    script: Scripted
    late: bool = False


SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str, shows: str, *, late: bool = False) -> Callable[[Scripted], Scripted]:
    def register(script: Scripted) -> Scripted:
        SCENARIOS[name] = Scenario(shows, script, late)
        return script

    return register


def unknown(turn: Turn, draft: Draft, name: str) -> Script:
    known = "\n".join(f"- `{known}`: {item.shows}" for known, item in SCENARIOS.items())
    yield from say(turn, draft, f"There is no scenario `{name}`. There are:\n\n{known}\n")


def entitle(draft: Draft, *titles: str) -> Script:
    for title in titles:
        draft.retitle(title)
        yield Step(0.1)
