"""What an answer of v0 means: its JSON, its file, or the error that its status and words stand for.

Owns reading bodies, with a cap, and judging their shape. Relies on `errors`, `wire` and httpx, sends
nothing, and believes no answer that is not what was asked for: it is InDoubt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import httpcore
import httpx

from chats.v0api import wire
from chats.v0api.errors import (
    InDoubt,
    Invalid,
    Issue,
    Oversize,
    TooLarge,
    V0Error,
    printable,
    status_error,
)
from chats.v0api.types import Json, text

JSON_LIMIT = 64 * 1024 * 1024
WORDS_LIMIT = 64 * 1024
WORDS_PATIENCE = 10.0
LONGEST_WAIT = 24 * 60 * 60.0
ISSUES = 100

# What an archive begins with, also one that is empty.
ZIP = (b"PK\x03\x04", b"PK\x05\x06")

Object = dict[str, Json]


class Writable(Protocol):
    """A file that is open for bytes."""

    def write(self, data: bytes, /) -> object: ...


class _NoJson:
    """Stands for a body that is none."""


NO_JSON: Final = _NoJson()


def content_type(response: httpx.Response) -> str:
    header: str = response.headers.get("content-type", "")
    return header.partition(";")[0].strip().lower()


def is_event_stream(response: httpx.Response) -> bool:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    return (
        response.status_code == 200
        and content_type(response) == "text/event-stream"
        and encoding == "identity"
    )


async def json_value(response: httpx.Response) -> Json:
    """The JSON of a success; InDoubt when there is none. Lets httpcore's exceptions through."""
    status = response.status_code
    if content_type(response) != "application/json":
        raise InDoubt("an answer that is not JSON", status=status)
    body = await _read(response, JSON_LIMIT)
    if len(body) > JSON_LIMIT:
        raise Oversize("an answer that is too large", status=status)
    found = _value(body)
    if found is NO_JSON:
        raise InDoubt("an answer that is not JSON", status=status)
    return found


async def done(response: httpx.Response) -> None:
    """Reads the answer to a deletion or a stop, of which only the success counts.

    v0 has said {"messageId": …}, {"chatId": …}, {"success": true} and {"deleted": true}.
    """
    if response.status_code == 204:
        return
    found = await json_value(response)
    if isinstance(found, dict) and (found.get("success") is False or found.get("deleted") is False):
        raise InDoubt("an answer that it was not done", status=response.status_code)


async def zip_into(response: httpx.Response, file: Writable, limit: int) -> int:
    """Writes an archive of at most `limit` bytes as it comes, and says how many there were.

    Told by its first bytes, since the spec calls it JSON. Nothing is written of anything else, and
    not more than `limit` of what is larger, which is TooLarge. Compression is not undone.
    """
    status = response.status_code
    length = response.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and int(length[:20]) > limit:
        raise TooLarge(f"an archive of more than {limit} bytes", status=status)
    start, written = b"", 0
    async for chunk in response.aiter_raw():
        if not written:
            chunk = start = start + chunk
            if len(start) < len(ZIP[0]):
                continue
            if not start.startswith(ZIP):
                break
        written += len(chunk)
        if written > limit:
            raise TooLarge(f"an archive of more than {limit} bytes", status=status)
        file.write(chunk)
    if not written:
        raise InDoubt("an answer that is no ZIP archive", status=status)
    return written


def an_object(value: Json) -> Object:
    if not isinstance(value, dict):
        raise InDoubt("an answer that is no object", status=200)
    return value


def with_text(value: Json, *names: str) -> Object:
    """The object, in which each of `names` must be a text that is not empty."""
    found = an_object(value)
    for name in names:
        if not isinstance(found.get(name), str) or not found[name]:
            raise InDoubt(f"an answer without {name}", status=200)
    return found


def with_id(value: Json) -> Object:
    return with_text(value, "id")


def with_list(value: Json, name: str) -> Object:
    """The object, in which `name` must be a list: one that is missing must not look empty."""
    found = an_object(value)
    if not isinstance(found.get(name), list):
        raise InDoubt(f"an answer without {name}", status=200)
    return found


def objects(value: Json, name: str) -> list[Object]:
    """The objects of a list that comes bare, or under `name`, or under "data"."""
    if isinstance(value, dict):
        value = value.get(name, value.get("data"))
    if not isinstance(value, list):
        raise InDoubt(f"an answer without {name}", status=200)
    return [item for item in value if isinstance(item, dict)]


async def refusal(response: httpx.Response, cleaned: Callable[[str], str]) -> V0Error:
    """The error that an answer stands for which is not what was asked for.

    `cleaned` takes the key out of v0's words, which may repeat it.
    """
    if response.is_success:
        return status_error(response.status_code, "an answer of the wrong kind")
    said = await _said(response)
    error = status_error(response.status_code, cleaned(_words(said)), retry_after(response))
    if isinstance(error, Invalid):
        error.issues = _issues(said, cleaned)
    return error


def retry_after(response: httpx.Response) -> float | None:
    """Seconds until one may ask again, as far as the answer says; at most a day."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        seconds = float(value) if len(value) < 10 else LONGEST_WAIT
    else:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


async def _said(response: httpx.Response) -> Object:
    """The object of an error; empty for anything else, such as a page."""
    try:
        async with asyncio.timeout(WORDS_PATIENCE):
            body = await _read(response, WORDS_LIMIT)
    except (
        TimeoutError,
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpx.DecodingError,
    ):
        return {}
    found = _value(body)
    return found if isinstance(found, dict) else {}


def _words(said: Object) -> str:
    """What v0 says in a flat error, or an older one does; "" for none."""
    inner = said.get("error")
    for holder in (said, inner if isinstance(inner, dict) else {}):
        for name in ("message", "userMessage"):
            if isinstance(holder.get(name), str):
                return str(holder[name])
    return inner if isinstance(inner, str) else ""


def _issues(said: Object, cleaned: Callable[[str], str]) -> tuple[Issue, ...]:
    found = said.get("issues")
    pairs = (
        (text(item.get("path")), text(item.get("error")))
        for item in (found[:ISSUES] if isinstance(found, list) else ())
        if isinstance(item, dict)
    )
    return tuple(Issue(printable(cleaned(path)), printable(cleaned(why))) for path, why in pairs)


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body as far as one chunk beyond `limit`."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)


def _value(body: bytes) -> Json:
    # Not raised out of here: a JSONDecodeError, as the context of an error, keeps the whole text.
    try:
        content = body.decode("utf-8-sig", errors="replace")
        value = wire.loads(content)
    except ValueError:
        return NO_JSON
    return value if wire.is_clean(content) else wire.repaired(value)
