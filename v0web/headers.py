"""Response headers that neither Django nor django-csp sets.

Owns what every response says about caching, embedding and searching, what a search engine is told of the
whole site, and that no response is without the policy: django-csp leaves it out of some pages with DEBUG. A view that knows better sets a header
itself and is left alone.
"""

from __future__ import annotations

from collections.abc import Callable

from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

FIXED = {
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-read=(), "
        "display-capture=()"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-DNS-Prefetch-Control": "off",
    "X-Robots-Tag": "noindex",
    # Pages differ by person, so that nothing but a file of ours may be kept by anyone.
    "Cache-Control": "private, no-store",
}
# A page that nobody may fetch could not say that it is not to be listed: its bare address would be.
ROBOTS = """# Every page says by X-Robots-Tag whether it may be listed, which takes reading it.
User-agent: *
Disallow:
"""
Response = Callable[[HttpRequest], HttpResponseBase]


def headers(get_response: Response) -> Response:
    return lambda request: complete(get_response(request))


def complete(response: HttpResponseBase) -> HttpResponseBase:
    if "Cache-Control" not in response.headers:
        patch_vary_headers(response, ("Cookie",))
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    if "Content-Security-Policy" not in response.headers:
        response.headers["Content-Security-Policy"] = build_policy()
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROBOTS, content_type="text/plain")
