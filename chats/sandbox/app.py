"""The stand-in as an ASGI application: from a request to the function that answers it.

Owns the way of a request: what it is by the spec, the count of charged POSTs, faults, the bearer
check, and the check of its parameters and body. Relies on Starlette. It serves no operation that
the spec does not have, and counts a charged POST before anything can refuse it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chats.sandbox import wire
from chats.sandbox.answers import Refusal, refused
from chats.sandbox.breakage import MANNER, break_answer
from chats.sandbox.control import Control
from chats.sandbox.faults import Faults
from chats.sandbox.hooks import Hooks
from chats.sandbox.routes import ANSWERS, CHARGED
from chats.sandbox.schema import Schema
from chats.sandbox.sites import Sites, origin_of
from chats.sandbox.spec import Operation, Spec
from chats.sandbox.world import Asked, Call, Sandbox, World

Json = Any

PREFIX = "/v2"
LARGEST_BODY = 64 * 1024 * 1024

PUBLISHED = Operation("openapi", "GET", "/openapi/json", None)
"""The spec's own address, which is in no spec; faults may name it."""


def application(sandbox: Sandbox) -> ASGIApp:
    faults, hooks = Faults(), Hooks(sandbox.store.records)
    sandbox.store.on_news = hooks.hear

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sandbox.runs.revive()
        yield
        await sandbox.runs.stop_all()
        await hooks.stop()
        sandbox.store.close()

    inner = Starlette(
        routes=[
            *Control(sandbox, faults, hooks).routes(),
            *Sites(sandbox).routes(),
            Route(f"{PREFIX}{PUBLISHED.path}", _published(sandbox.spec), methods=["GET"]),
            *_operation_routes(sandbox),
        ],
        exception_handlers={Refusal: refused, 404: refused, 405: refused, Exception: refused},
        lifespan=lifespan,
    )
    return Gate(inner, sandbox, faults)


def _published(spec: Spec) -> Callable[[Request], Awaitable[Response]]:
    async def published(request: Request) -> Response:
        return Response(spec.text, media_type="application/json")

    return published


def _operation_routes(sandbox: Sandbox) -> list[Route]:
    """Fixed paths before those with names in them, so that `/stream` is nobody's id."""
    served = [item for item in sandbox.spec.operations.values() if item.id in ANSWERS]
    served.sort(key=lambda item: item.path.split("/")[-1].startswith("{"))
    return [
        Route(f"{PREFIX}{item.path}", _endpoint(sandbox, item), methods=[item.method])
        for item in served
    ]


def _endpoint(sandbox: Sandbox, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        world = World.of_header(request.headers.get("authorization"))
        if world is None:
            raise Refusal(401)
        query = operation.read_query(request.query_params.multi_items())
        if problem := operation.query_problem(query):
            raise Refusal(422, str(problem))
        body = await _body(request, operation.body) if operation.body else None
        if operation.id in CHARGED:
            asked = {"operation": operation.id, "path": request.url.path, "body": body}
            size = int(request.headers.get("content-length") or 0)
            sandbox.note(Asked(world.id, asked, size))
        if problem := operation.body_problem(body):
            raise Refusal(422, str(problem))
        call = Call(
            sandbox,
            world,
            request.path_params,
            query,
            body,
            origin=origin_of(request),
            manner=request.scope.get(MANNER, ""),
        )
        return await ANSWERS[operation.id](call)

    return endpoint


async def _body(request: Request, schema: Schema) -> Json:
    """No body at all is the one that the spec gives as the default, where it gives one."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/json"):
        raise Refusal(422, "body: must be application/json")
    data = await _read(request)
    if not data and "default" in schema:
        return schema["default"]
    if not kind:
        raise Refusal(422, "body: must be application/json")
    try:
        return wire.loads(data)
    except (ValueError, RecursionError) as problem:
        raise Refusal(422, "body: is not JSON") from problem


async def _read(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST_BODY:
            raise Refusal(413)
    return bytes(data)


class Gate:
    """Before any route: counts charged POSTs, and lets a fault have its request."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox, faults: Faults) -> None:
        self.app, self.sandbox, self.faults = app, sandbox, faults
        operations = [*sandbox.spec.operations.values(), PUBLISHED]
        self.operations = [
            (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", PREFIX + item.path)), item)
            for item in sorted(operations, key=lambda item: "{" in item.path)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation, names = self._operation(scope)
        if operation is None:
            await self.app(scope, receive, send)
            return
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        world = World.of_header(header)
        if world is not None and operation.id in CHARGED:
            self._count(world, names)
        rule = self.faults.choose(operation, scope["path"], world)
        if rule is None:
            await self.app(scope, receive, send)
        else:
            await break_answer(rule, self.app, scope, receive, send)

    def _operation(self, scope: Scope) -> tuple[Operation | None, dict[str, str]]:
        if scope["type"] != "http":
            return None, {}
        for pattern, operation in self.operations:
            found = pattern.fullmatch(scope["path"])
            if found and operation.method == scope["method"]:
                return operation, found.groupdict()
        return None, {}

    def _count(self, world: World, names: dict[str, str]) -> None:
        """Under its chat; a create has none yet and takes its count along once it has one."""
        store, chat_id = self.sandbox.store, names.get("chatId", "")
        known = bool(chat_id) and store.chat(world.id, chat_id) is not None
        store.books.count(world.id, chat_id if known else "", "posts")
