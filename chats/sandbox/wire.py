"""How values look on the wire: JSON text, event-stream frames, ids and timestamps.

Owns the spelling that v0 uses: exact decimals, JavaScript's way with lone surrogates, `Z` at the
end of every time, short ids of letters and digits. Relies on the standard library and never knows
what the values mean.
"""

from __future__ import annotations

import json
import secrets
import string
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = Any

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
CHAT_ID_LENGTH = 11
MESSAGE_ID_LENGTH = 32

# Written in C, as nearly everything can be: it refuses decimals, and lone surrogates cannot be sent.
_plainly = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def dumps(value: Json) -> str:
    """JSON in which a `Decimal` is a number written as itself, digit for digit."""
    try:
        text = _plainly(value)
        text.encode()
    except (TypeError, UnicodeEncodeError):
        return _exactly(value)
    return text


def _exactly(value: Json) -> str:
    match value:
        case str():
            return _quoted(value)
        case Decimal():
            return format(value, "f")
        case dict():
            members = (f"{_quoted(str(key))}:{dumps(item)}" for key, item in value.items())
            return "{" + ",".join(members) + "}"
        case list() | tuple():
            return "[" + ",".join(dumps(item) for item in value) + "]"
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    """A lone surrogate is written as an escape, as `JSON.stringify` does; the rest as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)


def loads(text: str | bytes) -> Json:
    """The value of JSON `text`, with every fraction as the `Decimal` that was written."""
    return json.loads(text, parse_float=Decimal)


def frame(event: dict[str, Json]) -> bytes:
    return f"data: {dumps(event)}\n\n".encode()


def new_id(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def now() -> str:
    return timestamp(datetime.now(UTC))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
