"""The structure of v0's spec, walked: what it declares, values that fit it, what a value uses of it.

Relies on the spec that the sandbox publishes and on jsonschema; knows nothing of the client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from chats.sandbox.spec import Revision, Spec

Json = Any
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """`answers` are the schemas by status, None for what is no JSON object of the spec's."""

    id: str
    method: str
    path: str
    body: Schema | None
    query: Mapping[str, Schema]
    required_query: frozenset[str]
    answers: Mapping[int, Schema] = field(repr=False)
    is_stream: bool = False

    @property
    def success(self) -> int:
        return min(self.answers)


@cache
def operations(revision: Revision = "ga") -> dict[str, Operation]:
    document = Spec(revision).document
    return {
        found["operationId"]: _operation(method.upper(), path, found, document)
        for path, methods in document["paths"].items()
        for method, found in methods.items()
    }


def _operation(method: str, path: str, found: Schema, document: Schema) -> Operation:
    content = found.get("requestBody", {}).get("content", {}).get("application/json", {})
    query = [item for item in found.get("parameters", ()) if item["in"] == "query"]
    success = found["responses"][min(found["responses"])]["content"]
    return Operation(
        id=found["operationId"],
        method=method,
        path=path,
        body=content.get("schema"),
        query={item["name"]: item["schema"] for item in query},
        required_query=frozenset(item["name"] for item in query if item.get("required")),
        answers={
            int(status): _inlined(next(iter(one["content"].values())).get("schema", {}), document)
            for status, one in found["responses"].items()
        },
        is_stream="text/event-stream" in success,
    )


def _inlined(schema: Schema, document: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


def variants(schema: Schema) -> list[Schema]:
    """What a value may be one of; empty for a schema that is one thing."""
    return [*schema.get("oneOf", ()), *schema.get("anyOf", ())]


def fits(schema: Schema, value: Json) -> bool:
    return bool(Draft202012Validator(schema).is_valid(value))


class Sampler:
    """Values that fit a schema. Every text and every number says where it stands, so that no two
    are alike and each can be found again."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def samples(self, schema: Schema, at: str = "$") -> list[Json]:
        """Together they hold each field, each variant and each word that the schema knows."""
        if "enum" in schema:
            return list(schema["enum"])
        match schema.get("type"):
            case None if variants(schema):
                each = enumerate(variants(schema))
                lists = [self.samples(one, f"{at}/{number}") for number, one in each]
                return [value for values in lists for value in values]
            case "object":
                return self._objects(schema, at)
            case "array":
                return [self.samples(schema["items"], f"{at}[]"), []]
            case "boolean":
                return [True, False]
            case "null":
                return [None]
            case "integer":
                return [self._number(at)]
            case "number":
                return [self._number(at) + 0.5]
            case "string":
                return [self._text(schema, at)]
            case _:
                return [{"anything": self._text({}, at)}]

    def _objects(self, schema: Schema, at: str) -> list[Json]:
        by_name = {
            name: self.samples(inner, f"{at}.{name}")
            for name, inner in schema.get("properties", {}).items()
        }
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            by_name[f"key of {at}"] = self.samples(more, f"{at}.*")
        full = {name: values[0] for name, values in by_name.items()}
        found = [full]
        for name, values in by_name.items():
            found += [{**full, name: value} for value in values[1:]]
            if name not in schema.get("required", ()):
                found.append({key: value for key, value in full.items() if key != name})
        return found

    def _number(self, at: str) -> int:
        return self._numbers.setdefault(at, 10_001 + len(self._numbers))

    def _text(self, schema: Schema, at: str) -> str:
        number = self._number(at)
        if schema.get("format") == "date-time":
            return f"2026-08-22T10:11:12.{number}Z"
        name = re.sub(r"\W+", "-", at)
        return f"https://example.com/{name}" if schema.get("format") == "uri" else f"<{at}>"


def leaves(value: Json) -> Iterator[Json]:
    """The texts and numbers in `value`, and the keys of what is a map, but no discriminators."""
    match value:
        case dict():
            for key, item in value.items():
                if key.startswith("key of"):
                    yield key
                if key != "object":
                    yield from leaves(item)
        case list():
            for item in value:
                yield from leaves(item)
        case bool() | None:
            pass
        case _:
            yield value


def everything(schema: Schema, at: str = "") -> set[str]:
    """A name for each field, each variant and each word of a schema."""
    if "enum" in schema:
        return {f"{at}={word}" for word in schema["enum"]}
    names = {at}
    for number, one in enumerate(variants(schema)):
        names |= everything(one, f"{at}/{number}")
    for name, inner in schema.get("properties", {}).items():
        names |= everything(inner, f"{at}.{name}")
    if "items" in schema:
        names |= everything(schema["items"], f"{at}[]")
    if isinstance(schema.get("additionalProperties"), Mapping):
        names |= everything(schema["additionalProperties"], f"{at}.*")
    return names


def used(schema: Schema, value: Json, at: str = "") -> set[str]:
    """The names out of `everything` that a value which fits makes use of."""
    if "enum" in schema:
        return {f"{at}={value}"}
    names = {at}
    for number, variant in enumerate(variants(schema)):
        if fits(variant, value):
            names |= used(variant, value, f"{at}/{number}")
    if isinstance(value, dict):
        for place, inner, item in _fields(schema, value, at):
            names |= used(inner, item, place)
    if isinstance(value, list):
        for item in value:
            names |= used(schema.get("items", {}), item, f"{at}[]")
    return names


def _fields(
    schema: Schema, value: Mapping[str, Json], at: str
) -> Iterator[tuple[str, Schema, Json]]:
    properties, more = schema.get("properties", {}), schema.get("additionalProperties")
    for name, item in value.items():
        if name in properties:
            yield f"{at}.{name}", properties[name], item
        elif isinstance(more, Mapping):
            yield f"{at}.*", more, item


def words(schema: Schema) -> Iterator[frozenset[str]]:
    """The enums of a schema; those of one word tell variants apart."""
    if "enum" in schema:
        yield frozenset(schema["enum"])
    inner = [
        *schema.get("properties", {}).values(),
        *(schema[name] for name in ("items", "additionalProperties") if name in schema),
        *variants(schema),
    ]
    for one in inner:
        if isinstance(one, Mapping):
            yield from words(one)
