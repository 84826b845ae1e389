"""Faults on demand: which requests go wrong, and that they do.

Owns the rules that `POST /_sandbox/faults` sets and the choice of one for a request. Relies on
`schema` to check a rule and on `breakage` to carry it out. Rules live in memory: a restart forgets
them.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from chats.sandbox.answers import Refusal
from chats.sandbox.schema import Schema, problem
from chats.sandbox.spec import Operation
from chats.sandbox.world import World

Json = Any

KINDS = {
    "status": "answers `status` with `message` and, with `retry_after`, that header",
    "redirect": "answers 307 to `location`",
    "hang": "sends nothing at all (for `seconds`, then goes on as usual)",
    "reset": "resets the connection (TCP RST) after `bytes` of the body",
    "close": "closes it after `bytes` of the body; with `complete` the body ends in good order",
    "stall": "is silent after `bytes` of the body (for `seconds`, then goes on)",
    "slow": "sends `rate` bytes a second",
    "malformed": "sends the broken frame `text` before frame number `frame`",
    "unknown-object": "sends an event of an unknown `object` before frame number `frame`",
    "wrong-delta": "sends a chunk with `delta`, which fits nothing, before frame number `frame`",
    "lost-delta": "leaves out frame number `frame`",
    "no-usage": "leaves out `message.usage`",
    "late-usage": "says that nothing was used yet, wherever the answer tells of usage",
    "duplicate-usage": "sends `message.usage` three times, and each event of a bill twice",
    "odd-usage": 'says `amount`, JSON as it is, for each amount of tokens and credits; nothing for ""',
    "no-closing": "leaves out the closing snapshot",
    "different-closing": "sends a closing snapshot that differs from what was streamed",
    "lag": "lists chats or messages without the `newest` ones",
    "only-chat": "resumes a run with the closing `chat` alone, although it goes on",
    "replay": "resumes a run from its beginning, chunk by chunk",
    "starting": "says of a preview that it is starting still",
    "other-privacy": "sets another level of privacy than the one that was asked for",
    "wrong-content-type": "says `content_type` of the answer",
}
WHENS = ("before", "after")
STANDS_FOR = {"{": "[^/]+", "*": ".*"}

NATURAL: Schema = {"type": "integer", "minimum": 0}
TEXT: Schema = {"type": "string"}
SECONDS: Schema = {"type": "number", "minimum": 0}
RULE: Schema = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "minLength": 1},
        "kind": {"type": "string", "enum": list(KINDS)},
        "method": TEXT,
        "key": TEXT,
        "after": NATURAL,
        "times": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
        "when": {"type": "string", "enum": list(WHENS)},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "message": TEXT,
        "retry_after": {"anyOf": [TEXT, NATURAL]},
        "location": TEXT,
        "bytes": {"anyOf": [NATURAL, {"type": "null"}]},
        "complete": {"type": "boolean"},
        "seconds": SECONDS,
        "rate": {"type": "integer", "minimum": 1},
        "frame": NATURAL,
        "text": TEXT,
        "delta": {},
        "amount": TEXT,
        "content_type": TEXT,
        "newest": NATURAL,
    },
    "required": ["path", "kind"],
    "additionalProperties": False,
}


@dataclass(slots=True)
class Rule:
    """One fault. `after` matching requests are spared, then `times` go wrong (None: all).

    `path` is an operation id or a path, in which `{name}` stands for one segment and `*` for
    anything. `when` says whether the request has its effect first. `bytes` None is before any byte of
    the answer, its head included.
    """

    path: str
    kind: str
    method: str = ""
    key: str = ""
    after: int = 0
    times: int | None = 1
    when: str = "before"
    status: int = 500
    message: str = ""
    retry_after: str | int = ""
    location: str = "/v2/moved"
    bytes: int | None = None
    complete: bool = False
    seconds: float | None = None
    rate: int = 1_000
    frame: int = 2
    text: str = 'data: {"object":"message.parts.chunk","id":\n\n'
    delta: Json = None
    amount: str = "-1"
    content_type: str = "text/html; charset=utf-8"
    newest: int = 2
    seen: int = 0
    used: int = 0

    def matches(self, operation: Operation, path: str, world: World | None) -> bool:
        return (
            (self.path == operation.id or bool(self._pattern().fullmatch(path)))
            and self.method.upper() in ("", operation.method)
            and (not self.key or World.of(self.key) == world)
        )

    def _pattern(self) -> re.Pattern[str]:
        path = "/v2" + self.path.removeprefix("/v2") if self.path.startswith("/") else self.path
        pieces = re.split(r"(\{\w+\}|\*)", path)
        return re.compile("".join(STANDS_FOR.get(piece[:1], re.escape(piece)) for piece in pieces))

    def take(self) -> bool:
        """Counts one matching request; whether this one goes wrong."""
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.used >= self.times):
            return False
        self.used += 1
        return True

    def to_wire(self) -> dict[str, Json]:
        """What differs from the defaults, and the counts; never the key."""
        plain = {item.name: item.default for item in fields(self)}
        kept = {"path", "kind", "seen", "used"}
        return {
            name: "…" if name == "key" else value
            for name, value in asdict(self).items()
            if name in kept or value != plain[name]
        }


class Faults:
    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, wanted: Json) -> Rule:
        found = problem(RULE, wanted)
        if found is not None:
            raise Refusal(422, str(found))
        rule = Rule(**wanted)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def choose(self, operation: Operation, path: str, world: World | None) -> Rule | None:
        """The first rule that wants this request; the others do not count it."""
        for rule in self.rules:
            if rule.matches(operation, path, world) and rule.take():
                return rule
        return None
