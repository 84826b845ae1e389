"""Sharing a chat: the dialog in which its owner says who may see it.

Owns the dialog, the step that says who gains and who loses by another level, and the rows that change, in
one conditional UPDATE. Relies on permissions for the chat and on `permissions.levels` for what a change
means; what gives somebody something counts here when v0 has agreed to it, which the relay hears.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse

from chats import permissions
from chats.models import Chat
from chats.permissions import Action
from chats.views.access import Request, allowed_actions, form_methods
from chats.views.acts import shown_act


@form_methods
def share(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.SET_PRIVATE)
    return shown(request, found, status=422 if request.method == "POST" else 200)


def shown(request: Request, found: Chat, refusal: str = "", *, status: int = 200) -> HttpResponse:
    """The whole dialog: a page by itself, a fragment in the dialog. Every section of it ends here after
    a change, and after a refusal, which is said above."""
    context = {"refusal": refusal, "may_manage": Action.MANAGE in allowed_actions(request, found)}
    return shown_act(request, found, "share", context, status=status)
