"""What is done to a whole chat: its menu, rename, delete and undo.

Owns the forms (a page by itself, a fragment for the dialog) and the rows they change, each in one
conditional UPDATE. Relies on permissions for the chat; v0 hears of it later, from the relay.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chats import permissions, relay
from chats.forms.acts import TitleForm, sentence
from chats.models import Chat, Event, Follow, Mute
from chats.models.chats import Privacy
from chats.models.messages import LIVE
from chats.permissions import Action
from chats.views.access import Request, allowed_actions, form_methods, member, note, see_chat
from chats.views.allowance import in_chat
from chats.views.shell import shell
from chats.views.spaces import where

HEADINGS = {
    "menu": "“{}”",
    "rename": "Rename “{}”",
    "share": "Share “{}”",
    "share_change": "Change who can see “{}”?",
    "link_rotate": "A new link for “{}”?",
    "link_end": "When does the link to “{}” end?",
    "unshare": "Stop sharing “{}”?",
    "guest_withdraw": "Withdraw an invitation to “{}”?",
    "move": "Move “{}”",
    "budget": "Budget of “{}”",
    "hand_over": "Hand “{}” over",
    "delete": "Delete “{}”?",
    "duplicate": "Duplicate “{}”?",
    "branch": "Continue from here in a copy?",
    "rewind": "Rewind to this answer?",
}


@require_safe
def menu(request: Request, id: UUID) -> HttpResponse:
    """What whoever asks may do to the chat, as links."""
    found = permissions.chat(request, id, Action.READ)
    allowed = allowed_actions(request, found)
    context = {
        "may_rename": Action.RENAME in allowed,
        "may_duplicate": Action.DUPLICATE in allowed and bool(found.v0_id),
        "may_manage": Action.MANAGE in allowed,
        "may_set_private": Action.SET_PRIVATE in allowed and found.privacy != Privacy.PRIVATE,
        "may_hand_over": Action.MANAGE in allowed and found.team_id is not None,
        "may_see_cost": Action.SEE_COST in allowed,
        "may_mute": Action.LIST in allowed,
        "may_note": Action.NOTE in allowed,
        "where": where(request, found),
        **in_chat(request, found, allowed & {Action.SEE_COST}),
        "may_follow": Action.LIST in allowed and found.owner_id != request.user.pk,
        "is_followed": Follow.objects.filter(person_id=request.user.pk or 0, chat=found).exists(),
        "is_muted": Mute.objects.filter(person_id=request.user.pk or 0, chat=found).exists(),
    }
    return shown_act(request, found, "menu", context)


@form_methods
def rename(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.RENAME)
    if request.method != "POST":
        return shown_act(request, found, "rename", {"text": found.title})
    form = TitleForm(request.POST)
    if not form.is_valid():
        refused = {"text": request.POST.get("title", ""), "refusal": sentence(form)}
        return shown_act(request, found, "rename", refused, status=422)
    Chat.objects.filter(id=found.id).update(
        title=form.given,
        title_given=True,
        title_unsaid=True,
        renamed_by=member(request),
        renamed_at=timezone.now(),
        version=F("version") + 1,
    )
    relay.changed(found.id)
    return HttpResponse(status=204) if request.htmx else see_chat(found.id)


@form_methods
def delete(request: Request, id: UUID) -> HttpResponse:
    """Deletes what was confirmed; what follows from it waits until it cannot be undone."""
    found = permissions.chat(request, id, Action.MANAGE)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        status = 422 if request.method == "POST" else 200
        runs = found.messages.filter(role="assistant", state__in=LIVE).exists()
        context = {"runs": runs, "undo": f"{settings.V0_UNDO:g}"}
        return shown_act(request, found, "delete", context, status=status)
    with transaction.atomic():
        there = Chat.objects.filter(id=found.id, deleted_at=None)
        deleted = {"deleted_at": timezone.now(), "offered_to": None}
        if there.update(**deleted, version=F("version") + 1):
            note(request, Event.CHAT_DELETED, chat=found, team=found.team)
    relay.rights_changed()
    relay.changed(found.id)
    return HttpResponseRedirect(f"{resolve_url('home')}?deleted={found.id}", status=303)


@require_POST
def undelete(request: Request, id: UUID) -> HttpResponse:
    """Brings a chat back; 404 once the time is over."""
    found = permissions.deleted_chat(request, id)
    with transaction.atomic():
        deleted = Chat.objects.filter(id=found.id, deleted_at__gt=permissions.undo_limit())
        if deleted.update(deleted_at=None, version=F("version") + 1):
            note(request, Event.CHAT_UNDELETED, chat=found, team=found.team)
    relay.changed(found.id)
    return see_chat(found.id)


@require_POST
def repeat_privacy(request: Request, id: UUID) -> HttpResponse:
    """Tells v0 once more who may see the chat, after somebody widened that there."""
    found = permissions.chat(request, id, Action.MANAGE)
    Chat.objects.filter(id=found.id).update(privacy_unsaid=True, version=F("version") + 1)
    relay.changed(found.id)
    return see_chat(found.id)


def shown_act(
    request: Request, found: Chat, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The act `name`: a page of its own, or its fragment for a menu or a dialog, whose headings are a
    level down."""
    title = found.title or "New chat"
    context = {
        "chat": found,
        "name": title,
        "heading": HEADINGS[name].format(title),
        "act": f"chats/_{name}.html",
        "is_page": not request.htmx,
    } | context
    if request.htmx:
        return render(request, f"chats/_{name}.html", context, status=status)
    return render(request, "chats/act.html", {**context, **shell(request)}, status=status)
