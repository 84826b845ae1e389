"""How a chat stands that is to come as a whole: a copy, or one of files.

Owns the fragment that says so until v0's messages are here, on the chat's page and as it is fetched again.
Relies on permissions for the chat; what can be done about it is `copies`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from chats import permissions
from chats.models import Chat, Intent
from chats.models.messages import IMPORTS
from chats.permissions import Action
from chats.relay import intents
from chats.rendering import wishes
from chats.views.access import Request, allowed_actions


@require_safe
def copying(request: Request, id: UUID) -> HttpResponse:
    """How the chat stands, for its open page, which is made anew when v0's messages are here."""
    found = permissions.chat(request, id, Action.READ)
    wish = intents.unfinished_copy(found)
    if wish is None:
        return HttpResponseClientRefresh()
    return render(request, "chats/_copying.html", copying_context(request, found, wish))


def copying_context(
    request: HttpRequest, found: Chat, wish: Intent, refusal: str = ""
) -> dict[str, Any]:
    """The context of `chats/_copying.html`. What v0 said of what somebody gave is for who may manage
    the chat; `refusal` is why it was not wanted again."""
    payload = wish.payload
    may_manage = Action.MANAGE in allowed_actions(request, found)
    standing = wishes.standing(
        wish.kind, wish.state, problem=payload.get("problem", ""), title=found.title
    )
    return {
        "chat": found,
        "standing": standing,
        "refusal": refusal,
        "detail": payload.get("detail", "") if may_manage else "",
        "again": payload.get("again", ""),
        "may_manage": may_manage,
        "is_import": wish.kind in IMPORTS,
    }
