"""Every answer of v0's spec is understood: each field, each variant, each word and each status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

import pytest

from chats.v0api import (
    errors,
    files,
    mcp_servers,
    pending,
    requests,
    tasks,
    types,
    usage,
    vercel,
    webhooks,
)
from chats.v0api.pending import connect_outcome, pending_task
from chats.v0api.types import AgentActionPart, Message, ToolCallPart, UnknownPart, part_from_wire
from tests.v0api.exchange import accepts, exchanging
from tests.v0api.operations import LEAST, ZIP
from tests.v0api.spec import Operation, Sampler, leaves, operations, words
from tests.v0api.wire_server import answer

pytestmark = pytest.mark.anyio

Json = Any

# Of these only the success counts.
SAID = {"chats.delete", "messages.stop", "mcpServers.delete", "webhooks.delete"}

# v0's spec does not say which data belongs to which action.
NAME_OF = {
    "questions": "ask_user_questions",
    "plan": "exit_plan_mode",
    "requestedIntegrations": "get_or_request_integration",
    "status": "configure_vercel_connect",
}

# What is kept as JSON beside what is typed of it.
KEPT = {"wire", "raw", "clean", "parts", "suggested_permissions"}


def typed(value: Any) -> Any:
    """`value` as plain lists and dicts of what is typed in it, without what is kept as JSON."""
    match value:
        case Message():
            parts = [typed(part_from_wire(part)) for part in value.parts]
            return {**of_fields(value), "parts": parts}
        case ToolCallPart():
            return {**of_fields(value), "pending": typed(pending_task([value]))}
        case AgentActionPart():
            asked, done = typed(pending_task([value])), typed(connect_outcome(value))
            return {**of_fields(value), "data": {"pending": asked, "outcome": done}}
        case tuple() | list():
            return [typed(item) for item in value]
        case Mapping():
            return {key: typed(item) for key, item in value.items()}
        case _:
            return of_fields(value) if is_dataclass(value) else value


def of_fields(value: Any) -> dict[str, Any]:
    names = [one.name for one in fields(value) if one.name not in KEPT]
    return {"kind": type(value).__name__, **{name: typed(getattr(value, name)) for name in names}}


def values(found: Any) -> Iterator[Any]:
    """All texts and numbers in what `typed` gives, keys of maps included."""
    match found:
        case dict():
            yield from found
            for item in found.values():
                yield from values(item)
        case list():
            for item in found:
                yield from values(item)
        case bool():
            pass
        case int() | float() | Decimal():
            yield Decimal(str(found))
        case _:
            yield found


def unread(operation: Operation, sample: Json, found: Any) -> set[Any]:
    """What the sample says and the typed value does not, except by its kind."""
    said = {one if isinstance(one, str) else Decimal(str(one)) for one in leaves(sample)}
    kinds = {word for enum in answered_words(operation) if len(enum) == 1 for word in enum}
    return said - set(values(typed(found))) - kinds


def answered_words(operation: Operation) -> Iterator[frozenset[str]]:
    for schema in operation.answers.values():
        yield from words(schema)


def told(sample: Json) -> Json:
    """`sample` without what means the same as nothing."""
    if isinstance(sample, list):
        return [told(item) for item in sample]
    if isinstance(sample, dict):
        kept = {name: told(item) for name, item in sample.items()}
        return {name: item for name, item in kept.items() if item not in (None, False, [])}
    return sample


def variety(found: Json) -> list[int]:
    """For each list of objects in a value, how many different ones it holds."""
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else []
    counts = [count for item in inner for count in variety(item)]
    if isinstance(found, list) and found and isinstance(found[0], dict):
        counts.append(len({repr(item) for item in found}))
    return sorted(counts)


def named(value: Json) -> Json:
    """`value` with the name on each action that its data belongs to."""
    if isinstance(value, list):
        return [named(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "agent-action" and "data" in value:
        [name] = [NAME_OF[key] for key in NAME_OF if key in value["data"]]
        return {**value, "name": name}
    return {key: named(item) for key, item in value.items()}


def samples(operation: Operation) -> list[Json]:
    return [named(one) for one in Sampler().samples(operation.answers[operation.success])]


@pytest.mark.parametrize("operation_id", LEAST)
async def test_every_field_of_an_answer_is_typed_and_no_two_answers_read_alike(
    operation_id: str,
) -> None:
    operation = operations()[operation_id]
    seen: dict[str, str] = {}
    async with exchanging() as exchange:
        for sample in samples(operation):
            found = await exchange.call(LEAST[operation_id], accepts(operation, sample))
            [found] = found if operation.is_stream else [found]

            if operation_id in SAID:
                assert found is None
            elif operation_id == "chats.downloadFiles":
                assert found == ZIP
            else:
                assert not unread(operation, sample, found)
                assert variety(told(sample)) == variety(typed(found))
                assert seen.setdefault(repr(typed(found)), repr(told(sample))) == repr(told(sample))
            [request] = exchange.requests
            assert request.method == operation.method


def parts() -> list[Json]:
    """A part of every kind, whole, and again for each thing that may be otherwise in it."""
    [message] = Sampler().samples(operations()["messages.get"].answers[200])[:1]
    found: list[Json] = named(message["parts"])
    return found


def test_every_part_has_a_type_of_its_own() -> None:
    read = [part_from_wire(part) for part in parts()]

    assert len({type(part) for part in read}) == len({part["type"] for part in parts()}) == 8
    assert not any(isinstance(part, UnknownPart) for part in read)


def known_words() -> set[frozenset[str]]:
    """The lists of words that the client has."""
    modules = (types, requests, tasks, pending, files, vercel, mcp_servers, usage, webhooks)
    constants = (value for module in modules for value in vars(module).values())
    return {frozenset(value) for value in constants if isinstance(value, tuple) and value}


@pytest.mark.parametrize("operation_id", LEAST)
def test_every_choice_of_words_is_known(operation_id: str) -> None:
    operation = operations()[operation_id]
    schemas = [*operation.query.values(), operation.body or {}]
    asked = {enum for schema in schemas for enum in words(schema)}
    choices = {enum for enum in {*asked, *answered_words(operation)} if len(enum) > 1}

    assert choices <= known_words()


STATUSES = (401, 402, 403, 404, 409, 413, 422, 429, 500, 503)


@pytest.mark.parametrize("operation_id", LEAST)
async def test_every_status_of_every_operation_has_a_meaning_and_is_not_repeated(
    operation_id: str,
) -> None:
    operation = operations()[operation_id]
    declared = set(operation.answers) - {operation.success}
    assert declared <= set(STATUSES)
    async with exchanging() as exchange:
        for status in STATUSES:
            with pytest.raises(errors.V0Error) as caught:
                await exchange.call(LEAST[operation_id], answer(status, {"message": "because"}))

            assert type(caught.value) is type(errors.status_error(status, ""))
            assert type(caught.value) not in (errors.V0Error, errors.StatusError)
            assert (caught.value.status, caught.value.message) == (status, "because")
            assert len(exchange.requests) == 1


@pytest.mark.parametrize("operation_id", LEAST)
async def test_what_is_new_is_borne_and_kept(operation_id: str) -> None:
    operation = operations()[operation_id]
    if operation_id == "chats.downloadFiles":
        return
    sample = samples(operation)[0]
    async with exchanging() as exchange:
        found = await exchange.call(LEAST[operation_id], accepts(operation, widened(sample)))

    for value in values_with_wire(found):
        assert value.wire["brandNew"] == {"a": 1}


def widened(value: Json) -> Json:
    """`value` with a field in each of its objects that nobody knows."""
    if isinstance(value, list):
        return [widened(item) for item in value]
    if isinstance(value, dict):
        return {**{name: widened(item) for name, item in value.items()}, "brandNew": {"a": 1}}
    return value


def values_with_wire(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for item in value:
            yield from values_with_wire(item)
    elif is_dataclass(value):
        if isinstance(getattr(value, "wire", None), Mapping):
            yield value
        for one in fields(value):
            yield from values_with_wire(getattr(value, one.name))
