"""The ASGI application: pages by Django, sockets by Channels behind an exact origin.

Owns the order of those layers, and that a page is made in one thread from its first middleware to its
view. `chats.routing` says which sockets there are.
"""

from __future__ import annotations

import os

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "v0web.settings")

# Commands that sign nothing do without one; Django raises where it is empty.
settings.SECRET_KEY  # noqa: B018

django.setup(set_prefix=False)

# What follows imports models, and so needs Django to be set up by the line above.
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter

from chats.routing import websocket_urlpatterns
from v0web.origins import ExactOrigin


class Pages(ASGIHandler):
    """Django's own handler, which would lead each request through the event loop and back once for
    every middleware: all of ours, and every view, is synchronous."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)
        chain = self._middleware_chain  # type: ignore[has-type]  # django-stubs leave it out
        self._middleware_chain = sync_to_async(chain, thread_sensitive=True)


pages = Pages()
sockets = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
application = ProtocolTypeRouter(
    {"http": pages, "websocket": ExactOrigin(sockets, settings.V0_ORIGINS)}
)
