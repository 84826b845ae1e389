"""Whatever is wrong with a body or a parameter, in every operation: 422, and the field is named.

The requests are made from the published spec: each wrong type, missing field, extra field and limit.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chats.sandbox.spec import Operation, Spec
from tests.sandbox.asking import Client
from tests.sandbox.spoiling import Spoiled, fitting, spoiled

Json = Any

OPERATIONS = Spec("ga").operations.values()
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]
WITH_QUERY = [operation for operation in OPERATIONS if operation.query]


def address(operation: Operation) -> str:
    """Of nothing that is there: what is wrong with a request is said first."""
    return re.sub(r"\{\w+\}", "nobody", operation.path)


def bad_bodies(operation: Operation) -> list[Spoiled]:
    assert operation.body is not None
    return list(spoiled(operation.body))


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
def test_every_body_that_does_not_fit_is_refused_by_the_name_of_the_field(
    client: Client, operation: Operation
) -> None:
    bad = bad_bodies(operation)
    assert len(bad) >= 4
    for body, field in bad:
        answer = client.http.request(operation.method, address(operation), json=body)
        told = answer.json()["message"].partition(": ")[0]
        assert (answer.status_code, told) == (422, field or "body"), body
    assert client.ledger()["credits"] == "0"
    assert client.get("/chats").json()["chats"] == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
def test_what_is_spoiled_here_does_not_fit_and_the_rest_does(operation: Operation) -> None:
    assert operation.body is not None
    judge = Draft202012Validator(operation.body)
    judge.validate(fitting(operation.body))
    assert operation.body_problem(fitting(operation.body)) is None
    formats = {"no url"}
    for body, field in bad_bodies(operation):
        assert not judge.is_valid(body) or formats & set(map(str, _leaves(body))), field


def _leaves(value: Json) -> list[Json]:
    match value:
        case dict():
            return [leaf for item in value.values() for leaf in _leaves(item)]
        case list():
            return [leaf for item in value for leaf in _leaves(item)]
        case _:
            return [value]


@pytest.mark.parametrize("operation", WITH_QUERY, ids=lambda operation: operation.id)
def test_every_parameter_that_does_not_fit_is_refused_by_its_name(
    client: Client, operation: Operation
) -> None:
    for name, schema in operation.query.items():
        for value, _ in spoiled(schema, name):
            if isinstance(value, str) or (isinstance(value, int) and schema["type"] != "string"):
                params = {**_required(operation), name: str(value)}
                assert refused(client, operation, params) == (422, name), value
    assert refused(client, operation, {"unexpected": "1"}) == (422, "unexpected")
    for name in operation.required:
        assert refused(client, operation, {}) == (422, name)


def _required(operation: Operation) -> dict[str, str]:
    return {name: fitting(operation.query[name]) for name in operation.required}


def refused(client: Client, operation: Operation, params: dict[str, str]) -> tuple[int, str]:
    answer = client.http.request(operation.method, address(operation), params=params)
    return answer.status_code, answer.json()["message"].partition(": ")[0]


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
def test_a_body_that_is_no_json_is_refused(client: Client, operation: Operation) -> None:
    headers = {"content-type": "application/json"}
    answer = client.http.request(
        operation.method, address(operation), content=b'{"a": 1', headers=headers
    )
    assert (answer.status_code, answer.json()) == (422, {"message": "body: is not JSON"})
    answer = client.http.request(operation.method, address(operation), data={"a": "1"})
    assert answer.json() == {"message": "body: must be application/json"}
