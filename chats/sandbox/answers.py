"""Answers and refusals as v0 words them: JSON with exact decimals, flat errors.

Owns `Refusal`, the one exception of the routes. Relies on Starlette and `wire`. It never decides
when to refuse.
"""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chats.sandbox import wire

Json = Any

MEANINGS = {
    400: "Bad request",
    401: "Unauthorized",
    402: "You are out of credits. Add more credits or enable auto top-up.",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Request body is too large",
    422: "Invalid request",
    429: "Too many requests",
    500: "An unexpected error occurred",
}


class Refusal(Exception):
    """A status and its words."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(status, message)
        self.status, self.message = status, message or MEANINGS.get(status, "")


def json_answer(value: Json, status: int = 200) -> Response:
    return Response(wire.dumps(value), status, media_type="application/json")


def error(status: int, message: str = "", headers: dict[str, str] | None = None) -> Response:
    body = wire.dumps({"message": message or MEANINGS.get(status, "Error")})
    return Response(body, status, headers=headers, media_type="application/json")


async def refused(request: Request, reason: Exception) -> Response:
    """Starlette's exception handler for refusals, its own 404 and 405, and our mistakes."""
    match reason:
        case Refusal():
            return error(reason.status, reason.message)
        case HTTPException():
            return error(reason.status_code)
        case _:
            return error(500)
