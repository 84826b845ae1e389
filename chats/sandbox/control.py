"""The sandbox's own routes, under `/_sandbox/`: the ledger, the faults, and edits made elsewhere.

Owns what tests and demos may ask of the stand-in and v0 has not. Relies on the parts. Only clients
on the loopback interface are answered. An edit elsewhere is what somebody does in v0's own pages:
nobody who uses the API asked for it, and no POST is counted.
"""

from __future__ import annotations

import ipaddress
import json
import sqlite3
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chats.sandbox import turns, wire
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.books import COUNTS, in_credits
from chats.sandbox.faults import Faults
from chats.sandbox.hooks import Hooks
from chats.sandbox.schema import Schema, problem
from chats.sandbox.sites import origin_of
from chats.sandbox.world import Sandbox, World

Json = Any
Wire = dict[str, Json]

EDIT: Schema = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "privacy": {
            "type": "string",
            "enum": ["public", "private", "team", "team-edit", "unlisted"],
        },
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        "writePermission": {"type": "boolean"},
        "older": {"type": "boolean"},
        "preview": {"type": "string", "enum": ["stopped", "expired"]},
    },
    "additionalProperties": False,
}
TYPED: Schema = {
    "type": "object",
    "properties": {
        "message": {"type": "string", "minLength": 1},
        "run": {"type": "boolean"},
        "before": {"type": "string"},
    },
    "required": ["message"],
    "additionalProperties": False,
}
REWRITTEN: Schema = {
    "type": "object",
    "properties": {"content": {"type": "string"}},
    "required": ["content"],
    "additionalProperties": False,
}
PLAN: Schema = {
    "type": "object",
    "properties": {"credits": {"type": "string", "pattern": r"^\d{1,9}(\.\d{1,12})?$"}},
    "required": ["credits"],
    "additionalProperties": False,
}
Endpoint = Callable[[Request], Awaitable[Response]]


