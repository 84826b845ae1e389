"""What a log line never holds, and that it stays one line."""

from __future__ import annotations

import logging
import sys
from secrets import token_hex

import pytest
from django.test import RequestFactory
from django.views.debug import technical_500_response
from pytest_django import Settings

from v0web.logs import CUT, RedactingFormatter


def line(message: str, *args: object, fails: Exception | None = None) -> str:
    """`message` as it is written, with the traceback of `fails`."""
    trace = None
    if fails is not None:
        try:
            raise fails
        except Exception:
            trace = sys.exc_info()
    record = logging.LogRecord("chats", logging.INFO, __file__, 1, message, args, trace)
    return RedactingFormatter().format(record)


@pytest.mark.parametrize(
    "text",
    [
        "key v1:AbC-1:canary-2 in words",
        "{'Authorization': 'Bearer canary'}",
        "headers=[(b'authorization', b'Bearer canary')]",
        "authorization: bearer canary",
        "x-v0-preview-token: canary",
        "[(b'x-v0-preview-token', b'canary')]",
        "Cookie: sessionid=canary; other=1",
        "Cookie: csrftoken=canary",
        "Cookie: __Host-session=canary; a=b",
        "Set-Cookie: __Host-csrf=canary; Path=/",
        "GET /shared/canary/ 200",
        "POST /setup/canary/ 303",
        "POST /accounts/signup/canary:1x:y/ 422",
        "GET /accounts/password/reset/key/1-canary/ 200",
        "postgres://v0web:canary@db/v0web is down",
        "redis://:canary@redis:6379/0 is down",
    ],
)
def test_a_secret_is_cut_out(text: str) -> None:
    for written in (line(text), line("%s", text), line("failed", fails=ValueError(text))):
        assert "canary" not in written
        assert CUT in written


def test_what_stands_beside_a_secret_stays() -> None:
    assert line("Bearer canary, then 402").endswith(f"Bearer {CUT} then 402")
    assert line("GET /chats/ 200").endswith("INFO chats: GET /chats/ 200")


def test_the_key_itself_is_cut_out_whatever_its_form(settings: Settings) -> None:
    settings.UPSTREAM, settings.V0_API_KEY = "v0", "no-known-form"
    assert "no-known-form" not in line("sent no-known-form")
    settings.UPSTREAM, settings.V0_API_KEY = "sandbox", "sandbox"
    assert line("the sandbox").endswith("the sandbox")


def test_a_message_cannot_forge_a_line_or_colour_a_terminal() -> None:
    written = line("title\r\n2026 INFO chats: forged\x1b[31m\u2028\x85\x00")
    assert len(written.splitlines()) == 1
    assert not any(ord(character) < 32 for character in written)
    assert "\\x1b[31m" in written


@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_an_error_page_for_developers_shows_no_secret(accept: str) -> None:
    # Not written out, since the page also shows these lines.
    canary = token_hex(8)
    request = RequestFactory().get("/", headers={"Accept": accept, "X-V0": f"Bearer {canary}"})
    hidden = {"Authorization": f"Bearer {canary}", "url": f"redis://:{canary}@redis/0"}
    try:
        raise ValueError(f"v1:some:{canary} of {len(hidden)}")
    except ValueError:
        page = technical_500_response(request, *sys.exc_info()).content.decode()
    assert page.count(CUT) >= 2
    # Beside the variable of that name itself.
    assert page.count(canary) == page.count(f"&#x27;{canary}&#x27;")


def test_a_traceback_keeps_its_lines() -> None:
    written = line("failed", fails=ValueError("two\nlines\x1b"))
    assert "Traceback" in written
    assert "\x1b" not in written
    assert len(written.splitlines()) > 3
