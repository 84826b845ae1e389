"""What v0 takes: how long, how many, which words.

Owns the checks that requests run before anything is sent. Relies on `errors` alone. Each check
returns what it was given or raises InvalidRequest, which names the field and never repeats a value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sized
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from chats.v0api.errors import InvalidRequest

Value = TypeVar("Value", bound=Sized)
Word = TypeVar("Word", bound=str)

METADATA_ENTRIES = 50
METADATA_VALUE = 500
METADATA_KEY = 40
CHANGED_METADATA_KEY = 50
"""A change takes longer keys than a create does."""

SKILLS = 3
MCP_SERVERS = 10
"""A person has no more of them at v0."""
MCP_NAME = 100
MCP_URL = 500
MCP_DESCRIPTION = 500

PAGE = 100


def length(text: str) -> int:
    """As v0 counts: JavaScript's characters, of which an emoji has two. Never less than Python's."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def text(field: str, value: str, *, least: int = 0, most: int | None = None) -> str:
    """`value`, if it has at least and at most so many characters."""
    if length(value) < least:
        raise InvalidRequest(field, f"needs at least {_counted(least, 'character')}")
    if most is not None and length(value) > most:
        raise InvalidRequest(field, f"may have at most {_counted(most, 'character')}")
    return value


def filled(field: str, value: str) -> str:
    """`value`, if there is more in it than white space: v0 takes a blank for nothing."""
    if not value.strip():
        raise InvalidRequest(field, "must not be blank")
    return value


def count(field: str, items: Value, *, least: int = 0, most: int | None = None) -> Value:
    """`items`, if there are at least and at most so many."""
    if len(items) < least:
        raise InvalidRequest(field, f"needs at least {_counted(least, 'entry')}")
    if most is not None and len(items) > most:
        raise InvalidRequest(field, f"may have at most {_counted(most, 'entry')}")
    return items


def word(field: str, value: Word, known: Collection[str]) -> Word:
    """`value`, if it is one of `known`."""
    if value not in known:
        raise InvalidRequest(field, f"must be one of {', '.join(known)}")
    return value


def number(field: str, value: int, *, least: int, most: int) -> int:
    """`value`, if it lies within both ends."""
    if not least <= value <= most:
        raise InvalidRequest(field, f"must be from {least} to {most}")
    return value


def url(field: str, value: str, schemes: Collection[str] = ("http", "https")) -> str:
    """`value`, if it is an absolute URL of one of `schemes`, in printable ASCII."""
    if not _is_plain(value) or _scheme(value) not in schemes:
        raise InvalidRequest(field, f"must be a URL that begins with {' or '.join(schemes)}")
    return value


def metadata(values: Mapping[str, str | None], *, key: int = METADATA_KEY) -> dict[str, str | None]:
    """A copy of `values`, if they are few and short enough; None stands for a key to delete."""
    kept = [value for value in values.values() if value is not None]
    count("metadata", kept, most=METADATA_ENTRIES)
    for name, value in values.items():
        text("metadata", name, least=1, most=key)
        text("metadata", value or "", most=METADATA_VALUE)
    return dict(values)


def moment(field: str, value: datetime) -> str:
    """`value` in UTC, ending in Z, the one way in which v0 reads a time."""
    if value.tzinfo is None:
        raise InvalidRequest(field, "needs a time zone")
    try:
        shown = value.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest(field, "is beyond the calendar") from None
    return shown.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _scheme(url: str) -> str:
    """The scheme of a URL that says where it leads or what it holds, else ""."""
    try:
        parts = urlsplit(url)
        leads = parts.path if parts.scheme == "data" else parts.hostname and parts.port != 0
    except ValueError:
        return ""
    return parts.scheme if leads else ""


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and not set(value) & set(' "<>\\^`{|}')


def _counted(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
