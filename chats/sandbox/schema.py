"""Checks a JSON value against a schema of the spec and names the first thing that is wrong.

Owns the part of JSON Schema that v0's spec uses. Relies on nothing. It never fills in defaults and
never loads a schema from elsewhere: references point into the spec's own components.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Json = Any
Schema = dict[str, Json]

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float, Decimal),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` names the field (`skills[2].id`); "" is the body itself."""

    path: str
    words: str

    def __str__(self) -> str:
        return f"{self.path or 'body'}: {self.words}"


def problem(schema: Schema, value: Json, path: str = "") -> Problem | None:
    """The first problem of `value`, or None."""
    return next(_problems(schema, value, path), None)


def _problems(schema: Schema, value: Json, path: str) -> Iterator[Problem]:
    kind = schema.get("type")
    if kind is not None and not is_type(kind, value):
        yield Problem(path, f"must be of type {kind}")
        return
    if "enum" in schema and value not in schema["enum"]:
        yield Problem(path, f"must be one of {', '.join(map(str, schema['enum']))}")
    match value:
        case str():
            yield from _text_problems(schema, value, path)
        case dict():
            yield from _object_problems(schema, value, path)
        case list():
            yield from _list_problems(schema, value, path)
        case int() | float() | Decimal() if not isinstance(value, bool):
            yield from _number_problems(schema, value, path)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            yield from _choice_problems(schema[word], value, path)


def is_type(kind: str, value: Json) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def _text_problems(schema: Schema, value: str, path: str) -> Iterator[Problem]:
    if len(value) < schema.get("minLength", 0):
        yield Problem(path, f"must have at least {_count(schema['minLength'], 'character')}")
    if len(value) > schema.get("maxLength", len(value)):
        yield Problem(path, f"must have at most {_count(schema['maxLength'], 'character')}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield Problem(path, "has the wrong form")
    if schema.get("format") == "uri" and not URI.fullmatch(value):
        yield Problem(path, "must be a URL")


def _number_problems(schema: Schema, value: int | float | Decimal, path: str) -> Iterator[Problem]:
    if value < schema.get("minimum", value):
        yield Problem(path, f"must be at least {schema['minimum']}")
    if value > schema.get("maximum", value):
        yield Problem(path, f"must be at most {schema['maximum']}")


def _list_problems(schema: Schema, value: list[Json], path: str) -> Iterator[Problem]:
    if len(value) < schema.get("minItems", 0):
        yield Problem(path, f"must hold at least {_count(schema['minItems'], 'item')}")
    if len(value) > schema.get("maxItems", len(value)):
        yield Problem(path, f"must hold at most {_count(schema['maxItems'], 'item')}")
    for index, item in enumerate(value):
        yield from _problems(schema.get("items", {}), item, f"{path}[{index}]")


def _object_problems(schema: Schema, value: dict[str, Json], path: str) -> Iterator[Problem]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Problem(_below(path, name), "is required")
    rest = schema.get("additionalProperties", True)
    for name, item in value.items():
        where = _below(path, name)
        if "propertyNames" in schema:
            yield from _problems(schema["propertyNames"], name, where)
        if name in known:
            yield from _problems(known[name], item, where)
        elif rest is False:
            yield Problem(where, "is not a known field")
        elif isinstance(rest, dict):
            yield from _problems(rest, item, where)


def _choice_problems(choices: list[Schema], value: Json, path: str) -> Iterator[Problem]:
    """Nothing when one choice fits; else what is wrong with the one that comes nearest."""
    found = [list(_problems(choice, value, path)) for choice in choices]
    if not all(found):
        return
    right_type = [
        problems
        for choice, problems in zip(choices, found, strict=True)
        if is_type(choice.get("type", "null"), value)
    ]
    yield min(right_type or found, key=lambda problems: _distance(problems, path))[0]


def _distance(problems: list[Problem], path: str) -> tuple[bool, int]:
    """A choice whose `type` field says that it is another one is farther than all others."""
    return _below(path, "type") in [item.path for item in problems], len(problems)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
