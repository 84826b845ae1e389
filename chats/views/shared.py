"""The address of a link: it leaves its grant in the session and leads to the chat. Owns nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from chats import permissions


@require_safe
def shared(request: HttpRequest, slug: str) -> HttpResponse:
    return redirect("chat", permissions.open_link(request, slug).pk)
