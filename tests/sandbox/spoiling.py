"""What fits a schema, and everything that does not: values made from the spec, one fault in each.

Owns `fitting` and `spoiled`. Relies on nothing of the sandbox, so that its validator is not judged
by itself. A fault comes with the name of the field that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = Any
Schema = dict[str, Json]
Spoiled = tuple[Json, str]
"""A value with one thing wrong in it, and the name of the field that is."""

URL = "https://a.example/x"
OTHER_TYPES: dict[str, Json] = {
    "string": 7,
    "integer": "many",
    "number": "many",
    "boolean": "true",
    "object": [],
    "array": {},
    "null": 7,
}


def fitting(schema: Schema) -> Json:
    """A value that fits, with every field and one item in every list."""
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        return fitting(choices[0])
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "string":
            return (
                URL if schema.get("format") == "uri" else "a" * max(1, schema.get("minLength", 1))
            )
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "array":
            return [fitting(schema["items"])]
        case "object":
            return {name: fitting(item) for name, item in _fields(schema).items()}
        case "null":
            return None
        case _:
            return {"anything": [1, None]}


def _fields(schema: Schema) -> dict[str, Schema]:
    rest = schema.get("additionalProperties")
    free = {"key": rest} if isinstance(rest, dict) else {}
    return {**free, **schema.get("properties", {})}


def spoiled(schema: Schema, path: str = "") -> Iterator[Spoiled]:
    """Every wrong type, missing field, extra field and limit."""
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        yield from _spoiled_choices(choices, path)
        return
    if "type" not in schema:
        return
    yield OTHER_TYPES[schema["type"]], path
    match schema["type"]:
        case "string":
            yield from ((value, path) for value in _bad_texts(schema))
        case "integer" | "number":
            yield from ((value, path) for value in _bad_numbers(schema))
        case "array":
            yield from _spoiled_list(schema, path)
        case "object":
            yield from _spoiled_object(schema, path)


def _spoiled_choices(choices: list[Schema], path: str) -> Iterator[Spoiled]:
    """What is wrong with each choice; what would fit another one is not wrong at all."""
    kinds = {choice.get("type") for choice in choices}
    for choice in choices:
        for value, where in spoiled(choice, path):
            if not (where == path and _kind(value) in kinds):
                yield value, where


def _kind(value: Json) -> str:
    names = {str: "string", bool: "boolean", int: "integer", dict: "object", list: "array"}
    return names.get(type(value), "null")


def _bad_texts(schema: Schema) -> Iterator[str]:
    if "enum" in schema:
        yield "nonsense"
    if schema.get("format") == "uri":
        yield "no url"
    if "pattern" in schema:
        yield "2026-02-30T10:00:00Z"
    if schema.get("minLength"):
        yield "a" * (schema["minLength"] - 1)
    if "maxLength" in schema:
        yield (URL if schema.get("format") == "uri" else "").ljust(schema["maxLength"] + 1, "a")


def _bad_numbers(schema: Schema) -> Iterator[int]:
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1


def _spoiled_list(schema: Schema, path: str) -> Iterator[Spoiled]:
    items = schema["items"]
    if schema.get("minItems"):
        yield [], path
    if "maxItems" in schema:
        yield [fitting(items)] * (schema["maxItems"] + 1), path
    for value, where in spoiled(items, f"{path}[0]"):
        yield [value], where


def _spoiled_object(schema: Schema, path: str) -> Iterator[Spoiled]:
    whole = fitting(schema)
    for name in schema.get("required", ()):
        yield {key: value for key, value in whole.items() if key != name}, _below(path, name)
    if schema.get("additionalProperties") is False:
        yield {**whole, "unexpected": 1}, _below(path, "unexpected")
    for name in _bad_texts(schema.get("propertyNames", {})):
        yield {**whole, name: whole["key"]}, _below(path, name)
    for name, item in _fields(schema).items():
        for value, where in spoiled(item, _below(path, name)):
            yield {**whole, name: value}, where


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
