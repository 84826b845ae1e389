"""How a log line and an error page look, and what never stands in one.

Owns the last step before either is written: keys, cookies and passwords are cut out, of tracebacks
too, and a line stays a line. Never logs anything itself.
"""

from __future__ import annotations

import logging
import re

from django.conf import settings
from django.views.debug import ExceptionReporter

CUT = "[cut]"
SECRETS = re.compile(
    r"v1:[\w-]+:[\w-]+"
    r"|(?<=Bearer )[^\s'\"]+"
    r"|(?<=x-v0-preview-token)(['\"]?\s*[:=,]\s*b?['\"]?)[^\s'\",;]+"
    r"|(?<=sessionid=)[^\s;'\"]+"
    r"|(?<=csrftoken=)[^\s;'\"]+"
    r"|(?<=__Host-session=)[^\s;'\"]+"
    r"|(?<=__Host-csrf=)[^\s;'\"]+"
    r"|(?<=/shared/)[^\s/?'\"]+"
    r"|(?<=/setup/)[^\s/?'\"]+"
    r"|(?<=/signup/)[^\s/?'\"]+"
    r"|(?<=/reset/key/)[^\s/?'\"]+"
    r"|(?<=/invitations/)[^\s/?'\"&]+"
    r"|(?<=%2Finvitations%2F)[^\s/?'\"%&]+"
    r"|(?<=/email/confirm/)[^\s/?'\"]+"
    r"|(?<=/email/cancel/)[^\s/?'\"]+"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",
    re.IGNORECASE,
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def redacted(text: str) -> str:
    """`text` without API keys, bearer tokens, cookies, link slugs and passwords of addresses."""
    key = str(settings.V0_API_KEY)
    if settings.UPSTREAM == "v0" and len(key) >= 8:
        text = text.replace(key, CUT)
    return SECRETS.sub(CUT, text)


class RedactingFormatter(logging.Formatter):
    """Time, level, logger and message; a message's own line breaks are escaped."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        return escaped(super().formatMessage(record)).replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        return redacted(escaped(super().format(record)))


def escaped(text: str) -> str:
    """`text` with control characters spelt out, so that it cannot forge a line or colour a
    terminal; line breaks and tabs stay."""
    return CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


class RedactingReporter(ExceptionReporter):
    """Django's page and mail about an exception, which show variables, without secrets in them."""

    def get_traceback_html(self) -> str:  # type: ignore[override]  # whole pages, never a part
        return redacted(super().get_traceback_html())

    def get_traceback_text(self) -> str:  # type: ignore[override]
        return redacted(super().get_traceback_text())
