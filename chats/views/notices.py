"""How somebody wants to be told: the page with both switches, and the mute of one chat.

Owns these wishes, which are one person's own and change no chat. Relies on permissions: muted can be
what somebody has in their list.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from chats import permissions
from chats.forms.notices import MuteForm, NoticesForm
from chats.models import Mute, Person
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
    context = {
        "is_saved": "saved" in request.GET,
        "after": lasting(settings.V0_NOTICE_AFTER),
        "sends_mail": is_possible(),
        "muted": permissions.visible_chats(person).filter(mutes__person=person).order_by("title"),
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
    if request.htmx:
        return trigger_client_event(HttpResponse(status=204), "mark:sidebar")
    if "back" in request.POST:
        return HttpResponseRedirect(resolve_url("notices"), status=303)
    return see_chat(found.id)
