"""The page for moments in which the database does not answer.

Owns one decision: that this is a 503, which a person or a program may try again, and not an error of
ours. The page is made without the database: nobody's name is on it. `/readyz` says the same.
"""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin

RETRY_AFTER = "10"

logger = logging.getLogger(__name__)


class Unavailable(MiddlewareMixin):
    """Belongs last in MIDDLEWARE, so that the ones before see its answer."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        logger.error(
            "The database does not answer: %s", type(exception).__name__, exc_info=exception
        )
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": RETRY_AFTER})
