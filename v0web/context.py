"""What every template may say about this installation. Reads settings, and nothing of a person."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def installation(request: HttpRequest) -> dict[str, object]:
    """`upstream`: "sandbox" or "v0"; `demo`: whether the demo people exist, who may be named;
    `sends_mail`: whether a link can reach anybody; `attachment_limits`: of one message."""
    limits = {"count": settings.V0_ATTACHMENTS, "size": settings.V0_ATTACHMENT_BYTES}
    return {
        "attachment_limits": limits,
        "upstream": settings.UPSTREAM,
        "demo": settings.DEBUG and settings.UPSTREAM == "sandbox",
        "sends_mail": not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend"),
    }
