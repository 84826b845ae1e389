"""The page for what is not there, with DEBUG as without.

Owns one decision: Django's own page for developers, which lists every address, is not shown. The demo
runs with DEBUG, and a chat that somebody may not see must look there like one that does not exist.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.views.defaults import page_not_found


class Missing(MiddlewareMixin):
    """Belongs last in MIDDLEWARE, so that the ones before see its answer. What a view answers with
    404 by itself stays as it is."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return page_not_found(request, exception) if isinstance(exception, Http404) else None

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.status_code == 404 and request.resolver_match is None:
            return page_not_found(request, Http404())
        return response
