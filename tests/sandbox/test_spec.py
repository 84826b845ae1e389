"""The spec that is published is the one that is followed, in both revisions and without prose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chats.sandbox import strip_spec
from chats.sandbox.schema import problem
from chats.sandbox.spec import CREATES, FILE, SENDS, Revision, Spec
from tests.sandbox.asking import Client
from tests.sandbox_server import running_sandbox

Json = Any


def strings(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def test_stripping_takes_prose_and_keeps_names_that_look_like_it() -> None:
    document = {
        "info": {"title": "An API", "description": "Prose."},
        "paths": {"/summary": {"get": {"summary": "Prose.", "tags": ["Prose"], "x-y": 1}}},
        "components": {
            "schemas": {
                "description": {
                    "description": "Prose.",
                    "type": "object",
                    "properties": {
                        "summary": {"type": "string", "description": "Prose.", "example": "prose"},
                        "properties": {"type": "object", "description": "Prose."},
                    },
                    "required": ["summary"],
                }
            }
        },
    }
    assert strip_spec.stripped(document) == {
        "info": {"title": "An API"},
        "paths": {"/summary": {"get": {}}},
        "components": {
            "schemas": {
                "description": {
                    "type": "object",
                    "properties": {"summary": {"type": "string"}, "properties": {"type": "object"}},
                    "required": ["summary"],
                }
            }
        },
    }


def test_the_kept_file_has_no_prose_and_stripping_it_again_changes_nothing(tmp_path: Path) -> None:
    document = json.loads(FILE.read_text("utf-8"))
    assert strip_spec.main([str(FILE), str(tmp_path / "again.json")]) == 0
    assert (tmp_path / "again.json").read_bytes() == FILE.read_bytes()
    sentences = [text for text in strings(document) if ". " in text or len(text.split()) > 3]
    assert sentences == []


@pytest.mark.parametrize("revision", ["ga", "reference"])
def test_the_published_spec_is_the_one_that_is_followed(tmp_path: Path, revision: Revision) -> None:
    with (
        running_sandbox(tmp_path / "s.sqlite3", revision=revision) as sandbox,
        Client(sandbox) as client,
    ):
        published = client.get("/openapi/json").json()
        body = published["paths"]["/chats/stream"]["post"]["requestBody"]
        fields = body["content"]["application/json"]["schema"]["properties"]
        assert ("skills" in fields) == (revision == "ga")
        skills: Json = {"skills": [{"type": "remote", "id": "a"}]}
        older = {"skillIds": ["a"], "type": "prompt"}
        auto = {"modelConfiguration": {"modelId": "v0-auto", "imageGenerations": False}}
        accepted = skills if revision == "ga" else {**older, **auto}
        refused = older if revision == "ga" else {"type": "prompt", **skills}
        assert client.post("/chats/stream", {"message": "x", **refused}).status_code == 422
        stream = client.create("x", **accepted)
        action = {"action": {"type": "fix-with-v0"}}
        sent = client.post(f"/chats/{stream[0]['id']}/messages/stream", {"message": "x", **action})
        assert sent.status_code == (422 if revision == "ga" else 200)


def test_the_revisions_differ_in_requests_alone() -> None:
    ga, reference = Spec("ga"), Spec("reference")
    assert ga.operations.keys() == reference.operations.keys()
    assert ga.document["components"] == reference.document["components"]
    changed = {
        name for name, item in ga.operations.items() if item.body != reference.operations[name].body
    }
    assert changed >= {*CREATES, *SENDS}
    for name in changed:
        fields = reference.operations[name].body
        assert fields is not None
        assert "skills" not in fields["properties"]


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "integer"}, True, "body: must be of type integer"),
        ({"type": "integer", "minimum": 3}, 2, "body: must be at least 3"),
        ({"type": "string", "maxLength": 1}, "ab", "body: must have at most 1 character"),
        ({"type": "string", "pattern": "^a"}, "b", "body: has the wrong form"),
        ({"type": "array", "minItems": 1}, [], "body: must hold at least 1 item"),
        ({"anyOf": [{"type": "null"}, {"type": "string", "minLength": 2}]}, "a",
         "body: must have at least 2 characters"),
        ({"enum": ["a", "b"]}, "c", "body: must be one of a, b"),
    ],
)  # fmt: skip
def test_a_problem_says_what_would_be_right(schema: Json, value: Json, words: str) -> None:
    assert str(problem(schema, value)) == words


def test_what_fits_has_no_problem() -> None:
    schema = {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "number"}}]}
    assert problem(schema, None) is None
    assert problem(schema, [1, 2.5]) is None