class Control:
    def __init__(self, sandbox: Sandbox, faults: Faults, hooks: Hooks) -> None:
        self.sandbox, self.store = sandbox, sandbox.store
        self.faults, self.hooks = faults, hooks

    def routes(self) -> list[Route]:
        return [
            _route("/ledger", self.ledger, "GET"),
            _route("/faults", self.faults_route, "GET", "POST", "DELETE"),
            _route("/requests", self.requests, "GET"),
            _route("/plan", self.plan, "PUT"),
            _route("/deliveries", self.deliveries, "GET"),
            _route("/chats/{chatId}", self.edit, "PATCH"),
            _route("/chats/{chatId}", self.delete, "DELETE"),
            _route("/chats/{chatId}/messages", self.typed, "POST"),
            _route("/chats/{chatId}/messages/{messageId}", self.rewrite, "PATCH"),
            _route("/chats/{chatId}/messages/{messageId}", self.remove, "DELETE"),
        ]

    async def ledger(self, request: Request) -> Response:
        """Without a bearer key every world's; the sums are over the same rows."""
        world = World.of_header(request.headers.get("authorization"))
        rows = self.store.books.ledger(world.id if world else None)
        chats = {row["chat"]: _totals([row]) for row in rows if row["chat"]}
        return json_answer({**_totals(rows), "chats": chats})

    async def faults_route(self, request: Request) -> Response:
        match request.method:
            case "POST":
                return json_answer(self.faults.add(await _json(request)).to_wire(), 201)
            case "DELETE":
                self.faults.clear()
        return json_answer({"faults": [rule.to_wire() for rule in self.faults.rules]})

    async def plan(self, request: Request) -> Response:
        """How many credits of a month the plan of the key includes; the rest is on demand."""
        amount = Decimal((await _json(request, PLAN))["credits"])
        self.store.books.set_plan(_world(request).id, amount)
        return json_answer({"credits": format(amount, "f")})

    async def requests(self, request: Request) -> Response:
        """The last charged requests of the key as they came, oldest first, those refused included."""
        world = _world(request).id
        return json_answer(
            {"requests": [each.wire for each in self.sandbox.requests if each.world == world]}
        )

    async def deliveries(self, request: Request) -> Response:
        return json_answer({"deliveries": self.hooks.log(_world(request).id)})

    async def edit(self, request: Request) -> Response:
        world, chat = self._chat(request)
        wanted = await _json(request, EDIT)
        kept = {name: wanted[name] for name in wanted if name not in ("older", "preview")}
        if kept:
            chat = {**chat, **kept, "updatedAt": wire.now()}
            self.store.save_chat(world.id, chat, titled=True if "title" in kept else None)
        if "older" in wanted:
            self.store.make_older(chat["id"], older=wanted["older"])
        match wanted.get("preview"):
            case "stopped":
                self.sandbox.previews.stop(chat["id"])
            case "expired":
                self.sandbox.previews.expire(chat["id"])
        return json_answer(chat)

    async def delete(self, request: Request) -> Response:
        world, chat = self._chat(request)
        await self.sandbox.forget(world, chat["id"])
        return json_answer({"chatId": chat["id"]})

    async def typed(self, request: Request) -> Response:
        """A message of somebody else; its answer runs, or with `run` false is there at once.

        `before` is the message that both stand before; without it they are the newest.
        """
        world, chat = self._chat(request)
        wanted = await _json(request, TYPED)
        self._rests(chat)
        if "before" in wanted and self.store.message(chat["id"], wanted["before"]) is None:
            raise Refusal(422, "before: is not a message of this chat")
        run = turns.begin(
            self.sandbox.runs,
            world.id,
            chat,
            turns.Ask(world.colleague_id, wanted["message"], wanted["message"]),
            pace=self.sandbox.pace if wanted.get("run", True) else 0,
            site=origin_of(request),
        )
        if "before" in wanted:
            self.store.place_newest_turn(chat["id"], before=wanted["before"])
        self.store.save_chat(world.id, {**chat, "updatedAt": wire.now()})
        if not wanted.get("run", True):
            await run.over.wait()
        return json_answer({"messageId": run.message["id"]}, 201)

    async def rewrite(self, request: Request) -> Response:
        """A message says something else from now on: one text, whatever it was before."""
        world, chat, message = self._message(request)
        content = (await _json(request, REWRITTEN))["content"]
        parts = [{"type": "text", "text": content}]
        changed = {**message, "content": content, "parts": parts, "updatedAt": wire.now()}
        self.store.save_message(world.id, changed)
        self.store.save_chat(world.id, {**chat, "updatedAt": wire.now()})
        return json_answer(changed)

    async def remove(self, request: Request) -> Response:
        world, chat, message = self._message(request)
        self.store.delete_message(world.id, message)
        self.store.save_chat(world.id, {**chat, "updatedAt": wire.now()})
        return json_answer({"messageId": message["id"]})

    def _chat(self, request: Request) -> tuple[World, Wire]:
        found = self.store.chat_of_any_world(request.path_params["chatId"])
        if found is None:
            raise Refusal(404, "Chat not found")
        return World(found[0]), found[1]

    def _message(self, request: Request) -> tuple[World, Wire, Wire]:
        world, chat = self._chat(request)
        message = self.store.message(chat["id"], request.path_params["messageId"])
        if message is None:
            raise Refusal(404, "Message not found")
        self._rests(chat)
        return world, chat, message

    def _rests(self, chat: Wire) -> None:
        if self.sandbox.runs.of_chat(chat["id"]) is not None:
            raise Refusal(409, "A message is being generated in this chat")


def _route(path: str, endpoint: Endpoint, *methods: str) -> Route:
    async def local(request: Request) -> Response:
        _only_loopback(request)
        return await endpoint(request)

    return Route(f"/_sandbox{path}", local, methods=list(methods))


def _world(request: Request) -> World:
    world = World.of_header(request.headers.get("authorization"))
    if world is None:
        raise Refusal(401)
    return world


async def _json(request: Request, schema: Schema | None = None) -> Json:
    try:
        body = json.loads(await request.body())
    except ValueError as reason:
        raise Refusal(422, "body: is not JSON") from reason
    found = problem(schema or {}, body)
    if found is not None:
        raise Refusal(422, str(found))
    return body


def _totals(rows: list[sqlite3.Row]) -> dict[str, Json]:
    counts = {name: sum(row[name] for row in rows) for name in COUNTS}
    spent = in_credits(sum(row["picocredits"] for row in rows))
    return {**counts, "credits": format(spent, "f")}


def _only_loopback(request: Request) -> None:
    host = request.client.host if request.client else ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Refusal(403, "Only for clients on this machine")
