"""The sockets' addresses."""

from __future__ import annotations

from django.urls import path, re_path

from chats.consumers import ChatSocket, MeSocket, NoSocket

websocket_urlpatterns = [
    path("ws/chats/<uuid:chat>/", ChatSocket.as_asgi()),
    path("ws/me/", MeSocket.as_asgi()),
    re_path(r"", NoSocket.as_asgi()),
]
