"""One's own data: the page that says what there is, and the archive of it.

Owns both, and lets nobody at either who has not proved lately that it is they. The archive is asked for
by POST, since that is noted in the audit log.
"""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from chats import permissions
from chats.models import Event, Person
from chats.views.access import Request, form_methods, note, recently_authenticated, signed_in
from chats.views.archive import Archive
from chats.views.downloads import download
from chats.views.shell import shell


@form_methods
@signed_in
@recently_authenticated
def data(request: Request, person: Person) -> HttpResponseBase:
    if request.method == "POST":
        note(request, Event.DATA_EXPORTED, person=person)
        name = f"v0web-{timezone.now().astimezone(person.zone):%Y-%m-%d}.zip"
        pieces = Archive(person, request.build_absolute_uri).pieces()
        return download(request, pieces, name=name, kind="application/zip")
    chats = permissions.visible_chats(person).filter(owner=person).count()
    return render(request, "settings/data.html", {"chats": chats, **shell(request)})
