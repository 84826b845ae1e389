"""What can go wrong between us and v0, as one tree that carries what a caller decides on.

Owns the classes and the bits on them; relies on nothing. The words in `message` are v0's own,
shortened and untrusted; anything that looks like a key is taken out of them before they are kept.

    V0Error                 problem      retryable  in_doubt
    ├── NotSent             unsent       yes        no      nothing left this machine
    ├── InDoubt             unknown      yes        yes     no answer that says what happened
    │   └── Oversize        unknown      yes        yes     an answer of more bytes than are read
    ├── StatusError         refused      no         no      any other 4xx; 3xx is in doubt
    │   ├── Unauthorized    unauthorized no         no      401
    │   ├── OutOfCredits    credits      no         no      402
    │   ├── Forbidden       forbidden    no         no      403
    │   ├── NotFound        gone         no         no      404
    │   ├── Conflict        conflict     no         no      409
    │   ├── TooLarge        too-large    no         no      413; an answer over the caller's limit
    │   ├── Invalid         invalid      no         no      422, with `issues`
    │   │   └── InvalidRequest invalid   no         no      refused by us before it left: `field`
    │   ├── RateLimited     rate-limit   yes        no      429, with `retry_after`
    │   ├── Redirected      upstream     no         yes     3xx: never followed
    │   └── ServerError     upstream     yes        yes     5xx
    ├── StreamError         unknown      yes        yes     an accepted stream went wrong: `reason`
    └── DeltaError          unknown      yes        yes     a delta does not fit what it is for

`retryable`: the same request may well succeed later. `in_doubt`: it may have had its effect, so
what costs credits must be looked up first. A charged POST may be offered again unseen only when it
is the first and not the second.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MESSAGE_LENGTH = 500
REDACTED = "[redacted]"

_KEYS = re.compile(r"v1:[^\s\"'<>,;]+|(?i:bearer)\s+[^\s\"'<>,;]+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def redacted(text: str, *secrets: str) -> str:
    """`text` without the given secrets and without anything that has the shape of a key."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return _KEYS.sub(REDACTED, text)


def printable(text: str) -> str:
    """One line of at most MESSAGE_LENGTH characters that any database and terminal takes."""
    text = _UNPRINTABLE.sub(" ", text[: 4 * MESSAGE_LENGTH]).strip()
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 1] + "…"


class V0Error(Exception):
    """Base of all. `status` is the HTTP status that was read, `retry_after` are seconds."""

    problem = "unknown"
    retryable = False
    in_doubt = False

    def __init__(
        self, message: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        self.message = printable(redacted(message))
        self.status = status
        self.retry_after = retry_after
        super().__init__(self.message)

    def __str__(self) -> str:
        status = f" {self.status}" if self.status is not None else ""
        words = f": {self.message}" if self.message else ""
        return f"{type(self).__name__}{status}{words}"


class NotSent(V0Error):
    problem = "unsent"
    retryable = True


class InDoubt(V0Error):
    retryable = True
    in_doubt = True


class Oversize(InDoubt):
    pass


class StatusError(V0Error):
    problem = "refused"


class Unauthorized(StatusError):
    problem = "unauthorized"


class OutOfCredits(StatusError):
    problem = "credits"


class Forbidden(StatusError):
    problem = "forbidden"


class NotFound(StatusError):
    problem = "gone"


class Conflict(StatusError):
    problem = "conflict"


class TooLarge(StatusError):
    problem = "too-large"


class Issue(NamedTuple):
    """What v0 has against one file of an edit, in its own words."""

    path: str
    error: str


class Invalid(StatusError):
    problem = "invalid"
    issues: tuple[Issue, ...] = ()


class InvalidRequest(Invalid, ValueError):
    """v0 would answer 422, so nothing was sent. `field` is the wire's name, as in `metadata`."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field = field


class RateLimited(StatusError):
    problem = "rate-limit"
    retryable = True


class Redirected(StatusError):
    problem = "upstream"
    in_doubt = True


class ServerError(StatusError):
    problem = "upstream"
    retryable = True
    in_doubt = True


class StreamError(V0Error):
    """`reason` is one of

    malformed   a frame that is no JSON event, or misses what its kind must have
    too-long    a line or an event of more than the decoder's limit
    too-large   more parts, or more text in them, than a message may have
    cut         the connection broke, or its body ended before its end
    silence     nothing came for longer than allowed
    """

    retryable = True
    in_doubt = True

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.reason = reason

    @property
    def silence(self) -> bool:
        return self.reason == "silence"


class DeltaError(V0Error):
    retryable = True
    in_doubt = True


_BY_STATUS = {
    401: Unauthorized,
    402: OutOfCredits,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
    429: RateLimited,
}


def status_error(status: int, message: str, retry_after: float | None = None) -> V0Error:
    """The error that an answer with `status` means; InDoubt for a success of the wrong kind."""
    if status in _BY_STATUS:
        kind: type[V0Error] = _BY_STATUS[status]
    elif 300 <= status < 400:
        kind = Redirected
    elif 400 <= status < 500:
        kind = StatusError
    elif 500 <= status < 600:
        kind = ServerError
    else:
        kind = InDoubt
    return kind(message, status=status, retry_after=retry_after)
