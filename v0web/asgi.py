"""The ASGI application: pages by Django, sockets by Channels behind an exact origin.

Owns the order of those layers. `chats.routing` says which sockets there are.
"""

from __future__ import annotations

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "v0web.settings")

# Commands that sign nothing do without one; Django raises where it is empty.
settings.SECRET_KEY  # noqa: B018

pages = get_asgi_application()

# What follows imports models, and so needs Django to be set up by the line above.
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter

from chats.routing import websocket_urlpatterns
from v0web.origins import ExactOrigin

sockets = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
application = ProtocolTypeRouter(
    {"http": pages, "websocket": ExactOrigin(sockets, settings.V0_ORIGINS)}
)
