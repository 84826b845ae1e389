"""The agent: from what was asked to a script that changes a draft, step by step.

Owns how a prompt is read (`scenario:` and `pace:` lines, then the words) and which script answers
it. Relies on `draft` and on nothing that runs: a script is a pure function of the order and of the
chat's files, so the same question in the same chat gives the same answer.
"""

from __future__ import annotations

import random
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from chats.sandbox.agent import blocking, scenarios, working
from chats.sandbox.agent.narration import ordinary
from chats.sandbox.agent.playbook import SCENARIOS, unknown
from chats.sandbox.draft import Draft, Script, Turn

PLAYS = (scenarios, working, blocking)
"""Importing them is what fills the table of scenarios."""
SCENARIO_LINE = re.compile(
    r"^[ \t]*scenario:[ \t]*([\w-]+)((?:[ \t]+[\w-]+=\S+)*)[ \t]*$", re.MULTILINE
)
PACE_LINE = re.compile(r"^[ \t]*pace:[ \t]*(\d+(?:\.\d+)?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Order:
    """One answer to write, kept with it so that a restart can go on.

    `place` counts the turns before it; `title` is what is there already. `author` asked; a `waived`
    answer is free. The rest is what `Turn` says.
    """

    text: str
    model: str
    pace: float
    place: int
    title: str
    can_retitle: bool
    author: str = ""
    chat_id: str = ""
    site: str = ""
    project: str = ""
    images: bool = False
    tools: list[str] = field(default_factory=list)
    task: Any = None
    waived: bool = False

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Order:
        return cls(**{**wire, "pace": float(wire["pace"])})

    @property
    def scenario(self) -> str:
        found = SCENARIO_LINE.search(self.text)
        return found[1] if found else ""

    @property
    def options(self) -> dict[str, str]:
        found = SCENARIO_LINE.search(self.text)
        pairs = found[2].split() if found else []
        return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}

    @property
    def own_pace(self) -> float:
        """The pace that the prompt asks for, else the sandbox's."""
        line = PACE_LINE.search(self.text)
        return max(0.0, self.turn().number("pace", float(line[1]) if line else self.pace))

    @property
    def first_byte_after(self) -> float:
        """Seconds between the question's arrival and the head of the answer."""
        scenario = SCENARIOS.get(self.scenario)
        late = scenario is not None and scenario.late
        return max(0.0, self.turn().number("seconds", 5)) if late else 0.0

    def turn(self) -> Turn:
        words = PACE_LINE.sub("", SCENARIO_LINE.sub("", self.text)).strip()
        seed = random.Random(f"{self.place}\n{self.text}".encode())  # noqa: S311
        return Turn(
            words,
            self.place,
            self.options,
            seed,
            task=self.task,
            chat_id=self.chat_id,
            site=self.site,
            project=self.project,
            images=self.images,
            tools=tuple(self.tools),
        )


def script(order: Order, draft: Draft) -> Script:
    """The steps that answer `order`; they change `draft` as they are taken."""
    turn = order.turn()
    if not order.scenario:
        return ordinary(turn, draft)
    scenario = SCENARIOS.get(order.scenario)
    if scenario is None:
        return unknown(turn, draft, order.scenario)
    return scenario.script(turn, draft)
