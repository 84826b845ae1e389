"""How somebody wants to be told: the page with both switches, and the mute and follow of one chat.

Owns these wishes, which are one person's own and change no chat; what is muted is silent, followed or
not. Relies on permissions: muted and followed can be what somebody has in their list.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from chats import permissions
from chats.forms.notices import FollowForm, MuteForm, NoticesForm
from chats.models import Chat, Follow, Mute, Person
from chats.models import seen as marks
from chats.permissions import Action
from chats.relay.notices import is_possible, lasting
from chats.views.access import Request, form_methods, member, see_chat, signed_in
from chats.views.shell import shell


@form_methods
@signed_in
def notices(request: Request, person: Person) -> HttpResponse:
    if request.method == "POST":
        Person.objects.filter(pk=person.pk).update(**NoticesForm(request.POST).wishes)
        return HttpResponseRedirect(f"{resolve_url('notices')}?saved", status=303)
    listed = permissions.visible_chats(person).order_by("title", "id")
    context = {
        "is_saved": "saved" in request.GET,
        "after": lasting(settings.V0_NOTICE_AFTER),
        "sends_mail": is_possible(),
        "muted": listed.filter(mutes__person=person),
        "followed": listed.filter(followers__person=person).exclude(owner=person),
    }
    return render(request, "chats/notices.html", {**context, **shell(request)})


@require_POST
def mute(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.LIST)
    form = MuteForm(request.POST)
    if not form.is_valid():
        return HttpResponse("Say whether the chat is to be muted: yes or no.", status=422)
    mine = Mute.objects.filter(person=member(request), chat=found)
    if form.cleaned_data["muted"] == "no":
        mine.delete()
    elif not mine.exists():
        Mute.objects.bulk_create([Mute(person=member(request), chat=found)], ignore_conflicts=True)
    return _done(request, found)


@require_POST
def follow(request: Request, id: UUID) -> HttpResponse:
    """Notices about a chat of somebody else's, as about one's own. What comes from now on is new to
    whoever follows a chat that they have never opened."""
    found = permissions.chat(request, id, Action.LIST)
    form = FollowForm(request.POST)
    if not form.is_valid():
        return HttpResponse("Say whether the chat is to be followed: yes or no.", status=422)
    person = member(request)
    mine = Follow.objects.filter(person=person, chat=found)
    if form.cleaned_data["followed"] == "no":
        mine.delete()
    elif not mine.exists():
        with transaction.atomic():
            Follow.objects.bulk_create([Follow(person=person, chat=found)], ignore_conflicts=True)
            marks.begin(person, found)
    return _done(request, found)


def _done(request: Request, found: Chat) -> HttpResponse:
    if request.htmx:
        return trigger_client_event(HttpResponse(status=204), "mark:sidebar")
    if "back" in request.POST:
        return HttpResponseRedirect(resolve_url("notices"), status=303)
    return see_chat(found.id)
