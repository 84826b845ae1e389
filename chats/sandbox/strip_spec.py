"""Makes the prose-free copy of v0's OpenAPI document that the sandbox follows and serves.

Owns the rule of what is prose: descriptions, summaries, examples, tags and extensions go; names,
types, enums, limits, patterns, parameters and statuses stay. Relies on the standard library. It
never changes what a request or an answer must look like.

    python -m chats.sandbox.strip_spec IN OUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

Json = Any

PROSE = frozenset({"description", "summary", "example", "examples", "externalDocs", "tags"})
NAMED = frozenset({"properties", "responses", "schemas", "paths", "securitySchemes", "headers"})
"""Maps whose keys are names that somebody chose: none of those keys is prose."""


def stripped(value: Json, *, names: bool = False) -> Json:
    """`value` without prose; with `names`, the keys of this level are names and all stay."""
    if isinstance(value, list):
        return [stripped(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: stripped(item, names=key in NAMED and not names)
        for key, item in value.items()
        if names or not (key in PROSE or key.startswith("x-"))
    }


def laid_out(spec: dict[str, Json]) -> str:
    """One line for each path and schema, so that a change of the spec is a readable one."""
    depths = {"paths": 1, "components": 2}
    members = (f"{_compact(key)}:{_rows(value, depths.get(key, 0))}" for key, value in spec.items())
    return "{\n" + ",\n".join(members) + "\n}\n"


def _rows(value: Json, depth: int) -> str:
    """`value` with a line for each member, down to `depth` levels."""
    if depth == 0:
        return _compact(value)
    rows = (f"{_compact(key)}:{_rows(member, depth - 1)}" for key, member in value.items())
    return "{\n" + ",\n".join(rows) + "}"


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m chats.sandbox.strip_spec IN OUT", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    target.write_text(laid_out(stripped(json.loads(source.read_text("utf-8")))), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
