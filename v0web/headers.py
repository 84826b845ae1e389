"""Response headers that neither Django nor django-csp sets.

Owns what every response says about caching, embedding and searching, and that none is without the
policy: django-csp leaves it out of some pages with DEBUG. A view that knows better sets a header
itself and is left alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction

from csp.utils import build_policy
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware

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
Response = Callable[[HttpRequest], HttpResponseBase]


@sync_and_async_middleware
def headers(
    get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            return complete(await get_response(request))

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)
        return complete(response)

    return synchronous


def complete(response: HttpResponseBase) -> HttpResponseBase:
    if "Cache-Control" not in response.headers:
        patch_vary_headers(response, ("Cookie",))
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    if "Content-Security-Policy" not in response.headers:
        response.headers["Content-Security-Policy"] = build_policy()
    return response
