"""Which of its two revisions v0 speaks, told by the spec that it publishes.

Owns reading that spec, as far as this question goes. Relies on nothing, asks nobody.
"""

from __future__ import annotations

from chats.v0api.requests import Revision
from chats.v0api.types import Json


def revision_of(spec: Json) -> Revision | None:
    """The revision whose spec this is; None when it does not say how to create a chat."""
    properties = _properties(spec)
    if properties is None:
        return None
    return "ga" if "skills" in properties else "reference"


def _properties(spec: Json) -> dict[str, Json] | None:
    path = ("paths", "/chats/stream", "post", "requestBody", "content", "application/json")
    schema = _at(spec, *path, "schema")
    reference = _at(schema, "$ref")
    if isinstance(reference, str):
        schema = _at(spec, *reference.removeprefix("#/").split("/"))
    found = _at(schema, "properties")
    return found if isinstance(found, dict) else None


def _at(value: Json, *keys: str) -> Json:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
