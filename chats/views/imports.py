"""A new chat of files: texts, a ZIP, or a repository that v0 reads itself.

Owns the page and the answer to its form. Relies on the forms for every limit and on `relay.intents` for
what is written. An address is passed on and never asked for from here; what was filled in, files too,
comes back with every refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from chats import permissions, relay
from chats.forms import archives, imports
from chats.forms.attachments import GONE, forget, made
from chats.forms.contents import NotAccepted
from chats.forms.imports import Filled
from chats.forms.visibility import VisibilityForm
from chats.models import Attachment, Person
from chats.models.messages import IMPORTS
from chats.permissions import Action, belongings, spaces
from chats.relay import intents
from chats.usage.refusals import Refused
from chats.views.access import Request, form_methods, see_chat, signed_in, uuid_or_404, uuid_or_none
from chats.views.exposure import UNSEEN, Exposure, exposure_of_new, is_unseen
from chats.views.refusals import not_now
from chats.views.shell import shell
from chats.views.spaces import new_place

EXPIRED = "This form was too old. What you filled in is still here: send it again."
USED = "This form was already sent with other content. Send it again if you mean this one too."
# More in one form is nobody's mistake.
MOST_KEPT = 40


@form_methods
@signed_in
def bring(request: Request, person: Person) -> HttpResponse:
    if request.method != "POST":
        filled, rows = _earlier(request)
        return _page(request, person, filled, rows)
    filled = Filled.read(request.POST)
    token = uuid_or_none(request.POST.get("token"))
    rows, refusal = _files(request, person, filled, token)
    seen_by = VisibilityForm(filled.privacy, spaces.teams(request))
    refusal = refusal or imports.problem(filled, rows) or seen_by.sentence
    if refusal or token is None:
        return _page(request, person, filled, rows, refusal or EXPIRED, status=422)
    exposed = exposure_of_new("", rows, seen_by.privacy)
    if is_unseen(request, exposed):
        return _page(request, person, filled, rows, UNSEEN, exposed=exposed, status=422)
    try:
        chat = intents.bring(
            *(person, token, filled.kind, imports.payload(filled, rows)),
            title=filled.title,
            privacy=seen_by.privacy,
            team=seen_by.team,
        )
    except intents.TokenReused:
        return _page(request, person, filled, rows, USED, status=409)
    except Refused as error:
        no = not_now(request, error)
        return no.answer(_page(request, person, filled, rows, no.whole, status=no.status))
    relay.wake()
    relay.changed(chat.id)
    return see_chat(chat.id)


def _earlier(request: Request) -> tuple[Filled, list[Attachment]]:
    """What was wanted for the chat that the address names, and did not come."""
    try:
        found = permissions.chat(request, uuid_or_404(request.GET.get("chat")), Action.MANAGE)
    except (Http404, PermissionDenied):
        kind = request.GET.get("kind") or ""
        return Filled(kind=kind if kind in IMPORTS else "files"), []
    wish = intents.wish(found)
    if wish is None or wish.kind not in IMPORTS:
        return Filled(), []
    rows, _ = _kept(request, wish.payload.get("attachments", ()))
    return Filled.again(wish.kind, wish.payload), rows


def _files(
    request: Request, person: Person, filled: Filled, token: UUID | None
) -> tuple[list[Attachment], str]:
    """The files of this kind that the form keeps or brings, and why one cannot be taken."""
    if filled.kind not in ("files", "zip"):
        return [], ""
    name = "file" if filled.kind == "files" else "archive"
    given = cast("list[UploadedFile[Any]]", request.FILES.getlist(name))
    rows, refusal = _kept(request, request.POST.getlist(f"kept_{name}"))
    if name == "archive" and given:
        # A form has room for one: the new one takes the place of the other.
        rows, refusal = [], ""
    for file in given:
        try:
            row = _made(person, file, filled.kind, token)
        except NotAccepted as error:
            refusal = refusal or str(error)
            continue
        rows += [row] if row not in rows else []
    return rows, refusal


def _made(person: Person, file: UploadedFile[Any], kind: str, token: UUID | None) -> Attachment:
    row = made(person, file, token)
    try:
        if kind == "files" and row.content_type not in imports.TEXT_TYPES:
            raise NotAccepted(imports.NO_TEXT.format(row.name))
        if kind == "zip":
            file.seek(0)
            archives.check(row.name, file.read())
    except NotAccepted:
        forget([row])
        raise
    name = imports.file_name(file.name or "")
    if name and name != row.name:
        row.name = name
        row.save(update_fields=["name"])
    return row


def _kept(request: Request, ids: Sequence[str]) -> tuple[list[Attachment], str]:
    """Those of one's own that were not sent yet."""
    rows, refusal = [], ""
    for id in list(dict.fromkeys(ids))[:MOST_KEPT]:
        try:
            rows.append(belongings.unsent_attachment(request, uuid_or_404(id)))
        except Http404:
            refusal = GONE
    return rows, refusal


def _page(
    request: HttpRequest,
    person: Person,
    filled: Filled,
    rows: Sequence[Attachment],
    refusal: str = "",
    *,
    exposed: Exposure | None = None,
    status: int = 200,
) -> HttpResponse:
    start = new_place(request, person, None).filled
    context = {
        "filled": filled,
        "kept_files": rows if filled.kind == "files" else (),
        "kept_archives": rows if filled.kind == "zip" else (),
        "refusal": refusal,
        "exposed": exposed,
        "token": uuid4(),
        "most": imports.MOST_FILES,
        "seen_by": VisibilityForm(filled.privacy, spaces.teams(request), start=start),
    }
    return render(request, "chats/import.html", {**context, **shell(request)}, status=status)
