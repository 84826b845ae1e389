"""What keeps the API key in one place.

Owns the object that holds the key and the filter that keeps it out of the logs of the HTTP stack.
Relies on httpx for when a header is set; never shows the key, not in a repr and not in an error.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import httpx

from chats.v0api.errors import redacted

LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")

# A shorter key is a word like "sandbox", which would be taken out of every sentence.
SECRET_LENGTH = 12
_ALLOWED = re.compile(r"[\x21-\x7e]+")


class BearerKey(httpx.Auth):
    """Adds the key to requests for one origin and to no others. ValueError for an unusable key."""

    def __init__(self, key: str, base_url: httpx.URL) -> None:
        if not _ALLOWED.fullmatch(key):
            # A header refuses such a key too, but says so with the key in the message.
            raise ValueError("the API key must be printable ASCII without spaces")
        self._key = key
        self._origin = origin(base_url)

    def __repr__(self) -> str:
        return "BearerKey(…)"

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        if origin(request.url) == self._origin:
            request.headers["Authorization"] = f"Bearer {self._key}"
        yield request

    def redacted(self, text: str) -> str:
        return redacted(text, self._key) if len(self._key) >= SECRET_LENGTH else redacted(text)


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class KeyFilter(logging.Filter):
    """Takes the key out of records: at DEBUG, httpcore logs the headers of an answer as they are."""

    def __init__(self, key: BearerKey) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        cleaned = self._key.redacted(message)
        if cleaned != message:
            record.msg, record.args = cleaned, ()
        return True

    def install(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self)
