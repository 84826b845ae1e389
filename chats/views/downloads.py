"""A file that is made while it is on its way.

Owns how its pieces reach a server, that every browser keeps it as a file, and that it ends with the right
to it. Relies on the caller for pieces that are small, each made when the one before has been taken.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from chats.permissions.doors import Door, still_allowed
from chats.permissions.sessions import grants

# The last of a file that somebody takes slowly and may not have as a whole.
ENDS = "\n\nThis file is not complete: access to the chat has ended.\n"
ENDS_OF_USAGE = "\nThis file is not complete: access to it has ended.\n"


def download(
    request: HttpRequest, pieces: Iterator[bytes], *, name: str, kind: str
) -> StreamingHttpResponse:
    content = _as_they_come(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(content, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    return response


def while_allowed(request: HttpRequest, chat: UUID, pieces: Iterator[str]) -> Iterator[str]:
    """The pieces, for as long as a socket that was opened for the same page might stay open."""
    grant = grants(request.session).get(str(chat), "")
    door = Door(request.session.session_key or "", request.user.pk, chat, grant)
    yield from _while(lambda: bool(still_allowed({door})), pieces, ENDS)


def while_signed_in(
    request: HttpRequest, pieces: Iterator[str], is_allowed: Callable[[], bool]
) -> Iterator[str]:
    """The pieces of a file that is of no chat, for as long as its session stands and `is_allowed` says so."""
    door = Door(request.session.session_key or "", request.user.pk, None)
    yield from _while(lambda: bool(still_allowed({door})) and is_allowed(), pieces, ENDS_OF_USAGE)


def _while(is_allowed: Callable[[], bool], pieces: Iterator[str], end: str) -> Iterator[str]:
    asked = time.monotonic()
    for piece in pieces:
        if time.monotonic() - asked >= settings.V0_RIGHTS_CHECK:
            if not is_allowed():
                yield end
                return
            asked = time.monotonic()
        yield piece


async def _as_they_come(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece from the thread of the request: Django would read them all before it sends any."""
    while (piece := await database_sync_to_async(next)(pieces, None)) is not None:
        yield piece
