"""A file that is made while it is on its way.

Owns how its pieces reach a server and that every browser keeps it as a file. Relies on the caller for
pieces that are small, each made when the one before has been taken.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from channels.db import database_sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header


def download(
    request: HttpRequest, pieces: Iterator[bytes], *, name: str, kind: str
) -> StreamingHttpResponse:
    content = _as_they_come(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(content, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _as_they_come(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece from the thread of the request: Django would read them all before it sends any."""
    while (piece := await database_sync_to_async(next)(pieces, None)) is not None:
        yield piece
