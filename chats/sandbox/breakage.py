"""Carries a fault out: on the answer as a whole, on its bytes, or on its frames.

Owns everything that is wrong on purpose. Relies on `connections` for the sockets and on `rates` for how
no usage looks, and works on ASGI messages, so that the routes know nothing of it. One body message of a stream is one frame.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chats.sandbox import answers, connections, rates, wire
from chats.sandbox.faults import Rule

Json = Any

MANNER = "chats.sandbox.manner"
"""Where a request's scope says what a route is to do otherwise: a kind of fault, by name."""
BITE = 0.05
"""Seconds between two pieces of a slow answer."""
STREAM = b"text/event-stream"
ODD = "an amount that cannot be"


class Cut(Exception):
    """The answer ends here, whatever the application still has to say."""


async def break_answer(
    rule: Rule, app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Runs `app` for this request, as far as `rule` lets it."""
    kind = "hang" if rule.kind == "stall" and rule.bytes is None else rule.kind
    with contextlib.suppress(Cut):
        match kind:
            case "status" | "redirect":
                await _commit(rule, app, scope, receive)
                await _instead(rule)(scope, receive, send)
            case "hang" if rule.when == "after":
                await app(scope, receive, _silent_first(rule, receive, send))
            case "hang":
                come = await _be_silent(rule, receive)
                await app(scope, _first(come, receive), send)
            case "reset" | "close" if rule.bytes is None:
                await _commit(rule, app, scope, receive)
                await _end(rule, scope, receive, send)
            case "reset" | "close" | "stall":
                await app(scope, receive, _cut_after(rule, scope, receive, send))
            case "only-chat" | "replay" | "starting" | "other-privacy":
                await app({**scope, MANNER: kind}, receive, send)
            case _:
                await app(scope, receive, _FRAME_FAULTS[kind](rule, send))


async def _commit(rule: Rule, app: ASGIApp, scope: Scope, receive: Receive) -> None:
    """With `when: after`, lets the request have its effect and throws the answer away."""
    if rule.when != "after":
        return
    started = asyncio.Event()

    async def swallow(message: Message) -> None:
        started.set()
        await asyncio.Event().wait()

    answer = asyncio.create_task(_run(app, scope, receive, swallow))
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait((answer, waiting), return_when=asyncio.FIRST_COMPLETED)
    for task in (answer, waiting):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def _instead(rule: Rule) -> ASGIApp:
    if rule.kind == "redirect":
        return answers.error(307, "Moved", {"location": rule.location})
    headers = {"retry-after": str(rule.retry_after)} if rule.retry_after != "" else None
    return answers.error(rule.status, rule.message, headers)


async def _be_silent(rule: Rule, receive: Receive) -> list[Message]:
    """Until `seconds` have passed; for good when there are none: until the client has left. What has
    come of the request meanwhile."""
    come: list[Message] = []
    try:
        async with asyncio.timeout(rule.seconds):
            while not come or come[-1]["type"] != "http.disconnect":
                come.append(await receive())
    except TimeoutError:
        return come
    raise Cut


def _first(come: list[Message], receive: Receive) -> Receive:
    """`receive` that gives once more what has come already."""

    async def receiving() -> Message:
        return come.pop(0) if come else await receive()

    return receiving


def _silent_first(rule: Rule, receive: Receive, send: Send) -> Send:
    async def late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await _be_silent(rule, receive)
        await send(message)

    return late


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
    transport = connections.transport_of(scope)
    match rule.kind:
        case "stall":
            await _be_silent(rule, receive)
            return
        case "close" if rule.complete:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            raise Cut
        case "close":
            transport.close()
        case "reset":
            connections.reset(transport)
    await _client_left(receive)
    raise Cut


def _cut_after(rule: Rule, scope: Scope, receive: Receive, send: Send) -> Send:
    """Passes `bytes` bytes of the body on and sees them leave, then ends as `rule` says."""
    left, ended = rule.bytes or 0, False
    connections.transport_of(scope).set_write_buffer_limits(high=0)

    async def counting(message: Message) -> None:
        nonlocal left, ended
        body = message.get("body", b"")
        if ended or (message["type"] == "http.response.start" and left):
            await send(message)
            return
        if len(body) < left:
            left -= len(body)
            await send(message)
            return
        if message["type"] == "http.response.start":
            await send(message)
        elif left:
            await send({**message, "body": body[:left], "more_body": True})
        ended = True
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await _end(rule, scope, receive, send)
        await send({**message, "body": body[left:]})

    return counting


Wrapper = Callable[[Rule, Send], Send]


def _slow(rule: Rule, send: Send) -> Send:
    size = max(1, int(rule.rate * BITE))

    async def trickling(message: Message) -> None:
        body = message.get("body", b"")
        for at in range(0, len(body), size):
            more = at + size < len(body) or message.get("more_body", False)
            await send({**message, "body": body[at : at + size], "more_body": more})
            await asyncio.sleep(BITE)
        if not body:
            await send(message)

    return trickling


def _retyped(rule: Rule, send: Send) -> Send:
    async def retyping(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if pair[0].lower() != b"content-type"]
            kept.append((b"content-type", rule.content_type.encode()))
            message = {**message, "headers": kept}
        await send(message)

    return retyping


def _whole(edit: Callable[[Rule, Json], str]) -> Wrapper:
    """Holds the answer back as a whole; what `edit` makes of its JSON is sent in its place."""

    def wrapper(rule: Rule, send: Send) -> Send:
        head: Message = {}
        body = b""

        async def holding(message: Message) -> None:
            nonlocal head, body
            if message["type"] == "http.response.start":
                head = message
                return
            body += message.get("body", b"")
            if message.get("more_body", False):
                return
            edited = edit(rule, wire.loads(body)).encode()
            kept = [pair for pair in head["headers"] if pair[0].lower() != b"content-length"]
            kept.append((b"content-length", str(len(edited)).encode()))
            await send({**head, "headers": kept})
            await send({**message, "body": edited})

        return holding

    return wrapper


def _without_newest(rule: Rule, answer: Json) -> str:
    shorter = {
        name: value[rule.newest :] if isinstance(value, list) else value
        for name, value in answer.items()
    }
    return wire.dumps(shorter)


Edit = Callable[[Rule, int, bytes], bytes]


def _frames(edit: Edit) -> Wrapper:
    """Gives `edit` every frame with its number; what it returns is sent in its place."""

    def wrapper(rule: Rule, send: Send) -> Send:
        number = 0

        async def editing(message: Message) -> None:
            nonlocal number
            body = message.get("body", b"")
            if not body.startswith(b"data: "):
                await send(message)
                return
            edited = edit(rule, number, body)
            number += 1
            if edited:
                await send({**message, "body": edited})

        return editing

    return wrapper


def _event(frame: bytes) -> dict[str, Json]:
    event: dict[str, Json] = wire.loads(frame.removeprefix(b"data: "))
    return event


def _malformed(rule: Rule, number: int, frame: bytes) -> bytes:
    return rule.text.encode() + frame if number == rule.frame else frame


def _unknown_object(rule: Rule, number: int, frame: bytes) -> bytes:
    event = {"object": "message.mood", "id": _event(frame).get("id", ""), "mood": "curious"}
    return wire.frame(event) + frame if number == rule.frame else frame


def _wrong_delta(rule: Rule, number: int, frame: bytes) -> bytes:
    if number != rule.frame:
        return frame
    delta = {"999": {"text": ["a", "b"]}, "_t": "a"} if rule.delta is None else rule.delta
    chunk = {"object": "message.parts.chunk", "id": _event(frame).get("id", ""), "delta": delta}
    return wire.frame(chunk) + frame


def _lost_delta(rule: Rule, number: int, frame: bytes) -> bytes:
    return b"" if number == rule.frame else frame


def _no_usage(rule: Rule, number: int, frame: bytes) -> bytes:
    return b"" if _event(frame)["object"] == "message.usage" else frame


def _wherever(edit: Callable[[Rule, Json], str]) -> Wrapper:
    """Gives `edit` each event of a stream, or the whole of any other answer."""

    def of_frame(rule: Rule, number: int, frame: bytes) -> bytes:
        return f"data: {edit(rule, _event(frame))}\n\n".encode()

    def wrapper(rule: Rule, send: Send) -> Send:
        by_frame, as_whole = _frames(of_frame)(rule, send), _whole(edit)(rule, send)
        chosen = as_whole

        async def editing(message: Message) -> None:
            nonlocal chosen
            if message["type"] == "http.response.start":
                is_stream = any(value.startswith(STREAM) for _, value in message["headers"])
                chosen = by_frame if is_stream else as_whole
            await chosen(message)

        return editing

    return wrapper


def _late_usage(rule: Rule, value: Json) -> str:
    return wire.dumps(_replaced(value, ("usage",), lambda usage: rates.NO_USAGE))


def _odd_usage(rule: Rule, value: Json) -> str:
    def odd(amounts: Json) -> Json:
        if not isinstance(amounts, dict):
            return amounts
        return dict.fromkeys(amounts, ODD) if rule.amount else {}

    text = wire.dumps(_replaced(value, ("tokens", "creditsCost", "credits"), odd))
    return text.replace(wire.dumps(ODD), rule.amount)


def _replaced(value: Json, names: tuple[str, ...], by: Callable[[Json], Json]) -> Json:
    match value:
        case dict():
            return {
                name: by(item) if name in names else _replaced(item, names, by)
                for name, item in value.items()
            }
        case list():
            return [_replaced(item, names, by) for item in value]
        case _:
            return value


def _duplicate_usage(rule: Rule, value: Json) -> str:
    """A frame of usage three times, and each event of a bill twice."""
    text = wire.dumps(value)
    if value.get("object") == "message.usage":
        return f"{text}\n\ndata: {text}\n\ndata: {text}"
    return wire.dumps({**value, "data": value["data"] * 2}) if "data" in value else text


def _is_closing(number: int, frame: bytes) -> bool:
    return number > 0 and _event(frame)["object"] in ("chat", "message")


def _no_closing(rule: Rule, number: int, frame: bytes) -> bytes:
    return b"" if _is_closing(number, frame) else frame


def _different_closing(rule: Rule, number: int, frame: bytes) -> bytes:
    if not _is_closing(number, frame):
        return frame
    event = _event(frame)
    if event["object"] == "chat":
        return wire.frame({**event, "title": event.get("title", "") + " (amended)"})
    amended = [{"type": "text", "text": "Amended at the end."}]
    return wire.frame({**event, "parts": [*event["parts"], *amended]})


_FRAME_FAULTS: dict[str, Wrapper] = {
    "slow": _slow,
    "lag": _whole(_without_newest),
    "wrong-content-type": _retyped,
    "malformed": _frames(_malformed),
    "unknown-object": _frames(_unknown_object),
    "wrong-delta": _frames(_wrong_delta),
    "lost-delta": _frames(_lost_delta),
    "no-usage": _frames(_no_usage),
    "late-usage": _wherever(_late_usage),
    "duplicate-usage": _wherever(_duplicate_usage),
    "odd-usage": _wherever(_odd_usage),
    "no-closing": _frames(_no_closing),
    "different-closing": _frames(_different_closing),
}
