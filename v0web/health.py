"""Whether this process is alive, and whether it should be sent people.

Owns the flag that a stop sets. Says nothing about people, versions or secrets.
"""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


class Readiness:
    """`draining` is set once, when the process begins to stop."""

    draining = False


readiness = Readiness()


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when people may be sent here; 503 while stopping or without a database."""
    if readiness.draining:
        return HttpResponse("stopping\n", content_type="text/plain", status=503)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return HttpResponse("no database\n", content_type="text/plain", status=503)
    return HttpResponse("ready\n", content_type="text/plain")
