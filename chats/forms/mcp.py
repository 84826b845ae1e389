"""An MCP server as an administrator describes it: v0's limits, checked before anything is sent.

Owns the names of the fields, their sentences, and whether a secret changes. Secrets are in `secrets`
alone: in nothing that is shown, kept or printed. Relies on `v0api.limits`.

    name  url  description  scope (user, team)
    auth  none, bearer (with `token`), headers (with `headers`, lines of Name: value), or keep for a way
          that was set up at v0 and cannot be set up here
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.http import QueryDict

from chats.forms.message import normalise
from chats.v0api import limits
from chats.v0api.errors import InvalidRequest

SCOPES = ("user", "team")
NONE, BEARER, HEADERS, KEEP = "none", "bearer", "headers", "keep"
SECRET = 4000
MOST_HEADERS = 20
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")

NO_NAME = "A server needs a name."
LONG_NAME = f"A name has at most {limits.MCP_NAME} characters."
BAD_URL = "A URL begins with https:// or http:// and has no spaces."
NAMED = "Say a name and a password under Authentication: a URL is shown to others."
LONG_URL = f"A URL has at most {limits.MCP_URL} characters."
LONG_DESCRIPTION = f"A description has at most {limits.MCP_DESCRIPTION} characters."
BAD_SCOPE = "Choose who can use it."
BAD_AUTH = "Choose how v0 proves who it is."
MISSING = "Give the token."
BAD_TOKEN = f"A token is up to {SECRET:,} printable characters without spaces."
NO_HEADERS = "Give at least one header."
ELSEWHERE = (
    "The server is at another address now: give this again, so that it goes there by your wish."
)
BAD_HEADERS = f"Write up to {MOST_HEADERS} lines, each as Name: value."


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What is shown of a server in its form; `auth` is how it stands at v0 or was chosen."""

    name: str = ""
    url: str = ""
    description: str = ""
    scope: str = "user"
    auth: str = NONE


@dataclass(frozen=True, slots=True)
class Secrets:
    """What authenticates from now on; neither a token nor headers is no authentication."""

    token: str = field(default="", repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    def words(self) -> tuple[str, ...]:
        return tuple(word for word in (self.token, *self.headers.values()) if word)


class ServerForm:
    """Never raises over what it is given. `errors` say what is wrong by field, {} when it can be sent;
    `secrets` is None where what authenticates stays as it is. `before` is the server as it stands at
    v0, None for a new one. What authenticates at one address is never sent on to another unseen."""

    def __init__(self, data: QueryDict, before: Described | None = None) -> None:
        self.before = before.auth if before else ""
        self.described = Described(
            name=" ".join(normalise(data.get("name") or "").split()),
            url=normalise(data.get("url") or "").strip(),
            description=normalise(data.get("description") or "").strip(),
            scope=data.get("scope") or "",
            auth=data.get("auth") or "",
        )
        self.errors: dict[str, str] = {}
        self.secrets: Secrets | None = None
        token = (data.get("token") or "").strip()
        headers = normalise(data.get("headers") or "")
        self.had_secrets = bool(token or headers.strip())
        self._check_words()
        self._check_auth(token, headers)
        if before and self.secrets is None and not self.errors:
            self._check_address(before)

    def _check_words(self) -> None:
        given = self.described
        if not given.name:
            self.errors["name"] = NO_NAME
        elif limits.length(given.name) > limits.MCP_NAME:
            self.errors["name"] = LONG_NAME
        if problem := url_problem(given.url):
            self.errors["url"] = problem
        if limits.length(given.description) > limits.MCP_DESCRIPTION:
            self.errors["description"] = LONG_DESCRIPTION
        if given.scope not in SCOPES:
            self.errors["scope"] = BAD_SCOPE

    def _check_auth(self, token: str, headers: str) -> None:
        match self.described.auth:
            case "none":
                self.secrets = Secrets() if self.before != NONE else None
            case "bearer" if token:
                if (
                    len(token) > SECRET
                    or not token.isascii()
                    or not token.isprintable()
                    or " " in token
                ):
                    self.errors["token"] = BAD_TOKEN
                self.secrets = Secrets(token=token)
            case "bearer" if self.before != BEARER:
                self.errors["token"] = MISSING
            case "headers" if headers.strip():
                found = read_headers(headers)
                if found is None:
                    self.errors["headers"] = BAD_HEADERS
                self.secrets = Secrets(headers=found or {})
            case "headers" if self.before != HEADERS:
                self.errors["headers"] = NO_HEADERS
            case "bearer" | "headers":
                pass
            case "keep" if self.before == KEEP:
                pass
            case _:
                self.errors["auth"] = BAD_AUTH

    def _check_address(self, before: Described) -> None:
        kept = {BEARER: "token", HEADERS: "headers"}.get(before.auth)
        if kept and _origin(self.described.url) != _origin(before.url):
            self.errors[kept] = ELSEWHERE


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, ""
    return parts.scheme.lower(), parts.netloc.lower()


def url_problem(url: str) -> str:
    """What is wrong with a server's URL in a sentence, "" for nothing."""
    try:
        limits.url("url", url)
        has_secrets = urlsplit(url).username is not None
    except (InvalidRequest, ValueError):
        return BAD_URL
    if has_secrets:
        return NAMED
    return LONG_URL if limits.length(url) > limits.MCP_URL else ""


def read_headers(text: str) -> dict[str, str] | None:
    """Lines of Name: value; None when they are not that, or too many."""
    found: dict[str, str] = {}
    for line in filter(str.strip, text.split("\n")):
        name, divider, value = (each.strip() for each in line.partition(":"))
        is_value = bool(value) and len(value) <= SECRET and value.isascii() and value.isprintable()
        if not divider or not HEADER_NAME.fullmatch(name) or not is_value:
            return None
        if name.lower() in map(str.lower, found):
            return None
        found[name] = value
    return found if 0 < len(found) <= MOST_HEADERS else None
