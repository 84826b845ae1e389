"""Every operation of v0's spec can be asked for, in every word that it knows and in no other."""

from __future__ import annotations

import json
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import pytest

from chats.v0api.requests import Revision
from tests.v0api.exchange import KEY, accepted, exchanging
from tests.v0api.operations import CHARGED, LEAST, MOST, REPEATED, calls
from tests.v0api.spec import Operation, everything, fits, operations, used
from tests.v0api.wire_server import Request

pytestmark = pytest.mark.anyio

IDS = {
    "{chatId}": "chat%2F1",
    "{messageId}": "message%2F1",
    "{mcpServerId}": "server%2F1",
    "{hookId}": "hook%2F1",
}


def test_every_operation_of_the_spec_can_be_called() -> None:
    assert set(LEAST) == set(operations())
    assert set(MOST) | CHARGED | REPEATED <= set(LEAST)
    assert not CHARGED & REPEATED
    assert len(LEAST) == 44


async def test_every_operation_goes_to_its_place_with_the_key() -> None:
    async with exchanging() as exchange:
        for operation in operations().values():
            await exchange.call(LEAST[operation.id], accepted(operation))

            [request] = exchange.requests
            path = operation.path
            for name, id in IDS.items():
                path = path.replace(name, id)
            assert (request.method, request.path.partition("?")[0]) == (
                operation.method,
                f"/v2{path}",
            )
            assert request.headers["authorization"] == f"Bearer {KEY}"


def query(operation: Operation, request: Request) -> dict[str, Any]:
    """The parameters with the types that the spec gives them."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(urlsplit(request.path).query, keep_blank_values=True):
        outer, bracket, inner = name.partition("[")
        if bracket:
            found.setdefault(outer, {})[inner.removesuffix("]")] = value
        elif operation.query.get(name, {}).get("type") == "integer":
            found[name] = int(value)
        else:
            found[name] = value
    return found


def assert_allowed(operation: Operation, request: Request) -> None:
    """The body fits its schema, and so does each parameter; none is missing."""
    body = json.loads(request.body) if request.body else None
    assert (body is None) == (operation.body is None)
    if operation.body is not None:
        assert fits(operation.body, body), body
    given = query(operation, request)
    assert operation.required_query <= set(given)
    for name, value in given.items():
        assert name in operation.query
        assert fits(operation.query[name], value), (name, value)


@pytest.mark.parametrize("revision", get_args(Revision))
@pytest.mark.parametrize("operation_id", LEAST)
async def test_everything_that_an_operation_takes_can_be_said(
    operation_id: str, revision: Revision
) -> None:
    operation = operations(revision)[operation_id]
    said: set[str] = set()
    parameters: set[str] = set()
    async with exchanging(revision=revision) as exchange:
        for call in calls(operation_id, revision):
            await exchange.call(call, accepted(operation))

            [request] = exchange.requests
            assert_allowed(operation, request)
            parameters |= set(query(operation, request))
            if operation.body is not None:
                said |= used(operation.body, request.json)

    assert parameters == set(operation.query)
    assert said == (everything(operation.body) if operation.body is not None else set())
