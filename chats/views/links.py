"""The link of a chat: another one in place of it, and when it ends.

Owns both forms, each a page by itself and a step of the share dialog. Relies on permissions for the chat and
on `models.links` for the change; whoever held the old link, or one that has ended, loses the chat at once.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse

from chats import accounts, permissions, relay
from chats.forms.acts import sentence
from chats.forms.sharing import DAYS, EndForm
from chats.models import Chat, links
from chats.permissions import Action
from chats.views.access import Request, form_methods, member
from chats.views.acts import shown_act
from chats.views.shares import link
from chats.views.sharing import answered, shown

NONE = "Only an unlisted chat has a link that can be changed."
CHANGED = "The link is another one by now. This is how it is: change it again if you still mean it."


@form_methods
def link_rotate(request: Request, id: UUID) -> HttpResponse:
    """Also makes the link of a chat that has come to have none."""
    found = permissions.chat(request, id, Action.MANAGE)
    if not _is_changeable(request, found):
        return shown(request, found, NONE, status=409)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        status = 422 if request.method == "POST" else 200
        context = {"link": link(request, found), "held": found.link_slug or ""}
        return shown_act(request, found, "link_rotate", context, status=status)
    try:
        _only_as_seen(request, found)
        links.rotate(found, actor=member(request), address=accounts.address(request))
    except links.Changed:
        return shown(request, permissions.chat(request, id, Action.MANAGE), CHANGED, status=409)
    relay.rights_changed()
    return answered(request, found, "rotated")


@form_methods
def link_end(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.MANAGE)
    person = member(request)
    if not _is_changeable(request, found):
        return shown(request, found, NONE, status=409)
    given = request.POST if request.method == "POST" else None
    form = EndForm(given, present=found.link_expires_at, zone=person.zone)
    if given is None or not form.is_valid():
        context = {
            "form": form,
            "days": DAYS.items(),
            "link": link(request, found),
            "held": found.link_slug or "",
            "refusal": sentence(form),
        }
        return shown_act(request, found, "link_end", context, status=422 if given else 200)
    try:
        _only_as_seen(request, found)
        if form.moment != found.link_expires_at:
            links.set_end(found, form.moment, actor=person, address=accounts.address(request))
    except links.Changed:
        return shown(request, permissions.chat(request, id, Action.MANAGE), CHANGED, status=409)
    relay.rights_changed()
    return answered(request, found, "ends")


def _is_changeable(request: Request, found: Chat) -> bool:
    held = link(request, found)
    return held is not None and not held.is_public and not held.waits


def _only_as_seen(request: Request, found: Chat) -> None:
    """A form that was sent twice must not take away the link that the first one made."""
    if request.POST.get("held", "") != (found.link_slug or ""):
        raise links.Changed
