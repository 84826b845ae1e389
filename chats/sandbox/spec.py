"""The spec that the sandbox follows and publishes, in either of its two revisions.

Owns the data file `openapi.json`, the one task that came after it, and the patch that turns it into
the older `reference` revision. Relies on `schema` and `wire`. It never loosens a schema: what a route accepts is what its spec says.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from chats.sandbox.schema import Problem, Schema, is_type, problem
from chats.sandbox.wire import dumps

Json = Any
Revision = Literal["ga", "reference"]
REVISIONS: tuple[Revision, ...] = ("ga", "reference")

FILE = Path(__file__).with_name("openapi.json")
CREATES = ("chats.create", "chats.createStream", "chats.createAsync")
RESOLVES = ("messages.resolve", "messages.resolveStream", "messages.resolveAsync")
SENDS = ("messages.send", "messages.sendStream", "messages.sendAsync")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the spec. `path` is relative to `/v2`, with `{names}`."""

    id: str
    method: str
    path: str
    body: Schema | None
    query: Mapping[str, Schema] = field(default_factory=dict)
    required: frozenset[str] = frozenset()

    def body_problem(self, body: Json) -> Problem | None:
        return problem(self.body, body) if self.body is not None else None

    def query_problem(self, query: Mapping[str, Json]) -> Problem | None:
        for name, value in query.items():
            if name not in self.query:
                return Problem(name, "is not a known parameter")
            found = problem(self.query[name], value, name)
            if found is not None:
                return found
        missing = sorted(self.required - query.keys())
        return Problem(missing[0], "is required") if missing else None

    def read_query(self, pairs: list[tuple[str, str]]) -> dict[str, Json]:
        """Parameters with the types of the spec: `limit=5` and `metadata[k]=v` (deepObject)."""
        values: dict[str, Json] = {}
        for key, text in pairs:
            name, bracket, inner = key.partition("[")
            if bracket and inner.endswith("]"):
                values.setdefault(name, {})[inner[:-1]] = text
            else:
                values[key] = _typed(self.query.get(key, {}), text)
        return values


def _typed(schema: Schema, text: str) -> Json:
    if schema.get("type") != "integer":
        return text
    try:
        number = json.loads(text)
    except ValueError:
        return text
    return number if is_type("integer", number) else text


class Spec:
    """`document` is what `/openapi/json` answers; `operations` is the same by operation id."""

    def __init__(self, revision: Revision = "ga") -> None:
        self.revision = revision
        self.document: dict[str, Json] = json.loads(FILE.read_text("utf-8"))
        _add_authorization(self.document)
        if revision == "reference":
            _make_reference(self.document)
        self.operations = {item.id: item for item in _operations(self.document)}

    @cached_property
    def text(self) -> str:
        """The document as it is published."""
        return dumps(self.document)


@cache
def spec_of(revision: Revision) -> Spec:
    """The one of this process, which nobody changes."""
    return Spec(revision)


def _operations(document: dict[str, Json]) -> list[Operation]:
    return [
        _operation(method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _operation(method: str, path: str, operation: dict[str, Json]) -> Operation:
    """A parameter that the spec gives a default may be left out, whatever else it says."""
    query = [item for item in operation.get("parameters", ()) if item["in"] == "query"]
    required = [item for item in query if item.get("required") and "default" not in item["schema"]]
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        body=_body_schema(operation),
        query={item["name"]: item["schema"] for item in query},
        required=frozenset(item["name"] for item in required),
    )


def _body_schema(operation: dict[str, Json]) -> Schema | None:
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return schema if isinstance(schema, dict) else None


def _add_authorization(document: dict[str, Json]) -> None:
    """A sixth task and what asks for it, which v0 documents in prose and not in its spec yet."""
    for operation in (item for methods in document["paths"].values() for item in methods.values()):
        if operation["operationId"] in RESOLVES:
            for content in operation["requestBody"]["content"].values():
                _extend(content["schema"]["properties"]["task"], "oneOf", AUTHORIZED)
    _offer_authorization(document)


def _offer_authorization(value: Json) -> None:
    """Beside every `setup-required`, wherever a message is described."""
    for item in value.values() if isinstance(value, dict) else value:
        if not isinstance(item, dict | list):
            continue
        _offer_authorization(item)
        if isinstance(item, dict):
            setups = [choice for choice in item.get("oneOf", ()) if _is_setup(choice)]
            for choice in setups:
                _extend(item, "oneOf", _as_authorization(choice))


def _extend(schema: Schema, word: str, choice: Schema) -> None:
    """A new list: parts of the document may be one object."""
    schema[word] = [*schema[word], choice]


def _is_setup(schema: Schema) -> bool:
    status = schema.get("properties", {}).get("status", {})
    return bool(status.get("enum") == ["setup-required"])


def _as_authorization(setup: Schema) -> Schema:
    schema = copy.deepcopy(setup)
    fields = schema["properties"]
    fields["status"]["enum"] = ["authorization-required"]
    fields["authorizationUrl"] = fields.pop("setupUrl")
    schema["required"] = [
        "authorizationUrl" if name == "setupUrl" else name for name in schema["required"]
    ]
    return schema


def _make_reference(document: dict[str, Json]) -> None:
    """v2 as first published: skill ids, `v0-auto`, an action on send, a type on create."""
    for methods in document["paths"].values():
        for operation in methods.values():
            contents = operation.get("requestBody", {}).get("content", {}).values()
            for schema in (content["schema"] for content in contents):
                _add_auto(schema)
                if operation["operationId"] in CREATES + SENDS:
                    _use_skill_ids(schema)
                if operation["operationId"] in CREATES:
                    _require(schema, "type", {"type": "string", "enum": ["prompt"]})
                if operation["operationId"] in SENDS:
                    schema["properties"]["action"] = copy.deepcopy(ACTION)


AUTHORIZED: Schema = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": ["vercel-connect-authorization"]}},
    "required": ["type"],
    "additionalProperties": False,
}
ACTION: Schema = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": ["fix-with-v0"]}},
    "required": ["type"],
    "additionalProperties": False,
}


def _add_auto(schema: Schema) -> None:
    model = schema.get("properties", {}).get("modelConfiguration", {}).get("properties", {})
    if "modelId" in model:
        model["modelId"]["enum"].insert(0, "v0-auto")


def _use_skill_ids(schema: Schema) -> None:
    del schema["properties"]["skills"]
    ids = {"maxItems": 3, "type": "array", "items": {"type": "string"}}
    schema["properties"]["skillIds"] = ids


def _require(schema: Schema, name: str, value: Schema) -> None:
    schema["properties"][name] = value
    schema["required"] = [*schema.get("required", ()), name]
