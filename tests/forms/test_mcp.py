"""An MCP server as it is described: v0's limits, and when a secret changes."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from chats.forms.mcp import (
    BAD_AUTH,
    BAD_HEADERS,
    BAD_SCOPE,
    BAD_TOKEN,
    BAD_URL,
    ELSEWHERE,
    LONG_DESCRIPTION,
    LONG_NAME,
    LONG_URL,
    MISSING,
    NAMED,
    NO_HEADERS,
    NO_NAME,
    Described,
    Secrets,
    ServerForm,
)

URL = "https://mcp.example.com/mcp"
EMOJI = "\N{GRINNING FACE}"
BEARER = Described(name="One", url=URL, auth="bearer")
HEADERS = Described(name="One", url=URL, auth="headers")
OAUTH = Described(name="One", url=URL, auth="keep")


def form(before: Described | None = None, /, **fields: str) -> ServerForm:
    data = QueryDict(mutable=True)
    data.update({"name": "One", "url": URL, "scope": "user", "auth": "none", **fields})
    return ServerForm(data, before)


@pytest.mark.parametrize(
    ("fields", "name", "sentence"),
    [
        ({"name": "  "}, "name", NO_NAME),
        ({"name": "x" * 101}, "name", LONG_NAME),
        ({"name": EMOJI * 51}, "name", LONG_NAME),
        ({"url": ""}, "url", BAD_URL),
        ({"url": "ftp://example.com"}, "url", BAD_URL),
        ({"url": "javascript:alert(1)"}, "url", BAD_URL),
        ({"url": "https://exa mple.com"}, "url", BAD_URL),
        ({"url": "https://[oops"}, "url", BAD_URL),
        ({"url": "https://me:secret@example.com"}, "url", NAMED),
        ({"url": f"https://example.com/{'x' * 481}"}, "url", LONG_URL),
        ({"description": "x" * 501}, "description", LONG_DESCRIPTION),
        ({"scope": "world"}, "scope", BAD_SCOPE),
        ({"auth": "oauth"}, "auth", BAD_AUTH),
        ({"auth": "keep"}, "auth", BAD_AUTH),
        ({"auth": "bearer"}, "token", MISSING),
        ({"auth": "bearer", "token": "a b"}, "token", BAD_TOKEN),
        ({"auth": "bearer", "token": "x" * 4001}, "token", BAD_TOKEN),
        ({"auth": "headers"}, "headers", NO_HEADERS),
        ({"auth": "headers", "headers": "no header"}, "headers", BAD_HEADERS),
        ({"auth": "headers", "headers": "A: 1\na: 2"}, "headers", BAD_HEADERS),
        ({"auth": "headers", "headers": "A B: 1"}, "headers", BAD_HEADERS),
        ({"auth": "headers", "headers": "A:"}, "headers", BAD_HEADERS),
        (
            {"auth": "headers", "headers": "\n".join(f"H{n}: 1" for n in range(21))},
            "headers",
            BAD_HEADERS,
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_v0_would_not_take_is_said_at_its_field(
    fields: dict[str, str], name: str, sentence: str
) -> None:
    assert form(**fields).errors == {name: sentence}


def test_the_most_that_v0_takes_is_taken() -> None:
    found = form(
        name="x" * 100,
        url=f"https://example.com/{'x' * 480}",
        description="x" * 500,
        scope="team",
        auth="headers",
        headers="\r\n".join(f"H{n}: {n}: 1" for n in range(20)),
    )
    assert found.errors == {}
    assert found.secrets is not None
    assert found.secrets.headers["H3"] == "3: 1"


@pytest.mark.parametrize(
    ("before", "fields", "secrets"),
    [
        (None, {"auth": "none"}, Secrets()),
        (None, {"auth": "bearer", "token": " t "}, Secrets(token="t")),
        (BEARER, {"auth": "bearer"}, None),
        (BEARER, {"auth": "bearer", "token": "new"}, Secrets(token="new")),
        (BEARER, {"auth": "none", "token": "ignored"}, Secrets()),
        (BEARER, {"auth": "headers", "headers": "A: 1"}, Secrets(headers={"A": "1"})),
        (HEADERS, {"auth": "headers"}, None),
        (OAUTH, {"auth": "keep"}, None),
        (OAUTH, {"auth": "none"}, Secrets()),
        (Described(name="One", url=URL), {"auth": "none", "name": "Two"}, None),
    ],
)
def test_a_secret_changes_only_when_it_is_given(
    before: Described | None, fields: dict[str, str], secrets: Secrets | None
) -> None:
    found = form(before, **fields)
    assert found.errors == {}
    assert found.secrets == secrets
    assert "new" not in repr(found.secrets)


def test_a_secret_does_not_follow_to_another_address_unseen() -> None:
    moved = {"url": "https://elsewhere.example/mcp"}
    assert form(BEARER, auth="bearer", **moved).errors == {"token": ELSEWHERE}
    assert form(HEADERS, auth="headers", **moved).errors == {"headers": ELSEWHERE}
    assert form(BEARER, auth="bearer", token="again", **moved).errors == {}
    assert form(BEARER, auth="none", **moved).errors == {}
    assert form(BEARER, auth="bearer", url="https://mcp.example.com/other").errors == {}
